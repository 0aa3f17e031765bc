"""Speaks a document sentence by sentence into a work folder, where nothing is spoken twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.audio import to_pcm
from pipeline.audiobook.changes import Change, Place
from pipeline.audiobook.segments import Unspoken, chapter_segments
from pipeline.audiobook.spoken import SpokenBook, SpokenChapter, SpokenSentence
from pipeline.audiobook.work_folder import LISTING, WorkFolder, key_of
from pipeline.documents import Document
from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions
from pipeline.speech import pause_after
from text import Segment, read_document

if TYPE_CHECKING:
    from pipeline.synthesizer import Synthesizer


class Progress(NamedTuple):
    """One more sentence is there."""

    chapter: int  # counts from 1
    sentence: int
    n_sentences: int  # of the chapter
    done_characters: int  # of all chapters that are to be spoken
    spoken: SpokenSentence
    is_new: bool  # False where it was spoken before
    seconds: float  # of computing


class Recording:
    """A document that is being spoken, or was."""

    def __init__(
        self,
        document: Document,
        tts: Synthesizer,
        options: SpeechOptions,
        work: WorkFolder,
        *,
        chapters: Collection[int] | None = None,
        changes: Mapping[Place, Change] | None = None,
    ) -> None:
        """Prepare it; nothing is spoken yet.

        Args:
            document: What to speak.
            tts: The voice.
            options: How; what they leave open is the voice's own.
            work: Where sentences are found and stored.
            chapters: Which chapters, counted from 1; all by default.
            changes: What was asked for single sentences before.
        """
        self._document = document
        self._tts = tts
        self._options = options.or_else(tts.voice.options)
        self._work = work
        self._voice_key = _voice_key(tts)
        self._chosen = chapters
        self._segments: dict[int, tuple[tuple[Segment, ...], list[Unspoken]]] = {}
        self.changes = dict(changes or {})
        self.book = self._new_book()

    @property
    def n_characters(self) -> int:
        """Length of the chapters that are to be spoken."""
        return sum(
            len(chapter.text)
            for number, chapter in enumerate(self._document.chapters, 1)
            if self._is_chosen(number)
        )

    def speak(self) -> Iterator[Progress]:
        """Speak what is missing; `book` holds all that is there.

        Stop at any sentence, and call it again to go on.
        """
        self._work.create()
        self.book = self._new_book()
        characters_before = 0
        for number, chapter in enumerate(self._document.chapters, 1):
            spoken = SpokenChapter(title=chapter.title)
            self.book.chapters.append(spoken)
            if not self._is_chosen(number):
                continue
            if number not in self._segments:
                self._segments[number] = chapter_segments(chapter.title, chapter.text)
            segments, spoken.unspoken = self._segments[number]
            for index in range(len(segments)):
                sentence, seconds = self._say(segments, Place(number, index + 1))
                spoken.sentences.append(sentence)
                share = (index + 1) / len(segments)
                yield Progress(
                    chapter=number,
                    sentence=index + 1,
                    n_sentences=len(segments),
                    done_characters=characters_before + round(share * len(chapter.text)),
                    spoken=sentence,
                    is_new=seconds > 0,
                    seconds=seconds,
                )
            characters_before += len(chapter.text)

    def sentence(self, place: Place) -> SpokenSentence:
        """Return a sentence of what was spoken last.

        Raises:
            PipelineError: There is no such sentence.
        """
        chapters = self.book.chapters
        is_chapter = 1 <= place.chapter <= len(chapters)
        sentences = chapters[place.chapter - 1].sentences if is_chapter else []
        if not 1 <= place.sentence <= len(sentences):
            raise PipelineError(
                f"There is no sentence {place}: chapter {place.chapter} of {len(chapters)} has "
                f"{len(sentences)}; {LISTING} lists them"
            )
        return sentences[place.sentence - 1]

    def change(self, place: Place, change: Change) -> None:
        """Ask for one sentence anew.

        Raises:
            PipelineError: There is no such sentence in what was spoken last.
            TextError: Its new text cannot be spoken.
        """
        self.sentence(place)
        if change.text is not None:
            read_document(change.text)
        self.changes[place] = change

    def speak_changed(self, place: Place) -> Iterator[SpokenSentence]:
        """Speak one sentence as it was asked for, in its place of `book`; yield it."""
        self.sentence(place)
        segments, _ = self._segments[place.chapter]
        spoken, _ = self._say(segments, place)
        self.book.chapters[place.chapter - 1].sentences[place.sentence - 1] = spoken
        yield spoken

    def _say(self, segments: tuple[Segment, ...], place: Place) -> tuple[SpokenSentence, float]:
        """Return a sentence, and what it took: nothing where it was spoken before."""
        change = self.changes.get(place, Change())
        index = place.sentence - 1
        segment = replace(segments[index], pause_seconds=pause_after(segments, index))
        options = change.options(self._options)
        spoken = [segment.text, segment.rate, segment.pause_seconds, index, change.text]
        key = key_of(self._voice_key, asdict(options), spoken)
        written = segment.written if change.text is None else change.text
        stored = self._work.find(key, written)
        if stored is not None:
            return stored, 0.0
        if change.text is None:
            speech = self._tts.speak_segment(segment, options, index=index)
            pcm = to_pcm(speech.audio)
        else:
            speech = self._tts.speak(change.text, options)
            pause_samples = segment.pause_seconds / options.rate * speech.sample_rate
            pcm = np.pad(to_pcm(speech.audio), (0, round(pause_samples)))
        is_cut = any(sentence.ending == "limit" for sentence in speech.sentences)
        warning = f"It ran into its length limit and may be cut: {written!r}" if is_cut else ""
        stored = self._work.store(key, written, pcm, speech.sample_rate, warning=warning)
        return stored, speech.taken_seconds

    def _new_book(self) -> SpokenBook:
        return SpokenBook(
            title=self._document.title,
            author=self._document.author,
            sample_rate=self._tts.voice.audio.sample_rate,
        )

    def _is_chosen(self, number: int) -> bool:
        return self._chosen is None or number in self._chosen


def _voice_key(tts: Synthesizer) -> str:
    """Return the key of what audio depends on beside the text and the options."""
    lexicon = sorted((word, *phones) for word, phones in (tts.lexicon or {}).items())
    weights = [tts.tacotron2_sha256, tts.vocoder_sha256]
    return key_of(repr(tts.voice), weights, tts.device.type, tts.precision, lexicon)
