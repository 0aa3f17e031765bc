"""Tacotron 2's decoder on its own: it hears itself, until the sentence has ended.

A step of one sentence is some forty small operations. On a CPU torch takes longer to start most of
them than to do them, so there the steps are numpy's: for the default voice nearly four times as
fast.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from pipeline.tacotron2.decoder import Decoder, Memory
from pipeline.tacotron2.numpy_decoder import NumpyDecoder
from pipeline.tacotron2.output import DecoderOutput, Ending, steps_at_end_allowed

GATE_THRESHOLD = 0.5  # probability of the gate at which speech has ended


class EndDetector:
    """Tells after each step whether a sentence has ended."""

    def __init__(self, reduction: int, gate_threshold: float = GATE_THRESHOLD) -> None:
        self._open_above = torch.tensor(gate_threshold).logit().item()
        self._allowed = steps_at_end_allowed(reduction)
        self._steps_at_end = 0

    def ending(self, gate_logit: float, at_end: bool) -> Ending | None:
        """Take what a step returned; return how the sentence has ended, if it has."""
        self._steps_at_end = self._steps_at_end + 1 if at_end else 0
        if gate_logit > self._open_above:
            return "gate"
        return "attention" if self._steps_at_end > self._allowed else None


class StepDecoder(Protocol):
    """The decoding of one sentence, step by step."""

    def step(self, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        """Decode the next r frames.

        Args:
            dropout: [2, 1, P] for the prenet, see `Decoder.dropout`.
            held: [1, N] weights to read the text by, if not the attention's own.

        Returns:
            The gate's logit, and whether the attention is at the last symbol.
        """

    def result(self) -> DecoderOutput:
        """Return what was decoded so far."""


def decode(
    decoder: Decoder,
    memory: Memory,
    held: Sequence[Tensor | None],
    *,
    gate_threshold: float,
    generator: torch.Generator | None,
) -> tuple[DecoderOutput, Ending]:
    """Decode one sentence from its own frames, as `Tacotron2.infer` says.

    Args:
        decoder: The model.
        memory: The text.
        held: For each step allowed the weights [1, N] to use, or None for the attention's.
        gate_threshold: Probability of the gate at which speech has ended.
        generator: Where the prenet's dropout comes from; the global one if None.
    """
    *_, (output, ending) = decode_in_pieces(
        decoder, memory, held, gate_threshold=gate_threshold, generator=generator, piece_steps=()
    )
    assert ending is not None
    return output, ending


def decode_in_pieces(
    decoder: Decoder,
    memory: Memory,
    held: Sequence[Tensor | None],
    *,
    gate_threshold: float = GATE_THRESHOLD,
    generator: torch.Generator | None,
    piece_steps: Iterable[int],
) -> Iterator[tuple[DecoderOutput, Ending | None]]:
    """Yield all that was decoded so far after each of these numbers of steps, and in the end.

    Args:
        decoder: The model.
        memory: The text.
        held: As for `decode`.
        gate_threshold: Probability of the gate at which speech has ended.
        generator: Where the prenet's dropout comes from.
        piece_steps: Steps to the first time, from there to the second, and so on.

    Yields:
        The output since the beginning, and in the end alone how it ended.
    """
    on_cpu = memory.encoded.device.type == "cpu" and not decoder.training
    steps: StepDecoder = NumpyDecoder(decoder, memory) if on_cpu else TorchDecoder(decoder, memory)
    detector = EndDetector(decoder.config.reduction, gate_threshold)
    shape = (len(held), len(decoder.prenet), 1, decoder.config.prenet_size)
    pauses = itertools.accumulate(piece_steps)
    next_pause = next(pauses, None)
    dropouts = decoder.dropout(shape, generator)
    for n_steps, (known, dropout) in enumerate(zip(held, dropouts, strict=True), 1):
        ending = detector.ending(*steps.step(dropout, known))
        if ending == "gate" or (ending and known is None):
            yield steps.result(), ending
            return
        if n_steps == next_pause:
            yield steps.result(), None
            next_pause = next(pauses, None)
    yield steps.result(), "limit"


class TorchDecoder:
    """Steps as they are trained, on any device."""

    def __init__(self, decoder: Decoder, memory: Memory) -> None:
        self.decoder, self.memory = decoder, memory
        self.state = decoder.start(memory)
        self.last_frame = memory.encoded.new_zeros(1, decoder.config.audio.n_mels)
        self.frames: list[Tensor] = []
        self.gates: list[Tensor] = []
        self.weights: list[Tensor] = []

    def step(self, dropout: Tensor, held: Tensor | None) -> tuple[float, bool]:
        """Decode the next r frames, as `StepDecoder` has it."""
        seen = self.decoder.prenet_forward(self.last_frame, dropout)
        self.state = self.decoder.step(seen, self.memory, self.state, held)
        features = torch.cat([self.state.decoder_hidden, self.state.context], dim=1)
        frames, gate = self.decoder.project(features[:, None])
        self.last_frame = frames[..., -1]
        self.frames.append(frames)
        self.gates.append(gate)
        self.weights.append(self.state.weights)
        return gate.item(), int(self.state.weights.argmax()) == self.state.weights.shape[1] - 1

    def result(self) -> DecoderOutput:
        """Return what was decoded so far."""
        return DecoderOutput(
            torch.cat(self.frames, 2), torch.cat(self.gates, 1), torch.stack(self.weights, 1)
        )
