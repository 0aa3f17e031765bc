"""Long recordings with their texts to clips of a sentence or two: by subtitles, or by aligning."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from pipeline.data.alignment import align_words, make_decoder
from pipeline.data.cutting import FRAME_SECONDS, frame_levels
from pipeline.data.transcripts import Cue
from text import normalize, pronounce, split_sentences

MIN_SECONDS, MAX_SECONDS = 3.0, 12.0  # of a clip, where sentences allow
MAX_PAUSE_SECONDS = 1.5  # within a clip
MARGIN_SECONDS = 0.15  # before and after a boundary, where the quietest moment is looked for
LEAD_SECONDS = 0.4  # of silence that a clip keeps at both ends
SENTENCE_ENDS = (".", "!", "?", '."', '!"', '?"')


class Piece(NamedTuple):
    """A clip of a recording: from sample `start` to sample `end`."""

    start: int
    end: int
    text: str


def sentence_cues(text: str, audio: np.ndarray, sample_rate: int) -> tuple[Cue, ...] | None:
    """Return when each sentence of a text is said, or None where the recognizer does not find it.

    Args:
        text: All that is said, in order.
        audio: [S] float.
        sample_rate: In Hz.
    """
    sentences = split_sentences(text)
    spoken = [[t for t in pronounce(normalize(one)) if t.phones is not None] for one in sentences]
    tokens = [token for sentence in spoken for token in sentence]
    times = align_words(make_decoder([tokens]), tokens, audio, sample_rate)
    if times is None:
        return None
    ends = np.cumsum([len(sentence) for sentence in spoken])
    return tuple(
        Cue(times[end - len(words)].start, times[end - 1].end, sentence)
        for sentence, words, end in zip(sentences, spoken, ends, strict=True)
        if words
    )


def pieces_of_cues(cues: Sequence[Cue], audio: np.ndarray, sample_rate: int) -> list[Piece]:
    """Return clips of whole cues, cut where it is quietest between them.

    Args:
        cues: In order; what lies between two of them is taken for a pause.
        audio: [S] float.
        sample_rate: In Hz.
    """
    levels = frame_levels(audio, sample_rate)
    groups = _groups(cues)
    edges = [
        0.0,
        *(_edge(before[-1].end, after[0].start, levels) for before, after in pairwise(groups)),
        len(audio) / sample_rate,
    ]
    pieces = []
    for group, (before, after) in zip(groups, pairwise(edges), strict=True):
        start = max(before, group[0].start - LEAD_SECONDS)
        end = min(after, group[-1].end + LEAD_SECONDS)
        text = " ".join(cue.text for cue in group)
        pieces.append(Piece(int(start * sample_rate), int(end * sample_rate), text))
    return [piece for piece in pieces if piece.end > piece.start]


def _groups(cues: Sequence[Cue]) -> list[list[Cue]]:
    """Return cues that follow each other closely, together where they make no long clip."""
    groups = [[cues[0]]]
    for cue in cues[1:]:
        group = groups[-1]
        seconds = group[-1].end - group[0].start
        is_whole = group[-1].text.endswith(SENTENCE_ENDS) and seconds >= MIN_SECONDS
        is_long = cue.end - group[0].start > MAX_SECONDS
        if is_whole or is_long or cue.start - group[-1].end > MAX_PAUSE_SECONDS:
            groups.append([cue])
        else:
            group.append(cue)
    return groups


def _edge(end: float, start: float, levels: np.ndarray) -> float:
    """Return where to cut between one cue's end and the next one's start, in seconds.

    It is the middle of a long pause, and the quietest moment of a short one.
    """
    if start - end > 2.0 * LEAD_SECONDS:
        return (end + start) / 2
    first = max(0, int((min(end, start) - MARGIN_SECONDS) / FRAME_SECONDS))
    last = int((max(end, start) + MARGIN_SECONDS) / FRAME_SECONDS)
    window = levels[first : last + 1]
    if not len(window):
        return (end + start) / 2
    return (first + float(window.argmin()) + 0.5) * FRAME_SECONDS
