"""Speaking for many clients at once: each sentence is a turn in the line before the models."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, TypeVar

from app.line import Line, LineFullError
from app.shelf import Shelf
from pipeline import Speech, Synthesizer
from pipeline.errors import PipelineError
from pipeline.synthesizer import SETTING_RANGES
from text import TextError

Result = TypeVar("Result")

MAX_CHARACTERS = 5_000  # of one text: about six minutes of speech
MISTAKES = (PipelineError, TextError, LineFullError)  # of those who ask; to be shown to them


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a client asks for; None and "" leave it to the voice."""

    text: str
    voice: str = ""
    vocoder: str = ""
    sigma: float | None = None
    denoise: float | None = None
    seed: int = 0
    rate: float = 1.0


class Waiting(NamedTuple):
    """Nothing to hear yet."""

    ahead: int  # turns that come first
    loading: str  # the voice that is not in memory yet, or ""


class Part(NamedTuple):
    """One sentence, and who spoke it."""

    speech: Speech
    tts: Synthesizer


class Studio:
    """The voices and the one line before them; the page and the API share it."""

    def __init__(self, shelf: Shelf, line: Line | None = None) -> None:
        self.shelf = shelf
        self.line = line or Line()

    async def load(
        self, voice: str = "", vocoder: str = ""
    ) -> AsyncGenerator[Waiting | Synthesizer]:
        """Yield `Waiting` until the voice is in memory, then the voice."""
        name = voice or self.shelf.default
        loading = "" if self.shelf.is_loaded(name, vocoder) else name
        async for event in self._turn(lambda: self.shelf.get(name, vocoder), loading):
            yield event

    async def speak(self, wish: Wish) -> AsyncGenerator[Waiting | Part]:
        """Speak sentence by sentence; close the generator to stop after the present one.

        Raises:
            PipelineError: The text is empty or too long, a setting is out of its range, or there is
                no such voice.
            TextError: Nothing in the text can be spoken.
            LineFullError: Too many are waiting.
        """
        check_text(wish.text)
        _check_ranges(sigma=wish.sigma, denoise=wish.denoise, seed=wish.seed, rate=wish.rate)
        async for loaded in self.load(wish.voice, wish.vocoder):
            if isinstance(loaded, Waiting):
                yield loaded
                continue
            stream = loaded.stream(
                wish.text, sigma=wish.sigma, denoise=wish.denoise, seed=wish.seed, rate=wish.rate
            )
            async for event in self._parts(loaded, partial(next, stream, None)):
                yield event

    async def revoice(self, speech: Speech, wish: Wish) -> AsyncGenerator[Waiting | Part]:
        """Give the mels of a speech other audio, sentence by sentence; no Tacotron 2 runs.

        Args:
            speech: What was spoken for an earlier wish.
            wish: The same with another sigma, denoising or seed; its rate changes nothing.

        Raises:
            PipelineError: A setting is out of its range, or the voice is gone.
            LineFullError: Too many are waiting.
        """
        _check_ranges(sigma=wish.sigma, denoise=wish.denoise, seed=wish.seed)
        async for loaded in self.load(wish.voice, wish.vocoder):
            if isinstance(loaded, Waiting):
                yield loaded
                continue
            voiced = (
                loaded.revoice(
                    replace(speech, sentences=(sentence,)),
                    sigma=wish.sigma,
                    denoise=wish.denoise,
                    seed=wish.seed,
                )
                for sentence in speech.sentences
            )
            async for event in self._parts(loaded, partial(next, voiced, None)):
                yield event

    async def _parts(
        self, tts: Synthesizer, next_speech: Callable[[], Speech | None]
    ) -> AsyncGenerator[Waiting | Part]:
        """Take a turn for each sentence until there is none."""
        is_last = False
        while not is_last:
            is_last = True
            async for event in self._turn(next_speech):
                if isinstance(event, Waiting):
                    yield event
                elif event is not None:
                    is_last = False
                    yield Part(event, tts)

    async def _turn(
        self, work: Callable[[], Result], loading: str = ""
    ) -> AsyncGenerator[Waiting | Result]:
        """Yield `Waiting` while the work is not done, then its result."""
        turn = self.line.enter(work)
        try:
            async for ahead in turn.news():
                yield Waiting(ahead, loading)
            yield turn.result()
        finally:
            turn.cancel()


def check_text(text: str) -> None:
    """Raise PipelineError where a text is empty or too long."""
    if not text.strip():
        raise PipelineError("the text is empty; write something to say")
    if len(text) > MAX_CHARACTERS:
        raise PipelineError(
            f"the text has {len(text):,} characters, at most {MAX_CHARACTERS:,} are read at once; "
            "shorten it or speak it in parts"
        )


def _check_ranges(**settings: float | None) -> None:
    for name, value in settings.items():
        low, high = SETTING_RANGES[name]
        if value is not None and not low <= value <= high:
            raise PipelineError(f"{name} is {value}, expected {low:g} to {high:g}")
