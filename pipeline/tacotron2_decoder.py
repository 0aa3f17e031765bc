"""Tacotron 2's decoder: attention over the encoded text, and r frames a step.

    last frame -> prenet -> attention LSTM -> attention -> context -> decoder LSTM -> frames, gate

Source: Shen et al. 2018 (arXiv:1712.05884), section 2.2; reduction factor r: Wang et al. 2017
(arXiv:1703.10135), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.tacotron2_config import Tacotron2Config

PRENET_DROPOUT = 0.5  # stays on when speaking: without it the published weights fail
Ending = Literal["gate", "attention", "limit"]


class DecoderState(NamedTuple):
    """All that one decoder step hands to the next."""

    attention_hidden: Tensor  # [B, attention_rnn_size]
    attention_cell: Tensor
    decoder_hidden: Tensor  # [B, decoder_rnn_size]
    decoder_cell: Tensor
    read: Tensor  # [B, X]: what the last context and the biases add, see `StepWeights`
    weights: Tensor  # [B, N]: attention of the last step
    cumulative: Tensor  # [B, N]: their sum over all steps


class Memory(NamedTuple):
    """The encoded text as the attention uses it; it stays the same from step to step."""

    encoded: Tensor  # [B, N, D]
    keys: Tensor  # [B, attention_size, N]
    unreachable: Tensor  # [B, N]: minus infinity at padding, 0 elsewhere


class StepWeights(NamedTuple):
    """The decoder's weights as its steps use them, each matrix all at once.

    The context is a mean of encoded symbols, and everything it goes into is linear in it. So what
    each symbol adds there is computed once for the text, and every step takes means of that.
    """

    context: Tensor  # [B, N, X]: added to attention LSTM, decoder LSTM and output, in this order
    bias: Tensor  # [X]
    attention: Tensor  # [P + attention_rnn_size, 4 attention_rnn_size]
    decoder: Tensor  # [attention_rnn_size + decoder_rnn_size, 4 decoder_rnn_size]
    output: Tensor  # [decoder_rnn_size, r * M + 1]: frames and the gate
    window: Tensor | None  # [N, N]: minus infinity where the attention cannot go from a symbol


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
        location = self.location_dense.weight @ self.location_conv(history.flatten(0, 1))
        known = memory.keys[:, None] + self.query_layer(queries)[..., None]  # [B, K, A, N]
        mixed = torch.tanh(location.view_as(known) + known)
        energies: Tensor = (self.v.weight @ mixed)[..., 0, :]
        return energies + memory.unreachable[:, None]


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
        step_weights = self._step_weights(memory)
        state = self._start(memory, step_weights)
        outputs, weights = [], []
        for seen in self._prenet(previous, self._kept(previous.shape[:2], generator)):
            state, output = self._step(seen, memory, step_weights, state)
            outputs.append(output)
            weights.append(state.weights)
        frames, gates = self._split(torch.stack(outputs, dim=1))
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
        kept = self._kept(previous.shape[:2], generator)
        seen = self._prenet(previous, kept).transpose(0, 1)  # [B, T / r, P]
        queries = _run(self.attention_rnn, torch.cat([seen, _delayed(contexts)], dim=2))
        queries = F.dropout(queries, 0.1, self.training)
        history = torch.stack([_delayed(alignment), _delayed(alignment.cumsum(1))], dim=2)
        energies = self.attention(queries, history, memory)
        hidden = _run(self.decoder_rnn, torch.cat([queries, contexts], dim=2))
        hidden = F.dropout(hidden, 0.1, self.training)
        features = torch.cat([hidden, contexts], dim=2)
        frames, gates = self._split(torch.cat([self.projection(features), self.gate(features)], 2))
        return frames, gates, energies.softmax(dim=2)

    def infer(
        self,
        memory: Memory,
        held: Sequence[Tensor | None],
        gate_threshold: float,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, Tensor, Tensor, Ending]:
        """Decode one sentence from its own frames, as `Tacotron2.infer` says.

        `held` has for each step allowed the weights [1, N] to use, or None for the attention's.
        """
        n_mels, r = self.config.audio.n_mels, self.config.reduction
        last_frame = memory.encoded.new_zeros(1, n_mels)
        step_weights = self._step_weights(memory)
        state = self._start(memory, step_weights)
        outputs, weights = [], []
        steps_at_end = 0
        ending: Ending = "limit"
        patience = max(2, 12 // r)  # about 0.14 s on the last symbol
        for known, kept in zip(held, self._kept((len(held), 1), generator), strict=True):
            seen = self._prenet(last_frame, kept)
            state, output = self._step(seen, memory, step_weights, state, known)
            outputs.append(output)
            weights.append(state.weights)
            last_frame = output[:, (r - 1) * n_mels : r * n_mels]
            at_end = int(state.weights.argmax()) == state.weights.shape[1] - 1
            steps_at_end = steps_at_end + 1 if at_end else 0
            if torch.sigmoid(output[0, -1]).item() > gate_threshold:
                ending = "gate"
                break
            if steps_at_end > patience and known is None:
                ending = "attention"
                break
        frames, gates = self._split(torch.stack(outputs, dim=1))
        return frames, gates, torch.stack(weights, dim=1), ending

    def _step_weights(self, memory: Memory) -> StepWeights:
        attention, decoder = self.attention_rnn, self.decoder_rnn
        inputs = [attention.weight_ih, decoder.weight_ih]
        inputs.append(torch.cat([self.projection.weight, self.gate.weight]))
        own = [self.config.prenet_size, attention.hidden_size, decoder.hidden_size]  # then context
        of_context = torch.cat([weight[:, n:] for weight, n in zip(inputs, own, strict=True)])
        attention_own, decoder_own, output = (w[:, :n] for w, n in zip(inputs, own, strict=True))
        biases = [attention.bias_ih + attention.bias_hh, decoder.bias_ih + decoder.bias_hh]
        return StepWeights(
            memory.encoded @ of_context.T,
            torch.cat([*biases, self.projection.bias, self.gate.bias]),
            torch.cat([attention_own, attention.weight_hh], dim=1).T,
            torch.cat([decoder_own, decoder.weight_hh], dim=1).T,
            output.T,
            self._window(memory),
        )

    def _window(self, memory: Memory) -> Tensor | None:
        width = self.config.attention_window
        if not width or self.training:
            return None
        places = torch.arange(memory.encoded.shape[1], device=memory.encoded.device)
        outside = (places - places[:, None]).abs() > width
        return torch.zeros_like(outside, dtype=memory.encoded.dtype).masked_fill(
            outside, -torch.inf
        )

    def _start(self, memory: Memory, step_weights: StepWeights) -> DecoderState:
        batch_size, n_symbols, _ = memory.encoded.shape
        attention = memory.encoded.new_zeros(batch_size, self.config.attention_rnn_size)
        decoder = memory.encoded.new_zeros(batch_size, self.config.decoder_rnn_size)
        read = step_weights.bias.expand(batch_size, -1)
        weights = memory.encoded.new_zeros(batch_size, n_symbols)
        return DecoderState(attention, attention, decoder, decoder, read, weights, weights)

    def _step(
        self,
        seen: Tensor,
        memory: Memory,
        step_weights: StepWeights,
        state: DecoderState,
        held: Tensor | None = None,
    ) -> tuple[DecoderState, Tensor]:
        """Return the next state, and r frames and the gate's logit, [B, r * M + 1]."""
        n_attention, n_decoder = (
            4 * self.config.attention_rnn_size,
            4 * self.config.decoder_rnn_size,
        )
        attention_hidden, attention_cell = _lstm_step(
            torch.addmm(
                state.read[:, :n_attention],
                torch.cat([seen, state.attention_hidden], dim=1),
                step_weights.attention,
            ),
            state.attention_cell,
        )
        attention_hidden = F.dropout(attention_hidden, 0.1, self.training)
        weights = (
            self._attend(attention_hidden, memory, step_weights, state) if held is None else held
        )
        bias = step_weights.bias.expand(len(weights), 1, -1)
        read = torch.baddbmm(bias, weights[:, None], step_weights.context)[:, 0]
        decoder_hidden, decoder_cell = _lstm_step(
            torch.addmm(
                read[:, n_attention : n_attention + n_decoder],
                torch.cat([attention_hidden, state.decoder_hidden], dim=1),
                step_weights.decoder,
            ),
            state.decoder_cell,
        )
        decoder_hidden = F.dropout(decoder_hidden, 0.1, self.training)
        output = torch.addmm(
            read[:, n_attention + n_decoder :], decoder_hidden, step_weights.output
        )
        cumulative = state.cumulative + weights
        return DecoderState(
            attention_hidden,
            attention_cell,
            decoder_hidden,
            decoder_cell,
            read,
            weights,
            cumulative,
        ), output

    def _attend(
        self, query: Tensor, memory: Memory, step_weights: StepWeights, state: DecoderState
    ) -> Tensor:
        """Return the weights [B, N] of one step; when speaking, sharpened and near the last."""
        history = torch.stack([state.weights, state.cumulative], dim=1)
        energies = self.attention(query[:, None], history[:, None], memory)[:, 0]
        if not self.training:
            energies = energies * self.config.attention_sharpness
        if step_weights.window is not None:
            energies = energies + step_weights.window[state.weights.argmax(dim=1)]  # 0 at first
        weights: Tensor = energies.softmax(dim=1)
        return weights

    def _kept(self, shape: Sequence[int], generator: torch.Generator | None) -> Tensor:
        """Return what the prenet's dropout multiplies by, [*shape, 2, P] of 0 or 1 / (1 - rate)."""
        weight = self.prenet[1].weight
        assert isinstance(weight, Tensor)
        size = (*shape, len(self.prenet), self.config.prenet_size)
        device = weight.device if generator is None else generator.device
        keep = torch.rand(size, generator=generator, device=device) >= PRENET_DROPOUT
        return keep.to(weight) / (1.0 - PRENET_DROPOUT)

    def _prenet(self, frames: Tensor, kept: Tensor) -> Tensor:
        x = frames
        for layer, factor in zip(self.prenet, kept.unbind(-2), strict=True):
            x = layer(x).relu() * factor
        return x

    def _split(self, outputs: Tensor) -> tuple[Tensor, Tensor]:
        """Turn [B, steps, r * M + 1] into frames [B, M, r * steps] and gate logits [B, steps]."""
        frames = outputs[..., :-1].reshape(len(outputs), -1, self.config.audio.n_mels)
        return frames.transpose(1, 2), outputs[..., -1]


def _lstm_step(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """Return hidden and cell state [B, H] of what an LSTM cell's gates are given, [B, 4 H]."""
    size = cell.shape[1]
    enter, forget, _, leave = gates.sigmoid().chunk(4, dim=1)
    proposed = gates[:, 2 * size : 3 * size].tanh()
    cell = torch.addcmul(enter * proposed, forget, cell)
    return leave * cell.tanh(), cell


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
