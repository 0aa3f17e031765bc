"""Layers of torch as nodes of ONNX graphs, which both models are made of."""

from __future__ import annotations

from typing import cast

import numpy as np
from torch import Tensor, nn

from pipeline.pretrained.onnx_graph import Value


def array(weights: Tensor | nn.Module | None) -> np.ndarray:
    """Return a weight as float32."""
    assert isinstance(weights, Tensor)
    return weights.detach().float().numpy()


def convolution(layer: nn.Module, x: Value) -> Value:
    """Return what a convolution that keeps the length makes of [1, C, L]."""
    assert isinstance(layer, nn.Conv1d)
    bias = None if layer.bias is None else array(layer.bias)
    padding, dilation = cast(int, layer.padding[0]), layer.dilation[0]
    return x.graph.op(
        "Conv", x, array(layer.weight), bias, pads=[padding, padding], dilations=[dilation]
    )


def linear(layer: nn.Module, x: Value) -> Value:
    """Return what a linear layer makes of [..., C]."""
    assert isinstance(layer, nn.Linear)
    product = x @ array(layer.weight).T
    return product if layer.bias is None else product + array(layer.bias)


def between_frames(values: Value, n_steps: int, dtype: type[np.floating] = np.float32) -> Value:
    """Return [1, C, T] at the middle of `n_steps` parts of each hop, as `pipeline.mel` has it."""
    if n_steps == 1:
        return values
    graph = values.graph
    following = graph.op(
        "Concat", values.cut(1, None, axis=2), values.cut(-1, None, axis=2), axis=2
    )
    ends = [graph.op("Unsqueeze", each, [3]) for each in (values, following)]
    position = (np.arange(n_steps, dtype=dtype) + dtype(0.5)) / dtype(n_steps)
    lines = np.stack([dtype(1.0) - position, position])
    steps = graph.op("Concat", *ends, axis=3) @ lines  # [1, C, T, n_steps]
    return graph.op("Reshape", steps, [0, 0, -1])
