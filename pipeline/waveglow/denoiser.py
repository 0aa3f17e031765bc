"""Subtracts WaveGlow's bias: the sound that it adds to everything it makes.

Source: the denoiser published beside NVIDIA's WaveGlow: what the model says to an all-zero mel
without any noise is its bias; a share of the bias's spectrum is taken from every frame. A model
with linear prediction has its bias in the excitation, so it is measured and subtracted there.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.mel import AudioConfig, inverse_spectrum, spectrum
from pipeline.waveglow.model import WaveGlow

BIAS_FRAMES = 88  # of the all-zero mel, as published


@torch.no_grad()
def measure_bias(waveglow: WaveGlow) -> Tensor:
    """Return the magnitude spectrum [K, 1] of a model's bias."""
    config, n_group = waveglow.config.audio, waveglow.config.n_group
    mel = torch.zeros(1, config.n_mels, BIAS_FRAMES, device=next(waveglow.parameters()).device)
    no_noise = mel.new_zeros(1, n_group, BIAS_FRAMES * config.hop_length // n_group)
    return spectrum(waveglow.excitation(mel, no_noise), config).abs()[0, :, :1]


def subtract_bias(
    excitation: Tensor, bias: Tensor, config: AudioConfig, *, strength: float
) -> Tensor:
    """Return an excitation less its bias.

    Args:
        excitation: [B, S]; too short for a spectrum, it stays as it is.
        bias: [K, 1] as `measure_bias` gives it.
        config: Lengths of the spectra.
        strength: Share of the bias to subtract; 0 returns the excitation itself.

    Returns:
        [B, S].
    """
    if strength == 0 or excitation.shape[1] <= config.n_fft // 2:
        return excitation
    spectra = spectrum(excitation, config)  # [B, K, T + 1]
    magnitude = spectra.abs()
    wanted = (magnitude - strength * bias.to(magnitude)).clamp(min=0)
    kept = spectra * (wanted / magnitude.clamp(min=1e-12))
    return inverse_spectrum(kept, config, n_samples=excitation.shape[1])
