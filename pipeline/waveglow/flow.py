"""One step of a normalizing flow: channels are mixed, then half of them scaled and shifted.

Source: Prenger et al. 2018 (arXiv:1811.00002), section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pipeline.mel import between_frames
from pipeline.waveglow import cpu_coupling, cpu_inference


class Conditions(NamedTuple):
    """What every coupling sees of the mel."""

    values: Tensor  # [B, D, L / groups_per_frame]
    groups_per_frame: int
    pulses: Tensor | None  # [B, G, L]: see pitch_pulses.py

    def at_group_rate(self, projected: Tensor, n_groups: int) -> Tensor:
        """Return what [B, C, frames] is in the middle of each group, [B, C, L]."""
        if self.groups_per_frame > 1:
            projected = between_frames(projected, self.groups_per_frame)
        return projected[..., :n_groups]


class Flow(nn.Module):
    """One step of flow: an invertible 1x1 convolution, then an affine coupling.

    The coupling keeps one half of the channels and changes the other: the second, as published
    since 2019, or in every other flow the first, as in NVIDIA's weights of 2018.
    """

    def __init__(
        self,
        channels: int,
        n_conditions: int,
        *,
        n_layers: int,
        n_channels: int,
        kernel_size: int,
        n_pulses: int,
        changes_first: bool,
    ) -> None:
        super().__init__()
        self.changes_first = changes_first
        rotation = torch.linalg.qr(torch.randn(channels, channels)).Q
        if torch.det(rotation) < 0:
            rotation[:, 0] = -rotation[:, 0]
        self.invertible_conv = nn.Parameter(rotation)  # [channels out, channels in]
        self.coupling = CouplingNetwork(
            channels // 2,
            n_conditions,
            n_layers=n_layers,
            n_channels=n_channels,
            kernel_size=kernel_size,
            n_pulses=n_pulses,
        )

    def forward(self, z: Tensor, conditions: Conditions) -> tuple[Tensor, Tensor, Tensor]:
        """Return the new z [B, channels, L], its log_s, and the matrix's log determinant []."""
        with torch.autocast(z.device.type, enabled=False):  # bf16 would not invert
            matrix = self.invertible_conv.float()
            z = torch.matmul(matrix, z)
            log_det = z.shape[-1] * torch.linalg.slogdet(matrix).logabsdet
        kept, changed = self._halves(z)
        log_scale, shift = self.coupling(kept, conditions)
        return self._joined(kept, log_scale.exp() * changed + shift), log_scale, log_det

    def inverse(self, z: Tensor, conditions: Conditions) -> Tensor:
        """Undo `forward`; the matrix is inverted anew each time, so it is never stale."""
        kept, changed = self._halves(z)
        log_scale, shift = self.coupling(kept, conditions)
        z = self._joined(kept, (changed - shift) * (-log_scale).exp())
        with torch.autocast(z.device.type, enabled=False):
            return torch.matmul(torch.linalg.inv(self.invertible_conv.float()), z)

    def _halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        first, second = z.chunk(2, dim=1)
        return (second, first) if self.changes_first else (first, second)

    def _joined(self, kept: Tensor, changed: Tensor) -> Tensor:
        return torch.cat([changed, kept] if self.changes_first else [kept, changed], dim=1)


class CouplingNetwork(nn.Module):
    """The WaveNet-like network that sees one half and the mel, and scales and shifts the other.

    Not causal: dilation doubles from layer to layer, tanh and sigmoid gate each (arXiv:1811.00002,
    section 2.1).
    """

    def __init__(
        self,
        channels: int,
        n_conditions: int,
        *,
        n_layers: int,
        n_channels: int,
        kernel_size: int,
        n_pulses: int,
    ) -> None:
        super().__init__()
        self.n_channels = n_channels
        self.start = nn.Conv1d(channels, n_channels, 1)
        self.pulses = nn.Conv1d(n_pulses, n_channels, 1, bias=False) if n_pulses else None
        if self.pulses is not None:
            nn.init.zeros_(self.pulses.weight)  # not heard until samples are trained
        self.condition = nn.Conv1d(n_conditions, 2 * n_channels * n_layers, 1)
        self.in_layers = nn.ModuleList(
            nn.Conv1d(
                n_channels,
                2 * n_channels,
                kernel_size,
                dilation=2**i,
                padding=2**i * (kernel_size // 2),
            )
            for i in range(n_layers)
        )
        self.res_skip_layers = nn.ModuleList(  # the last layer has the skip alone
            nn.Conv1d(n_channels, n_channels if i == n_layers - 1 else 2 * n_channels, 1)
            for i in range(n_layers)
        )
        self.end = nn.Conv1d(n_channels, 2 * channels, 1)
        nn.init.zeros_(self.end.weight)  # the untrained coupling is the identity
        assert self.end.bias is not None
        nn.init.zeros_(self.end.bias)

    def forward(self, kept: Tensor, conditions: Conditions) -> tuple[Tensor, Tensor]:
        """Return log_s and the shift, [B, channels, L] each, in float32."""
        if cpu_coupling.runs_here(kept):
            if torch.is_grad_enabled():
                return cpu_coupling.scale_and_shift(self, kept, conditions)
            return cpu_inference.scale_and_shift(self, kept, conditions)
        hidden = self.start(kept)  # [B, C, L]
        if self.pulses is not None:
            hidden = hidden + self.pulses(conditions.pulses)
        projected = conditions.at_group_rate(self.condition(conditions.values), kept.shape[2])
        skip = torch.zeros_like(hidden)
        layers = zip(
            self.in_layers,
            self.res_skip_layers,
            projected.chunk(len(self.in_layers), dim=1),
            strict=True,
        )
        for in_layer, res_skip_layer, condition in layers:
            wave, gate = (in_layer(hidden) + condition).chunk(2, dim=1)
            output = res_skip_layer(wave.tanh() * gate.sigmoid())
            if output.shape[1] > self.n_channels:
                hidden = hidden + output[:, : self.n_channels]
            skip = skip + output[:, -self.n_channels :]
        shift, log_scale = self.end(skip).float().chunk(2, dim=1)
        return log_scale, shift
