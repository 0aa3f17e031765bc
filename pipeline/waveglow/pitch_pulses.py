"""Pitch pulses from the mel: they tell the flow where voiced speech repeats.

    mel -> likeness to harmonic templates -> smoothest good path -> voicing, and f0 to 20 cents
        -> harmonics that explain most of the frame -> f0 -> pulses

A flow that sees only mels must agree with itself on a phase, period after period; a small one
does not quite, and sounds hoarse. The mel's own harmonics have the pitch to a few cents, so a
train of pulses with that pitch, and any phase, settles it. In shapes, P counts candidate pitches,
H harmonics, and low M the mel channels that are low enough to show them.

Sources: Camacho and Harris 2008 (SWIPE) for the likeness to templates of all pitches, Talkin 1995
(RAPT) for the path, Wang et al. 2019 (arXiv:1810.11946) for a periodic input of a vocoder.
"""

from __future__ import annotations

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

FINER, FINE_REACH = 2, 5  # the spacing is divided by this, so many steps up and down, in the end
EXPLAINED_HZ = 1_500.0  # channels centred below are loud enough to tell by
MIN_NORM = 1.0  # nepers, length over all channels: flatter frames match nothing
JUMP_COST, MAX_JUMP_COST = 0.02, 1.0  # likeness lost for each step of CENTS, and at most
SMOOTHED_FRAMES = 5  # that voicing is the mean of
UNVOICED, VOICED = 0.3, 0.5  # likeness where voicing is 0 and 1; that of noise is about 0.25
PULSE_HZ = 3_000.0  # harmonics of a pulse fall off as a Gaussian of this width


class Pitch(NamedTuple):
    """The pitch of each frame."""

    f0: Tensor  # [B, T] Hz float64; where nothing is voiced, what joins the pitches around
    voicing: Tensor  # [B, T] in [0, 1]


def pitch_from_mel(mel: Tensor, config: AudioConfig) -> Pitch:
    """Return the pitch that the harmonics of mels [B, M, T] show."""
    templates = harmonic_templates(config)  # [P, low M]
    flat = without_envelope(mel.detach().double().cpu().transpose(1, 2), templates.shape[1])
    length = torch.linalg.vector_norm(flat, dim=-1, keepdim=True)
    flat = flat / length.clamp(min=MIN_NORM)  # [B, T, low M]
    likeness = flat @ templates.T  # [B, T, P]
    path = torch.from_numpy(_best_paths(likeness.float().numpy()))  # [B, T]
    along = likeness.gather(2, path[..., None])[..., 0]
    around = F.pad(along[:, None], (SMOOTHED_FRAMES // 2,) * 2, mode="replicate")
    smooth = F.avg_pool1d(around, SMOOTHED_FRAMES, stride=1)[:, 0]
    voicing = ((smooth - UNVOICED) / (VOICED - UNVOICED)).clamp(0.0, 1.0)
    return Pitch(_fine_pitch(mel, path, config), voicing)


def pulses_from_pitch(pitch: Pitch, config: AudioConfig, *, phase: Tensor | None = None) -> Tensor:
    """Return a train of pulses [B, S] float32, S = hop_length * T, as high as frames are voiced.

    Args:
        pitch: Of T frames.
        config: What the frames are made of.
        phase: [B] in periods, where each train begins; 0 if not given.
    """
    f0, voicing = (between_frames(each, config.hop_length) for each in pitch)
    periods = f0.cumsum(1) / config.sample_rate
    if phase is not None:
        periods = periods + phase[:, None].to(periods)
    pulses = ((PULSE_HZ / f0).square() * (torch.cos(2.0 * torch.pi * periods) - 1.0)).exp()
    return (voicing * pulses).float()


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
    columns = [
        np.linalg.qr(harmonics(pitch, 1.05 * EXPLAINED_HZ, config)[:n_channels]).Q
        for pitch in pitches(CENTS / FINER)
    ]
    bases = torch.zeros(len(columns), n_channels, max(q.shape[1] for q in columns)).double()
    for basis, q in zip(bases, columns, strict=True):
        basis[:, : q.shape[1]] = torch.from_numpy(q)
    return bases


def _best_paths(likeness: np.ndarray) -> np.ndarray:
    """Return the path [B, T] through [B, T, P] whose likeness less the cost of jumps is most."""
    n_clips, n_frames, n_pitches = likeness.shape
    index = np.arange(n_pitches)
    cost = np.minimum(JUMP_COST * np.abs(index[:, None] - index), MAX_JUMP_COST, dtype=np.float32)
    came_from = np.zeros((n_frames, n_clips, n_pitches), dtype=np.int64)
    best = likeness[:, 0]
    for t in range(1, n_frames):
        reached = best[:, None, :] - cost  # [B, to, from]
        reached.argmax(2, out=came_from[t])
        best = reached[np.arange(n_clips)[:, None], index, came_from[t]] + likeness[:, t]
    path = np.zeros((n_clips, n_frames), dtype=np.int64)
    path[:, -1] = best.argmax(1)
    for t in range(n_frames - 1, 0, -1):
        path[:, t - 1] = came_from[t, np.arange(n_clips), path[:, t]]
    return path
