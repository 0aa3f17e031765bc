"""How samples of a flow differ from recordings in ways that its likelihood hardly weighs.

Sources: Arik et al. 2018 (arXiv:1808.06719) for spectral convergence and log magnitudes, Yamamoto
et al. 2020 (arXiv:1910.11480) for several resolutions at once, Kong et al. 2020
(arXiv:2010.05646) for log mels as a loss, Gritsenko et al. 2020 (arXiv:2008.01160) for two samples
that must differ as recordings would.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from pipeline.mel import AudioConfig, between_frames, log_mel_of, spectrum

LINEAR_SHARE = 0.5  # of linear spectra beside mels, which do not resolve harmonics above 2 kHz
LINEAR_FLOOR = 1e-4  # linear magnitudes below it are raised to it
CONVERGENCE_SHARE = 1.5  # of what is loud: the first harmonics, whose roughness is heard as hoarse


def energy_distance(
    samples: Tensor, recorded: Tensor, voicing: Tensor, config: AudioConfig
) -> Tensor:
    """Return how far two samples of the same mels are from recordings, and how far too alike, [].

    Their mean spectral distance from the recordings, less half of the difference between the two
    where nothing is voiced. Without the latter, noise comes out as clicks: no noise is as near to
    another's spectrum as the flat one of a click. What is voiced may be the same each time. The
    spectral distance is the sum of the mean absolute difference of log mels (nepers), of log
    magnitudes (nepers, weighted by `LINEAR_SHARE`) and the spectral convergence (by
    `CONVERGENCE_SHARE`), mean over four resolutions. Frames beyond the audio do not count.

    Args:
        samples: [2, B, S].
        recorded: [B, S].
        voicing: [B, T] in [0, 1] of mel frames, hop_length * T >= S.
        config: What the mel frames are made of.
    """
    distances = []
    unvoiced = 1.0 - between_frames(voicing, config.hop_length)  # [B, S or more]
    for resolution in resolutions(config):
        theirs = _spectra(recorded, resolution)
        first, second = (_spectra(sample, resolution) for sample in samples)
        frames = torch.arange(theirs.linear.shape[2], device=unvoiced.device)
        weight = unvoiced[:, resolution.n_fft // 2 + resolution.hop_length * frames]  # [B, T]
        apart = (_distance(first, theirs) + _distance(second, theirs)) / 2.0
        distances.append(apart - (weight * _nepers(first, second)).mean() / 2.0)
    return torch.stack(distances).mean()


def steadiness_of_groups(excitation: Tensor, n_group: int) -> Tensor:
    """Return the mean power [] of what repeats from group to group in excitation [B, S].

    WaveGlow's bias is the same in each group, a tone at multiples of the group
    rate. White noise of unit variance has n_group / S.
    """
    groups = excitation.view(len(excitation), -1, n_group)  # [B, L, G]
    return groups.mean(1).square().mean()


class _Spectra(NamedTuple):
    log_mel: Tensor  # [B, M, T]
    log_linear: Tensor  # [B, K, T]
    linear: Tensor  # [B, K, T]


def _spectra(audio: Tensor, config: AudioConfig) -> _Spectra:
    linear = magnitude(audio, config)
    return _Spectra(log_mel_of(linear, config), linear.clamp(min=LINEAR_FLOOR).log(), linear)


def _distance(ours: _Spectra, theirs: _Spectra) -> Tensor:
    error = torch.linalg.vector_norm(ours.linear - theirs.linear, dim=(1, 2))  # [B]
    length = torch.linalg.vector_norm(theirs.linear, dim=(1, 2))
    convergence: Tensor = (error / length.clamp(min=LINEAR_FLOOR)).mean()
    return _nepers(ours, theirs).mean() + CONVERGENCE_SHARE * convergence


def _nepers(ours: _Spectra, theirs: _Spectra) -> Tensor:
    """Return the difference [B, T] of log spectra."""
    mels = (ours.log_mel - theirs.log_mel).abs().mean(1)
    return mels + LINEAR_SHARE * (ours.log_linear - theirs.log_linear).abs().mean(1)


def resolutions(config: AudioConfig) -> list[AudioConfig]:
    """Return the model's own resolution, and windows of an eighth, half and twice its length.

    The shortest sees whether sound is spread over time or comes in clicks.
    """
    top = config.sample_rate / 2
    windows = ((config.n_fft // 8, 20), (config.n_fft // 2, 64), (config.n_fft * 2, 128))
    return [
        replace(config, hop_length=config.n_fft // 4),
        *(
            replace(config, n_fft=n_fft, hop_length=n_fft // 4, n_mels=n_mels, mel_max_hz=top)
            for n_fft, n_mels in windows
        ),
    ]


def magnitude(audio: Tensor, config: AudioConfig) -> Tensor:
    """Return [B, K, T] of the frames that lie within the audio; hops are quarters of a window."""
    return spectrum(audio, config)[..., 2:-2].abs()
