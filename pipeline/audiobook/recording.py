"""Speaks a document sentence by sentence into a work folder, where nothing is spoken twice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.audio import to_pcm
from pipeline.audiobook.changes import Change, Place
from pipeline.audiobook.segments import Segments, chapter_segments
from pipeline.audiobook.spoken import SpokenBook, SpokenChapter, SpokenSentence
from pipeline.audiobook.work_folder import LISTING, WorkFolder, key_of
from pipeline.documents import Document
from pipeline.errors import PipelineError
from pipeline.manifest import sentence_facts
from pipeline.options import SpeechOptions
from pipeline.speech import Speech, pause_after
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
        self.options = options.or_else(tts.voice.options)
        self._work = work
        self._voice_key = _voice_key(tts)
        self._chosen = chapters
        self._latest: tuple[int, Segments] = (0, ((), []))  # a chapter takes some megabytes
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
            segments, spoken.unspoken = self._chapter(number)
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
        self._check(place, len(sentences))
        return sentences[place.sentence - 1]

    def change(self, place: Place, change: Change) -> None:
        """Ask for one sentence anew.

        Raises:
            PipelineError: There is no such sentence.
            TextError: Its new text cannot be spoken.
        """
        is_chapter = 1 <= place.chapter <= len(self._document.chapters)
        is_there = is_chapter and self._is_chosen(place.chapter)
        self._check(place, len(self._chapter(place.chapter)[0]) if is_there else 0)
        if change.text is not None:
            read_document(change.text)
        self.changes[place] = change

    def speak_changed(self, place: Place) -> Iterator[SpokenSentence]:
        """Speak one sentence as it was asked for, in its place of `book`; yield it."""
        self.sentence(place)
        segments, _ = self._chapter(place.chapter)
        spoken, _ = self._say(segments, place)
        self.book.chapters[place.chapter - 1].sentences[place.sentence - 1] = spoken
        yield spoken

    def _check(self, place: Place, n_sentences: int) -> None:
        if not 1 <= place.sentence <= n_sentences:
            raise PipelineError(
                f"There is no sentence {place}: chapter {place.chapter} of "
                f"{len(self._document.chapters)} has {n_sentences}; {LISTING} lists them"
            )

    def _chapter(self, number: int) -> Segments:
        """Return what `chapter_segments` makes of a chapter, the latest one at once."""
        if self._latest[0] != number:
            chapter = self._document.chapters[number - 1]
            self._latest = (number, chapter_segments(chapter.title, chapter.text))
        return self._latest[1]

    def _say(self, segments: tuple[Segment, ...], place: Place) -> tuple[SpokenSentence, float]:
        """Return a sentence, and what it took: nothing where it was spoken before."""
        change = self.changes.get(place, Change())
        index = place.sentence - 1
        segment = replace(segments[index], pause_seconds=pause_after(segments, index))
        options = change.options(self.options)
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
        facts = {
            "warning": _warning(speech, written),
            "sentences": list(_sentence_facts(speech)),
        }
        stored = self._work.store(key, written, pcm, speech.sample_rate, facts)
        return stored, speech.taken_seconds

    def _new_book(self) -> SpokenBook:
        return SpokenBook(
            title=self._document.title,
            author=self._document.author,
            sample_rate=self._tts.voice.audio.sample_rate,
        )

    def _is_chosen(self, number: int) -> bool:
        return self._chosen is None or number in self._chosen


def _warning(speech: Speech, written: str) -> str:
    """Return what a listener should know, "" where all went well."""
    if any(sentence.ending == "limit" for sentence in speech.sentences):
        return f"It ran into its length limit and may be cut: {written!r}"
    return ""


def _sentence_facts(speech: Speech) -> Iterator[dict[str, Any]]:
    """Yield what is kept of each sentence beside its audio."""
    settings = asdict(speech.options)
    for sentence, start, heard in zip(speech.sentences, speech.starts, speech.heard(), strict=True):
        yield {
            "start": start,
            "settings": settings,
            **sentence_facts(sentence),
            "words": [word.as_json() for word in heard.words],
        }


def _voice_key(tts: Synthesizer) -> str:
    """Return the key of what audio depends on beside the text and the options."""
    lexicon = sorted((word, *phones) for word, phones in (tts.lexicon or {}).items())
    engine = tts.engine
    models = [engine.voice.fingerprint, engine.vocoder_sha256]  # the vocoder may be another's
    return key_of(models, engine.device.type, engine.precision, lexicon)
