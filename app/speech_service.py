"""Speaking for many clients at once: each sentence is a job in the queue of the models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, TypeVar

from app.job_queue import JobQueue, QueueFullError
from app.voice_store import VoiceStore
from pipeline import Speech, Synthesizer
from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions
from pipeline.speech import AudioPiece
from text import TextError
from text.lexicon import parse_lexicon

T = TypeVar("T")

MAX_CHARACTERS = 5_000  # of a text of somebody else: about six minutes of speech
MAX_CHARACTERS_AT_HOME = 100_000  # of a text that is kept in memory: about two hours
USER_ERRORS = (PipelineError, TextError, QueueFullError)  # shown to the client whose request it was


@dataclass(frozen=True, kw_only=True)
class SpeechRequest:
    """What a client asks for; "" is the default voice, and the voice's own vocoder."""

    text: str
    voice: str = ""
    vocoder: str = ""
    options: SpeechOptions = field(default_factory=SpeechOptions)
    lexicon: str = ""  # lines of a word and its phones, as `parse_lexicon` reads them


class Waiting(NamedTuple):
    """Nothing to hear yet."""

    ahead: int  # jobs that come first
    loading: str  # the voice that is not in memory yet, or ""


class Part(NamedTuple):
    """One sentence, and the synthesizer that spoke it."""

    speech: Speech
    tts: Synthesizer

    @property
    def seconds(self) -> float:
        """Length of its audio."""
        return self.speech.seconds


class SpeechService:
    """The voices and the one queue of jobs for them; the page and the API share it."""

    def __init__(
        self,
        store: VoiceStore,
        queue: JobQueue | None = None,
        *,
        max_characters: int = MAX_CHARACTERS,
        max_document_characters: int | None = MAX_CHARACTERS,
    ) -> None:
        """Take requests for the voices of a store.

        Args:
            store: The voices.
            queue: Of the jobs; one of its own by default.
            max_characters: Of a text whose audio is kept in memory.
            max_document_characters: Of a document, whose audio goes to disk; None for any.
        """
        self.store = store
        self.max_characters = max_characters
        self.max_document_characters = max_document_characters
        self.queue = queue or JobQueue()

    async def load(
        self, voice: str = "", vocoder: str = ""
    ) -> AsyncGenerator[Waiting | Synthesizer]:
        """Yield `Waiting` until the voice is in memory, then the voice."""
        name = voice or self.store.default
        loading = "" if self.store.is_loaded(name, vocoder) else name
        async for event in self._run(lambda: self.store.get(name, vocoder), loading):
            yield event

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[Waiting | Part]:
        """Speak sentence by sentence; close the generator to stop after the present one.

        Raises:
            PipelineError: The text is empty or too long, or there is no such voice.
            TextError: Nothing in the text can be spoken, or the lexicon is wrong.
            QueueFullError: Too many are waiting.
        """
        async for ready in self._prepare(request):
            if isinstance(ready, Waiting):
                yield ready
                continue
            stream = ready.stream(request.text, request.options)
            async for event in self._parts(ready, partial(next, stream, None)):
                yield event

    async def stream(self, request: SpeechRequest) -> AsyncGenerator[Waiting | AudioPiece]:
        """Speak piece by piece, before a sentence has ended; otherwise as `speak`."""
        async for ready in self._prepare(request):
            if isinstance(ready, Waiting):
                yield ready
                continue
            pieces = ready.stream_pieces(request.text, request.options)
            async for event in self.take_steps(pieces):
                yield event

    async def revoice(
        self, speech: Speech, request: SpeechRequest
    ) -> AsyncGenerator[Waiting | Part]:
        """Give the mels of a speech other audio, sentence by sentence; no Tacotron 2 runs.

        Args:
            speech: What was spoken for an earlier request.
            request: The same with other options of the vocoder.

        Raises:
            PipelineError: An option asks for another mel, or the voice is gone.
            QueueFullError: Too many are waiting.
        """
        async for loaded in self.load(request.voice, request.vocoder):
            if isinstance(loaded, Waiting):
                yield loaded
                continue
            voiced = (
                loaded.revoice(replace(speech, sentences=(sentence,)), request.options)
                for sentence in speech.sentences
            )
            async for event in self._parts(loaded, partial(next, voiced, None)):
                yield event

    async def take_steps(self, steps: Iterator[T]) -> AsyncGenerator[Waiting | T]:
        """Take each step of a long work as a job of its own, so that others wait for one only."""
        while True:
            step: T | None = None
            async for event in self._run(partial(next, steps, None)):
                if isinstance(event, Waiting):
                    yield event
                else:
                    step = event
            if step is None:
                return
            yield step

    async def _prepare(self, request: SpeechRequest) -> AsyncGenerator[Waiting | Synthesizer]:
        """Check a request; yield `Waiting` until its voice is in memory, then the voice."""
        check_text(request.text, self.max_characters)
        lexicon = parse_lexicon(request.lexicon)
        async for loaded in self.load(request.voice, request.vocoder):
            if isinstance(loaded, Waiting) or not lexicon:
                yield loaded
            else:
                yield loaded.with_lexicon(lexicon)

    async def _parts(
        self, tts: Synthesizer, next_speech: Callable[[], Speech | None]
    ) -> AsyncGenerator[Waiting | Part]:
        """Submit a job for each sentence until there is none."""
        is_last = False
        while not is_last:
            is_last = True
            async for event in self._run(next_speech):
                if isinstance(event, Waiting):
                    yield event
                elif event is not None:
                    is_last = False
                    yield Part(event, tts)

    async def _run(self, work: Callable[[], T], loading: str = "") -> AsyncGenerator[Waiting | T]:
        """Yield `Waiting` while the work is not done, then its result."""
        job = self.queue.submit(work)
        try:
            async for ahead in job.progress():
                yield Waiting(ahead, loading)
            yield job.result()
        finally:
            job.cancel()


def check_text(text: str, max_characters: int = MAX_CHARACTERS) -> None:
    """Raise PipelineError where a text is empty or too long."""
    if not text.strip():
        raise PipelineError("The text is empty. Write something to say.")
    if len(text) > max_characters:
        raise PipelineError(
            f"The text has {len(text):,} characters; at most {max_characters:,} are read at once. "
            "Shorten it or speak it in parts."
        )
