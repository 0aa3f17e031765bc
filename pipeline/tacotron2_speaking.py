"""Tacotron 2's decoder on its own: it hears itself, until the sentence has ended.

A step of one sentence is some forty small operations. On a CPU torch takes longer to start most of
them than to do them, so there the steps are numpy's: for the default voice nearly four times as
fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from pipeline.tacotron2_decoder import Decoder, Memory

Ending = Literal["gate", "attention", "limit"]


class Said(NamedTuple):
    """All that was said."""

    frames: Tensor  # [1, M, T]
    gate_logits: Tensor  # [1, T / r]
    alignment: Tensor  # [1, T / r, N]


class Steps(Protocol):
    """A sentence being said."""

    def step(self, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        """Say the next r frames.

        Args:
            dropout: [2, 1, P] for the prenet, see `Decoder.dropout`.
            held: [1, N] weights to read the text by, if not the attention's own.

        Returns:
            The gate's logit, and whether the attention is at the last symbol.
        """

    def said(self) -> Said:
        """Return all that was said so far."""


def decode(
    decoder: Decoder,
    memory: Memory,
    held: Sequence[Tensor | None],
    *,
    gate_threshold: float,
    generator: torch.Generator | None,
) -> tuple[Said, Ending]:
    """Decode one sentence from its own frames, as `Tacotron2.infer` says.

    Args:
        decoder: The model.
        memory: The text.
        held: For each step allowed the weights [1, N] to use, or None for the attention's.
        gate_threshold: Probability of the gate at which speech has ended.
        generator: Where the prenet's dropout comes from; the global one if None.
    """
    on_cpu = memory.encoded.device.type == "cpu" and not decoder.training
    steps: Steps = CpuSteps(decoder, memory) if on_cpu else TorchSteps(decoder, memory)
    open_above = torch.tensor(gate_threshold).logit().item()
    steps_at_end = 0
    patience = max(2, 12 // decoder.config.reduction)  # about 0.14 s on the last symbol
    shape = (len(held), len(decoder.prenet), 1, decoder.config.prenet_size)
    for known, dropout in zip(held, decoder.dropout(shape, generator), strict=True):
        gate_logit, at_end = steps.step(dropout, known)
        steps_at_end = steps_at_end + 1 if at_end else 0
        if gate_logit > open_above:
            return steps.said(), "gate"
        if steps_at_end > patience and known is None:
            return steps.said(), "attention"
    return steps.said(), "limit"


class TorchSteps:
    """Steps as they are trained, on any device."""

    def __init__(self, decoder: Decoder, memory: Memory) -> None:
        self.decoder, self.memory = decoder, memory
        self.state = decoder.start(memory)
        self.last_frame = memory.encoded.new_zeros(1, decoder.config.audio.n_mels)
        self.frames: list[Tensor] = []
        self.gates: list[Tensor] = []
        self.weights: list[Tensor] = []

    def step(self, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        """Say the next r frames, as `Steps` says."""
        seen = self.decoder.see(self.last_frame, dropout)
        self.state = self.decoder.step(seen, self.memory, self.state, held)
        features = torch.cat([self.state.decoder_hidden, self.state.context], dim=1)
        frames, gate = self.decoder.project(features[:, None])
        self.last_frame = frames[..., -1]
        self.frames.append(frames)
        self.gates.append(gate)
        self.weights.append(self.state.weights)
        return gate.item(), int(self.state.weights.argmax()) == self.state.weights.shape[1] - 1

    def said(self) -> Said:
        """Return all that was said so far."""
        return Said(
            torch.cat(self.frames, 2), torch.cat(self.gates, 1), torch.stack(self.weights, 1)
        )


class CpuSteps:
    """The same steps in numpy, float32.

    The context is a mean of encoded symbols, and all that it goes into is linear in it. So what
    each symbol adds there, X values, is computed once for the text, and a step takes means of that.
    """

    def __init__(self, decoder: Decoder, memory: Memory) -> None:
        config, attention = decoder.config, decoder.attention
        first, second = decoder.attention_rnn, decoder.decoder_rnn
        self.config = config
        self.n_symbols = memory.encoded.shape[1]
        self.prenet = [_array(layer.weight) for layer in decoder.prenet]
        # What each matrix is given: its own part, then the context.
        output = torch.cat([decoder.projection.weight, decoder.gate.weight])
        own = (config.prenet_size, first.hidden_size, second.hidden_size)
        weights = [first.weight_ih, second.weight_ih, output]
        of_context = torch.cat([weight[:, n:] for weight, n in zip(weights, own, strict=True)])
        self.context = _array(memory.encoded[0] @ of_context.T)  # [N, X]
        biases = [first.bias_ih + first.bias_hh, second.bias_ih + second.bias_hh]
        self.bias = _array(torch.cat([*biases, decoder.projection.bias, decoder.gate.bias]))  # [X]
        self.ends = np.cumsum([len(weight) for weight in weights])[:2]  # that part X in three
        self.attention_rnn = _array(torch.cat([first.weight_ih[:, : own[0]], first.weight_hh], 1))
        self.decoder_rnn = _array(torch.cat([second.weight_ih[:, : own[1]], second.weight_hh], 1))
        self.output = _array(output[:, : own[2]])
        # The convolution over past weights and the layer after it, as one matrix [2 * kernel, A].
        location = attention.location_dense.weight @ attention.location_conv.weight.flatten(1)
        self.location = _array(location.T)
        self.keys = _array(memory.keys[0])  # [N, A]
        self.query = _array(attention.query_layer.weight)
        self.energy = _array(attention.v.weight[0] * config.attention_sharpness)
        self._start()

    def _start(self) -> None:
        config = self.config
        self.last_frame = np.zeros(config.audio.n_mels, dtype=np.float32)
        self.attention_hidden = np.zeros(config.attention_rnn_size, dtype=np.float32)
        self.attention_cell = np.zeros_like(self.attention_hidden)
        self.decoder_hidden = np.zeros(config.decoder_rnn_size, dtype=np.float32)
        self.decoder_cell = np.zeros_like(self.decoder_hidden)
        self.read = self.bias
        reach = config.location_kernel // 2
        self.history = np.zeros((2, self.n_symbols + 2 * reach), dtype=np.float32)
        # [2, N, kernel], a view: the last weights and their sum so far, around each symbol
        self.around = np.lib.stride_tricks.sliding_window_view(
            self.history, config.location_kernel, axis=1
        )
        self.place = 0
        self.outputs: list[np.ndarray] = []
        self.weights: list[np.ndarray] = []

    def step(self, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        """Say the next r frames, as `Steps` says."""
        seen = self.last_frame
        for weight, factor in zip(self.prenet, dropout[:, 0].numpy(), strict=True):
            seen = np.maximum(weight @ seen, 0.0) * factor
        given = np.concatenate([seen, self.attention_hidden])
        self.attention_hidden, self.attention_cell = _lstm_step(
            self.attention_rnn @ given + self.read[: self.ends[0]], self.attention_cell
        )
        weights = self._attend() if held is None else held[0].numpy()
        self._remember(weights)
        self.read = weights @ self.context + self.bias
        given = np.concatenate([self.attention_hidden, self.decoder_hidden])
        self.decoder_hidden, self.decoder_cell = _lstm_step(
            self.decoder_rnn @ given + self.read[self.ends[0] : self.ends[1]], self.decoder_cell
        )
        output = self.output @ self.decoder_hidden + self.read[self.ends[1] :]
        self.last_frame = output[-1 - self.config.audio.n_mels : -1]
        self.outputs.append(output)
        self.weights.append(weights)
        return float(output[-1]), self.place == self.n_symbols - 1

    def said(self) -> Said:
        """Return all that was said so far."""
        outputs = torch.from_numpy(np.stack(self.outputs))  # [T / r, r * M + 1]
        frames = outputs[:, :-1].reshape(-1, self.config.audio.n_mels)
        alignment = torch.from_numpy(np.stack(self.weights))
        return Said(frames.T[None], outputs[None, :, -1], alignment[None])

    def _attend(self) -> np.ndarray:
        """Return the weights [N], sharpened and near the last place, as `Decoder` has them."""
        window = self.config.attention_window or self.n_symbols
        near = slice(max(0, self.place - window), self.place + window + 1)
        around = self.around[:, near].transpose(1, 0, 2)
        location = around.reshape(len(around), -1) @ self.location  # [places, A]
        mixed = np.tanh(location + self.keys[near] + self.query @ self.attention_hidden)
        energies = mixed @ self.energy
        likely = np.exp(energies - energies.max())
        weights = np.zeros(self.n_symbols, dtype=np.float32)
        weights[near] = likely / likely.sum()
        return weights

    def _remember(self, weights: np.ndarray) -> None:
        reach = self.config.location_kernel // 2
        self.history[0, reach : reach + self.n_symbols] = weights
        self.history[1, reach : reach + self.n_symbols] += weights
        self.place = int(weights.argmax())


def _array(weights: Tensor | torch.nn.Module) -> np.ndarray:
    assert isinstance(weights, Tensor)
    return np.ascontiguousarray(weights.detach().float().numpy())


def _lstm_step(gates: np.ndarray, cell: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return hidden and cell state [H] of an LSTM cell whose gates are given [4 H]."""
    size = len(cell)
    enter, forget, _, leave = (0.5 * np.tanh(0.5 * gates) + 0.5).reshape(4, size)  # sigmoids
    cell = forget * cell + enter * np.tanh(gates[2 * size : 3 * size])
    return leave * np.tanh(cell), cell
