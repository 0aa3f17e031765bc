"""One step of a normalizing flow: channels are mixed, then half of them scaled and shifted.

Source: Prenger et al. 2018 (arXiv:1811.00002), section 2.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.mel import between_frames, lines_between_frames


class Conditions(NamedTuple):
    """What every coupling sees of the mel."""

    values: Tensor  # [B, D, L / groups_per_frame]
    groups_per_frame: int
    pulses: Tensor | None  # [B, G, L]: see pipeline.pulses

    def added_to(self, hidden: Tensor, projected: Tensor) -> Tensor:
        """Add [B, C, frames], interpolated to the middle of each group, to [B, C, L] in place."""
        n_groups, n_each = hidden.shape[-1], self.groups_per_frame
        if n_each == 1:
            return hidden.add_(projected[..., :n_groups])
        if n_groups % n_each:
            return hidden.add_(between_frames(projected, n_each)[..., :n_groups])
        ends, lines = lines_between_frames(projected, n_each)
        ends = ends[:, :, : n_groups // n_each].reshape(-1, 2)
        hidden.view(-1, n_each).addmm_(ends, lines)  # one pass over memory instead of three
        return hidden


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
        self.mixing = nn.Parameter(rotation)  # [channels out, channels in]
        self.coupling = CouplingNetwork(
            channels // 2,
            n_conditions,
            n_layers=n_layers,
            n_channels=n_channels,
            kernel_size=kernel_size,
            n_pulses=n_pulses,
        )

    def forward(self, z: Tensor, conditions: Conditions) -> tuple[Tensor, Tensor, Tensor]:
        """Return the new z [B, channels, L], its log_s, and the mixing's log determinant []."""
        with torch.autocast(z.device.type, enabled=False):  # bf16 would not invert
            mixing = self.mixing.float()
            z = torch.matmul(mixing, z)
            log_det = z.shape[-1] * torch.linalg.slogdet(mixing).logabsdet
        kept, changed = self._halves(z)
        log_scale, shift = self.coupling(kept, conditions)
        return self._joined(kept, log_scale.exp() * changed + shift), log_scale, log_det

    def inverse(self, z: Tensor, conditions: Conditions) -> Tensor:
        """Undo `forward`; the matrix is inverted anew each time, so it is never stale."""
        kept, changed = self._halves(z)
        log_scale, shift = self.coupling(kept, conditions)
        z = self._joined(kept, (changed - shift) * (-log_scale).exp())
        with torch.autocast(z.device.type, enabled=False):
            return torch.matmul(torch.linalg.inv(self.mixing.float()), z)

    def _halves(self, z: Tensor) -> tuple[Tensor, Tensor]:
        first, second = z.chunk(2, dim=1)
        return (second, first) if self.changes_first else (first, second)

    def _joined(self, kept: Tensor, changed: Tensor) -> Tensor:
        return torch.cat([changed, kept] if self.changes_first else [kept, changed], dim=1)


class DilatedConvolution(nn.Conv1d):
    """A convolution that keeps the length; without gradients on a CPU a matrix product a tap.

    Torch's own kernel for dilated ones takes longer there than the products, by a fifth or more.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel_size: int, *, dilation: int):
        padding = dilation * (kernel_size // 2)
        super().__init__(channels_in, channels_out, kernel_size, dilation=dilation, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, L] to [B, C', L]."""
        in_half = torch.is_autocast_enabled("cpu")
        if torch.is_grad_enabled() or in_half or x.device.type != "cpu":
            return super().forward(x)
        assert self.bias is not None
        n_steps, dilation = x.shape[2], self.dilation[0]
        padded = F.pad(x, (dilation * (self.kernel_size[0] // 2),) * 2)
        output = self.bias[:, None].expand(len(x), -1, n_steps)
        for k, tap in enumerate(self.weight.unbind(2)):
            add = output.baddbmm_ if k else output.baddbmm
            seen = padded[..., k * dilation : k * dilation + n_steps]
            output = add(tap.expand(len(x), -1, -1), seen)
        return output


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
        self.gates = nn.ModuleList(
            DilatedConvolution(n_channels, 2 * n_channels, kernel_size, dilation=2**i)
            for i in range(n_layers)
        )
        # Residual and skip; the last layer has the skip alone. Of these and of `end` only the
        # weights are used: see `_seen_through_end`.
        self.exits = nn.ModuleList(
            nn.Conv1d(n_channels, n_channels if i == n_layers - 1 else 2 * n_channels, 1)
            for i in range(n_layers)
        )
        self.end = nn.Conv1d(n_channels, 2 * channels, 1)
        nn.init.zeros_(self.end.weight)  # the untrained coupling is the identity
        assert self.end.bias is not None
        nn.init.zeros_(self.end.bias)

    def forward(self, kept: Tensor, conditions: Conditions) -> tuple[Tensor, Tensor]:
        """Return log_s and the shift, [B, channels, L] each, in float32."""
        hidden = self.start(kept)  # [B, C, L]
        if self.pulses is not None:
            hidden = hidden + self.pulses(conditions.pulses)
        projected = self.condition(conditions.values).chunk(len(self.gates), dim=1)
        end = self.end
        assert end.bias is not None
        said = end.bias[:, None]
        for gate, leave, condition in zip(self.gates, self.exits, projected, strict=True):
            gated = gate_activations(conditions.added_to(gate(hidden), condition))  # [B, C, L]
            output = F.conv1d(gated, *self._seen_through_end(leave))
            if output.shape[1] > len(end.weight):
                hidden = hidden + output[:, : self.n_channels]
            said = said + output[:, -len(end.weight) :]
        shift, log_scale = said.float().chunk(2, dim=1)
        return log_scale, shift

    def _seen_through_end(self, leave: nn.Module) -> tuple[Tensor, Tensor]:
        """Return weight and bias of an exit whose skip has gone through `end` already.

        Nothing else sees the sum of skips, so `end` may as well be applied to their weights, which
        are far fewer than what they make.
        """
        assert isinstance(leave, nn.Conv1d)
        assert leave.bias is not None
        end, residual_size = self.end.weight[..., 0], leave.out_channels - self.n_channels
        weight = torch.cat(
            [leave.weight[:residual_size, :, 0], end @ leave.weight[residual_size:, :, 0]]
        )
        bias = torch.cat([leave.bias[:residual_size], end @ leave.bias[residual_size:]])
        return weight[..., None], bias


def gate_activations(both: Tensor) -> Tensor:
    """Return tanh of the first half of [B, 2 C, L] times sigmoid of the second, [B, C, L].

    The tanh is 2 sigmoid(2 x) - 1: torch computes that three times as fast on a CPU. In half
    precision too little would be left of small values.
    """
    if both.dtype != torch.float32:
        wave, gate = both.chunk(2, dim=1)
        return wave.tanh() * gate.sigmoid()
    factor = both.new_ones(both.shape[1], 1)
    factor[: len(factor) // 2] = 2.0
    wave, gate = both.mul_(factor).sigmoid_().chunk(2, dim=1)
    return (wave * gate).mul_(2.0).sub_(gate)
