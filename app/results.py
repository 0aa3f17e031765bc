"""Results: what was spoken, kept for a while to play, compare, download and re-voice."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator
from typing import Any

from unidecode import unidecode

from app.speech_service import Part, SpeechRequest
from pipeline import Speech, Synthesizer
from pipeline.manifest import manifest
from pipeline.speech import join

MAX_KEPT_SECONDS = 1_800.0  # of audio over all visitors; a second takes about 120 kB
MAX_NAME = 40  # characters of a file's name
MAX_KEPT = 1_000  # results; those that failed have no seconds


class Result:
    """One speech, from its first sentence on."""

    def __init__(self, request: SpeechRequest) -> None:
        self.id = secrets.token_urlsafe(12)  # unguessable: it is the permission to listen
        self.request = request
        self.parts: list[Speech] = []
        self.word_times: list[tuple[float, float]] = []  # start and end of each, in seconds
        self.is_done = False
        self._tts: Synthesizer | None = None
        self.first_sound_seconds = 0.0
        self.taken_seconds = 0.0
        self._started = time.perf_counter()
        self._changed = asyncio.Event()

    def add(self, part: Part) -> None:
        """Append a sentence."""
        self.taken_seconds = time.perf_counter() - self._started
        self.first_sound_seconds = self.first_sound_seconds or self.taken_seconds
        words, before = part.speech.words, self.seconds
        self.word_times += [(before + word.start, before + word.end) for word in words]
        self.parts.append(part.speech)
        self._tts = part.tts
        self._notify()

    def finish(self) -> None:
        """Say that no sentence follows: all are there, or somebody asked to stop."""
        self.is_done = True
        self._notify()

    @property
    def speech(self) -> Speech:
        """All sentences so far; there must be one."""
        return join(self.parts)

    @property
    def manifest(self) -> dict[str, Any]:
        """What was said so far, and how; there must be a sentence."""
        assert self._tts is not None
        return manifest(self.speech, self._tts, text=self.request.text)

    @property
    def seconds(self) -> float:
        """Length of the audio so far."""
        return sum(part.seconds for part in self.parts)

    @property
    def file_name(self) -> str:
        """What its files are called, without the suffix: the first words of the text."""
        words = re.findall(r"[a-z0-9]+", unidecode(self.parts[0].sentences[0].written).lower())
        name = "-".join(words)
        return (name if len(name) <= MAX_NAME else name[:MAX_NAME].rpartition("-")[0]) or "speech"

    async def follow(self) -> AsyncGenerator[Speech]:
        """Yield each sentence, waiting for those that are not made yet."""
        position = 0
        while True:
            changed = self._changed
            while position < len(self.parts):
                yield self.parts[position]
                position += 1
            if self.is_done:
                return
            await changed.wait()

    def _notify(self) -> None:
        """Wake all followers; each change has an event of its own, so none is missed."""
        self._changed.set()
        self._changed = asyncio.Event()


class Results:
    """All results that are still there, by id; the oldest go first."""

    def __init__(self, *, max_seconds: float = MAX_KEPT_SECONDS) -> None:
        self._max_seconds = max_seconds
        self._results: OrderedDict[str, Result] = OrderedDict()

    def new(self, request: SpeechRequest) -> Result:
        """Return a result with no sentence yet, and let go of old ones."""
        result = Result(request)
        self._results[result.id] = result
        kept = sum(other.seconds for other in self._results.values())
        for other in list(self._results.values()):
            if kept <= self._max_seconds and len(self._results) <= MAX_KEPT:
                break
            if other.is_done:
                kept -= other.seconds
                del self._results[other.id]
        return result

    def get(self, result_id: str) -> Result | None:
        """Return a result, or None where there is none any more."""
        return self._results.get(result_id)
