"""WaveGlow as a vocoder: mels in, audio out, each step once.

mel, noise -> excitation -> less its bias -> prediction filter -> brought to the mel
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import torch
from torch import Tensor

from pipeline.waveglow.denoiser import measure_bias, subtract_bias
from pipeline.waveglow.mel_matching import match_mel, match_once
from pipeline.waveglow.model import WaveGlow
from pipeline.waveglow.streaming import (
    look_ahead,
    spectrum_reach,
    stream_excitation,
    stream_synthesis,
)
from pipeline.windows import Frames, in_windows

LONGEST_WINDOW = 1_024  # frames, 12 s, that are vocoded in one piece


class WaveGlowVocoder:
    """A WaveGlow and, once asked for, its bias: weights must not change afterwards."""

    def __init__(self, waveglow: WaveGlow, *, matching_rounds: int | None = None) -> None:
        """Take a model.

        Args:
            waveglow: The model, on the device where it is to run.
            matching_rounds: How often audio is brought to its mel; the config's own by default.
        """
        self.waveglow = waveglow
        self.config = waveglow.config
        self._matching_rounds = (
            self.config.matching_rounds if matching_rounds is None else matching_rounds
        )

    @cached_property
    def _bias(self) -> Tensor:
        """Its magnitude spectrum [K, 1]; measured once, where denoising is asked for."""
        return measure_bias(self.waveglow)

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
        if mel.shape[-1] > LONGEST_WINDOW:
            mels = torch.split(mel, LONGEST_WINDOW, dim=-1)
            pieces = self.stream(mels, sigma=sigma, denoise=denoise, generator=generator)
            return torch.cat(list(pieces), dim=1)
        mel = mel.to(self._device).float()
        noise = sigma * self.waveglow.draw_noise(mel, generator=generator)
        excitation = self.waveglow.excitation(mel, noise).float()
        with torch.autocast(mel.device.type, enabled=False):
            excitation = self._denoised(excitation, denoise)
            audio = self.waveglow.from_excitation(mel, excitation)
            return match_mel(audio, mel, self.config.audio, rounds=self._matching_rounds)

    @torch.no_grad()
    def stream(
        self,
        mels: Iterable[Tensor],
        *,
        sigma: float,
        denoise: float,
        generator: torch.Generator | None,
    ) -> Iterator[Tensor]:
        """Yield the audio that `vocode` makes, as far as the mels that are there settle it.

        Args:
            mels: Pieces [B, M, T] of one mel.
            sigma: As for `vocode`, and so the others.
            denoise: Share of the bias to subtract.
            generator: Where the noise comes from.
        """
        audio_config, reach = self.config.audio, spectrum_reach(self.config)
        mels = (mel.to(self._device).float() for mel in mels)
        pieces = stream_excitation(self.waveglow, mels, sigma=sigma, generator=generator)

        def less_bias(mel: Tensor, excitation: Tensor) -> Frames:
            return mel, self._denoised(excitation, denoise)

        def match(mel: Tensor, audio: Tensor) -> Frames:
            return mel, match_once(audio, mel, audio_config)

        if denoise:
            pieces = in_windows(pieces, less_bias, reach=reach)
        if self.config.prediction_order:
            pieces = stream_synthesis(pieces, self.config)
        for _ in range(self._matching_rounds):
            pieces = in_windows(pieces, match, reach=reach)
        for frames, _ in pieces:
            if frames is not None:
                yield frames[1]

    def look_ahead(self, *, denoise: float) -> int:
        """Return after how many frames of mel, at the latest, `stream` has the first sample."""
        n_spectra = self._matching_rounds + (1 if denoise else 0)
        return look_ahead(self.config) + n_spectra * spectrum_reach(self.config)

    def _denoised(self, excitation: Tensor, strength: float) -> Tensor:
        if strength == 0:
            return excitation
        return subtract_bias(excitation, self._bias, self.config.audio, strength=strength)

    @property
    def _device(self) -> torch.device:
        return next(self.waveglow.parameters()).device
