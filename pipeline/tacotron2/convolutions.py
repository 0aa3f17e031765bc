"""Same-length convolutions over padded sequences, and the postnet made of them."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from pipeline.same_convolution import SameConvolution
from pipeline.tacotron2.config import Tacotron2Config


def is_within(lengths: Tensor, longest: int) -> Tensor:
    """Return the mask [B, longest] that is True before each length [B]."""
    return torch.arange(longest, device=lengths.device)[None] < lengths[:, None]


class NormedConvolution(nn.Module):
    """A same-length convolution and its batch normalization."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.conv = SameConvolution(channels_in, channels_out, kernel)
        self.norm = nn.BatchNorm1d(channels_out)

    def forward(self, x: Tensor, is_valid: Tensor) -> Tensor:
        """Map [B, C, L] to [B, C', L]; padding reads as silence."""
        output: Tensor = self.norm(self.conv(x * is_valid))
        return output


class Postnet(nn.Module):
    """Convolutions that predict what the decoder's frames lack."""

    def __init__(self, config: Tacotron2Config) -> None:
        super().__init__()
        n_mels, channels = config.audio.n_mels, config.postnet_channels
        widths = [n_mels, *[channels] * (config.postnet_layers - 1), n_mels]
        self.convolutions = nn.ModuleList(
            NormedConvolution(before, after, config.postnet_kernel)
            for before, after in pairwise(widths)
        )
        self.dropout = nn.Dropout(config.convolution_dropout)

    def forward(self, decoded: Tensor, is_valid: Tensor) -> Tensor:
        """Return the correction [B, M, T] to decoded frames [B, M, T]."""
        x = decoded
        for i, convolution in enumerate(self.convolutions):
            x = convolution(x, is_valid)
            if i < len(self.convolutions) - 1:
                x = torch.tanh(x)
            x = self.dropout(x)
        return x
