"""The coupling network in single precision on a CPU, where no gradient is wanted.

The same numbers as `flow` by fewer operations and fewer passes over memory: channels are last, so
that a step in time is a row; dilated convolutions are Winograd's; what is added up is added in
place by a product of matrices; and `end` is applied to the weights of the skips, which are far
fewer than what they make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.mel import lines_between_frames
from pipeline.waveglow.winograd import N_TAPS, add_convolved, whole_tiles

if TYPE_CHECKING:
    from pipeline.waveglow.flow import Conditions, CouplingNetwork

BLOCK_ROWS = 2_048  # of 64 channels: half a megabyte, and twice that for what is added to them
BLOCKS_PER_HALO = 8  # at least so much longer is a block than what it repeats on either side


def scale_and_shift(
    network: CouplingNetwork, kept: Tensor, conditions: Conditions
) -> tuple[Tensor, Tensor]:
    """Return log_s and the shift, [B, channels, L] each, as `CouplingNetwork.forward` does."""
    values, groups_per_frame, pulses = conditions
    outputs = []
    for item, rows in enumerate(kept.transpose(1, 2)):  # [L, channels]
        start = torch.addmm(_bias(network.start), rows, _matrix(network.start))  # [L, C]
        if network.pulses is not None:
            assert pulses is not None
            start.addmm_(pulses[item].T, _matrix(network.pulses))
        outputs.append(_in_blocks(network, start, values[item].T, groups_per_frame))
    shift, log_scale = torch.stack(outputs).transpose(1, 2).chunk(2, dim=1)
    return log_scale, shift


def _in_blocks(
    network: CouplingNetwork, start: Tensor, mel: Tensor, groups_per_frame: int
) -> Tensor:
    """Return what `_through_layers` does, by blocks of rows that stay in the processor's cache.

    A block is computed with as many rows around it as it depends on.
    """
    halo = sum(_reach(layer) for layer in _layers(network))
    length = max(BLOCK_ROWS, BLOCKS_PER_HALO * halo)
    blocks = []
    for first in range(0, len(start), length):
        frame = max(0, first - halo) // groups_per_frame
        before = frame * groups_per_frame
        around = start[before : first + length + halo]
        made = _through_layers(network, around, mel[frame:], groups_per_frame)
        blocks.append(made[first - before :][:length])
    return torch.cat(blocks)


def _through_layers(
    network: CouplingNetwork, start: Tensor, mel: Tensor, groups_per_frame: int
) -> Tensor:
    """Return the shift and log_s [L, 2 * channels] for the first hidden rows [L, C]."""
    n_steps, n_channels = start.shape
    layers = _layers(network)
    n_rows = max(whole_tiles(n_steps, layer.dilation[0]) for layer in layers)
    reach = max(_reach(layer) for layer in layers)
    padded = F.pad(start, (0, 0, reach, reach + n_rows - n_steps))
    hidden = padded[reach : reach + n_steps]  # the rows around it stay zero
    both = start.new_zeros(n_rows + groups_per_frame, 2 * n_channels)
    end = _matrix(network.end)
    output = _bias(network.end).repeat(n_steps, 1)
    weights = _matrix(network.condition).chunk(len(layers), dim=1)
    biases = _bias(network.condition).chunk(len(layers))
    for k, (layer, res_skip) in enumerate(zip(layers, network.res_skip_layers, strict=True)):
        _set_conditions(both, mel, weights[k], biases[k] + _bias(layer), groups_per_frame)
        _add_convolved(both, padded[reach - _reach(layer) :], layer, n_steps)
        negative = negative_gates(both[:n_steps])
        weight, bias = _matrix(res_skip), _bias(res_skip)
        if weight.shape[1] > n_channels:
            residual = weight[:, :n_channels]
            hidden.addmm_(negative, residual, alpha=-1.0).add_(bias[:n_channels])
        skip = weight[:, -n_channels:] @ end
        output.addmm_(negative, skip, alpha=-1.0).add_(bias[-n_channels:] @ end)
    return output


def _set_conditions(
    both: Tensor, mel: Tensor, weight: Tensor, bias: Tensor, groups_per_frame: int
) -> None:
    """Set rows [>= L, 2 C] to what a layer is told of the mel, [frames, D], at each group."""
    if groups_per_frame == 1:
        mel = mel[: len(both)]
        torch.addmm(bias, mel, weight, out=both[: len(mel)])
        return
    told = torch.addmm(bias, mel[: len(both) // groups_per_frame + 1], weight)  # [frames, 2 C]
    ends, lines = lines_between_frames(told.T, groups_per_frame)
    ends = ends[:, : len(both) // groups_per_frame].permute(1, 2, 0)  # [frames, 2, 2 C]
    rows = both[: len(ends) * groups_per_frame].view(len(ends), groups_per_frame, -1)
    torch.bmm(lines.T.expand(len(ends), -1, -1), ends, out=rows)


def _add_convolved(both: Tensor, around: Tensor, layer: nn.Conv1d, n_steps: int) -> None:
    """Add a layer, less its bias, to rows [>= L, 2 C]; `around` has its reach on both sides."""
    dilation = layer.dilation[0]
    if layer.kernel_size[0] == N_TAPS:
        n_rows = whole_tiles(n_steps, dilation)
        add_convolved(both[:n_rows], around, layer.weight, dilation=dilation)
        return
    for k, tap in enumerate(layer.weight.unbind(2)):
        both[:n_steps].addmm_(around[k * dilation : k * dilation + n_steps], tap.T)


def negative_gates(both: Tensor) -> Tensor:
    """Return minus the tanh of the first half of [L, 2 C] times sigmoid of the second, [L, C].

    The tanh is 2 sigmoid(2 x) - 1: torch computes that three times as fast on a CPU. Without the
    sign it would take two more passes over memory. What is given is overwritten.
    """
    wave, gate = both.chunk(2, dim=1)
    wave.mul_(2.0)
    both.sigmoid_()
    return torch.addcmul(gate, wave, gate, value=-2.0)


def _layers(network: CouplingNetwork) -> list[nn.Conv1d]:
    return [layer for layer in network.in_layers if isinstance(layer, nn.Conv1d)]


def _reach(layer: nn.Conv1d) -> int:
    """Return how many steps before and after its own a layer sees."""
    return layer.dilation[0] * (layer.kernel_size[0] // 2)


def _matrix(layer: nn.Module) -> Tensor:
    """Return the weight of a convolution over one step, [C, C'], for rows."""
    assert isinstance(layer, nn.Conv1d)
    return layer.weight[..., 0].T


def _bias(layer: nn.Module) -> Tensor:
    assert isinstance(layer, nn.Conv1d)
    assert layer.bias is not None
    return layer.bias
