"""What becomes of a predicted mel before it is vocoded: its levels and its pace, in pieces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from pipeline.mel_levels import MelLevels


def match_levels(mels: Iterable[Tensor], levels: MelLevels | None) -> Iterator[Tensor]:
    """Yield pieces of a mel [1, M, T] at a voice's levels; as they are if it has none."""
    for mel in mels:
        if levels is None:
            yield mel
        else:
            yield torch.from_numpy(levels.match(mel[0].cpu().numpy()))[None].to(mel.device)


def stretch(mels: Iterable[Tensor], rate: float) -> Iterator[Tensor]:
    """Yield pieces of one mel [B, M, T] as one of T / rate frames: the pitch stays.

    Frame i lies between those around (i + 1/2) rate - 1/2 of the mel given, so pieces of any length
    give the same frames.
    """
    kept: Tensor | None = None
    n_dropped = n_made = 0
    for mel in mels:
        if rate == 1.0:
            yield mel
            continue
        kept = mel if kept is None else torch.cat([kept, mel], dim=-1)
        n_known = n_dropped + kept.shape[-1]
        end = math.floor((n_known - 0.5) / rate - 0.5) + 1  # frames between two that are known
        if end > n_made:
            yield _between(kept, n_dropped, range(n_made, end), rate)
            n_made = end
        unused = max(0, int((n_made + 0.5) * rate - 0.5) - n_dropped)
        unused = min(unused, kept.shape[-1] - 1)
        kept, n_dropped = kept[..., unused:], n_dropped + unused
    if kept is not None:
        n_frames = max(1, round((n_dropped + kept.shape[-1]) / rate))
        if n_frames > n_made:
            yield _between(kept, n_dropped, range(n_made, n_frames), rate)


def _between(mel: Tensor, start: int, frames: range, rate: float) -> Tensor:
    """Return frames of the stretched mel, from the mel's own that begin with frame `start`."""
    position = (torch.tensor(frames, dtype=torch.float64) + 0.5) * rate - 0.5 - start
    position = position.clamp(0, mel.shape[-1] - 1)
    before = position.long()
    after = (before + 1).clamp(max=mel.shape[-1] - 1)
    share = (position - before).to(mel)
    return mel[..., before] * (1.0 - share) + mel[..., after] * share
