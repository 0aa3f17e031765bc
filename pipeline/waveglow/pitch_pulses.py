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

from pipeline.mel import AudioConfig, between_frames, channel_centres, mel_filterbank

MIN_HZ, MAX_HZ, CENTS = 60.0, 500.0, 20.0  # the pitches looked for, and their spacing
FINER, FINE_REACH = 2, 5  # the spacing is divided by this, so many steps up and down, in the end
EXPLAINED_HZ = 1_500.0  # channels centred below are loud enough to tell by
MATCHED_HZ = 2_300.0  # channels centred below resolve harmonics
ENVELOPE_CHANNELS = 17  # that the spectral envelope is the mean of
TEMPLATE_FLOOR = 0.03  # of a harmonic's magnitude, between harmonics
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
    flat = _without_envelope(mel.detach().double().cpu().transpose(1, 2), templates.shape[1])
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
    bases = _bases(config)  # [P, low M, H]
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
def harmonic_templates(config: AudioConfig) -> Tensor:
    """Return what each pitch looks like [P, low M], float64: no mean, unit length.

    Pitches go up from `MIN_HZ` in steps of `CENTS`.
    """
    area = mel_filterbank(config).sum(1, dtype=np.float64)
    harmonics = (_harmonics(pitch, 2.0 * MATCHED_HZ, config) for pitch in _pitches(CENTS))
    rows = [np.log(each.sum(1) + TEMPLATE_FLOOR * area) for each in harmonics]
    flat = _without_envelope(torch.from_numpy(np.stack(rows)), _n_below(MATCHED_HZ, config))
    return F.normalize(flat, dim=-1)


@lru_cache(maxsize=4)
def _bases(config: AudioConfig) -> Tensor:
    """Return orthonormal columns [P, low M, H] that span each pitch's harmonics, then zeros."""
    pitches, n_channels = _pitches(CENTS / FINER), _n_below(EXPLAINED_HZ, config)
    columns = [
        np.linalg.qr(_harmonics(pitch, 1.05 * EXPLAINED_HZ, config)[:n_channels]).Q
        for pitch in pitches
    ]
    bases = torch.zeros(len(pitches), n_channels, max(q.shape[1] for q in columns)).double()
    for basis, q in zip(bases, columns, strict=True):
        basis[:, : q.shape[1]] = torch.from_numpy(q)
    return bases


def _pitches(cents: float) -> np.ndarray:
    return MIN_HZ * 2.0 ** (np.arange(0.0, 1_200.0 * np.log2(MAX_HZ / MIN_HZ), cents) / 1_200.0)


def _n_below(hz: float, config: AudioConfig) -> int:
    """Return how many mel channels are centred below a frequency."""
    return int((channel_centres(config) * config.sample_rate / config.n_fft < hz).sum())


def _harmonics(pitch: float, top: float, config: AudioConfig) -> np.ndarray:
    """Return the mel [M, H] of each harmonic of a pitch up to `top`, Hz, of magnitude 1."""
    filters = mel_filterbank(config)
    position = np.arange(pitch, top, pitch)[:, None] * config.n_fft / config.sample_rate  # in bins
    bins = np.floor(position).astype(int) + np.arange(-1, 3)  # [H, 4]: those within a main lobe
    inside = (bins >= 0) & (bins < filters.shape[1])
    return np.asarray((filters[:, inside * bins] * inside * _hann_lobe(bins - position)).sum(-1))


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
