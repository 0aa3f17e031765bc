"""Pitch and energy of each symbol: predicted from the text, and what the decoder is told of them.

A text can be read in many ways. A decoder that knows how high and how loud each phone was spoken
has less to average over, so its harmonics stay sharp, and melody can be scaled.

Source: Ren et al. 2021 (FastSpeech 2, arXiv:2006.04558), Lancucki 2021 (FastPitch,
arXiv:2006.06873): one value a symbol.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.same_convolution import SameConvolution

KERNEL = 3
DROPOUT = 0.2
PITCH = 0  # the channel of prosody; the other is energy


class Prosody(nn.Module):
    """Predicts prosody [B, N, 2], pitch and energy in standard deviations of the speaker's."""

    scale: Tensor  # [2]: widens predictions, whose spread is less than that of recordings

    def __init__(self, embedding_size: int, channels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            SameConvolution(size, channels, KERNEL) for size in (embedding_size, channels)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in self.layers)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(channels, 2)
        self.embedding = SameConvolution(2, embedding_size, KERNEL)
        self.register_buffer("scale", torch.ones(2))

    def forward(self, encoded: Tensor, is_valid: Tensor) -> Tensor:
        """Return the prosody [B, N, 2] that encoded symbols [B, N, D] are expected to have."""
        x = encoded  # [B, N, C]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = layer((x * is_valid[..., None]).transpose(1, 2)).transpose(1, 2)
            x = self.dropout(norm(x.relu()))
        predicted: Tensor = self.output(x) * is_valid[..., None]
        return predicted

    def embed(self, prosody: Tensor) -> Tensor:
        """Return what is added to the encoded symbols, [B, N, D]."""
        embedded: Tensor = self.embedding(prosody.transpose(1, 2)).transpose(1, 2)
        return embedded
