"""What speaks the sentences of a voice: its two models, wherever they run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch

from pipeline.devices import Precision
from pipeline.options import SpeechOptions
from pipeline.speech import Sentence
from pipeline.voices import Voice


class Engine(Protocol):
    """The models of a voice. None of its options is left open, and no call leaves a trace.

    A sentence that goes in has been read: it has symbols, and no mel or audio yet.
    """

    voice: Voice
    vocoder_sha256: str
    device: torch.device
    precision: Precision

    def speak(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence its mel and audio."""

    def speak_together(
        self, sentences: Sequence[tuple[Sentence, SpeechOptions]]
    ) -> Sequence[Sentence]:
        """Give many sentences what `speak` gives each, up to rounding, in the same order."""

    def stream(self, sentence: Sentence, options: SpeechOptions) -> Iterator[np.ndarray | Sentence]:
        """Yield the audio [S] of a sentence in pieces, and then the sentence with all of it."""

    def vocode(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence other audio, made of the mel that it has."""


def weights_sha256(engine: Engine) -> dict[str, str]:
    """Return the SHA-256 of both models' files."""
    return {"tacotron2": engine.voice.tacotron2.sha256, "waveglow": engine.vocoder_sha256}
