"""The discriminator of the flow postnet: does this patch of a mel look recorded?"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.tacotron2 import Tacotron2Config

CHANNELS = (32, 64, 96, 96)
STRIDES = ((2, 2), (2, 2), (2, 1), (1, 1))  # channels of the mel, frames
SLOPE = 0.2


class PatchDiscriminator(nn.Module):
    """Two-dimensional convolutions over a mel, beside it the predicted mel and what was read.

    Patches as in Isola et al. 2017 (arXiv:1611.07004).
    """

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        self.reduction = config.reduction
        self.context_layer = nn.Conv1d(config.embedding_size, config.audio.n_mels, 1)
        sizes = (3, *CHANNELS)
        self.layers = nn.ModuleList(
            nn.Conv2d(sizes[i], sizes[i + 1], 3, stride=stride, padding=1)
            for i, stride in enumerate(STRIDES)
        )
        self.output_layer = nn.Conv2d(sizes[-1], 1, 3, padding=1)

    def forward(self, mel: Tensor, mean: Tensor, contexts: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return the score of each patch, 1 for recorded and 0 for made, and all layers' features.

        Args:
            mel: [B, M, T] recorded or made, standardized.
            mean: [B, M, T] predicted.
            contexts: [B, D, T / r].
        """
        read = self.context_layer(contexts).repeat_interleave(self.reduction, dim=2)
        x = torch.stack([mel, mean, read], dim=1)  # [B, 3, M, T]
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.output_layer(x), features
