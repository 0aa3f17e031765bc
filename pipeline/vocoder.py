"""What a vocoder is: whatever makes audio of mels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from pipeline.mel import AudioConfig


class HasAudio(Protocol):
    """A config of any kind that says what its mels are made of."""

    @property
    def audio(self) -> AudioConfig:
        """Settings of the mels and of the audio."""


class Vocoder(Protocol):
    """Makes audio of mels; `pipeline.waveglow.vocoder` has ours."""

    @property
    def config(self) -> HasAudio:
        """What kind of mels it takes, and the rate of its audio."""

    def vocode(
        self,
        mel: Tensor,
        *,
        sigma: float,
        denoise: float,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Return audio [B, hop_length * T] float32.

        Args:
            mel: [B, M, T] natural log, on any device.
            sigma: Standard deviation of the vocoder's noise, where it has any.
            denoise: Strength of its denoiser from 0 to 1, where it has one.
            generator: Where all randomness comes from.
        """


@runtime_checkable
class StreamingVocoder(Vocoder, Protocol):
    """A vocoder that need not see the end of a mel to make audio of its beginning."""

    def stream(
        self,
        mels: Iterable[Tensor],
        *,
        sigma: float,
        denoise: float,
        generator: torch.Generator | None,
    ) -> Iterator[Tensor]:
        """Yield the audio [B, S] that `vocode` makes of pieces [B, M, T] of one mel, joined."""

    def look_ahead(self, *, denoise: float) -> int:
        """Return after how many frames of mel, at the latest, the first sample is there."""
