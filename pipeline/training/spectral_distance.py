"""How samples of a flow differ from recordings in ways that its likelihood hardly weighs.

Sources: Arik et al. 2018 (arXiv:1808.06719) for spectral convergence and log magnitudes, Yamamoto
et al. 2020 (arXiv:1910.11480) for several resolutions at once, Kong et al. 2020
(arXiv:2010.05646) for log mels as a loss.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from pipeline.mel import AudioConfig, mel_filterbank, spectrum

LINEAR_SHARE = 0.5  # of linear spectra beside mels, which do not resolve harmonics above 2 kHz
LINEAR_FLOOR = 1e-4  # linear magnitudes below it are raised to it
CONVERGENCE_SHARE = 1.5  # of what is loud: the first harmonics, whose roughness is heard as hoarse


def spectral_distance(produced: Tensor, recorded: Tensor, config: AudioConfig) -> Tensor:
    """Return the distance [] between audio [B, S] and audio [B, S], mean over three resolutions.

    The sum of the mean absolute difference of log mels (nepers), of log magnitudes (nepers,
    weighted by `LINEAR_SHARE`) and the spectral convergence (by `CONVERGENCE_SHARE`). Frames that
    reach beyond the audio do not count.
    """
    distances = []
    for resolution in _resolutions(config):
        filters = torch.from_numpy(mel_filterbank(resolution)).to(recorded.device)
        ours, theirs = _magnitude(produced, resolution), _magnitude(recorded, resolution)
        mels = _nepers(filters @ ours, filters @ theirs, resolution.magnitude_floor)
        lengths = [one.flatten(1).norm(dim=1) for one in (ours - theirs, theirs)]  # [B]
        convergence = (lengths[0] / lengths[1].clamp(min=LINEAR_FLOOR)).mean()
        linear = _nepers(ours, theirs, LINEAR_FLOOR)
        distances.append(mels + LINEAR_SHARE * linear + CONVERGENCE_SHARE * convergence)
    return torch.stack(distances).mean()


def steadiness_of_groups(excitation: Tensor, n_group: int) -> Tensor:
    """Return the mean power [] of what repeats from group to group in excitation [B, S].

    WaveGlow's hum: a bias of the flow is the same in each group, a tone at multiples of the group
    rate. White noise of unit variance has n_group / S.
    """
    groups = excitation.view(len(excitation), -1, n_group)  # [B, L, G]
    return groups.mean(1).square().mean()


def _resolutions(config: AudioConfig) -> list[AudioConfig]:
    """Return the model's own resolution, and one of half and one of twice its window."""
    top = config.sample_rate / 2
    half, twice = config.n_fft // 2, config.n_fft * 2
    return [
        replace(config, n_fft=half, hop_length=half // 4, n_mels=64, mel_max_hz=top),
        replace(config, hop_length=config.n_fft // 4),
        replace(config, n_fft=twice, hop_length=twice // 4, n_mels=128, mel_max_hz=top),
    ]


def _magnitude(audio: Tensor, config: AudioConfig) -> Tensor:
    """Return [B, K, T] of the frames that lie within the audio; hops are quarters of a window."""
    return spectrum(audio, config)[..., 2:-2].abs()


def _nepers(ours: Tensor, theirs: Tensor, floor: float) -> Tensor:
    return (ours.clamp(min=floor).log() - theirs.clamp(min=floor).log()).abs().mean()
