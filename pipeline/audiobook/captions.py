"""Captions of a spoken book, with the times of all of it; nothing but the latest is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.audiobook.changes import Place
from pipeline.audiobook.spoken import SpokenBook
from pipeline.captions import cues, write_captions
from pipeline.words import HeardSentence, Word


def write_book_captions(path: Path, book: SpokenBook) -> None:
    """Write captions, whole or not at all; the suffix chooses srt, vtt or json."""
    write_captions(path, cues(one for _, one in _heard(book)), book_words(book))


def book_words(book: SpokenBook) -> Iterator[dict[str, Any]]:
    """Yield each word for JSON: `begin` and `stop` count in the sentence at its place."""
    for place, sentence in _heard(book):
        for word in sentence.words:
            yield {"place": str(place), **word.as_json()}


def _heard(book: SpokenBook) -> Iterator[tuple[Place, HeardSentence]]:
    for place, start, spoken in book.timed():
        for facts in spoken.facts():
            words = tuple(Word(**word).later(start) for word in facts["words"])
            yield place, HeardSentence(facts["written"], words)
