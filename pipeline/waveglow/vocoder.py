"""WaveGlow as a vocoder: mels in, audio out, each step once.

mel, noise -> excitation -> less its bias -> prediction filter -> brought to the mel
"""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.waveglow.denoiser import measure_bias, subtract_bias
from pipeline.waveglow.mel_matching import match_mel
from pipeline.waveglow.model import WaveGlow


class WaveGlowVocoder:
    """A WaveGlow and its bias, which is measured here: weights must not change afterwards."""

    def __init__(self, waveglow: WaveGlow, *, matching_rounds: int | None = None) -> None:
        """Measure the bias.

        Args:
            waveglow: The model, on the device where it is to run.
            matching_rounds: How often audio is brought to its mel; the config's own by default.
        """
        self.waveglow = waveglow
        self.config = waveglow.config
        self._matching_rounds = (
            self.config.matching_rounds if matching_rounds is None else matching_rounds
        )
        self._bias = measure_bias(waveglow)  # [K, 1]

    @torch.no_grad()
    def vocode(
        self, mel: Tensor, *, sigma: float, denoise: float, generator: torch.Generator | None
    ) -> Tensor:
        """Return audio [B, hop_length * T] float32, on the model's device.

        Args:
            mel: [B, M, T] natural log, on any device.
            sigma: Standard deviation of the noise; 0 is the flow's most likely audio.
            denoise: Share of the bias to subtract.
            generator: Where the noise comes from, on the CPU: the same noise for every device.
        """
        audio_config = self.config.audio
        mel = mel.to(self._bias).float()
        noise = sigma * self.waveglow.draw_noise(mel, generator=generator)
        excitation = self.waveglow.excitation(mel, noise).float()
        with torch.autocast(mel.device.type, enabled=False):
            excitation = subtract_bias(excitation, self._bias, audio_config, strength=denoise)
            audio = self.waveglow.from_excitation(mel, excitation)
            return match_mel(audio, mel, audio_config, rounds=self._matching_rounds)
