"""What decoding a sentence yields, and how it ended."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor

Ending = Literal["gate", "attention", "limit"]


class DecoderOutput(NamedTuple):
    """The decoder's frames, before the postnet."""

    frames: Tensor  # [1, M, T]
    gate_logits: Tensor  # [1, T / r]
    alignment: Tensor  # [1, T / r, N]


def steps_at_end_allowed(reduction: int) -> int:
    """Return for how many steps the attention may be at the last symbol before speech has ended.

    About 0.14 s, and a few steps at least.
    """
    return max(2, 12 // reduction)
