"""Tacotron 2: symbol ids to log-mel frames, by attention over the encoded text.

    symbol_ids [B, N] -> encoder [B, N, D] -> decoder, r frames a step -> postnet -> mel [B, M, T]

Source: Shen et al. 2018 (arXiv:1712.05884). Where the paper and NVIDIA's published weights
differ (dropout on the LSTMs' outputs, one gate a step, no bias in the attention), we follow the
weights. Reduction factor r: Wang et al. 2017 (arXiv:1703.10135), section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.mel import AudioConfig

PRENET_DROPOUT = 0.5  # stays on when speaking: without it the published weights fail


@dataclass(frozen=True, kw_only=True)
class Tacotron2Config:
    """Sizes of a Tacotron 2; the defaults are the published ones."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    n_symbols: int = 148
    embedding_size: int = 512  # also the width of the encoder's convolutions and of its output
    encoder_layers: int = 3
    encoder_kernel: int = 5
    prenet_size: int = 256
    attention_rnn_size: int = 1_024
    decoder_rnn_size: int = 1_024
    attention_size: int = 128
    location_channels: int = 32
    location_kernel: int = 31
    postnet_channels: int = 512
    postnet_layers: int = 5
    postnet_kernel: int = 5
    convolution_dropout: float = 0.5  # in encoder and postnet, when training
    reduction: int = 1  # r: frames a decoder step
    attention_window: int = 0  # when speaking, symbols seen to each side of the last; 0 for all
    attention_sharpness: float = 1.0  # when speaking, energies are multiplied by this
    mel_mean: float = 0.0  # inside the model mels are (mel - mean) / std
    mel_std: float = 1.0

    def __post_init__(self) -> None:
        if self.embedding_size % 2:
            raise ValueError(f"embedding_size {self.embedding_size} is odd; two LSTMs share it")
        for name in ("encoder_kernel", "location_kernel", "postnet_kernel"):
            if getattr(self, name) % 2 == 0:
                raise ValueError(f"{name} {getattr(self, name)} is even; expected an odd one")
        if self.reduction < 1 or self.postnet_layers < 2:
            raise ValueError(
                f"reduction {self.reduction}, postnet_layers {self.postnet_layers}: "
                "expected at least 1 and 2"
            )


class TeacherForced(NamedTuple):
    """What the decoder predicts when it is given the recorded frames."""

    decoded: Tensor  # [B, M, T]: before the postnet
    mel: Tensor  # [B, M, T]: after it
    gate_logits: Tensor  # [B, T / r]: positive where speech has ended
    alignment: Tensor  # [B, T / r, N]


class Prediction(NamedTuple):
    """What the decoder says on its own."""

    mel: Tensor  # [1, M, T]
    gate_logits: Tensor  # [1, T / r]
    alignment: Tensor  # [1, T / r, N]
    ending: Ending


Ending = Literal["gate", "attention", "limit"]


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


class Tacotron2(nn.Module):
    """Encoder, decoder and postnet."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.n_symbols, config.embedding_size)
        bound = (6.0 / (config.n_symbols + config.embedding_size)) ** 0.5
        nn.init.uniform_(self.embedding.weight, -bound, bound)
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.postnet = Postnet(config)

    def forward(
        self,
        symbol_ids: Tensor,
        symbol_lengths: Tensor,
        mel: Tensor,
        frame_lengths: Tensor,
        *,
        teacher_mel: Tensor | None = None,
        held_alignment: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> TeacherForced:
        """Predict each group of r frames from the text and the recorded frames before it.

        Args:
            symbol_ids: [B, N], padded with anything.
            symbol_lengths: [B].
            mel: [B, M, T] recorded frames, T a multiple of r.
            frame_lengths: [B]: valid frames.
            teacher_mel: [B, M, T] seen by the prenet instead of `mel`, where training hides frames.
            held_alignment: [B, T / r, N] of known weights for the decoder to read the text by; the
                attention's own, returned, are then what it would have read, step by step.
            generator: Where the prenet's dropout comes from; the global one if None.

        Raises:
            ValueError: T is not a multiple of r.
        """
        n_frames, r = mel.shape[-1], self.config.reduction
        if n_frames % r:
            raise ValueError(f"{n_frames} frames are not a multiple of the reduction factor {r}")
        memory = self._memory(symbol_ids, symbol_lengths)
        teacher = self._standardize(mel if teacher_mel is None else teacher_mel)
        previous = F.pad(teacher[..., r - 1 :: r], (1, -1)).permute(2, 0, 1)  # [T / r, B, M]
        if held_alignment is None:
            decoded, gate_logits, alignment = self.decoder(previous, memory, generator)
        else:
            decoded, gate_logits, alignment = self.decoder.forward_held(
                previous, memory, held_alignment, generator
            )
        is_valid = is_within(frame_lengths, n_frames)[:, None]  # [B, 1, T]
        refined = decoded + self.postnet(decoded, is_valid)
        return TeacherForced(self._restore(decoded), self._restore(refined), gate_logits, alignment)

    @torch.no_grad()
    def infer(
        self,
        symbol_ids: Tensor,
        *,
        generator: torch.Generator | None = None,
        gate_threshold: float = 0.5,
        max_frames: int | None = None,
        held_alignment: Tensor | None = None,
    ) -> Prediction:
        """Speak one sentence.

        Args:
            symbol_ids: [1, N].
            generator: Where the prenet's dropout comes from, on the CPU.
            gate_threshold: Probability of the gate at which speech has ended.
            max_frames: Limit; by default one that scales with the text (`frame_limit`).
            held_alignment: [1, T / r, N] of known weights, to speak in step with a recording.

        Returns:
            The mel and how it ended: by the gate, by the attention having reached the last symbol
            and stayed there, or by the limit, which is the end of a held alignment.
        """
        n_symbols = symbol_ids.shape[1]
        memory = self._memory(symbol_ids, torch.tensor([n_symbols]))
        limit = frame_limit(n_symbols, self.config.audio) if max_frames is None else max_frames
        held: Sequence[Tensor | None] = [None] * max(1, limit // self.config.reduction)
        if held_alignment is not None:
            held, gate_threshold = held_alignment.unbind(1), 1.0
        frames, gates, alignment, ending = self.decoder.infer(
            memory, held, gate_threshold, generator
        )
        is_valid = torch.ones_like(frames[:, :1], dtype=torch.bool)
        mel = self._restore(frames + self.postnet(frames, is_valid))
        return Prediction(mel, gates, alignment, ending)

    def _standardize(self, mel: Tensor) -> Tensor:
        return (mel - self.config.mel_mean) / self.config.mel_std

    def _restore(self, standard: Tensor) -> Tensor:
        return standard * self.config.mel_std + self.config.mel_mean

    def _memory(self, symbol_ids: Tensor, symbol_lengths: Tensor) -> Memory:
        encoded = self.encoder(self.embedding(symbol_ids), symbol_lengths)
        is_padding = ~is_within(symbol_lengths, symbol_ids.shape[1]).to(encoded.device)
        return Memory(encoded, self.decoder.attention.memory_layer(encoded), is_padding)


def is_within(lengths: Tensor, longest: int) -> Tensor:
    """Return the mask [B, longest] that is True before each length [B]."""
    return torch.arange(longest, device=lengths.device)[None] < lengths[:, None]


def frame_limit(n_symbols: int, audio: AudioConfig) -> int:
    """Return the frames after which a sentence of `n_symbols` must have ended.

    Slow speech has about 8 symbols a second; twice that time and two seconds more is a failure.
    """
    seconds = 2.0 + n_symbols / 4.0
    return int(seconds * audio.sample_rate / audio.hop_length)


class NormedConvolution(nn.Module):
    """A same-length convolution and its batch normalization."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels_in, channels_out, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm1d(channels_out)

    def forward(self, x: Tensor, is_valid: Tensor) -> Tensor:
        """Map [B, C, L] to [B, C', L]; padding reads as silence."""
        output: Tensor = self.norm(self.conv(x * is_valid))
        return output


class Encoder(nn.Module):
    """Convolutions, then a bidirectional LSTM (arXiv:1712.05884, section 2.2)."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        size = config.embedding_size
        self.convolutions = nn.ModuleList(
            NormedConvolution(size, size, config.encoder_kernel)
            for _ in range(config.encoder_layers)
        )
        self.lstm = nn.LSTM(size, size // 2, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(config.convolution_dropout)

    def forward(self, embedded: Tensor, symbol_lengths: Tensor) -> Tensor:
        """Encode [B, N, D] to [B, N, D]; zero beyond each length."""
        n_symbols = embedded.shape[1]
        is_valid = is_within(symbol_lengths, n_symbols)[:, None].to(embedded.device)  # [B, 1, N]
        x = embedded.transpose(1, 2)  # [B, D, N]
        for convolution in self.convolutions:
            x = self.dropout(convolution(x, is_valid).relu())
        packed = nn.utils.rnn.pack_padded_sequence(
            x.transpose(1, 2), symbol_lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        output: Tensor = nn.utils.rnn.pad_packed_sequence(
            self.lstm(packed)[0], batch_first=True, total_length=n_symbols
        )[0]
        return output


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
        seen = self._prenet(previous, generator)  # [T / r, B, P]
        state = self._start(memory)
        features, weights = [], []
        for step_input in seen:
            state = self._step(step_input, memory, state)
            features.append(torch.cat([state.decoder_hidden, state.context], dim=1))
            weights.append(state.weights)
        frames, gates = self._project(torch.stack(features, dim=1))
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
        seen = self._prenet(previous, generator).transpose(0, 1)  # [B, T / r, P]
        queries = _run(self.attention_rnn, torch.cat([seen, _delayed(contexts)], dim=2))
        queries = F.dropout(queries, 0.1, self.training)
        history = torch.stack([_delayed(alignment), _delayed(alignment.cumsum(1))], dim=2)
        energies = self.attention(queries, history, memory)
        hidden = _run(self.decoder_rnn, torch.cat([queries, contexts], dim=2))
        hidden = F.dropout(hidden, 0.1, self.training)
        frames, gates = self._project(torch.cat([hidden, contexts], dim=2))
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
        state = self._start(memory)
        frames, gates, weights = [], [], []
        steps_at_end = 0
        ending: Ending = "limit"
        patience = max(2, 12 // r)  # about 0.14 s on the last symbol
        for known in held:
            state = self._step(self._prenet(last_frame, generator), memory, state, known)
            feature = torch.cat([state.decoder_hidden, state.context], dim=1)
            group, gate = self._project(feature[:, None])  # [1, M, r], [1, 1]
            frames.append(group)
            gates.append(gate)
            weights.append(state.weights)
            last_frame = group[..., -1]
            at_end = int(state.weights.argmax()) == state.weights.shape[1] - 1
            steps_at_end = steps_at_end + 1 if at_end else 0
            if torch.sigmoid(gate).item() > gate_threshold:
                ending = "gate"
                break
            if steps_at_end > patience and known is None:
                ending = "attention"
                break
        return torch.cat(frames, 2), torch.cat(gates, 1), torch.stack(weights, 1), ending

    def _start(self, memory: Memory) -> DecoderState:
        batch_size, n_symbols, d = memory.encoded.shape
        attention = memory.encoded.new_zeros(batch_size, self.config.attention_rnn_size)
        decoder = memory.encoded.new_zeros(batch_size, self.config.decoder_rnn_size)
        context = memory.encoded.new_zeros(batch_size, d)
        weights = memory.encoded.new_zeros(batch_size, n_symbols)
        return DecoderState(attention, attention, decoder, decoder, context, weights, weights)

    def _step(
        self, seen: Tensor, memory: Memory, state: DecoderState, held: Tensor | None = None
    ) -> DecoderState:
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

    def _prenet(self, frames: Tensor, generator: torch.Generator | None) -> Tensor:
        x = frames
        for layer in self.prenet:
            x = layer(x).relu()
            keep = torch.rand(x.shape, generator=generator) if generator else torch.rand_like(x)
            x = x * (keep.to(x.device) >= PRENET_DROPOUT) / (1.0 - PRENET_DROPOUT)
        return x

    def _project(self, features: Tensor) -> tuple[Tensor, Tensor]:
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


class Postnet(nn.Module):
    """Convolutions that predict what the decoder's frames lack."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        n_mels, channels = config.audio.n_mels, config.postnet_channels
        widths = [n_mels, *[channels] * (config.postnet_layers - 1), n_mels]
        self.convolutions = nn.ModuleList(
            NormedConvolution(before, after, config.postnet_kernel)
            for before, after in pairwise(widths)
        )
        self.dropout = nn.Dropout(config.convolution_dropout)

    def forward(self, decoded: Tensor, is_valid: Tensor) -> Tensor:
        """Return the correction [B, M, T] to decoded frames [B, M, T]."""
        x = decoded
        for i, convolution in enumerate(self.convolutions):
            x = convolution(x, is_valid)
            if i < len(self.convolutions) - 1:
                x = torch.tanh(x)
            x = self.dropout(x)
        return x
