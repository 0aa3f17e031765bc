"""Subtracts WaveGlow's bias: the sound that it adds to everything it makes.

Source: the denoiser published beside NVIDIA's WaveGlow: what the model says to an all-zero mel
without any noise is its bias; a share of the bias's spectrum is taken from every frame.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.mel import inverse_spectrum, spectrum
from pipeline.waveglow.linear_prediction import predictor_from_mel, synthesize, whiten
from pipeline.waveglow.mel_matching import match_mel
from pipeline.waveglow.model import WaveGlow

BIAS_FRAMES = 88  # of the all-zero mel, as published


class Denoiser:
    """Removes one model's bias; measures it anew whenever the model's weights have changed.

    A model with linear prediction has its bias in the excitation, so it is subtracted there. Audio
    that was brought to its mel is brought there again.
    """

    def __init__(self, waveglow: WaveGlow) -> None:
        self.waveglow = waveglow
        self._measured: tuple[int, ...] | None = None
        self._bias: Tensor | None = None

    @torch.no_grad()
    def __call__(self, audio: Tensor, mel: Tensor, *, strength: float) -> Tensor:
        """Return the audio less its bias.

        Args:
            audio: [B, S] as `WaveGlow.infer` gave it for `mel`.
            mel: [B, M, T].
            strength: Share of the bias to subtract; 0 returns the audio as it is.

        Returns:
            [B, S].
        """
        if strength == 0 or audio.shape[1] <= self.waveglow.config.audio.n_fft // 2:
            return audio
        config, audio_config = self.waveglow.config, self.waveglow.config.audio
        if config.prediction_order:
            prediction = predictor_from_mel(mel, audio_config, order=config.prediction_order)
            excitation, _ = whiten(audio, prediction)
            quiet = synthesize(self._subtract(excitation, strength), prediction)
        else:
            quiet = self._subtract(audio, strength)
        return match_mel(quiet, mel, audio_config, rounds=config.matching_rounds)

    def _subtract(self, audio: Tensor, strength: float) -> Tensor:
        config = self.waveglow.config.audio
        spectra = spectrum(audio, config)  # [B, K, T]
        magnitude = spectra.abs()
        wanted = (magnitude - strength * self._bias_spectrum().to(audio)).clamp(min=0)
        kept = spectra * (wanted / magnitude.clamp(min=1e-12))
        return inverse_spectrum(kept, config, n_samples=audio.shape[1])

    def _bias_spectrum(self) -> Tensor:
        """Return [K, 1], measured anew if any weight was written to or replaced since."""
        weights = list(self.waveglow.state_dict(keep_vars=True).values())
        version = tuple(part for tensor in weights for part in (tensor.data_ptr(), tensor._version))
        if self._bias is None or version != self._measured:
            config, n_group = self.waveglow.config.audio, self.waveglow.config.n_group
            mel = torch.zeros(1, config.n_mels, BIAS_FRAMES, device=weights[0].device)
            no_noise = mel.new_zeros(1, n_group, BIAS_FRAMES * config.hop_length // n_group)
            bias = self.waveglow.excitation(mel, no_noise)
            self._bias = spectrum(bias, config).abs()[0, :, :1]
            self._measured = version
        return self._bias
