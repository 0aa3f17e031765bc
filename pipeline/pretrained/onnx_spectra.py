"""Short-time spectra in ONNX, and what the vocoder does by them: the bias and mel matching.

A spectrum is one convolution with windowed waves, its inverse the transposed one: every runtime
has those, and runs them fast.
"""

from __future__ import annotations

import numpy as np
import torch

from pipeline.mel import AudioConfig, mel_filterbank, over_bins
from pipeline.pretrained.onnx_graph import Graph, Value
from pipeline.waveglow.mel_matching import MAX_CHANGE


class Spectra:
    """The spectra of one piece of audio [1, S], S = hop_length * T, as `pipeline.mel` has them."""

    def __init__(self, graph: Graph, config: AudioConfig, *, n_frames: Value) -> None:
        self.graph, self.config = graph, config
        self.n_samples = n_frames * config.hop_length  # [1]
        self.is_long_enough = (self.n_samples > config.n_fft // 2).scalar()
        n_bins = config.n_fft // 2 + 1
        turns = np.outer(np.arange(n_bins), np.arange(config.n_fft)) % config.n_fft / config.n_fft
        self.window = np.hanning(config.n_fft + 1)[:-1]
        waves = np.concatenate([np.cos(2.0 * np.pi * turns), -np.sin(2.0 * np.pi * turns)])
        self.waves = graph.constant((self.window * waves).astype(np.float32)[:, None])  # [2K, 1, F]
        halved = np.full((n_bins, 1), 2.0 / config.n_fft)
        halved[[0, -1]] = 1.0 / config.n_fft  # the two bins that have no mirror image
        self.share = halved.astype(np.float32)  # of each bin in the audio

    def less_bias(self, excitation: Value, bias: np.ndarray, strength: Value) -> Value:
        """Return [1, S] less a share of the bias [K, 1], as `subtract_bias` does."""

        def subtracted() -> Value:
            spectra = self._of(excitation)
            magnitude = self._magnitude(spectra)
            wanted = self.graph.op("Relu", magnitude - strength * bias)
            return self._audio(spectra, wanted / self.graph.op("Max", magnitude, 1e-12))

        is_asked_for = self.graph.op("And", self.is_long_enough, strength > 0.0)
        return self.graph.where(is_asked_for, subtracted, excitation)

    def matched(self, audio: Value, mel: Value, *, rounds: int) -> Value:
        """Return [1, S] whose mel is nearer to [1, M, T], as `match_mel` does."""
        lines = over_bins(torch.eye(self.config.n_mels), self.config).T.numpy()  # [K, M]

        def in_rounds() -> Value:
            near = audio
            for _ in range(rounds):
                spectra = self._of(near)
                lacking = mel - self._log_mel(spectra).cut(0, -1, axis=2)
                lacking = self.graph.op("Clip", lacking, -MAX_CHANGE, MAX_CHANGE)
                lacking = self.graph.op("Concat", lacking, lacking.cut(-1, None, axis=2), axis=2)
                gain = self.graph.op("Exp", self.graph.constant(lines) @ lacking)
                near = self._audio(spectra, gain)
            return near

        return self.graph.where(self.is_long_enough, in_rounds, audio) if rounds else audio

    def _of(self, audio: Value) -> Value:
        """Return the spectrum [1, 2, K, T + 1], real and imaginary parts, of audio [1, S]."""
        half = self.config.n_fft // 2
        padded = self.graph.op("Pad", audio, [0, half, 0, half], mode="reflect")
        padded = self.graph.op("Unsqueeze", padded, [1])
        spectra = self.graph.op("Conv", padded, self.waves, strides=[self.config.hop_length])
        return spectra.reshape(1, 2, half + 1, -1)

    def _audio(self, spectra: Value, gain: Value) -> Value:
        """Return the audio [1, S] of a spectrum whose magnitudes change by a gain [1, K, T + 1]."""
        half, stride = self.config.n_fft // 2, [self.config.hop_length]
        scaled = spectra * self.graph.op("Unsqueeze", gain * self.share, [1])
        scaled = scaled.reshape(1, self.config.n_fft + 2, -1)  # [1, 2 K, T + 1]
        added = self.graph.op("ConvTranspose", scaled, self.waves, strides=stride)
        squared = (self.window**2).astype(np.float32)[None, None]
        ones = gain.cut(0, 1, axis=1) * 0.0 + 1.0
        windows = self.graph.op("ConvTranspose", ones, squared, strides=stride)
        audio = self.graph.op("Squeeze", added / windows, [1])
        return audio.cut(half, self.n_samples + half, axis=1)

    def _magnitude(self, spectra: Value) -> Value:
        return self.graph.op("ReduceL2", spectra, [1], keepdims=0)  # [1, K, T + 1]

    def _log_mel(self, spectra: Value) -> Value:
        mel = self.graph.constant(mel_filterbank(self.config)) @ self._magnitude(spectra)
        return self.graph.op("Log", self.graph.op("Max", mel, self.config.magnitude_floor))
