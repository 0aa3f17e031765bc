"""The chain of `pipeline.synthesizer` without torch: what it says differs by rounding only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.onnx_engine.exported_voice import ExportedVoice, find_export, read_export
from pipeline.onnx_engine.noise import sentence_noise
from pipeline.options import SpeechOptions
from pipeline.speech import (
    AudioPiece,
    Sentence,
    Speech,
    as_piece,
    join,
    read_sentence,
    with_pauses,
)
from text.document import open_document
from text.lexicon import Lexicon
from text.symbols import symbols_to_ids

if TYPE_CHECKING:
    from pipeline.tacotron2.output import Ending

DROPPED = 0.5  # share of the prenet's values, as in `tacotron2.decoder.PRENET_DROPOUT`


class OnnxSynthesizer:
    """A voice in onnxruntime on the CPU. Any number of threads may share it."""

    def __init__(self, folder: Path, voice: ExportedVoice, lexicon: Lexicon | None = None) -> None:
        self.voice = voice
        self.lexicon = lexicon
        self._tacotron2 = _Model(folder / "tacotron2.onnx")
        self._postnet = _Model(folder / "postnet.onnx")
        self._vocoder = _Model(folder / "vocoder.onnx")

    @classmethod
    def load(
        cls, voice: str | Path = "kathleen", *, lexicon: Lexicon | None = None
    ) -> OnnxSynthesizer:
        """Load a voice that was converted to ONNX.

        Args:
            voice: Its name or folder, or the folder of its ONNX models.
            lexicon: What goes before the dictionary, as `text.lexicon.load_lexicon` reads it.

        Raises:
            PipelineError: It was not converted yet, or a file is damaged.
        """
        folder = find_export(voice)
        return cls(folder, read_export(folder), lexicon)

    def speak(self, text: str, options: SpeechOptions | None = None, **changes: Any) -> Speech:
        """Speak a text of any length: what `stream` yields, joined."""
        return join(self.stream(text, options, **changes))

    def stream(
        self, text: str, options: SpeechOptions | None = None, **changes: Any
    ) -> Iterator[Speech]:
        """Yield one Speech a sentence; arguments and errors as `Synthesizer.stream`."""
        options = replace(options or SpeechOptions(), **changes).or_else(self.voice.options)
        voice, document = self.voice, open_document(text)
        paused = with_pauses(document.segments, options)
        for index, (segment, seconds) in enumerate(paused):
            sentence = read_sentence(
                segment,
                index,
                options,
                pause_frames=round(seconds * voice.sample_rate / voice.hop_length),
                boundary_symbol=voice.boundary_symbol,
                lexicon=self.lexicon,
            )
            yield Speech(
                sentences=(self._say(sentence, options),),
                voice=voice.name,
                options=options,
                sample_rate=voice.sample_rate,
                hop_length=voice.hop_length,
                silence=voice.silence,
                notices=document.notices,
            )

    def stream_pieces(
        self, text: str, options: SpeechOptions | None = None, **changes: Any
    ) -> Iterator[AudioPiece]:
        """Yield each sentence as one piece: exported models take a sentence whole."""
        return map(as_piece, self.stream(text, options, **changes))

    def _say(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence its mel and audio."""
        started = time.perf_counter()
        mel, alignment, ending = self._predict(sentence.symbols, sentence.index, options)
        if self.voice.levels is not None:
            mel = self.voice.levels.match(mel)
        mel = _stretch(mel, options.rate * sentence.segment.rate)
        predicted = time.perf_counter()
        audio = self._vocode(mel, sentence.index, options)
        return replace(
            sentence,
            mel=mel,
            alignment=alignment,
            ending=ending,
            audio=audio,
            predict_seconds=predicted - started,
            vocode_seconds=time.perf_counter() - predicted,
        )

    def _predict(
        self, symbols: tuple[str, ...], index: int, options: SpeechOptions
    ) -> tuple[np.ndarray, np.ndarray, Ending]:
        """Return mel [M, T], alignment [T / r, N] and how it ended."""
        noise = sentence_noise(options.seed, index, "prenet")
        max_steps = self.voice.max_steps(len(symbols))
        kept = noise.uniform([max_steps, 2, self.voice.prenet_size]) >= DROPPED
        decoded = self._tacotron2.run(
            symbol_ids=np.array([symbols_to_ids(symbols)]),
            speaker=np.array([self.voice.speaker]),
            dropout=kept.astype(np.float32) / (1.0 - DROPPED),
        )
        frames, gate_logits = decoded["frames"], decoded["gate_logits"][0]
        ending: Ending = "gate" if gate_logits[-1] > 0.0 else "attention"
        if ending == "attention" and not decoded["attention_ended"]:
            ending = "limit"
        mel = self._postnet.run(
            frames=frames,
            contexts=decoded["contexts"],
            noise=noise.normal_frames([1, frames.shape[1], 1], frames.shape[2]),
        )["mel"]
        return mel[0], decoded["alignment"][0], ending

    def _vocode(self, mel: np.ndarray, index: int, options: SpeechOptions) -> np.ndarray:
        """Return audio [S] for a mel [M, T]."""
        shape = [1, self.voice.n_group, self.voice.hop_length // self.voice.n_group]
        noise = sentence_noise(options.seed, index, "noise")
        audio = self._vocoder.run(
            mel=mel[None],
            noise=noise.normal_frames(shape, mel.shape[1]),
            sigma=np.array(options.sigma, dtype=np.float32),
            denoise=np.array(options.denoise, dtype=np.float32),
        )["audio"]
        return np.asarray(audio[0].clip(-1.0, 1.0))


class _Model:
    """A model in onnxruntime."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        # Its optimizer finds nothing that saves as much time as it takes.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # 0: one a core
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise PipelineError(f"Cannot load {path}: {error}; convert the voice anew") from error
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._outputs = [one.name for one in self._session.get_outputs()]

    def run(self, **values: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs by name, for those of the values that the model has inputs for."""
        given = {name: value for name, value in values.items() if name in self._inputs}
        return dict(zip(self._outputs, self._session.run(self._outputs, given), strict=True))


def _stretch(mel: np.ndarray, rate: float) -> np.ndarray:
    """Return [M, T / rate], between frames on straight lines, as `pipeline.mel_shaping` does."""
    if rate == 1.0:
        return mel
    n_frames = max(1, round(mel.shape[1] / rate))
    places = (np.arange(n_frames) + 0.5) * rate - 0.5
    rows = [np.interp(places, np.arange(mel.shape[1]), row) for row in mel]
    return np.stack(rows).astype(np.float32)
