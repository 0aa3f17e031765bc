"""Tacotron 2's decoder: attention over the encoded text, and r frames a step.

    last frame -> prenet -> attention LSTM -> attention -> context -> decoder LSTM -> frames, gate

Source: Shen et al. 2018 (arXiv:1712.05884), section 2.2; reduction factor r: Wang et al. 2017
(arXiv:1703.10135), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.tacotron2.config import Tacotron2Config

PRENET_DROPOUT = 0.5  # stays on when speaking: without it the published weights fail


class DecoderState(NamedTuple):
    """All that one decoder step hands to the next."""

    attention_hidden: Tensor  # [B, attention_rnn_size]
    attention_cell: Tensor
    decoder_hidden: Tensor  # [B, decoder_rnn_size]
    decoder_cell: Tensor
    context: Tensor  # [B, D]
    weights: Tensor  # [B, N]: attention of the last step
    cumulative: Tensor  # [B, N]: their sum over all steps


class Memory(NamedTuple):
    """The encoded text as the attention uses it; it stays the same from step to step."""

    encoded: Tensor  # [B, N, D]
    keys: Tensor  # [B, N, attention_size]
    is_padding: Tensor  # [B, N] bool


class LocationAttention(nn.Module):
    """Attention that knows where it was (Chorowski et al. 2015, arXiv:1506.07503)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        size = config.attention_size
        self.query_layer = nn.Linear(config.attention_rnn_size, size, bias=False)
        self.memory_layer = nn.Linear(config.embedding_size, size, bias=False)
        self.v = nn.Linear(size, 1, bias=False)
        kernel = config.location_kernel
        self.location_conv = nn.Conv1d(
            2, config.location_channels, kernel, padding=kernel // 2, bias=False
        )
        self.location_dense = nn.Linear(config.location_channels, size, bias=False)

    def forward(self, queries: Tensor, history: Tensor, memory: Memory) -> Tensor:
        """Return the energies [B, K, N] of K steps, minus infinity at padding.

        Args:
            queries: [B, K, attention_rnn_size].
            history: [B, K, 2, N]: the weights before each step, and their sum over all before it.
            memory: The text.
        """
        location = self.location_conv(history.flatten(0, 1)).transpose(1, 2)  # [B * K, N, C]
        location = self.location_dense(location).unflatten(0, queries.shape[:2])  # [B, K, N, A]
        query = self.query_layer(queries)[:, :, None]
        mixed = torch.tanh(query + location + memory.keys[:, None])
        energies: Tensor = self.v(mixed)[..., 0]
        return energies.masked_fill(memory.is_padding[:, None], -torch.inf)


class Decoder(nn.Module):
    """Prenet, attention LSTM, attention, decoder LSTM, and the projections to frames and gate."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        n_mels, d = config.audio.n_mels, config.embedding_size
        self.prenet = nn.ModuleList(
            [
                nn.Linear(n_mels, config.prenet_size, bias=False),
                nn.Linear(config.prenet_size, config.prenet_size, bias=False),
            ]
        )
        self.attention_rnn = nn.LSTMCell(config.prenet_size + d, config.attention_rnn_size)
        self.attention = LocationAttention(config)
        self.decoder_rnn = nn.LSTMCell(config.attention_rnn_size + d, config.decoder_rnn_size)
        self.projection = nn.Linear(config.decoder_rnn_size + d, n_mels * config.reduction)
        self.gate = nn.Linear(config.decoder_rnn_size + d, 1)

    def forward(
        self, previous: Tensor, memory: Memory, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode with the frames before each step given: [T / r, B, M].

        Returns:
            Frames [B, M, T], gate logits [B, T / r], alignment [B, T / r, N].
        """
        seen = self._prenet_all(previous, generator)  # [T / r, B, P]
        state = self.start(memory)
        features, weights = [], []
        for step_input in seen:
            state = self.step(step_input, memory, state)
            features.append(torch.cat([state.decoder_hidden, state.context], dim=1))
            weights.append(state.weights)
        frames, gates = self.project(torch.stack(features, dim=1))
        return frames, gates, torch.stack(weights, dim=1)

    def forward_held(
        self,
        previous: Tensor,
        memory: Memory,
        alignment: Tensor,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Decode as `forward` does, with the alignment [B, T / r, N] given too.

        Nothing then waits for the attention, and all steps are computed at once.
        """
        contexts = torch.bmm(alignment, memory.encoded)  # [B, T / r, D]
        seen = self._prenet_all(previous, generator).transpose(0, 1)  # [B, T / r, P]
        queries = _run(self.attention_rnn, torch.cat([seen, _delayed(contexts)], dim=2))
        queries = F.dropout(queries, 0.1, self.training)
        history = torch.stack([_delayed(alignment), _delayed(alignment.cumsum(1))], dim=2)
        energies = self.attention(queries, history, memory)
        hidden = _run(self.decoder_rnn, torch.cat([queries, contexts], dim=2))
        hidden = F.dropout(hidden, 0.1, self.training)
        frames, gates = self.project(torch.cat([hidden, contexts], dim=2))
        return frames, gates, energies.softmax(dim=2)

    def start(self, memory: Memory) -> DecoderState:
        """Return the state before the first step."""
        batch_size, n_symbols, d = memory.encoded.shape
        attention = memory.encoded.new_zeros(batch_size, self.config.attention_rnn_size)
        decoder = memory.encoded.new_zeros(batch_size, self.config.decoder_rnn_size)
        context = memory.encoded.new_zeros(batch_size, d)
        weights = memory.encoded.new_zeros(batch_size, n_symbols)
        return DecoderState(attention, attention, decoder, decoder, context, weights, weights)

    def step(
        self, seen: Tensor, memory: Memory, state: DecoderState, held: Tensor | None = None
    ) -> DecoderState:
        """Return the next state, for what the prenet has made of the last frame, [B, P].

        `held` are the weights [B, N] to read the text by, if not the attention's own.
        """
        attention_hidden, attention_cell = self.attention_rnn(
            torch.cat([seen, state.context], dim=1), (state.attention_hidden, state.attention_cell)
        )
        attention_hidden = F.dropout(attention_hidden, 0.1, self.training)
        weights = self._attend(attention_hidden, memory, state) if held is None else held
        context = torch.bmm(weights[:, None], memory.encoded)[:, 0]  # [B, D]
        decoder_hidden, decoder_cell = self.decoder_rnn(
            torch.cat([attention_hidden, context], dim=1),
            (state.decoder_hidden, state.decoder_cell),
        )
        decoder_hidden = F.dropout(decoder_hidden, 0.1, self.training)
        return DecoderState(
            attention_hidden,
            attention_cell,
            decoder_hidden,
            decoder_cell,
            context,
            weights,
            state.cumulative + weights,
        )

    def _attend(self, query: Tensor, memory: Memory, state: DecoderState) -> Tensor:
        """Return the weights [B, N] of one step; when speaking, sharpened and near the last."""
        history = torch.stack([state.weights, state.cumulative], dim=1)
        energies = self.attention(query[:, None], history[:, None], memory)[:, 0]
        if not self.training:
            energies = self._within_window(energies * self.config.attention_sharpness, state)
        weights: Tensor = energies.softmax(dim=1)
        return weights

    def _within_window(self, energies: Tensor, state: DecoderState) -> Tensor:
        window = self.config.attention_window
        if not window:
            return energies
        last = state.weights.argmax(dim=1, keepdim=True)  # 0 before the first step
        distance = torch.arange(energies.shape[1], device=energies.device)[None] - last
        return energies.masked_fill(distance.abs() > window, -torch.inf)

    def dropout(self, shape: Sequence[int], generator: torch.Generator | None) -> Tensor:
        """Return dropout for the prenet: factors of this shape, each 0 or 1 / (1 - the rate)."""
        weight = self.projection.weight
        device = weight.device if generator is None else generator.device
        keep = torch.rand(tuple(shape), generator=generator, device=device) >= PRENET_DROPOUT
        return keep.to(weight) / (1.0 - PRENET_DROPOUT)

    def prenet_forward(self, frames: Tensor, dropout: Tensor) -> Tensor:
        """Return the prenet's output for frames [..., M], [..., P], with dropout [2, ..., P]."""
        x = frames
        for layer, factor in zip(self.prenet, dropout, strict=True):
            x = layer(x).relu() * factor
        return x

    def _prenet_all(self, previous: Tensor, generator: torch.Generator | None) -> Tensor:
        shape = (len(self.prenet), *previous.shape[:2], self.config.prenet_size)
        return self.prenet_forward(previous, self.dropout(shape, generator))

    def project(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map [B, steps, features] to frames [B, M, r * steps] and gate logits [B, steps]."""
        frames = self.projection(features)  # [B, steps, r * M]
        batch_size, n_steps, _ = frames.shape
        n_mels = self.config.audio.n_mels
        frames = frames.view(batch_size, n_steps * self.config.reduction, n_mels).transpose(1, 2)
        return frames, self.gate(features)[..., 0]


def _run(cell: nn.LSTMCell, inputs: Tensor) -> Tensor:
    """Return the hidden states [B, K, H] of a cell that starts from zero, for [B, K, I]."""
    start = inputs.new_zeros(1, len(inputs), cell.hidden_size)
    weights = [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh]
    hidden: Tensor = torch.lstm(
        inputs, [start, start], weights, True, 1, 0.0, cell.training, False, True
    )[0]
    return hidden


def _delayed(steps: Tensor) -> Tensor:
    """Return what was known before each step: [B, K, X] moved by one, zeros first."""
    return F.pad(steps, (0, 0, 1, -1))
