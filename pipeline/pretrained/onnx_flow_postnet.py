"""The flow postnet in ONNX: Euler steps along its velocity, and the pitch contour it is shown."""

from __future__ import annotations

import math

import numpy as np
import torch

from pipeline.harmonics import CENTS, MIN_HZ, harmonic_templates
from pipeline.pretrained.onnx_graph import Value
from pipeline.pretrained.onnx_layers import array, convolution
from pipeline.tacotron2.config import Tacotron2Config
from pipeline.tacotron2.flow_postnet import PAUSE_WIDTH, FlowPostnet, time_embedding
from pipeline.tacotron2.pitch_contour import (
    HARMONIC_CHANNELS,
    MIDDLE_LOG2_HZ,
    OCTAVES,
    TEMPLATE_SCALE,
    PitchContour,
)


def follow_flow(flow: FlowPostnet, mean: Value) -> Value:
    """Return one mel [1, M, T] of those that `mean` is the mean of, as `FlowPostnet` does."""
    graph, config = mean.graph, flow.config
    n_mels, r = config.audio.n_mels, config.reduction
    contexts = graph.input("contexts", np.float32, [1, "steps", config.embedding_size])
    noise = graph.input("noise", np.float32, [1, n_mels, "frames"])
    both = graph.op("Concat", _grouped(mean, n_mels, r), contexts.transpose(0, 2, 1), axis=1)
    conditions = convolution(flow.condition, both)
    if flow.pitch_contour is not None:
        harmonics = _harmonics(flow.pitch_contour, both, config)
        grouped = _grouped(harmonics, HARMONIC_CHANNELS, r)
        conditions = conditions + convolution(flow.pitch_condition, grouped)
    temperature = flow.temperature(torch.zeros(1))  # [M, 1]
    offset = noise * array(config.flow_noise * temperature)
    for step in range(config.flow_steps):
        time = flow.time(time_embedding(torch.tensor([step / config.flow_steps])))
        gates = conditions + array(time)[..., None]
        velocity = _ungrouped(_velocity(flow, _grouped(offset, n_mels, r), gates), n_mels, r)
        offset = offset + velocity * (1.0 / config.flow_steps)
    if config.flow_pause_level is None:
        return mean + offset
    level = graph.op("ReduceMean", mean, [1])
    speaking = graph.op("Sigmoid", (level - config.flow_pause_level) * (1.0 / PAUSE_WIDTH))
    return mean + speaking * offset


def _harmonics(contour: PitchContour, groups: Value, config: Tacotron2Config) -> Value:
    """Return where the harmonics of the predicted pitch lie, [1, C, T]; 0 if unvoiced."""
    graph = groups.graph
    x = convolution(contour.start, groups)
    for layer, residual_layer in zip(contour.layers, contour.residual_layers, strict=True):
        value, gate = graph.ops("Split", 2, convolution(layer, x), axis=1, num_outputs=2)
        passed = graph.op("Tanh", value) * graph.op("Sigmoid", gate)
        x = (x + convolution(residual_layer, passed)) * math.sqrt(0.5)
    pitch = _ungrouped(convolution(contour.end, graph.op("Relu", x)), 2, config.reduction)
    height, voicing_logit = pitch.cut(0, 1, axis=1).reshape(-1), pitch.cut(1, 2, axis=1)
    templates = array(harmonic_templates(config.audio)[:, :HARMONIC_CHANNELS]) * np.float32(
        TEMPLATE_SCALE
    )
    middle = (MIDDLE_LOG2_HZ - math.log2(MIN_HZ)) * 1_200.0 / CENTS
    steps = height * (OCTAVES * 1_200.0 / CENTS) + middle
    steps = graph.op("Clip", steps, 0.0, len(templates) - 1.001)  # [T]
    below = graph.op("Floor", steps)
    share = graph.op("Unsqueeze", steps - below, [1])
    index = below.cast(np.int64)
    low, high = (graph.op("Gather", templates, each) for each in (index, index + 1))  # [T, C]
    between = graph.op("Unsqueeze", (low + (high - low) * share).transpose(1, 0), [0])
    return between * graph.op("Sigmoid", voicing_logit)


def _grouped(frames: Value, n_values: int, r: int) -> Value:
    """Return frames [1, M, T] as groups [1, r * M, T / r]."""
    split = frames.reshape(1, n_values, -1, r).transpose(0, 3, 1, 2)
    return split.reshape(1, r * n_values, -1)


def _ungrouped(groups: Value, n_values: int, r: int) -> Value:
    """Return groups [1, r * M, T / r] as frames [1, M, T]."""
    return groups.reshape(1, r, n_values, -1).transpose(0, 2, 3, 1).reshape(1, n_values, -1)


def _velocity(flow: FlowPostnet, offset: Value, gates: Value) -> Value:
    """Return the velocity of groups [1, r * M, T / r] at one time."""
    graph, n_layers = offset.graph, len(flow.layers)
    x = convolution(flow.start, offset)
    skipped: Value | None = None
    conditions = graph.ops("Split", n_layers, gates, axis=1, num_outputs=n_layers)
    layers = zip(flow.layers, flow.res_skip_layers, conditions, strict=True)
    for layer, res_skip_layer, condition in layers:
        both = convolution(layer, x) + condition
        value, gate = graph.ops("Split", 2, both, axis=1, num_outputs=2)
        passed = convolution(res_skip_layer, graph.op("Tanh", value) * graph.op("Sigmoid", gate))
        residual, skip = graph.ops("Split", 2, passed, axis=1, num_outputs=2)
        x = (x + residual) * math.sqrt(0.5)
        skipped = skip if skipped is None else skipped + skip
    assert skipped is not None
    hidden = graph.op("Relu", skipped * math.sqrt(1.0 / n_layers))
    hidden = graph.op("Relu", convolution(flow.end[1], hidden))
    return convolution(flow.end[3], hidden)
