"""A voice whose models are in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.devices import Precision, pick_device
from pipeline.options import SpeechOptions
from pipeline.speech import Sentence
from pipeline.voice_loading import find_vocoder
from pipeline.voices import read_voice
from pipeline.worker_pool import Call, VoiceKey, WorkerPool


class RemoteEngine:
    """An `Engine` that has each sentence spoken by a worker of a pool."""

    def __init__(
        self,
        folder: Path,
        workers: WorkerPool,
        *,
        vocoder: Path | None = None,
        device: str = "auto",
        precision: Precision = "32",
    ) -> None:
        """Have the workers load a voice; arguments and errors are those of `Synthesizer.load`."""
        self.voice = read_voice(folder)
        self.vocoder_sha256 = find_vocoder(vocoder or folder).sha256
        self.device = pick_device(device, precision)
        self.precision = precision
        self._workers = workers
        sha256 = (self.voice.fingerprint, self.vocoder_sha256)
        self._key = VoiceKey(folder, vocoder, self.device.type, precision, sha256)
        workers.load(self._key)

    def speak(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence its mel and audio."""
        return self._run("speak", sentence, options)

    def speak_together(self, sentences: Sequence[tuple[Sentence, SpeechOptions]]) -> list[Sentence]:
        """Give many sentences their mels and audio, one after another."""
        return [self.speak(sentence, options) for sentence, options in sentences]

    def stream(self, sentence: Sentence, options: SpeechOptions) -> Iterator[np.ndarray | Sentence]:
        """Yield the audio [S] of a sentence in pieces, and then the sentence with all of it."""
        return self._workers.iterate(Call(self._key, "stream", (sentence, options)))

    def vocode(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence other audio, made of the mel that it has."""
        return self._run("vocode", sentence, options)

    def _run(self, method: str, *arguments: Any) -> Sentence:
        sentence: Sentence = self._workers.run(Call(self._key, method, arguments))
        return sentence
