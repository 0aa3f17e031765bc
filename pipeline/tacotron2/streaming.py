"""Tacotron 2's mel piece by piece, while the decoder still speaks.

The text is encoded whole. The postnets see frames to both sides, as far as their convolutions
reach: a frame is handed on when the decoder is that far ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

import torch
from torch import Tensor

from pipeline.tacotron2 import pitch_contour
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.decoder import Decoder, Memory
from pipeline.tacotron2.flow_postnet import FlowPostnet, step_reach
from pipeline.tacotron2.inference import decode_in_pieces
from pipeline.tacotron2.model import Tacotron2
from pipeline.tacotron2.output import Ending
from pipeline.windows import Frames, Piece, draw_noise, frame_by_frame, in_windows


@torch.no_grad()
def stream_mel(
    tacotron2: Tacotron2,
    symbol_ids: Tensor,
    *,
    speaker: int = 0,
    generator: torch.Generator | None = None,
    piece_frames: Iterable[int],
    on_end: Callable[[Tensor, Ending], object] | None = None,
) -> Iterator[Tensor]:
    """Yield the mel that `Tacotron2.infer` returns, [1, M, T], in pieces.

    Args:
        tacotron2: The model.
        symbol_ids: [1, N].
        speaker: Which of the model's speakers.
        generator: Where the prenet's dropout and the flow's noise come from, on the CPU.
        piece_frames: How many frames are decoded before each piece is handed on; fewer come out
            of the first, for `look_ahead` of them are held back.
        on_end: Called when the decoder has ended, with the alignment [1, T / r, N].
    """
    pieces = _decoded(
        *tacotron2.read(symbol_ids, speaker),
        tacotron2.decoder,
        generator=generator,
        piece_frames=piece_frames,
        on_end=on_end,
    )

    def refine(contexts: Tensor, frames: Tensor) -> Frames:
        is_valid = torch.ones_like(frames[:, :1], dtype=torch.bool)
        return contexts, frames + tacotron2.postnet(frames, is_valid)

    pieces = in_windows(pieces, refine, reach=_postnet_reach(tacotron2.config))
    if tacotron2.flow_postnet is not None:
        pieces = _flowed(tacotron2.flow_postnet, pieces, generator)
    for piece, _ in pieces:
        if piece is not None:
            yield tacotron2.restore(piece[1])


def look_ahead(config: Tacotron2Config) -> int:
    """Return how many frames must be decoded before the first one is settled."""
    n_steps = _postnet_reach(config)
    if config.flow_channels:
        n_steps += _contour_reach(config) + config.flow_steps * step_reach(config)
    return n_steps * config.reduction


def _decoded(
    memory: Memory,
    held: Sequence[Tensor | None],
    decoder: Decoder,
    *,
    generator: torch.Generator | None,
    piece_frames: Iterable[int],
    on_end: Callable[[Tensor, Ending], object] | None,
) -> Iterator[Piece]:
    """Yield contexts [1, D, K] and frames [1, M, r K] of K decoder steps."""
    r, n_done = decoder.config.reduction, 0
    piece_steps = (-(-n_frames // r) for n_frames in piece_frames)
    for output, ending in decode_in_pieces(
        decoder, memory, held, generator=generator, piece_steps=piece_steps
    ):
        contexts = torch.bmm(output.alignment[:, n_done:], memory.encoded).transpose(1, 2)
        frames = output.frames[..., n_done * r :]
        n_done += contexts.shape[-1]
        if ending is not None and on_end is not None:
            on_end(output.alignment, ending)
        new = (contexts, frames) if contexts.shape[-1] else None
        yield Piece(new, is_last=ending is not None)


def _flowed(
    postnet: FlowPostnet, pieces: Iterable[Piece], generator: torch.Generator | None
) -> Iterator[Piece]:
    def condition(contexts: Tensor, mean: Tensor) -> Frames:
        is_valid = torch.ones_like(mean[:, :1], dtype=torch.bool)
        return postnet.conditions(mean, contexts.transpose(1, 2), is_valid), mean

    def add_noise(conditions: Tensor, mean: Tensor) -> Frames:
        shape = (len(mean), mean.shape[1], 1)
        noise = draw_noise(shape, mean.shape[-1], generator=generator).to(mean)
        return conditions, mean, postnet.scaled(noise)

    def step(at: int, conditions: Tensor, mean: Tensor, offset: Tensor) -> Frames:
        is_valid = torch.ones_like(mean[:, :1], dtype=torch.bool)
        return conditions, mean, postnet.advanced(offset, at, conditions, is_valid)

    def end(conditions: Tensor, mean: Tensor, offset: Tensor) -> Frames:
        return conditions, mean + postnet.speaking(mean) * offset

    pieces = in_windows(pieces, condition, reach=_contour_reach(postnet.config))
    pieces = frame_by_frame(pieces, add_noise)
    for at in range(postnet.config.flow_steps):
        pieces = in_windows(pieces, partial(step, at), reach=step_reach(postnet.config))
    return frame_by_frame(pieces, end)


def _contour_reach(config: Tacotron2Config) -> int:
    """Return how many decoder steps the pitch contour sees to each side."""
    return sum(pitch_contour.DILATIONS) if config.pitch_channels else 0


def _postnet_reach(config: Tacotron2Config) -> int:
    """Return how many decoder steps the postnet sees to each side."""
    n_frames = config.postnet_layers * (config.postnet_kernel // 2)
    return -(-n_frames // config.reduction)
