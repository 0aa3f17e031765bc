"""The text of a chapter to segments; what cannot be spoken is left out and named."""

from __future__ import annotations

from typing import NamedTuple

from text import Segment, TextError, read_document, split_sentences
from text.sentences import MAX_SYMBOLS, split_paragraphs
from text.ssml import is_ssml

_MAX_EXCERPT = 80  # characters


class Unspoken(NamedTuple):
    """Something that is not heard as it is written, and why."""

    chapter: str
    written: str
    reason: str

    def __str__(self) -> str:
        """Return one line with the place."""
        return f"{self.chapter}: {self.reason}: {self.written!r}"


Segments = tuple[tuple[Segment, ...], list[Unspoken]]  # of a chapter, and what is left out


def chapter_segments(title: str, text: str) -> Segments:
    """Return what `read_document` makes of a chapter, less its sentences that cannot be spoken."""
    try:
        return read_document(text).segments, []
    except TextError as error:
        if is_ssml(text):
            return (), [Unspoken(title, _excerpt(text), error.reason)]
    unspoken: list[Unspoken] = []
    paragraphs = []
    for paragraph in split_paragraphs(text):
        kept = []
        for sentence in split_sentences(paragraph, max_symbols=max(len(paragraph), MAX_SYMBOLS)):
            try:
                read_document(sentence)
            except TextError as error:
                if any(character.isalnum() for character in sentence):
                    unspoken.append(Unspoken(title, _excerpt(sentence), error.reason))
            else:
                kept.append(sentence)
        paragraphs.append(" ".join(kept))
    is_silent = not any(paragraphs)
    return (() if is_silent else read_document("\n\n".join(paragraphs)).segments), unspoken


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_EXCERPT else line[: _MAX_EXCERPT - 2] + " …"
