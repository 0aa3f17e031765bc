"""The pitch contour: how high each frame is, from the predicted mel, and the harmonics it has.

A predicted mel is a mean, in which the harmonics of all the pitches that a frame might have had
are blurred. One pitch a frame, decided first, leaves nothing to blur: the flow postnet is shown
where the harmonics of that pitch lie.

Sources: Wang et al. 2019 (arXiv:1810.11946) for a pitch that is given before the spectrum, a frame
at a time; gated convolutions as in van den Oord et al. 2016 (arXiv:1609.03499).
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.harmonics import CENTS, MIN_HZ, harmonic_templates
from pipeline.mel import AudioConfig
from pipeline.same_convolution import SameConvolution
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.frame_groups import grouped, ungrouped

DILATIONS = (1, 2, 4, 8)
DROPOUT = 0.1
MIDDLE_LOG2_HZ, OCTAVES = math.log2(190.0), 0.3  # outputs are octaves from the middle, in these
LOSS_BETA = 0.3  # of outputs: where the loss turns from a square to an absolute value
VOICED = 0.5  # frames with more voicing have a pitch to learn
HARMONIC_CHANNELS = 40  # mel channels that resolve harmonics
TEMPLATE_SCALE = 6.0  # brings templates of unit length to the size of a standardized mel


class PitchContour(nn.Module):
    """Predicts the pitch of each frame; pitch [B, 2, T] is log2 Hz, and voicing in [0, 1]."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.reduction = config.reduction
        group, channels = config.reduction * config.audio.n_mels, config.pitch_channels
        self.start = SameConvolution(group + config.embedding_size, channels, 1)
        self.layers = nn.ModuleList(
            SameConvolution(channels, 2 * channels, 3, dilation=dilation) for dilation in DILATIONS
        )
        self.residual_layers = nn.ModuleList(
            SameConvolution(channels, channels, 1) for _ in DILATIONS
        )
        self.dropout = nn.Dropout(DROPOUT)
        self.end = SameConvolution(channels, 2 * config.reduction, 1)

    def forward(self, mean: Tensor, contexts: Tensor, is_valid: Tensor) -> Tensor:
        """Return the pitch [B, 2, T] of a predicted mel.

        Args:
            mean: [B, M, T], standardized.
            contexts: [B, T / r, D]: what the decoder read.
            is_valid: [B, 1, T].
        """
        height, voicing_logit = self._outputs(mean, contexts, is_valid)
        return torch.stack([MIDDLE_LOG2_HZ + OCTAVES * height, voicing_logit.sigmoid()], dim=1)

    def loss(self, mean: Tensor, contexts: Tensor, is_valid: Tensor, pitch: Tensor) -> Tensor:
        """Return how far the predicted pitch is from the recorded one [B, 2, T]."""
        height, voicing_logit = self._outputs(mean, contexts, is_valid)
        recorded, voicing = (pitch[:, 0] - MIDDLE_LOG2_HZ) / OCTAVES, pitch[:, 1]
        is_voiced = is_valid[:, 0] * (voicing > VOICED)
        distance = F.smooth_l1_loss(height, recorded, reduction="none", beta=LOSS_BETA)
        doubt = F.binary_cross_entropy_with_logits(voicing_logit, voicing, reduction="none")
        return (distance * is_voiced).sum() / is_voiced.sum().clamp(min=1) + (
            doubt * is_valid[:, 0]
        ).sum() / is_valid.sum()

    @torch.no_grad()
    def carry_over(self, mean: Tensor, contexts: Tensor, pitch: Tensor) -> None:
        """Move and stretch what is predicted to recorded pitch [B, 2, T], by least squares.

        Other arguments are those of `forward`; all frames are valid.
        """
        height, _ = self._outputs(mean, contexts, torch.ones_like(mean[:, :1], dtype=torch.bool))
        is_voiced = pitch[:, 1] > VOICED
        if not is_voiced.any():
            return
        predicted = height[is_voiced]
        recorded = (pitch[:, 0][is_voiced] - MIDDLE_LOG2_HZ) / OCTAVES
        offset = predicted - predicted.mean()
        stretch = (offset * recorded).mean() / offset.square().mean().clamp(min=1e-6)
        bias = self.end.bias
        assert bias is not None
        self.end.weight[::2] *= stretch  # the other outputs are of voicing
        bias[::2] = stretch * (bias[::2] - predicted.mean()) + recorded.mean()

    def _outputs(self, mean: Tensor, contexts: Tensor, is_valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return height and logit of voicing, [B, T] each."""
        group_is_valid = is_valid[..., :: self.reduction]
        groups = torch.cat([grouped(mean, self.reduction), contexts.transpose(1, 2)], dim=1)
        x = self.start(groups) * group_is_valid  # [B, C, T / r]
        for layer, residual_layer in zip(self.layers, self.residual_layers, strict=True):
            value, gate = layer(self.dropout(x)).chunk(2, dim=1)
            x = (x + residual_layer(value.tanh() * gate.sigmoid())) * math.sqrt(0.5)
            x = x * group_is_valid
        height, voicing_logit = ungrouped(self.end(x.relu()), self.reduction).unbind(1)
        return height, voicing_logit


def harmonics_of(pitch: Tensor, config: AudioConfig) -> Tensor:
    """Return where a pitch's harmonics lie in a mel, [B, HARMONIC_CHANNELS, T]; 0 if unvoiced.

    Args:
        pitch: [B, 2, T]: log2 Hz, and voicing.
        config: What the mel is made of.
    """
    templates = _scaled_templates(config).to(pitch)  # [P, C]
    log2_hz, voicing = pitch.unbind(1)
    steps = (log2_hz - math.log2(MIN_HZ)) * (1_200.0 / CENTS)
    steps = steps.clamp(0.0, len(templates) - 1.001)
    below = steps.floor().long()
    share = (steps - below)[..., None]
    between = templates[below] * (1.0 - share) + templates[below + 1] * share  # [B, T, C]
    return (between * voicing[..., None]).transpose(1, 2)


@lru_cache(maxsize=4)
def _scaled_templates(config: AudioConfig) -> Tensor:
    return harmonic_templates(config)[:, :HARMONIC_CHANNELS].float() * TEMPLATE_SCALE
