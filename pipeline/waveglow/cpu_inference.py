"""The coupling network in single precision on a CPU, where no gradient is wanted.

The same numbers as `flow` by fewer operations and fewer passes over memory: channels are last, so
that a step in time is a row; dilated convolutions are Winograd's; what is added up is added in
place by a product of matrices; and `end` is applied to the weights of the skips, which are far
fewer than what they make. A layer takes its rows in blocks that stay in the processor's cache.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pipeline.waveglow.winograd import N_TAPS, ROWS_MADE, ROWS_SEEN, add_convolved, combined_taps

if TYPE_CHECKING:
    from pipeline.waveglow.flow import Conditions, CouplingNetwork

BLOCK_ROWS = 1_024  # a thread: fewer take longer to hand out than to compute, more leave the cache
# Weights of a network that are kept ready. Of more, what is made is large, and made again quickly
# beside the products that it is for.
MOST_KEPT = 2**20


class _Layer(NamedTuple):
    """A layer's weights, for rows.

    What makes the first half of 2 C, the waves, is doubled: see `negative_gates`.
    """

    dilation: int
    reach: int  # rows before and after its own that it sees
    taps: Tensor  # [6, 2 C, C] for Winograd's convolution, or [kernel, 2 C, C]
    condition: Tensor  # [D, 2 C]
    bias: Tensor  # [2 C], of convolution and condition
    residual: Tensor | None  # [C, C]; the last layer has none
    residual_bias: Tensor  # [C]
    skip: Tensor  # [C, 2 * channels]: what `end` makes of it


class _Prepared(NamedTuple):
    """What a network's weights were made into."""

    layers: list[_Layer]
    bias: Tensor  # [2 * channels] of all that `end` makes of the layers' skips
    made_of: tuple[Tensor, ...]  # so that no other weights take their place in memory
    versions: tuple[int, ...]  # of these: each change in place counts up

    def is_of(self, weights: tuple[Tensor, ...]) -> bool:
        """Tell whether these are the weights, unchanged."""
        pairs = zip(self.made_of, self.versions, weights, strict=True)
        return all(
            old.data_ptr() == new.data_ptr() and version == new._version
            for old, version, new in pairs
        )


_KEPT: WeakKeyDictionary[CouplingNetwork, _Prepared] = WeakKeyDictionary()


def scale_and_shift(
    network: CouplingNetwork, kept: Tensor, conditions: Conditions
) -> tuple[Tensor, Tensor]:
    """Return log_s and the shift, [B, channels, L] each, as `CouplingNetwork.forward` does."""
    values, groups_per_frame, pulses = conditions
    layers, bias = _prepared(network)
    outputs = []
    for item, rows in enumerate(kept.transpose(1, 2)):  # [L, channels]
        start = torch.addmm(_bias(network.start), rows, _matrix(network.start))  # [L, C]
        if network.pulses is not None:
            assert pulses is not None
            start.addmm_(pulses[item].T, _matrix(network.pulses))
        output = bias.repeat(len(rows), 1)
        _add_layers(output, layers, start, values[item].T, groups_per_frame)
        outputs.append(output)
    shift, log_scale = torch.stack(outputs).transpose(1, 2).chunk(2, dim=1)
    return log_scale, shift


def _prepared(network: CouplingNetwork) -> tuple[list[_Layer], Tensor]:
    """Return what `_layers` does; of a small network it is kept until a weight changes."""
    weights = tuple(weight.detach() for weight in network.parameters())
    kept = _KEPT.get(network)
    if kept is not None and kept.is_of(weights):
        return kept.layers, kept.bias
    layers, bias = _layers(network)
    if sum(weight.numel() for weight in weights) <= MOST_KEPT:
        _KEPT[network] = _Prepared(layers, bias, weights, tuple(one._version for one in weights))
    return layers, bias


def _layers(network: CouplingNetwork) -> tuple[list[_Layer], Tensor]:
    """Return the layers, and the bias [2 * channels] of all that `end` makes of their skips.

    A few operations on all layers at once: for a short piece, many on each take longer than speech.
    """
    convolutions = _convolutions(network.in_layers)
    outputs = _convolutions(network.res_skip_layers)
    n_layers, n_channels = len(convolutions), network.n_channels
    kernel = convolutions[0].kernel_size[0]
    doubled = torch.ones_like(_bias(network.condition)[: 2 * n_channels])
    doubled[:n_channels] = 2.0
    weights = torch.stack([layer.weight for layer in convolutions])  # [layers, 2 C, C, kernel]
    weights.mul_(doubled[:, None, None])
    taps = combined_taps(weights) if kernel == N_TAPS else weights.permute(3, 0, 1, 2)
    biases = torch.stack([_bias(layer) for layer in convolutions])
    biases = (biases + _bias(network.condition).view(n_layers, -1)) * doubled
    conditions = (_matrix(network.condition) * doubled.repeat(n_layers)).chunk(n_layers, dim=1)
    end = _matrix(network.end).T
    skips = end @ torch.stack([layer.weight[-n_channels:, :, 0] for layer in outputs])
    bias = _bias(network.end) + end @ sum(_bias(layer)[-n_channels:] for layer in outputs)
    return [
        _Layer(
            dilation=layer.dilation[0],
            reach=layer.dilation[0] * (kernel // 2),
            taps=taps[:, k],
            condition=conditions[k],
            bias=biases[k],
            residual=_matrix(output)[:, :n_channels] if k < n_layers - 1 else None,
            residual_bias=_bias(output)[:n_channels],
            skip=skips[k].T,
        )
        for k, (layer, output) in enumerate(zip(convolutions, outputs, strict=True))
    ], bias


def _add_layers(
    output: Tensor, layers: list[_Layer], start: Tensor, mel: Tensor, groups_per_frame: int
) -> None:
    """Add to [L, 2 * channels] what the skips say, for the first hidden rows [L, C].

    A row sees those around it, so each layer makes new hidden rows of the old ones.
    """
    n_steps, n_channels = start.shape
    most = BLOCK_ROWS * torch.get_num_threads()
    units = [math.lcm(ROWS_MADE * layer.dilation, groups_per_frame) for layer in layers]
    longest = min(most, n_steps) + max(units)
    reach = max(layer.reach for layer in layers)
    hidden = F.pad(start, (0, 0, reach, reach + longest))  # the rows around it stay zero
    following = torch.zeros_like(hidden)
    both = start.new_empty(longest, 2 * n_channels)
    for layer, unit in zip(layers, units, strict=True):
        told = _Told(layer, mel, groups_per_frame)
        n_rows = _whole(most, unit)
        for first in range(0, n_steps, n_rows):
            end = min(first + n_rows, n_steps)
            rows = both[: _whole(end - first, unit)]
            told.write(rows, first)
            _add_convolved(rows, hidden[reach + first - layer.reach :], layer)
            negative = negative_gates(rows[: end - first])
            output[first:end].addmm_(negative, layer.skip, alpha=-1.0)
            if layer.residual is not None:
                here = slice(reach + first, reach + end)
                torch.addmm(hidden[here], negative, layer.residual, alpha=-1.0, out=following[here])
        following[reach : reach + n_steps].add_(layer.residual_bias)
        hidden, following = following, hidden


class _Told:
    """What a layer is told of the mel [frames, D]."""

    def __init__(self, layer: _Layer, mel: Tensor, groups_per_frame: int) -> None:
        self.n_rows = len(mel) * groups_per_frame
        self.groups_per_frame = groups_per_frame
        self.layer, self.mel = layer, mel
        if groups_per_frame > 1:  # otherwise it is many times larger than the mel
            told = torch.addmm(layer.bias, mel, layer.condition)
            self.at_frames = told[:, None]  # [frames, 1, 2 C]
            self.rise = torch.cat([told[1:], told[-1:]]).sub_(told)[:, None]  # the last is held
            place = (torch.arange(groups_per_frame) + 0.5) / groups_per_frame
            self.place = place[:, None]

    def write(self, rows: Tensor, first: int) -> None:
        """Set rows [K, 2 C], K in whole frames, to what it is from row `first` on."""
        rows = rows[: self.n_rows - first]
        start, n_frames = first // self.groups_per_frame, len(rows) // self.groups_per_frame
        frames = slice(start, start + n_frames)
        if self.groups_per_frame == 1:
            torch.addmm(self.layer.bias, self.mel[frames], self.layer.condition, out=rows)
            return
        torch.addcmul(
            self.at_frames[frames],
            self.rise[frames],
            self.place,
            out=rows.view(n_frames, self.groups_per_frame, -1),
        )


def _whole(n_rows: int, unit: int) -> int:
    return -(-n_rows // unit) * unit


def _add_convolved(rows: Tensor, around: Tensor, layer: _Layer) -> None:
    """Add a layer's convolution to rows [K, 2 C]; `around` has its reach on both sides."""
    if len(layer.taps) == ROWS_SEEN:
        add_convolved(rows, around, layer.taps, dilation=layer.dilation)
        return
    for k, tap in enumerate(layer.taps):
        rows.addmm_(around[k * layer.dilation :][: len(rows)], tap.T)


def negative_gates(both: Tensor) -> Tensor:
    """Return minus the tanh of x times sigmoid of y, [L, C], for rows of 2 x and y, [L, 2 C].

    The tanh is 2 sigmoid(2 x) - 1: torch computes that three times as fast on a CPU. Without the
    sign it would take two more passes over memory. What is given is overwritten.
    """
    wave, gate = both.sigmoid_().chunk(2, dim=1)
    return torch.addcmul(gate, wave, gate, value=-2.0)


def _convolutions(layers: nn.ModuleList) -> list[nn.Conv1d]:
    return [layer for layer in layers if isinstance(layer, nn.Conv1d)]


def _matrix(layer: nn.Module) -> Tensor:
    """Return the weight of a convolution over one step, [C, C'], for rows."""
    assert isinstance(layer, nn.Conv1d)
    return layer.weight[..., 0].T


def _bias(layer: nn.Module) -> Tensor:
    assert isinstance(layer, nn.Conv1d)
    assert layer.bias is not None
    return layer.bias
