"""Groups of r frames, as the decoder makes them: r * M values at one time."""

from __future__ import annotations

from torch import Tensor


def grouped(frames: Tensor, reduction: int) -> Tensor:
    """Return frames [B, M, T] as groups [B, r * M, T / r]."""
    batch_size, n_values, _ = frames.shape
    split = frames.reshape(batch_size, n_values, -1, reduction)  # [B, M, T / r, r]
    return split.permute(0, 3, 1, 2).flatten(1, 2)


def ungrouped(groups: Tensor, reduction: int) -> Tensor:
    """Return groups [B, r * M, T / r] as frames [B, M, T]."""
    batch_size, _, n_groups = groups.shape
    split = groups.reshape(batch_size, reduction, -1, n_groups)  # [B, r, M, T / r]
    return split.permute(0, 2, 3, 1).flatten(2)
