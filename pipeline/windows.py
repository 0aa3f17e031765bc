"""Long sequences piece by piece: a function of finite reach makes of them what it makes of a whole.

    pieces in:        |--------|--------|----
    one window:     reach [ yielded ] reach

What a window computes near its cut ends is thrown away, for it would be different with the frames
beyond them. So memory is that of one window, and what is made first is there before the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

Frames = tuple[Tensor, ...]
"""A stretch of T frames: tensors [..., k T] of k columns a frame, k = 1 in the first of them."""

State = TypeVar("State")


class Piece(NamedTuple):
    """What a stage hands on to the next."""

    frames: Frames | None  # None where nothing is left to say but that the end has come
    is_last: bool = False


def in_windows(
    pieces: Iterable[Piece], function: Callable[..., Frames], *, reach: int
) -> Iterator[Piece]:
    """Yield what a function makes of all pieces joined, piece by piece.

    Args:
        pieces: Of any lengths, following each other; those that come out have others.
        function: Maps tensors of T frames to tensors of T frames.
        reach: How many frames before and after a frame its value may depend on.
    """
    kept: Frames | None = None
    n_done = 0  # frames at the start of what is kept that were yielded before
    for frames, is_last in pieces:
        kept = _join(kept, frames)
        if kept is None:
            continue
        n_ready = _length(kept) - (0 if is_last else reach)
        if n_ready > n_done:
            yield Piece(_cut(function(*kept), n_done, n_ready), is_last)
            n_done = n_ready
        n_dropped = max(0, n_done - reach)
        kept, n_done = _cut(kept, n_dropped, _length(kept)), n_done - n_dropped


def frame_by_frame(pieces: Iterable[Piece], function: Callable[..., Frames]) -> Iterator[Piece]:
    """Yield what a function makes of each piece."""
    for frames, is_last in pieces:
        yield Piece(None if frames is None else function(*frames), is_last)


def carried(
    pieces: Iterable[Piece], function: Callable[..., tuple[State, Frames]], state: State
) -> Iterator[Piece]:
    """Yield what a function makes of each piece and of the state that it left after the last."""
    for frames, is_last in pieces:
        made = None
        if frames is not None:
            state, made = function(state, *frames)
        yield Piece(made, is_last)


def begin(tensors: Iterable[Tensor]) -> Iterator[Piece]:
    """Yield pieces of one tensor, and then that it has ended."""
    for tensor in tensors:
        yield Piece((tensor,))
    yield Piece(None, is_last=True)


def growing(first: int, *, step: int, longest: int) -> Iterator[int]:
    """Yield lengths of pieces without end: a first one, then `step` doubled up to the longest.

    The first sound then waits for little, and few windows overlap in what follows.
    """
    yield first
    while True:
        step = min(2 * step, longest)
        yield step


def cut(pieces: Iterable[Tensor], lengths: Iterable[int]) -> Iterator[Tensor]:
    """Yield pieces [..., T], those much longer than the next of these lengths in parts.

    Half as long again is not too long: windows overlap, so that short ones cost much.
    """
    left = iter(lengths)
    for piece in pieces:
        rest, length = piece, next(left)
        while rest.shape[-1] > 1.5 * length:
            yield rest[..., :length]
            rest, length = rest[..., length:], next(left)
        yield rest


def draw_noise(
    shape: tuple[int, ...], n_frames: int, *, generator: torch.Generator | None
) -> Tensor:
    """Return normal noise [..., k T] for T frames of a shape [..., k], on the generator's device.

    It is drawn frame after frame, so that pieces of a sequence get what the whole would get.
    """
    device = "cpu" if generator is None else generator.device
    frames = [torch.randn(shape, generator=generator, device=device) for _ in range(n_frames)]
    return torch.cat(frames, dim=-1)


def _length(frames: Frames) -> int:
    return int(frames[0].shape[-1])


def _join(before: Frames | None, after: Frames | None) -> Frames | None:
    if before is None or after is None:
        return before or after
    return tuple(torch.cat(pair, dim=-1) for pair in zip(before, after, strict=True))


def _cut(frames: Frames, start: int, end: int) -> Frames:
    n_frames = _length(frames)
    columns = [tensor.shape[-1] // n_frames for tensor in frames]
    return tuple(
        tensor[..., k * start : k * end] for tensor, k in zip(frames, columns, strict=True)
    )
