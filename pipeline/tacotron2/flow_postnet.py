"""The flow postnet: draws a mel from all those a sentence may have, where a mean would be smooth.

    predicted mel + noise -> Euler steps along a learned velocity -> mel

Trained on squared error, a decoder predicts the mean of all mels that fit, and a mean has washed
out harmonics and flat noise. Flow matching learns the velocity that carries a sample around that
mean, in a straight line, to a recorded mel; following it from fresh noise gives one mel of the
many. It starts at the predicted mel, so that the way is short and few steps do. What few steps
still blur, training against a discriminator sharpens. Where the harmonics lie is decided before:
see pitch_contour.py.

Sources: Lipman et al. 2023 (arXiv:2210.02747), section 4, optimal transport; Mehta et al. 2024
(Matcha-TTS, arXiv:2309.03199) for mels; gated convolutions as in van den Oord et al. 2016
(arXiv:1609.03499). Starting at the prediction is Popov et al. 2021 (Grad-TTS, arXiv:2105.06337);
few steps against a discriminator are Xiao et al. 2022 (arXiv:2112.07804).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from pipeline.same_convolution import SameConvolution
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.frame_groups import grouped, ungrouped
from pipeline.tacotron2.pitch_contour import HARMONIC_CHANNELS, PitchContour, harmonics_of

DILATIONS = (1, 2, 4, 8)
TIME_SIZE = 64
DROPOUT = 0.1
PAUSE_WIDTH = 0.15  # of the crossing from frames left alone to others, in units of mel_std
STEADY_WIDTH = 3.0  # channels, of the crossing from those without noise to those with it


class FlowPostnet(nn.Module):
    """A velocity field over groups of r frames, G = r * M values each, K = T / r groups."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.config = config
        group, channels = config.reduction * config.audio.n_mels, config.flow_channels
        gates = 2 * channels * config.flow_layers
        self.start = SameConvolution(group, channels, 1)
        self.condition = SameConvolution(group + config.embedding_size, gates, 1)
        self.time = nn.Sequential(
            nn.Linear(TIME_SIZE, channels), nn.SiLU(), nn.Linear(channels, gates)
        )
        self.layers = nn.ModuleList(
            SameConvolution(
                channels,
                2 * channels,
                config.flow_kernel,
                dilation=DILATIONS[i % len(DILATIONS)],
            )
            for i in range(config.flow_layers)
        )
        self.res_skip_layers = nn.ModuleList(
            SameConvolution(channels, 2 * channels, 1) for _ in self.layers
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.end = nn.Sequential(
            nn.ReLU(),
            SameConvolution(channels, channels, 1),
            nn.ReLU(),
            SameConvolution(channels, group, 1),
        )
        last = self.end[-1]
        assert isinstance(last, SameConvolution)
        nn.init.zeros_(last.weight)
        self.pitch_contour = PitchContour(config) if config.pitch_channels else None
        if self.pitch_contour is not None:
            harmonics = config.reduction * HARMONIC_CHANNELS
            self.pitch_condition = SameConvolution(harmonics, gates, 1, bias=False)

    def loss(
        self,
        target: Tensor,
        mean: Tensor,
        contexts: Tensor,
        is_valid: Tensor,
        *,
        noise: Tensor,
        time: Tensor,
        pitch: Tensor | None = None,
    ) -> Tensor:
        """Return the squared error of the velocity, a mean over valid frames and channels.

        Args:
            target: [B, M, T] recorded, standardized.
            mean: [B, M, T] predicted, standardized.
            contexts: [B, K, D]: what the decoder read at each step.
            is_valid: [B, 1, T].
            noise: [B, M, T] of a standard normal distribution.
            time: [B] in [0, 1].
            pitch: [B, 2, T] recorded, where the model has a pitch contour; the predicted one if
                not given.
        """
        start = mean + self.config.flow_noise * noise
        at = start + time[:, None, None] * (target - start)
        conditions = self.conditions(mean, contexts, is_valid, pitch)
        velocity = self._velocity(at - mean, time, conditions, is_valid)
        squared = (velocity - (target - start)).square() * is_valid
        return squared.sum() / is_valid.sum() / target.shape[1]

    def forward(
        self,
        mean: Tensor,
        contexts: Tensor,
        is_valid: Tensor,
        *,
        noise: Tensor,
        pitch: Tensor | None = None,
    ) -> Tensor:
        """Return one mel [B, M, T] of those that `mean` is the mean of, all standardized.

        Args:
            mean: [B, M, T].
            contexts: [B, K, D].
            is_valid: [B, 1, T].
            noise: [B, M, T] of a standard normal distribution.
            pitch: [B, 2, T] to speak with instead of the predicted one, where the model has a
                pitch contour.
        """
        conditions = self.conditions(mean, contexts, is_valid, pitch)
        offset = self.scaled(noise)
        for step in range(self.config.flow_steps):
            offset = self.advanced(offset, step, conditions, is_valid)
        return mean + self.speaking(mean) * offset

    def scaled(self, noise: Tensor) -> Tensor:
        """Return the offset from the mean that speech starts with, for normal noise."""
        return self.config.flow_noise * self.temperature(noise) * noise

    def advanced(self, offset: Tensor, step: int, conditions: Tensor, is_valid: Tensor) -> Tensor:
        """Return the offset [B, M, T] from the mean after one of Euler's steps."""
        n_steps = self.config.flow_steps
        time = torch.full_like(offset[:, 0, 0], step / n_steps)
        return offset + self._velocity(offset, time, conditions, is_valid) / n_steps

    def temperature(self, like: Tensor) -> Tensor:
        """Return [M, 1]: what each channel's noise is multiplied by."""
        config = self.config
        if not config.flow_steady_channels:
            return like.new_full((config.audio.n_mels, 1), config.flow_temperature)
        channels = torch.arange(config.audio.n_mels, device=like.device, dtype=like.dtype)
        noisy = torch.sigmoid((channels - config.flow_steady_channels) / STEADY_WIDTH)
        return config.flow_temperature * noisy[:, None]

    def speaking(self, mean: Tensor) -> Tensor:
        """Return [B, 1, T]: 0 in pauses, whose mean is what they sound like, and 1 in speech."""
        if self.config.flow_pause_level is None:
            return torch.ones_like(mean[:, :1])
        level = mean.mean(dim=1, keepdim=True)
        return torch.sigmoid((level - self.config.flow_pause_level) / PAUSE_WIDTH)

    def conditions(
        self, mean: Tensor, contexts: Tensor, is_valid: Tensor, pitch: Tensor | None = None
    ) -> Tensor:
        """Return the conditions of all gates, [B, 2 C * layers, K]: the same at all times."""
        both = torch.cat([grouped(mean, self.config.reduction), contexts.transpose(1, 2)], dim=1)
        conditions: Tensor = self.condition(both)
        if self.pitch_contour is not None:
            if pitch is None:
                pitch = self.pitch_contour(mean, contexts, is_valid)
            harmonics = harmonics_of(pitch, self.config.audio)
            conditions = conditions + self.pitch_condition(
                grouped(harmonics, self.config.reduction)
            )
        return conditions

    def _velocity(
        self, offset: Tensor, time: Tensor, conditions: Tensor, is_valid: Tensor
    ) -> Tensor:
        """Return the velocity [B, M, T] at an offset [B, M, T] from the mean."""
        group_is_valid = is_valid[..., :: self.config.reduction]  # [B, 1, K]
        gates = conditions + self.time(time_embedding(time))[..., None]
        x = self.start(grouped(offset, self.config.reduction)) * group_is_valid  # [B, C, K]
        skipped = torch.zeros_like(x)
        for layer, res_skip_layer, condition in zip(
            self.layers,
            self.res_skip_layers,
            gates.chunk(len(self.layers), dim=1),
            strict=True,
        ):
            value, gate = (layer(self.dropout(x)) + condition).chunk(2, dim=1)
            residual, skip = res_skip_layer(value.tanh() * gate.sigmoid()).chunk(2, dim=1)
            x = (x + residual) * math.sqrt(0.5) * group_is_valid
            skipped = skipped + skip
        velocity = self.end(skipped * math.sqrt(1.0 / len(self.layers)))  # [B, G, K]
        return ungrouped(velocity, self.config.reduction)


def step_reach(config: Tacotron2Config) -> int:
    """Return how many decoder steps one of Euler's steps sees to each side."""
    dilations = (DILATIONS[i % len(DILATIONS)] for i in range(config.flow_layers))
    return (config.flow_kernel // 2) * sum(dilations)


def time_embedding(time: Tensor) -> Tensor:
    """Return sines and cosines [B, TIME_SIZE] of a time [B] in [0, 1] (arXiv:1706.03762)."""
    octaves = torch.arange(TIME_SIZE // 2, device=time.device) / (TIME_SIZE // 2 - 1)
    angles = 1_000.0 * time[:, None] * torch.exp(-math.log(1_000.0) * octaves)
    return torch.cat([angles.sin(), angles.cos()], dim=1)
