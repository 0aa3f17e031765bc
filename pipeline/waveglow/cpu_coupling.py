"""The coupling network in single precision on a CPU, with gradients: as `flow` has it, sooner.

Three rearrangements of the same arithmetic: conditions are interpolated and added in one pass over
memory; tanh is a sigmoid; and the last convolution is applied to the weights of the skips instead
of to their sum. `cpu_inference` goes further where no gradient is wanted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.mel import between_frames, lines_between_frames

if TYPE_CHECKING:
    from pipeline.waveglow.flow import Conditions, CouplingNetwork


def runs_here(kept: Tensor) -> bool:
    """Say whether a coupling that sees `kept` is in single precision and on the CPU."""
    in_half = torch.is_autocast_enabled("cpu") or kept.dtype != torch.float32
    return kept.device.type == "cpu" and not in_half


def scale_and_shift(
    network: CouplingNetwork, kept: Tensor, conditions: Conditions
) -> tuple[Tensor, Tensor]:
    """Return log_s and the shift, [B, channels, L] each, as `CouplingNetwork.forward` does."""
    hidden = network.start(kept)  # [B, C, L]
    if network.pulses is not None:
        hidden = hidden + network.pulses(conditions.pulses)
    projected = network.condition(conditions.values).chunk(len(network.in_layers), dim=1)
    assert network.end.bias is not None
    output = network.end.bias[:, None]
    layers = zip(network.in_layers, network.res_skip_layers, projected, strict=True)
    for in_layer, res_skip_layer, condition in layers:
        both = add_conditions(in_layer(hidden), condition, conditions.groups_per_frame)
        both = F.conv1d(gated(both), *_through_end(res_skip_layer, network.end))
        if both.shape[1] > network.end.out_channels:
            hidden = hidden + both[:, : network.n_channels]
        output = output + both[:, -network.end.out_channels :]
    shift, log_scale = output.chunk(2, dim=1)
    return log_scale, shift


def add_conditions(hidden: Tensor, projected: Tensor, groups_per_frame: int) -> Tensor:
    """Add [B, C, frames], interpolated to the middle of each group, to [B, C, L] in place."""
    n_groups = hidden.shape[-1]
    if groups_per_frame == 1:
        return hidden.add_(projected[..., :n_groups])
    if n_groups % groups_per_frame:
        return hidden.add_(between_frames(projected, groups_per_frame)[..., :n_groups])
    ends, lines = lines_between_frames(projected, groups_per_frame)
    ends = ends[:, :, : n_groups // groups_per_frame].reshape(-1, 2)
    hidden.view(-1, groups_per_frame).addmm_(ends, lines)
    return hidden


def gated(both: Tensor) -> Tensor:
    """Return tanh of the first half of [B, 2 C, L] times sigmoid of the second, [B, C, L].

    The tanh is 2 sigmoid(2 x) - 1: torch computes that three times as fast on a CPU.
    """
    factor = both.new_ones(both.shape[1], 1)
    factor[: len(factor) // 2] = 2.0
    wave, gate = both.mul_(factor).sigmoid_().chunk(2, dim=1)
    return (wave * gate).mul_(2.0).sub_(gate)


def _through_end(res_skip_layer: nn.Module, end: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a layer whose skip has gone through `end` already.

    Nothing else sees the sum of skips, so `end` may as well be applied to their weights, which
    are far fewer than what they make.
    """
    assert isinstance(res_skip_layer, nn.Conv1d)
    assert res_skip_layer.bias is not None
    weight, bias = res_skip_layer.weight, res_skip_layer.bias
    matrix, residual_size = end.weight[..., 0], res_skip_layer.out_channels - end.in_channels
    weight = torch.cat([weight[:residual_size, :, 0], matrix @ weight[residual_size:, :, 0]])
    bias = torch.cat([bias[:residual_size], matrix @ bias[residual_size:]])
    return weight[..., None], bias
