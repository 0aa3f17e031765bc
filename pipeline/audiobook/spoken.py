"""A spoken book: its chapters and sentences, whose audio lies on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.audiobook.changes import Place
from pipeline.audiobook.segments import Unspoken

CHAPTER_PAUSE_SECONDS = 1.5  # after each chapter but the last


@dataclass(frozen=True, kw_only=True)
class SpokenSentence:
    """A sentence, or a part of a long one, with the pause after it."""

    written: str
    path: Path  # a FLAC file, 16 bits, mono; what is known of it is in a JSON file beside it
    n_samples: int
    warning: str  # "" where all went well

    def pcm(self) -> np.ndarray:
        """Return int16 [S]."""
        import soundfile

        return np.asarray(soundfile.read(self.path, dtype="int16")[0])

    def facts(self) -> list[dict[str, Any]]:
        """Return what is known of it, `sentence_facts` with options and words, from disk.

        It is one, but where the text of the sentence was changed to several. Times count from its
        beginning, and places of words in the sentence as written.
        """
        content = json.loads(self.path.with_suffix(".json").read_text(encoding="utf-8"))
        return list(content["sentences"])


class Timed(NamedTuple):
    """A sentence in its book."""

    place: Place
    start: float  # seconds
    spoken: SpokenSentence


@dataclass(kw_only=True)
class SpokenChapter:
    """A chapter; it grows while it is spoken."""

    title: str
    sentences: list[SpokenSentence] = field(default_factory=list)
    unspoken: list[Unspoken] = field(default_factory=list)

    @property
    def n_samples(self) -> int:
        """Length without the pause after it."""
        return sum(sentence.n_samples for sentence in self.sentences)

    def pcm(self) -> Iterator[np.ndarray]:
        """Yield int16 [S] of each sentence."""
        for sentence in self.sentences:
            yield sentence.pcm()


@dataclass(kw_only=True)
class SpokenBook:
    """All chapters that were spoken so far; audio is read from disk when it is asked for."""

    title: str
    author: str
    sample_rate: int
    chapters: list[SpokenChapter] = field(default_factory=list)

    @property
    def heard(self) -> list[SpokenChapter]:
        """The chapters in which something is heard."""
        return [chapter for chapter in self.chapters if chapter.sentences]

    @property
    def pause_samples(self) -> int:
        """Length of the pause after a chapter."""
        return round(CHAPTER_PAUSE_SECONDS * self.sample_rate)

    def starts(self) -> list[int]:
        """Return where each chapter that is heard begins, in samples, and where the last ends."""
        starts = [0]
        for chapter in self.heard:
            starts.append(starts[-1] + chapter.n_samples + self.pause_samples)
        starts[-1] = max(0, starts[-1] - self.pause_samples)
        return starts

    @property
    def seconds(self) -> float:
        """Length of the whole."""
        return self.starts()[-1] / self.sample_rate

    def pcm(self) -> Iterator[np.ndarray]:
        """Yield the audio as int16 [S], a piece at a time."""
        for number, chapter in enumerate(self.heard):
            if number:
                yield np.zeros(self.pause_samples, dtype=np.int16)
            yield from chapter.pcm()

    def problems(self) -> list[str]:
        """Return a line for everything that is not heard as it is written."""
        lines = []
        for chapter_number, chapter in enumerate(self.chapters, 1):
            lines += [str(one) for one in chapter.unspoken]
            lines += [
                f"{chapter_number}:{number}, {chapter.title}: {sentence.warning}"
                for number, sentence in enumerate(chapter.sentences, 1)
                if sentence.warning
            ]
        return lines

    def timed(self) -> Iterator[Timed]:
        """Yield each sentence with its place, and when it begins."""
        position = 0
        for chapter_number, chapter in enumerate(self.chapters, 1):
            for number, sentence in enumerate(chapter.sentences, 1):
                yield Timed(Place(chapter_number, number), position / self.sample_rate, sentence)
                position += sentence.n_samples
            position += self.pause_samples if chapter.sentences else 0

    def alone(self, chapter: SpokenChapter) -> SpokenBook:
        """Return the book with one chapter, which keeps its number."""
        others = [
            one if one is chapter else SpokenChapter(title=one.title) for one in self.chapters
        ]
        return replace(self, chapters=others)

    def listing(self) -> str:
        """Return a line for each sentence, parted by tabs: its place, when it begins, its words."""
        lines = ["place\tseconds\twritten"]
        for place, start, sentence in self.timed():
            lines.append(f"{place}\t{start:.2f}\t{' '.join(sentence.written.split())}")
        return "\n".join(lines) + "\n"
