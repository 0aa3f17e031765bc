"""The sizes of a WaveGlow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pipeline.mel import AudioConfig

MIN_PULSE_MELS = 40  # fewer channels do not resolve harmonics


@dataclass(frozen=True, kw_only=True)
class WaveGlowConfig:
    """Sizes of a WaveGlow; the defaults are the published ones."""

    audio: AudioConfig = field(default_factory=AudioConfig)
    n_flows: int = 12
    n_group: int = 8  # samples seen as one vector, the G of [B, G, L]
    n_early_every: int = 4  # flows between early outputs
    n_early_size: int = 2  # channels that leave at each early output
    n_layers: int = 8  # dilated convolutions in each coupling
    n_channels: int = 256
    kernel_size: int = 3
    conditioning: Literal["upsample", "interpolate"] = "upsample"
    conditioning_channels: int = 0  # of the interpolating path; 0 where there is none
    prediction_order: int = 0  # past samples in the linear prediction; 0 for none
    pulses: bool = False  # whether the flows hear where voiced speech repeats: see pitch_pulses.py
    matching_rounds: int = (
        0  # how often the vocoder brings its audio to the mel: see mel_matching.py
    )
    couplings: Literal["second half", "alternate"] = "second half"  # what flows change; see Flow

    def __post_init__(self) -> None:
        if self.audio.hop_length % self.n_group:
            raise ValueError(
                f"Hop length {self.audio.hop_length} is not a multiple of n_group {self.n_group}"
            )
        if self.n_group % 2 or self.n_early_size % 2 or self.n_rest < 2:
            raise ValueError(
                f"n_group {self.n_group} with n_early_size {self.n_early_size} every "
                f"{self.n_early_every} of {self.n_flows} flows leaves {self.n_rest} channels; "
                "expected even sizes and at least 2 channels at the end"
            )
        if (self.conditioning == "interpolate") != (self.conditioning_channels > 0):
            raise ValueError(
                f"conditioning {self.conditioning!r} does not go with "
                f"{self.conditioning_channels} conditioning_channels"
            )
        if self.pulses and self.audio.n_mels < MIN_PULSE_MELS:
            raise ValueError(
                f"pulses need harmonics resolved by at least {MIN_PULSE_MELS} mel channels, "
                f"not {self.audio.n_mels}"
            )
        if self.matching_rounds < 0:
            raise ValueError(f"matching_rounds is {self.matching_rounds}; expected 0 or more")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size {self.kernel_size} is even; expected an odd one")

    def leaves_early(self, flow: int) -> bool:
        """Say whether channels leave just before this flow."""
        return flow > 0 and flow % self.n_early_every == 0

    @property
    def n_rest(self) -> int:
        """Channels that pass through every flow."""
        n_exits = sum(self.leaves_early(flow) for flow in range(self.n_flows))
        return self.n_group - n_exits * self.n_early_size
