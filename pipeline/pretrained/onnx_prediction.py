"""Linear prediction in ONNX: from an excitation to audio, as `linear_prediction.synthesize` does.

A loop over all samples would take long in any runtime. So blocks, whose filter stays the same, are
computed side by side, as if silence had been before each; another loop hands the last samples of
each block to the next, and what they still sound like there is added.
"""

from __future__ import annotations

import numpy as np
import torch

from pipeline.errors import PipelineError
from pipeline.pretrained.onnx_graph import Value
from pipeline.pretrained.onnx_layers import between_frames
from pipeline.waveglow import WaveGlowConfig
from pipeline.waveglow.linear_prediction import (
    BLOCKS_PER_FRAME,
    MIN_LOG_GAIN,
    NOISE_CORRECTION,
    autocorrelation_matrix,
    log_envelope,
)


class Predictor:
    """One linear predictor for each of J blocks of n samples, in float64."""

    def __init__(self, mel: Value, config: WaveGlowConfig) -> None:
        """Make them of a mel [1, M, T], as `predictor_from_mel` does.

        Raises:
            PipelineError: A block is shorter than the predictor looks back.
        """
        self.graph, self.order = mel.graph, config.prediction_order
        self.length = config.audio.hop_length // BLOCKS_PER_FRAME
        if self.length < self.order:
            raise PipelineError(
                f"The model predicts from {self.order} samples, but a block has {self.length}; "
                "as ONNX it needs blocks of at least as many"
            )
        blocks = between_frames(mel.cast(np.float64), BLOCKS_PER_FRAME, np.float64)
        eye = torch.eye(config.audio.n_mels, dtype=torch.float64)
        offset = log_envelope(torch.zeros_like(eye[0]), config.audio)  # [K]: of a straight line
        lines = log_envelope(eye, config.audio) - offset  # [M, K]
        envelope = blocks.transpose(0, 2, 1) @ lines.numpy() + offset.numpy()  # [1, J, K]
        power = self.graph.op("Exp", envelope * np.float64(2.0))
        lags = autocorrelation_matrix(config.audio.n_fft, self.order + 1)
        lags[:, 0] *= 1.0 + NOISE_CORRECTION
        self.coefficients, error = self._levinson(
            (power @ lags.numpy()).reshape(-1, self.order + 1)
        )
        log_gain = self.graph.op("Log", error) * np.float64(0.5)
        self.gain = self.graph.op("Exp", self.graph.op("Max", log_gain, np.float64(MIN_LOG_GAIN)))

    def synthesize(self, excitation: Value) -> Value:
        """Return the audio [1, S] of an excitation [1, S]."""
        graph, order, length = self.graph, self.order, self.length
        scaled = excitation.cast(np.float64).reshape(-1, length) * self.gain  # [J, n]
        alone = self._after_silence(scaled)  # [J, n]
        impulse = np.eye(1, length)
        response = self._after_silence(graph.op("Expand", impulse, graph.op("Shape", scaled)))
        # response[j, n - m] in [j, n, m]: what of sample m is heard at n, zero before
        lags = np.arange(length)[:, None] - np.arange(order)
        response = graph.op("Pad", response, [0, 0, 0, 1], np.float64(0.0))  # at the end, for -1
        heard = graph.op("Gather", response, np.where(lags < 0, length, lags), axis=1)
        # a_(m + l) in [j, m, l - 1]: what the sample l before the block gives to sample m
        future = np.arange(order)[:, None] + np.arange(order)
        padded = graph.op("Pad", self.coefficients, [0, 0, 0, 1], np.float64(0.0))
        given = graph.op("Gather", padded, np.minimum(future, order), axis=1)
        newest = np.arange(length - 1, length - 1 - order, -1)
        onward = graph.op("Gather", heard, newest, axis=1) @ given  # [J, P, P]
        last = graph.op("Unsqueeze", graph.op("Gather", alone, newest, axis=1), [2])  # [J, P, 1]
        silence = graph.constant(np.zeros((order, 1)))
        _, before = graph.scan(
            silence, [onward, last], lambda past, move, new: (move @ past + new, past)
        )  # [J, P, 1]: the samples before each block, the newest first
        audio = alone + graph.op("Squeeze", heard @ (given @ before), [2])
        return audio.reshape(1, -1).cast(np.float32)

    def _after_silence(self, excitation: Value) -> Value:
        """Return what each block [J, n] becomes if silence was before it, [J, n]."""
        graph = self.graph

        def step(past: Value, new: Value) -> tuple[Value, Value]:  # [J, P], [J]
            predicted = graph.op("ReduceSum", self.coefficients * past, [1])  # [J, 1]
            sample = predicted + graph.op("Unsqueeze", new, [1])
            past = graph.op("Concat", sample, past.cut(0, -1, axis=1), axis=1)
            return past, graph.op("Squeeze", sample, [1])

        silence = self.coefficients * np.float64(0.0)
        return graph.scan(silence, [excitation.transpose(1, 0)], step)[1].transpose(1, 0)

    def _levinson(self, lags: Value) -> tuple[Value, Value]:
        """Return coefficients [J, P] and error power [J, 1] for autocorrelation [J, P + 1]."""
        graph, error = self.graph, lags.cut(0, 1, axis=1)
        coefficients = reflection = lags.cut(1, 2, axis=1) / error
        error = error * (graph.constant(np.float64(1.0)) - reflection * reflection)
        for i in range(1, self.order):
            past = lags.cut(i, 0, axis=1, step=-1)  # lags i to 1
            explained = graph.op("ReduceSum", coefficients * past, [1])
            reflection = (lags.cut(i + 1, i + 2, axis=1) - explained) / error
            mirrored = coefficients - reflection * coefficients.cut(-1, None, axis=1, step=-1)
            coefficients = graph.op("Concat", mirrored, reflection, axis=1)
            error = error * (graph.constant(np.float64(1.0)) - reflection * reflection)
        return coefficients, error
