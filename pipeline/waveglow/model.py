"""WaveGlow: a normalizing flow between audio and white noise, conditioned on mels.

    audio [B, S] -> (linear prediction) -> groups [B, G, L] -> n_flows x (mix, couple) -> z

Source: Prenger et al. 2018 (arXiv:1811.00002); the defaults are NVIDIA's published 256-channel
model. Small sizes follow SqueezeWave (arXiv:2001.05685) in conditioning at group rate; linear
prediction and pitch pulses make up for what they cannot learn.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.same_convolution import SameConvolution
from pipeline.vocoder_defaults import UNKNOWN
from pipeline.waveglow.config import WaveGlowConfig
from pipeline.waveglow.flow import Conditions, Flow
from pipeline.waveglow.linear_prediction import (
    LinearPredictor,
    predictor_from_mel,
    synthesize,
    whiten,
)
from pipeline.waveglow.pitch_pulses import pitch_from_mel, pulses_from_pitch
from pipeline.windows import draw_noise

UPSAMPLE_TAPS = 1_024  # kernel of the published transposed convolution from frames to samples
CONTEXT_FRAMES = 5  # mel frames that the interpolating path looks at around each frame


class Likelihood(NamedTuple):
    """What a forward pass says of recorded audio."""

    z: Tensor  # [B, G, L]: [early at flow 4, early at flow 8, ..., rest]
    log_scale: list[Tensor]  # each flow's log_s [B, channels / 2, L]
    log_det: Tensor  # [B]: of the whole map from audio to z
    loss: Tensor  # []: mean negative log-likelihood per sample, less log(2 pi sigma^2) / 2


class WaveGlow(nn.Module):
    """The flow; weights live in `flows` and in the conditioning path."""

    def __init__(self, config: WaveGlowConfig) -> None:
        super().__init__()
        self.config = config
        n_mels, n_group = config.audio.n_mels, config.n_group
        if config.conditioning == "upsample":
            hop = config.audio.hop_length
            self.upsample = nn.ConvTranspose1d(n_mels, n_mels, UPSAMPLE_TAPS, stride=hop)
            n_conditions = n_mels * n_group
        else:
            n_conditions = config.conditioning_channels
            self.context = SameConvolution(n_mels, n_conditions, CONTEXT_FRAMES)
        self.flows = nn.ModuleList()
        channels = n_group
        for k in range(config.n_flows):
            channels -= config.n_early_size if config.leaves_early(k) else 0
            self.flows.append(
                Flow(
                    channels,
                    n_conditions,
                    n_layers=config.n_layers,
                    n_channels=config.n_channels,
                    kernel_size=config.kernel_size,
                    n_pulses=n_group if config.pulses else 0,
                    changes_first=config.couplings == "alternate" and k % 2 == 1,
                )
            )

    def forward(
        self, mel: Tensor, audio: Tensor, *, sigma: float = 1.0, pulses: Tensor | None = None
    ) -> Likelihood:
        """Return the likelihood of recorded audio.

        Args:
            mel: [B, M, T] natural log, with hop_length * T >= S; what lies beyond S is cut.
            audio: [B, S] in [-1, 1], S a multiple of n_group.
            sigma: Standard deviation of the prior that `loss` assumes.
            pulses: [B, S] for a model that hears them, if not those of the mel from phase 0 on;
                zeros tell it nothing of pitch and phase.

        Raises:
            ValueError: S is not a multiple of n_group, or the mel is too short.

        Source: arXiv:1811.00002, equation 9.
        """
        n_samples = audio.shape[1]
        n_groups = self._check(mel, n_samples)
        conditions = self.conditions(mel, pulses, n_groups)
        log_det = audio.new_zeros(len(audio))
        predictor = self._predictor(mel)
        if predictor is not None:
            audio, log_det = whiten(audio, predictor)
        z = audio.view(len(audio), n_groups, self.config.n_group).transpose(1, 2)  # [B, G, L]
        outputs, log_scales = [], []
        for k, flow in enumerate(self.flows):
            if self.config.leaves_early(k):
                outputs.append(z[:, : self.config.n_early_size])
                z = z[:, self.config.n_early_size :]
            z, log_scale, log_det_conv = flow(z, conditions)
            log_scales.append(log_scale)
            log_det = log_det + log_scale.sum((1, 2)) + log_det_conv
        z = torch.cat([*outputs, z], dim=1)
        loss = (z.square().sum((1, 2)) / (2 * sigma**2) - log_det).mean() / n_samples
        return Likelihood(z, log_scales, log_det, loss)

    def inverse(self, mel: Tensor, z: Tensor, *, pulses: Tensor | None = None) -> Tensor:
        """Return the audio [B, S] that `forward` maps to `z` [B, G, L], S = G * L."""
        return self.from_excitation(mel, self.excitation(mel, z, pulses=pulses))

    def excitation(self, mel: Tensor, z: Tensor, *, pulses: Tensor | None = None) -> Tensor:
        """Return what the flows alone make of `z` [B, G, L]: [B, S], audio less its prediction."""
        config = self.config
        n_groups = self._check(mel, z.shape[1] * z.shape[2])
        conditions = self.conditions(mel, pulses, n_groups)
        n_early = config.n_group - config.n_rest
        early, z = z[:, :n_early], z[:, n_early:]
        for k in reversed(range(config.n_flows)):
            flow = self.flows[k]
            assert isinstance(flow, Flow)
            z = flow.inverse(z, conditions)
            if config.leaves_early(k):
                z = torch.cat([early[:, -config.n_early_size :], z], dim=1)
                early = early[:, : -config.n_early_size]
        return z.transpose(1, 2).flatten(1)

    def from_excitation(self, mel: Tensor, excitation: Tensor) -> Tensor:
        """Return the audio [B, S] of an excitation [B, S]: itself where nothing is predicted."""
        predictor = self._predictor(mel)
        return excitation if predictor is None else synthesize(excitation, predictor)

    @torch.no_grad()
    def infer(
        self, mel: Tensor, *, sigma: float = UNKNOWN.sigma, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return audio [B, hop_length * T] for mels: the inverse of noise.

        What is heard is this less the bias and brought to its mel: see `WaveGlowVocoder`.

        Args:
            mel: [B, M, T] natural log.
            sigma: Standard deviation of the noise; 0 is the flow's most likely audio.
            generator: Where the noise comes from, on the CPU: the same noise for every device.
        """
        mel = mel.float()
        return self.inverse(mel, sigma * self.draw_noise(mel, generator=generator))

    def draw_noise(self, mel: Tensor, *, generator: torch.Generator | None) -> Tensor:
        """Return white noise [B, G, L] for mels [B, M, T], drawn frame after frame."""
        shape = (len(mel), self.config.n_group, self.config.audio.hop_length // self.config.n_group)
        return draw_noise(shape, mel.shape[-1], generator=generator).to(mel.device)

    def _check(self, mel: Tensor, n_samples: int) -> int:
        n_groups, remainder = divmod(n_samples, self.config.n_group)
        if remainder:
            raise ValueError(
                f"{n_samples} samples are not a multiple of n_group {self.config.n_group}"
            )
        covered = mel.shape[-1] * self.config.audio.hop_length
        if mel.dim() != 3 or mel.shape[1] != self.config.audio.n_mels or covered < n_samples:
            raise ValueError(
                f"Mel has shape {list(mel.shape)}; expected [batch, {self.config.audio.n_mels}, "
                f"frames] with at least {n_samples / self.config.audio.hop_length:g} frames"
            )
        return n_groups

    def conditions(self, mel: Tensor, pulses: Tensor | None, n_groups: int) -> Conditions:
        """Return what couplings see of mels [B, M, T]; pulses [B, S] are the mels' by default."""
        config = self.config
        grouped = None
        if config.pulses:
            if pulses is None:
                pulses = pulses_from_pitch(pitch_from_mel(mel, config.audio), config.audio)
            n_samples = n_groups * config.n_group
            if len(pulses) != len(mel) or pulses.shape[1] < n_samples:
                raise ValueError(
                    f"Pulses have shape {list(pulses.shape)}; expected [{len(mel)}, {n_samples}]"
                )
            grouped = pulses[:, :n_samples].to(mel).reshape(len(mel), n_groups, config.n_group)
            grouped = grouped.transpose(1, 2)  # [B, G, L]
        if config.conditioning == "upsample":
            samples = self.upsample(mel)[..., : mel.shape[-1] * config.audio.hop_length]
            groups = samples.unfold(2, config.n_group, config.n_group)  # [B, M, L, G]
            return Conditions(groups.transpose(2, 3).flatten(1, 2), 1, grouped)  # [B, M * G, L]
        standard = (mel + 5.0) / 2.0  # log mels of speech: about zero mean, unit variance
        values = F.leaky_relu(self.context(standard), 0.1)
        return Conditions(values, config.audio.hop_length // config.n_group, grouped)

    def _predictor(self, mel: Tensor) -> LinearPredictor | None:
        if not self.config.prediction_order:
            return None
        return predictor_from_mel(mel, self.config.audio, order=self.config.prediction_order)
