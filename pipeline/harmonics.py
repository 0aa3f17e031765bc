"""What the harmonics of a pitch look like in a mel."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipeline.mel import AudioConfig, channel_centres, mel_filterbank

MIN_HZ, MAX_HZ, CENTS = 60.0, 500.0, 20.0  # the pitches looked for, and their spacing
MATCHED_HZ = 2_300.0  # channels centred below resolve harmonics
ENVELOPE_CHANNELS = 17  # that the spectral envelope is the mean of
TEMPLATE_FLOOR = 0.03  # of a harmonic's magnitude, between harmonics


@lru_cache(maxsize=4)
def harmonic_templates(config: AudioConfig) -> Tensor:
    """Return what each pitch looks like [P, low M], float64: no mean, unit length.

    Pitches go up from `MIN_HZ` in steps of `CENTS`.
    """
    area = mel_filterbank(config).sum(1, dtype=np.float64)
    mels = [each.sum(1) for each in harmonics(pitches(CENTS), 2.0 * MATCHED_HZ, config)]
    rows = np.log(np.stack(mels) + TEMPLATE_FLOOR * area)
    flat = without_envelope(torch.from_numpy(rows), n_below(MATCHED_HZ, config))
    return F.normalize(flat, dim=-1)


def pitches(cents: float) -> np.ndarray:
    """Return the pitches looked for, in Hz, with a spacing."""
    return MIN_HZ * 2.0 ** (np.arange(0.0, 1_200.0 * np.log2(MAX_HZ / MIN_HZ), cents) / 1_200.0)


def n_below(hz: float, config: AudioConfig) -> int:
    """Return how many mel channels are centred below a frequency."""
    return int((channel_centres(config) * config.sample_rate / config.n_fft < hz).sum())


def harmonics(of: np.ndarray, top: float, config: AudioConfig) -> list[np.ndarray]:
    """Return for each pitch the mel [M, H] of its harmonics up to `top`, Hz, of magnitude 1.

    All at once: what is made anew for each pitch takes longer than speech.
    """
    filters = mel_filterbank(config)
    heights = [np.arange(pitch, top, pitch) for pitch in of]
    position = np.concatenate(heights)[:, None] * config.n_fft / config.sample_rate  # in bins
    bins = np.floor(position).astype(int) + np.arange(-1, 3)  # [H, 4]: those within a main lobe
    inside = (bins >= 0) & (bins < filters.shape[1])
    magnitude = inside * _hann_lobe(bins - position)
    of_bins = zip((inside * bins).T, magnitude.T, strict=True)
    mel = np.asarray(sum(filters[:, at] * share for at, share in of_bins))
    return np.split(mel, np.cumsum([len(each) for each in heights])[:-1], axis=1)


def _hann_lobe(offset: np.ndarray) -> np.ndarray:
    """Return a Hann window's magnitude within its main lobe, `offset` bins from its middle."""
    lobe = np.sinc(offset) + 0.5 * (np.sinc(offset - 1.0) + np.sinc(offset + 1.0))
    return np.where(np.abs(offset) < 2.0, np.abs(lobe), 0.0)


def without_envelope(mel: Tensor, n_channels: int) -> Tensor:
    """Return the first channels of mels [..., M], less the mean of those around and of all."""
    reach = ENVELOPE_CHANNELS // 2
    rows = mel.flatten(0, -2)[:, None]  # [rows, 1, M]
    envelope = F.avg_pool1d(F.pad(rows, (reach, reach), mode="reflect"), 2 * reach + 1, stride=1)
    flat = (rows - envelope)[:, 0, :n_channels].reshape(*mel.shape[:-1], n_channels)
    return flat - flat.mean(-1, keepdim=True)
