"""A voice whose models run in this process, in torch."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pipeline.devices import Precision, half_precision, pick_device
from pipeline.mel_shaping import match_levels, stretch
from pipeline.options import SpeechOptions
from pipeline.sentence_stream import Manner, Predicted, stream_sentence
from pipeline.speech import Sentence, sentence_seed
from pipeline.tacotron2 import Tacotron2
from pipeline.tacotron2.batch_decoder import SLOTS
from pipeline.tacotron2.model import Prediction
from pipeline.vocoder import Vocoder
from pipeline.voice_folders import find_voice
from pipeline.voice_loading import load_predictor, load_voice_vocoder
from pipeline.voices import Voice, read_voice
from text.symbols import symbols_to_ids


class TorchEngine:
    """Tacotron 2 and a vocoder, an `Engine`. Any number of threads may share it."""

    def __init__(
        self,
        voice: Voice,
        tacotron2: Tacotron2,
        vocoder: Vocoder,
        *,
        device: torch.device,
        precision: Precision = "32",
        vocoder_sha256: str,
    ) -> None:
        self.voice = voice
        self.vocoder_sha256 = vocoder_sha256
        self.device = device
        self.precision = precision
        self.tacotron2 = tacotron2.to(device).eval()
        self.vocoder = vocoder

    @classmethod
    def load(
        cls,
        voice: str | Path,
        *,
        vocoder: str | Path | None = None,
        device: str = "auto",
        precision: Precision = "32",
    ) -> TorchEngine:
        """Load a voice; arguments and errors are those of `Synthesizer.load`."""
        chosen = pick_device(device, precision)
        folder = find_voice(voice)
        facts = read_voice(folder)
        predictor = load_predictor(folder, facts)
        loaded, vocoder_sha256 = load_voice_vocoder(folder, facts, vocoder=vocoder, device=chosen)
        return cls(
            facts,
            predictor,
            loaded,
            device=chosen,
            precision=precision,
            vocoder_sha256=vocoder_sha256,
        )

    def speak(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence its mel and audio."""
        started = time.perf_counter()
        with half_precision(self.device, self.precision):
            spoken = self.tacotron2.infer(
                self._symbol_ids(sentence),
                speaker=self.voice.speaker,
                generator=_generator(options.seed, sentence.index, "prenet"),
            )
        predicted = self._shaped(spoken, sentence, options, since=started)
        return self.vocode(_with_mel(sentence, predicted), options)

    def speak_together(self, sentences: Sequence[tuple[Sentence, SpeechOptions]]) -> list[Sentence]:
        """Give many sentences their mels and audio; on a CPU they are decoded side by side.

        Each has the same samples whatever the others are.
        """
        if self.device.type != "cpu":
            return [self.speak(sentence, options) for sentence, options in sentences]
        by_length = sorted(range(len(sentences)), key=lambda i: len(sentences[i][0].symbols))
        spoken = {}
        for first in range(0, len(by_length), SLOTS):  # those of a length together
            places = by_length[first : first + SLOTS]
            batch = [sentences[place] for place in places]
            for place, sentence, (_, options) in zip(
                places, self._predict_together(batch), batch, strict=True
            ):
                spoken[place] = self.vocode(sentence, options)
        return [spoken[place] for place in range(len(sentences))]

    def stream(self, sentence: Sentence, options: SpeechOptions) -> Iterator[np.ndarray | Sentence]:
        """Yield the audio [S] of a sentence in pieces, and then the sentence with all of it."""
        sigma, denoise = _sigma_and_denoise(options)
        pieces = stream_sentence(
            self.tacotron2,
            self.vocoder,
            self._symbol_ids(sentence),
            Manner(
                speaker=self.voice.speaker,
                levels=self.voice.levels,
                rate=options.rate * sentence.segment.rate,
                sigma=sigma,
                denoise=denoise,
            ),
            prenet_generator=_generator(options.seed, sentence.index, "prenet"),
            noise_generator=_generator(options.seed, sentence.index, "noise"),
        )
        heard: list[np.ndarray] = []
        seconds = 0.0
        while True:
            started = time.perf_counter()
            with half_precision(self.device, self.precision):  # not in force where it is yielded
                made = next(pieces)
            seconds += time.perf_counter() - started
            if isinstance(made, Predicted):
                break
            heard.append(_clipped(made))
            yield heard[-1]
        yield replace(
            _with_mel(sentence, made),
            audio=np.concatenate(heard),
            vocode_seconds=seconds - made.seconds,
        )

    def vocode(self, sentence: Sentence, options: SpeechOptions) -> Sentence:
        """Give a sentence other audio, made of the mel that it has."""
        sigma, denoise = _sigma_and_denoise(options)
        started = time.perf_counter()
        mel = torch.from_numpy(sentence.mel)[None]
        generator = _generator(options.seed, sentence.index, "noise")
        with half_precision(self.device, self.precision):
            audio = self.vocoder.vocode(mel, sigma=sigma, denoise=denoise, generator=generator)
        return replace(
            sentence,
            audio=_clipped(audio),
            vocode_seconds=time.perf_counter() - started,
        )

    def _predict_together(self, batch: Sequence[tuple[Sentence, SpeechOptions]]) -> list[Sentence]:
        """Return sentences with their mels."""
        started = time.perf_counter()
        spoken = self.tacotron2.infer_together(
            [self._symbol_ids(sentence) for sentence, _ in batch],
            speaker=self.voice.speaker,
            generators=[_generator(options.seed, one.index, "prenet") for one, options in batch],
        )
        share = (time.perf_counter() - started) / len(batch)
        return [
            _with_mel(
                sentence,
                self._shaped(one, sentence, options, since=time.perf_counter() - share),
            )
            for one, (sentence, options) in zip(spoken, batch, strict=True)
        ]

    def _symbol_ids(self, sentence: Sentence) -> Tensor:
        return torch.tensor([symbols_to_ids(sentence.symbols)], device=self.device)  # [1, N]

    def _shaped(
        self, spoken: Prediction, sentence: Sentence, options: SpeechOptions, *, since: float
    ) -> Predicted:
        """Return what was predicted with the voice's levels, at the rate asked for."""
        mels = match_levels([spoken.mel.float()], self.voice.levels)
        mel = torch.cat(list(stretch(mels, options.rate * sentence.segment.rate)), dim=-1)
        return Predicted(mel, spoken.alignment, spoken.ending, time.perf_counter() - since)


def _sigma_and_denoise(options: SpeechOptions) -> tuple[float, float]:
    assert options.sigma is not None  # the voice's own by now
    assert options.denoise is not None
    return options.sigma, options.denoise


def _with_mel(sentence: Sentence, predicted: Predicted) -> Sentence:
    return replace(
        sentence,
        mel=predicted.mel[0].cpu().numpy(),
        alignment=predicted.alignment[0].float().cpu().numpy(),
        ending=predicted.ending,
        predict_seconds=predicted.seconds,
    )


def _clipped(audio: Tensor) -> np.ndarray:
    """Return audio [1, S] as float32 [S] in [-1, 1]."""
    clipped: np.ndarray = audio[0].clamp(-1.0, 1.0).cpu().numpy()
    return clipped


def _generator(seed: int, index: int, purpose: str) -> torch.Generator:
    return torch.Generator().manual_seed(sentence_seed(seed, index, purpose))
