"""Pitch pulses from the mel: they tell the flow where voiced speech repeats.

    mel -> likeness to harmonic templates -> smoothest good path -> f0 and voicing -> pulses

A flow that sees only mels must agree with itself on a phase, period after period; a small one
does not quite, and sounds hoarse. The mel's own harmonics have the pitch to a few cents, so a
train of pulses with that pitch, and any phase, settles it.

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

from pipeline.mel import AudioConfig, between_frames, mel_filterbank

MIN_HZ, MAX_HZ, CENTS = 60.0, 500.0, 20.0  # the pitches looked for, and their spacing
MATCHED_HZ = 2_300.0  # channels centred below resolve harmonics
ENVELOPE_CHANNELS = 17  # that the spectral envelope is the mean of
TEMPLATE_FLOOR = 0.03  # of a harmonic's magnitude, between harmonics
MIN_CONTRAST = 1.0  # nepers, length over all channels: flatter frames match nothing
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
    templates = _templates(config)  # [N, K]
    flat = _without_envelope(mel.detach().double().cpu().transpose(1, 2), templates.shape[1])
    length = torch.linalg.vector_norm(flat, dim=-1, keepdim=True)
    flat = flat / length.clamp(min=MIN_CONTRAST)  # [B, T, K]
    likeness = flat @ templates.T  # [B, T, N]
    path = torch.from_numpy(_best_paths(likeness.numpy()))  # [B, T]
    middle = path.clamp(1, len(templates) - 2)[..., None]
    below, at, above = (likeness.gather(2, middle + k)[..., 0] for k in (-1, 0, 1))
    peak = 0.5 * (below - above) / (below - 2.0 * at + above).clamp(max=-1e-6)  # of a parabola
    steps = middle[..., 0] + peak.clamp(-0.5, 0.5)
    along = likeness.gather(2, path[..., None])[..., 0]
    around = F.pad(along[:, None], (SMOOTHED_FRAMES // 2,) * 2, mode="replicate")
    smooth = F.avg_pool1d(around, SMOOTHED_FRAMES, stride=1)[:, 0]
    voicing = ((smooth - UNVOICED) / (VOICED - UNVOICED)).clamp(0.0, 1.0)
    return Pitch(MIN_HZ * 2.0 ** (steps * CENTS / 1_200.0), voicing)


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


@lru_cache(maxsize=4)
def _templates(config: AudioConfig) -> Tensor:
    """Return what each pitch looks like [N, K], float64: no mean, unit length."""
    n_pitches = int(1_200 / CENTS * np.log2(MAX_HZ / MIN_HZ)) + 1
    pitches = MIN_HZ * 2.0 ** (np.arange(n_pitches) * CENTS / 1_200)
    filters = mel_filterbank(config).astype(np.float64)  # [M, F]
    frequencies = np.linspace(0.0, config.sample_rate / 2, filters.shape[1])
    centres = (filters * frequencies).sum(1) / filters.sum(1)
    rows = []
    for pitch in pitches:
        harmonics = np.arange(pitch, 2 * MATCHED_HZ, pitch)
        offset = (frequencies[:, None] - harmonics) * config.n_fft / config.sample_rate  # in bins
        magnitude = np.sqrt(np.square(_hann_lobe(offset)).sum(1))
        rows.append(np.log(filters @ (magnitude + TEMPLATE_FLOOR)))
    flat = _without_envelope(torch.from_numpy(np.stack(rows)), int((centres < MATCHED_HZ).sum()))
    return flat / torch.linalg.vector_norm(flat, dim=-1, keepdim=True)


def _hann_lobe(offset: np.ndarray) -> np.ndarray:
    """Return a Hann window's magnitude within its main lobe, `offset` bins from its middle."""
    lobe = np.sinc(offset) + 0.5 * (np.sinc(offset - 1.0) + np.sinc(offset + 1.0))
    return np.where(np.abs(offset) < 2.0, np.abs(lobe), 0.0)


def _without_envelope(mel: Tensor, n_channels: int) -> Tensor:
    """Return the first channels of mels [..., M], less the mean of those around and of all."""
    reach = ENVELOPE_CHANNELS // 2
    rows = mel.flatten(0, -2)[:, None]  # [rows, 1, M]
    envelope = F.avg_pool1d(F.pad(rows, (reach, reach), mode="reflect"), 2 * reach + 1, stride=1)
    flat = (rows - envelope)[:, 0, :n_channels].reshape(*mel.shape[:-1], n_channels)
    return flat - flat.mean(-1, keepdim=True)


def _best_paths(likeness: np.ndarray) -> np.ndarray:
    """Return the path [B, T] through [B, T, N] whose likeness less the cost of jumps is most."""
    n_clips, n_frames, n_pitches = likeness.shape
    index = np.arange(n_pitches)
    cost = np.minimum(JUMP_COST * np.abs(index[:, None] - index), MAX_JUMP_COST)
    came_from = np.zeros((n_clips, n_frames, n_pitches), dtype=np.int64)
    best = likeness[:, 0]
    for t in range(1, n_frames):
        reached = best[:, None, :] - cost  # [B, to, from]
        came_from[:, t] = reached.argmax(2)
        best = reached.max(2) + likeness[:, t]
    path = np.zeros((n_clips, n_frames), dtype=np.int64)
    path[:, -1] = best.argmax(1)
    for t in range(n_frames - 1, 0, -1):
        path[:, t - 1] = came_from[np.arange(n_clips), t, path[:, t]]
    return path
