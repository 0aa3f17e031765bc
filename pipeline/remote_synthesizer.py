"""A voice whose models are in worker processes; for its users it is a voice as any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.devices import Precision, pick_device
from pipeline.options import SpeechOptions
from pipeline.speech import Sentence, Speech
from pipeline.synthesizer import Synthesizer
from pipeline.voices import find_vocoder, read_voice
from pipeline.worker_pool import Call, VoiceKey, WorkerPool
from text.document import Segment


class RemoteSynthesizer(Synthesizer):
    """A `Synthesizer` that has each sentence spoken by a worker of a pool."""

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
        self.lexicon = None
        self.tacotron2_sha256 = self.voice.tacotron2.sha256
        self.vocoder_sha256 = find_vocoder(vocoder or folder).sha256
        self.device = pick_device(device, precision)
        self.precision = precision
        self._workers = workers
        sha256 = (self.voice.fingerprint, self.vocoder_sha256)
        self._key = VoiceKey(folder, vocoder, self.device.type, precision, sha256)
        workers.load(self._key)

    def speak_together(
        self, texts: Sequence[str], options: Sequence[SpeechOptions]
    ) -> list[Speech]:
        """Speak one after another."""
        return [self.speak(text, wanted) for text, wanted in zip(texts, options, strict=True)]

    def _say(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Sentence:
        call = self._call("_say", segment, index, options, pause_seconds)
        sentence: Sentence = self._workers.run(call)
        return sentence

    def _vocode(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        voiced: Sentence = self._workers.run(self._call("_vocode", sentence, options))
        return voiced

    def _stream_segment(
        self, segment: Segment, index: int, options: SpeechOptions, pause_seconds: float
    ) -> Iterator[np.ndarray | Sentence]:
        call = self._call("_stream_segment", segment, index, options, pause_seconds)
        return self._workers.iterate(call)

    def _call(self, method: str, *arguments: Any) -> Call:
        return Call(self._key, self.lexicon, method, arguments)
