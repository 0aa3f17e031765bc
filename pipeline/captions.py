"""Captions: what is heard, in lines that can be read in time, as SubRip, WebVTT or JSON."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.caption_formats import CAPTION_FORMATS, Cue
from pipeline.speech import Sentence, Speech
from pipeline.words import Word
from text.phrasing import BOUND, TURNS

LINE_LENGTH = 42  # characters; lines and cues as the style guides of broadcasters have them
MAX_LINES = 2
MIN_SECONDS, MAX_SECONDS = 1.0, 7.0  # that a cue is shown
MAX_CHARACTERS_PER_SECOND = 20.0  # that can be read

_MARKS = re.compile("[^-.,:;!?()'\"\u2013\u2014\u2018\u2019\u201c\u201d\u2026\\s]")
"""What stands between words and is no punctuation: markup."""


@dataclass(frozen=True)
class _Piece:
    """A word with the marks around it."""

    text: str
    start: float
    end: float
    is_apart: bool  # white space follows


def write_captions(path: Path, speech: Speech) -> None:
    """Write captions; the suffix chooses srt, vtt or json."""
    content = CAPTION_FORMATS[path.suffix.lower()](cues(speech), speech.words)
    with atomic_write(path) as part_path:
        part_path.write_text(content, encoding="utf-8", errors="replace")


def cues(speech: Speech) -> list[Cue]:
    """Return the captions of a speech, in order; none overlaps the next."""
    shown: list[Cue] = []
    for pieces in _sentences(speech):
        lines = _lines(pieces)
        while lines:
            n_lines = _n_together(lines)
            cue = Cue(
                lines[0][0].start,
                lines[n_lines - 1][-1].end,
                tuple(_text(line) for line in lines[:n_lines]),
            )
            shown = _with(shown, cue)
            lines = lines[n_lines:]
    return [_held(cue, following) for cue, following in zip(shown, [*shown[1:], None], strict=True)]


def _n_together(lines: Sequence[Sequence[_Piece]]) -> int:
    """Return how many lines the next cue has."""
    n_lines = min(MAX_LINES, len(lines))
    while n_lines > 1 and lines[n_lines - 1][-1].end - lines[0][0].start > MAX_SECONDS:
        n_lines -= 1
    return n_lines


def _with(shown: Sequence[Cue], cue: Cue) -> list[Cue]:
    """Return cues with one more, which joins the last where that is too short to be read."""
    if shown and shown[-1].end - shown[-1].start < MIN_SECONDS:
        last = shown[-1]
        lines = (*last.lines, *cue.lines)
        if len(lines) <= MAX_LINES and cue.end - last.start <= MAX_SECONDS:
            return [*shown[:-1], Cue(last.start, cue.end, lines)]
    return [*shown, cue]


def _held(cue: Cue, following: Cue | None) -> Cue:
    """Return a cue that stays, while nothing else is said, until it can have been read."""
    n_characters = sum(map(len, cue.lines))
    readable = cue.start + max(MIN_SECONDS, n_characters / MAX_CHARACTERS_PER_SECOND)
    latest = np.inf if following is None else following.start
    return replace(cue, end=max(cue.end, min(readable, latest)))


def _sentences(speech: Speech) -> Iterator[list[_Piece]]:
    """Yield the pieces of each sentence as it was written; long ones were spoken in parts."""
    words = iter(speech.words)
    for (written, _), parts in groupby(speech.sentences, key=_as_written):
        places: list[tuple[int, int]] = []
        said: list[Word] = []
        for part in parts:
            for place in part.written_words:
                places.append((place.start, place.end))
                said.append(next(words))
        pieces = [
            piece
            for index, word in enumerate(said)
            for piece in _pieces(written, places, index, word)
        ]
        if pieces:
            yield pieces


def _as_written(sentence: Sentence) -> tuple[str, object]:
    return sentence.written, sentence.segment.origins[:1]


def _pieces(
    written: str, places: Sequence[tuple[int, int]], index: int, word: Word
) -> Iterator[_Piece]:
    """Yield a word with its marks; in parts, where it is longer than a line."""
    start, end = places[index]
    before = written[places[index - 1][1] if index else 0 : start]
    after = written[end : places[index + 1][0] if index + 1 < len(places) else len(written)]
    # Of what stands between two words, the last one without a space before it is the second's.
    opening = before.rpartition(" ")[2] if index == 0 or " " in before else ""
    closing = after if index + 1 == len(places) or " " not in after else after.rpartition(" ")[0]
    text = " ".join(f"{_marks(opening)}{word.written}{_marks(closing)}".split())
    parts = textwrap.wrap(text, LINE_LENGTH, break_on_hyphens=False)
    edges = np.linspace(word.start, word.end, len(parts) + 1).tolist()
    for number, part in enumerate(parts):
        is_last = number + 1 == len(parts)
        yield _Piece(part, edges[number], edges[number + 1], " " in after or not is_last)


def _marks(between: str) -> str:
    """Return the punctuation between two words; what has letters is markup, an address say."""
    if any(char.isalnum() for char in between):
        return ""
    return _MARKS.sub("", between)


def _text(line: Sequence[_Piece]) -> str:
    return "".join(f"{piece.text} " if piece.is_apart else piece.text for piece in line).strip()


def _lines(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Return the pieces in lines that break where phrases do and are of like length."""
    costs, starts = [0.0], [0]
    for end in range(1, len(pieces) + 1):
        choices = []
        for start in range(end - 1, -1, -1):
            length = len(_text(pieces[start:end]))
            if length > LINE_LENGTH and start < end - 1:
                break
            room = (LINE_LENGTH - length) / LINE_LENGTH
            choices.append((costs[start] + 1.0 + room**2 + _break_cost(pieces, end), start))
        cost, start = min(choices)
        costs.append(cost)
        starts.append(start)
    lines: list[list[_Piece]] = []
    end = len(pieces)
    while end:
        lines.insert(0, list(pieces[starts[end] : end]))
        end = starts[end]
    return lines


def _break_cost(pieces: Sequence[_Piece], place: int) -> float:
    """Return what it costs to end a line before a piece: nothing after a mark, most in a phrase."""
    if place == len(pieces) or re.search(
        r"[.,:;!?)\u2013\u2014\u2026-][\"'\u2019\u201d]*$", pieces[place - 1].text
    ):
        return 0.0
    before, after = pieces[place - 1].text.lower(), pieces[place].text.lower()
    if before in BOUND:
        return 1.0
    is_turn = after in BOUND or any(after in turns for turns in TURNS)
    return 0.2 if is_turn else 0.5
