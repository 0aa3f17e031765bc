"""Pitch pulses from the mel: they tell the flow where voiced speech repeats.

    mel -> likeness to harmonic templates -> smoothest good path -> voicing, and f0 to 20 cents
        -> harmonics that explain most of the frame -> f0 -> pulses

The path of a frame is settled by what comes up to `LAG` frames later, so that a long mel needs not
be there to its end.

A flow that sees only mels must agree with itself on a phase, period after period; a small one
does not quite, and sounds hoarse. The mel's own harmonics have the pitch to a few cents, so a
train of pulses with that pitch, and any phase, settles it. In shapes, P counts candidate pitches,
H harmonics, and low M the mel channels that are low enough to show them.

Sources: Camacho and Harris 2008 (SWIPE) for the likeness to templates of all pitches, Talkin 1995
(RAPT) for the path, Wang et al. 2019 (arXiv:1810.11946) for a periodic input of a vocoder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.harmonics import (
    CENTS,
    MIN_HZ,
    harmonic_templates,
    harmonics,
    n_below,
    pitches,
    without_envelope,
)
from pipeline.mel import AudioConfig, between_frames
from pipeline.windows import Frames, Piece, carried, in_windows

FINER, FINE_REACH = 2, 5  # the spacing is divided by this, so many steps up and down, in the end
EXPLAINED_HZ = 1_500.0  # channels centred below are loud enough to tell by
MIN_NORM = 1.0  # nepers, length over all channels: flatter frames match nothing
JUMP_COST, MAX_JUMP_COST = 0.02, 1.0  # likeness lost for each step of CENTS, and at most
LAG = 16  # frames that a path waits for, 0.19 s; paths of speech part from no later ones by then
SMOOTHED_FRAMES = 5  # that voicing is the mean of
UNVOICED, VOICED = 0.3, 0.5  # likeness where voicing is 0 and 1; that of noise is about 0.25
PULSE_REACH = LAG + SMOOTHED_FRAMES // 2 + 1  # frames before and after that a pulse depends on
PULSE_HZ = 3_000.0  # harmonics of a pulse fall off as a Gaussian of this width


class Pitch(NamedTuple):
    """The pitch of each frame."""

    f0: Tensor  # [B, T] Hz float64; where nothing is voiced, what joins the pitches around
    voicing: Tensor  # [B, T] in [0, 1]


class Search(NamedTuple):
    """Where the best path to each pitch of each frame comes from."""

    likeness: Tensor  # [B, P, T] float32
    came_from: Tensor  # [B, P, T] int16: the pitch of the frame before
    ends: Tensor  # [B, T]: the pitch that the best path of all ends with


def pitch_from_mel(mel: Tensor, config: AudioConfig) -> Pitch:
    """Return the pitch that the harmonics of mels [B, M, T] show."""
    return settled_pitch(mel, search_paths(None, mel, config)[1], config)


def pulses_from_pitch(pitch: Pitch, config: AudioConfig, *, phase: Tensor | None = None) -> Tensor:
    """Return a train of pulses [B, S] float32, S = hop_length * T, as high as frames are voiced.

    Args:
        pitch: Of T frames.
        config: What the frames are made of.
        phase: [B] in periods, where each train begins; 0 if not given.
    """
    f0, voicing = (between_frames(each, config.hop_length) for each in pitch)
    start = torch.zeros(len(f0)) if phase is None else phase
    return continue_pulses(start.to(f0), f0, voicing, config)[1]


def stream_pulses(pieces: Iterable[Piece], config: AudioConfig) -> Iterator[Piece]:
    """Yield mels [B, M, T] and their pulses [B, S], as `pulses_from_pitch` has them of the whole.

    Args:
        pieces: Of one mel alone.
        config: What it is made of.
    """

    def search(best: Tensor | None, mel: Tensor) -> tuple[Tensor, Frames]:
        best, found = search_paths(best, mel, config)
        return best, (mel, *found)

    def settle(mel: Tensor, *found: Tensor) -> Frames:
        return mel, *settled_pitch(mel, Search(*found), config)

    def interpolate(mel: Tensor, *pitch: Tensor) -> Frames:
        return mel, *(between_frames(each, config.hop_length) for each in pitch)

    def sound(phase: Tensor, mel: Tensor, f0: Tensor, voicing: Tensor) -> tuple[Tensor, Frames]:
        phase, pulses = continue_pulses(phase, f0, voicing, config)
        return phase, (mel, pulses)

    pieces = carried(pieces, search, None)
    pieces = in_windows(pieces, settle, reach=LAG + SMOOTHED_FRAMES // 2)
    pieces = in_windows(pieces, interpolate, reach=1)
    start = torch.zeros(1, dtype=torch.float64)
    return carried(pieces, sound, start)


def continue_pulses(
    phase: Tensor, f0: Tensor, voicing: Tensor, config: AudioConfig
) -> tuple[Tensor, Tensor]:
    """Return the phase [B] after pulses and the pulses [B, S], for the phase before them.

    Args:
        phase: [B] float64 in periods.
        f0: [B, S] Hz float64, at each sample.
        voicing: [B, S].
        config: What has the sample rate.
    """
    periods = f0.cumsum(1) / config.sample_rate + phase[:, None]
    pulses = ((PULSE_HZ / f0).square() * (torch.cos(2.0 * torch.pi * periods) - 1.0)).exp()
    return periods[:, -1], (voicing * pulses).float()


def search_paths(best: Tensor | None, mel: Tensor, config: AudioConfig) -> tuple[Tensor, Search]:
    """Follow the best paths through mels [B, M, T].

    Args:
        best: [B, P], what paths were worth at each pitch of the frame before; None at the start.
        mel: [B, M, T].
        config: What the mel is made of.

    Returns:
        What paths are worth at the last frame, [B, P], and where they come from.
    """
    templates = harmonic_templates(config)  # [P, low M]
    flat = without_envelope(mel.detach().double().cpu().transpose(1, 2), templates.shape[1])
    length = torch.linalg.vector_norm(flat, dim=-1, keepdim=True)
    flat = flat / length.clamp(min=MIN_NORM)  # [B, T, low M]
    likeness = (flat @ templates.T).float()  # [B, T, P]
    worth, came_from, ends = _best_paths(likeness.numpy(), None if best is None else best.numpy())
    found = Search(
        likeness.transpose(1, 2),
        torch.from_numpy(came_from).permute(1, 2, 0),
        torch.from_numpy(ends).T,
    )
    return torch.from_numpy(worth), found


def settled_pitch(mel: Tensor, search: Search, config: AudioConfig) -> Pitch:
    """Return the pitch along the best paths of mels [B, M, T]."""
    path = _traced_back(search)
    along = search.likeness.gather(1, path[:, None])[:, 0].double()  # [B, T]
    around = F.pad(along[:, None], (SMOOTHED_FRAMES // 2,) * 2, mode="replicate")
    smooth = F.avg_pool1d(around, SMOOTHED_FRAMES, stride=1)[:, 0]
    voicing = ((smooth - UNVOICED) / (VOICED - UNVOICED)).clamp(0.0, 1.0)
    return Pitch(_fine_pitch(mel, path, config), voicing)


def _fine_pitch(mel: Tensor, path: Tensor, config: AudioConfig) -> Tensor:
    """Return the pitch [B, T] near a path [B, T] whose harmonics explain most of a frame's energy.

    Harmonics of any magnitude, so that a slope of the spectrum does not pull the pitch with it.
    """
    bases = harmonic_bases(config)  # [P, low M, H]
    middle = (FINER * path).clamp(FINE_REACH, len(bases) - 1 - FINE_REACH)
    lowest = int(middle.min()) - FINE_REACH
    bases = bases[lowest : int(middle.max()) + FINE_REACH + 1]  # of three octaves a voice has one
    bases = bases[..., bases[0].any(0)]  # and the lowest pitch the most harmonics
    magnitude = mel.detach().double().cpu()[:, : bases.shape[1]].exp().transpose(1, 2)
    magnitude = magnitude / torch.linalg.vector_norm(magnitude, dim=-1, keepdim=True)
    projected = magnitude @ bases.permute(1, 0, 2).flatten(1)  # [B, T, P * H]
    explained = projected.square().view(*path.shape, *bases.shape[::2]).sum(-1)  # [B, T, P]
    around = (middle - lowest)[..., None] + torch.arange(-FINE_REACH, FINE_REACH + 1)
    best = explained.gather(2, around).argmax(2).clamp(1, 2 * FINE_REACH - 1)
    best = (middle - lowest + best - FINE_REACH)[..., None]  # [B, T, 1]
    below, at, above = (explained.gather(2, best + k)[..., 0] for k in (-1, 0, 1))
    peak = 0.5 * (below - above) / (below - 2.0 * at + above).clamp(max=-1e-9)  # of a parabola
    steps = lowest + best[..., 0] + peak.clamp(-0.5, 0.5)
    return MIN_HZ * torch.exp2(steps * CENTS / FINER / 1_200.0)


@lru_cache(maxsize=4)
def harmonic_bases(config: AudioConfig) -> Tensor:
    """Return orthonormal columns [P, low M, H] that span each pitch's harmonics, then zeros."""
    n_channels = n_below(EXPLAINED_HZ, config)
    mels = harmonics(pitches(CENTS / FINER), 1.05 * EXPLAINED_HZ, config)
    n_harmonics = np.array([mel.shape[1] for mel in mels])
    bases = np.zeros((len(mels), n_channels, min(n_channels, n_harmonics.max())))
    for count in set(n_harmonics):  # those of a shape at once
        alike = np.flatnonzero(n_harmonics == count)
        columns = np.linalg.qr(np.stack([mels[each][:n_channels] for each in alike])).Q
        bases[alike, :, : columns.shape[2]] = columns
    return torch.from_numpy(bases)


def _best_paths(
    likeness: np.ndarray, best: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Follow paths through [B, T, P] by the likeness along them less the cost of jumps.

    Returns:
        What they are worth [B, P] in the end, where they come from [T, B, P], and which pitch the
        best of them has [T, B].
    """
    n_clips, n_frames, n_pitches = likeness.shape
    index = np.arange(n_pitches)
    cost = np.minimum(JUMP_COST * np.abs(index[:, None] - index), MAX_JUMP_COST, dtype=np.float32)
    came_from = np.zeros((n_frames, n_clips, n_pitches), dtype=np.int16)
    ends = np.zeros((n_frames, n_clips), dtype=np.int64)
    for t in range(n_frames):
        if best is None:
            best = likeness[:, t]
        else:
            reached = best[:, None, :] - cost  # [B, to, from]
            came_from[t] = reached.argmax(2)
            best = reached.max(2) + likeness[:, t]
            best -= best.max(1, keepdims=True)  # worth relative to the best: no sum without end
        ends[t] = best.argmax(1)
    assert best is not None
    return best, came_from, ends


def _traced_back(search: Search) -> Tensor:
    """Return the pitch [B, T] of each frame on the best path that ends LAG frames later."""
    n_frames = search.ends.shape[1]
    frame = torch.arange(n_frames)
    at = (frame + LAG).clamp(max=n_frames - 1)
    pitch = search.ends[:, at]  # [B, T]
    clip = torch.arange(len(pitch))[:, None]
    for _ in range(min(LAG, n_frames - 1)):
        before = search.came_from[clip, pitch, at].long()
        pitch = torch.where(at > frame, before, pitch)
        at = torch.maximum(at - 1, frame)
    return pitch
