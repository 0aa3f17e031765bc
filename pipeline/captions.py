"""Captions: what is heard, in lines that can be read in time, as SubRip, WebVTT or JSON."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.caption_formats import CAPTION_FORMATS, Cue
from pipeline.words import HeardSentence, Word
from text.phrasing import BOUND, TURNS

LINE_LENGTH = 42  # characters; lines and cues as the style guides of broadcasters have them
MAX_LINES = 2
MIN_SECONDS, MAX_SECONDS = 1.0, 7.0  # that a cue is shown
MAX_CHARACTERS_PER_SECOND = 20.0  # that can be read
MAX_PAUSE_SECONDS = 1.0  # between two sentences that one cue shows; chapters are further apart

_MARKS = re.compile("[^-.,:;!?()'\"\u2013\u2014\u2018\u2019\u201c\u201d\u2026\\s]")
"""What stands between words and is no punctuation: markup."""


@dataclass(frozen=True)
class _Piece:
    """A word with the marks around it."""

    text: str
    start: float
    end: float
    is_apart: bool  # white space follows


def write_captions(path: Path, cues: Iterable[Cue], words: Iterable[Mapping[str, Any]]) -> None:
    """Write captions, whole or not at all; the suffix chooses srt, vtt or json.

    Args:
        path: The file.
        cues: What `cues` yields.
        words: Each word for JSON; the other formats do without.
    """
    with (
        atomic_write(path) as part_path,
        part_path.open("w", encoding="utf-8", errors="replace") as file,
    ):
        file.writelines(CAPTION_FORMATS[path.suffix.lower()](cues, words))


def cues(heard: Iterable[HeardSentence]) -> Iterator[Cue]:
    """Yield the captions of what is heard, in order; none overlaps the next."""
    last: Cue | None = None
    for cue in _cues(heard):
        if last is None:
            last = cue
        elif (both := _together(last, cue)) is not None:
            last = both
        else:
            yield _held(last, cue.start)
            last = cue
    if last is not None:
        yield _held(last, math.inf)


def _cues(heard: Iterable[HeardSentence]) -> Iterator[Cue]:
    """Yield the cues of each sentence by itself."""
    for pieces in _sentences(heard):
        lines = _lines(pieces)
        while lines:
            n_lines = _n_together(lines)
            yield Cue(
                lines[0][0].start,
                lines[n_lines - 1][-1].end,
                tuple(_text(line) for line in lines[:n_lines]),
            )
            lines = lines[n_lines:]


def _n_together(lines: Sequence[Sequence[_Piece]]) -> int:
    """Return how many lines the next cue has."""
    n_lines = min(MAX_LINES, len(lines))
    while n_lines > 1 and lines[n_lines - 1][-1].end - lines[0][0].start > MAX_SECONDS:
        n_lines -= 1
    return n_lines


def _together(last: Cue, cue: Cue) -> Cue | None:
    """Return one cue for two, where the first is too short to be read and the second follows it."""
    lines = (*last.lines, *cue.lines)
    is_short = last.end - last.start < MIN_SECONDS
    fits = len(lines) <= MAX_LINES and cue.end - last.start <= MAX_SECONDS
    if is_short and fits and cue.start - last.end < MAX_PAUSE_SECONDS:
        return Cue(last.start, cue.end, lines)
    return None


def _held(cue: Cue, latest: float) -> Cue:
    """Return a cue that stays until it can have been read, but not longer than to `latest`."""
    n_characters = sum(map(len, cue.lines))
    readable = cue.start + max(MIN_SECONDS, n_characters / MAX_CHARACTERS_PER_SECOND)
    return replace(cue, end=max(cue.end, min(readable, latest)))


def _sentences(heard: Iterable[HeardSentence]) -> Iterator[list[_Piece]]:
    """Yield the pieces of each sentence as it was written; long ones were spoken in parts."""
    written = ""
    said: list[Word] = []
    for part in heard:
        if not part.words:
            continue
        goes_on = said and part.written == written and part.words[0].begin > said[-1].begin
        if said and not goes_on:
            yield _pieces(written, said)
            said = []
        written = part.written
        said += part.words
    if said:
        yield _pieces(written, said)


def _pieces(written: str, said: Sequence[Word]) -> list[_Piece]:
    return [piece for index in range(len(said)) for piece in _pieces_of(written, said, index)]


def _pieces_of(written: str, said: Sequence[Word], index: int) -> Iterator[_Piece]:
    """Yield a word with its marks; in parts, where it is longer than a line."""
    word = said[index]
    before = written[said[index - 1].stop if index else 0 : word.begin]
    after = written[word.stop : said[index + 1].begin if index + 1 < len(said) else len(written)]
    # Of what stands between two words, the last one without a space before it is the second's.
    opening = before.rpartition(" ")[2] if index == 0 or " " in before else ""
    closing = after if index + 1 == len(said) or " " not in after else after.rpartition(" ")[0]
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
