"""Brings audio to the mel it was made from: what a small vocoder gets wrong is there to see.

A vocoder's audio has a mel of its own. In each round every bin of the short-time spectrum is
scaled by what the mel asked for has over that one; phases stay, and neighbouring frames that now
disagree settle when they are added up.

Source: Griffin and Lim 1984 for the alternation between magnitudes asked for and spectra that some
signal has. Here magnitudes are known by channel only, and the phases to begin with are a vocoder's
instead of random ones.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.mel import AudioConfig, inverse_spectrum, log_mel_of, over_bins, spectrum

MAX_CHANGE = 2.0  # nepers a round, so that near-silence is not amplified into noise


@torch.no_grad()
def match_mel(audio: Tensor, mel: Tensor, config: AudioConfig, *, rounds: int) -> Tensor:
    """Return audio whose mel is nearer to the one asked for.

    Args:
        audio: [B, S], S = hop_length * T; too short for a spectrum, it stays as it is.
        mel: [B, M, T] natural log.
        config: What the mel is made of.
        rounds: How often it is brought nearer; 0 returns the audio itself.

    Returns:
        [B, S].
    """
    for _ in range(rounds):
        audio = match_once(audio, mel, config)
    return audio


@torch.no_grad()
def match_once(audio: Tensor, mel: Tensor, config: AudioConfig) -> Tensor:
    """Return the audio [B, S] after one round; a sample depends on n_fft others to each side."""
    if audio.shape[1] <= config.n_fft // 2:
        return audio
    with torch.autocast(audio.device.type, enabled=False):
        spectra = spectrum(audio.float(), config)  # [B, K, T + 1]: one is centred on the end
        own = log_mel_of(spectra.abs(), config)
        lacking = (mel - own[..., :-1]).clamp(-MAX_CHANGE, MAX_CHANGE)
        lacking = torch.cat([lacking, lacking[..., -1:]], dim=-1)
        gain = over_bins(lacking.transpose(1, 2), config).transpose(1, 2).exp()  # [B, K, T + 1]
        return inverse_spectrum(spectra * gain, config, n_samples=audio.shape[1])
