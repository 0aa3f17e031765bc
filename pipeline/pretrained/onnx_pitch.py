"""Pitch pulses in ONNX, as `pipeline.waveglow.pitch_pulses` makes them."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.harmonics import CENTS, MIN_HZ, harmonic_templates, without_envelope
from pipeline.mel import AudioConfig
from pipeline.pretrained.onnx_graph import Value
from pipeline.pretrained.onnx_layers import between_frames
from pipeline.waveglow.pitch_pulses import (
    FINE_REACH,
    FINER,
    JUMP_COST,
    MAX_JUMP_COST,
    MIN_NORM,
    PULSE_HZ,
    SMOOTHED_FRAMES,
    UNVOICED,
    VOICED,
    harmonic_bases,
)


def pulses_of(mel: Value, config: AudioConfig) -> Value:
    """Return the train of pulses [S] float32 of a mel [1, M, T]."""
    graph = mel.graph
    frames = mel.cast(np.float64).reshape(config.n_mels, -1).transpose(1, 0)  # [T, M]
    likeness = _likeness(frames, config)  # [T, P]
    path = _best_path(likeness.cast(np.float32), len(harmonic_templates(config)))  # [T, 1]
    f0, voicing = (
        between_frames(each.reshape(1, 1, -1), config.hop_length, np.float64).reshape(-1)
        for each in (_fine_pitch(frames, path, config), _voicing(likeness, path))
    )  # [S]
    periods = graph.op("CumSum", f0, np.int64(0)) * np.float64(1.0 / config.sample_rate)
    phase = (periods - graph.op("Round", periods)) * np.float64(np.pi)
    sine = graph.op("Sin", phase.cast(np.float32))  # cos(2 x) - 1 is -2 sin(x)^2
    reach = (graph.constant(np.float64(PULSE_HZ)) / f0).cast(np.float32) * sine
    return voicing.cast(np.float32) * graph.op("Exp", reach * reach * -2.0)


def _likeness(frames: Value, config: AudioConfig) -> Value:
    """Return how like each frame of [T, M] is to each pitch's template, [T, P] float64."""
    graph, templates = frames.graph, harmonic_templates(config).numpy()  # [P, low M]
    eye = torch.eye(config.n_mels, dtype=torch.float64)
    flat = frames @ without_envelope(eye, templates.shape[1]).numpy()
    length = graph.op("Max", graph.op("ReduceL2", flat, [1]), np.float64(MIN_NORM))
    return flat / length @ templates.T


def _best_path(likeness: Value, n_pitches: int) -> Value:
    """Return the path [T, 1] through [T, P] whose likeness less the cost of jumps is most."""
    graph, index = likeness.graph, np.arange(n_pitches)
    cost = np.minimum(JUMP_COST * np.abs(index[:, None] - index), MAX_JUMP_COST, dtype=np.float32)

    def reach(best: Value, new: Value) -> tuple[Value, Value]:
        reached = graph.op("Unsqueeze", best, [0]) - cost  # [to, from]
        came_from = graph.op("ArgMax", reached, axis=1, keepdims=0)
        return graph.op("ReduceMax", reached, [1], keepdims=0) + new, came_from

    start = graph.constant(np.zeros(n_pitches, dtype=np.float32))  # no jump is worth its cost
    best, came_from = graph.scan(start, [likeness], reach)
    end = graph.op("ArgMax", best, axis=0)  # [1]
    return graph.scan(
        end,
        [came_from],
        lambda place, before: (graph.op("Gather", before, place), place),
        backwards=True,
    )[1]


def _voicing(likeness: Value, path: Value) -> Value:
    """Return how voiced each frame is, [T, 1]."""
    graph, reach = likeness.graph, SMOOTHED_FRAMES // 2
    along = graph.op("GatherElements", likeness, path, axis=1)
    around = graph.op("Pad", along, [reach, 0, reach, 0], mode="edge")
    total = around.cut(0, -2 * reach, axis=0)
    for k in range(1, 2 * reach + 1):
        total = total + around.cut(k, k - 2 * reach or None, axis=0)
    rising = (total * np.float64(1.0 / SMOOTHED_FRAMES) - np.float64(UNVOICED)) * np.float64(
        1.0 / (VOICED - UNVOICED)
    )
    return graph.op("Clip", rising, np.float64(0.0), np.float64(1.0))


def _fine_pitch(frames: Value, path: Value, config: AudioConfig) -> Value:
    """Return the pitch [T, 1] near a path [T, 1] whose harmonics explain most of each frame."""
    graph, bases = frames.graph, harmonic_bases(config).numpy()  # [P, low M, H]
    middle = graph.op("Clip", path * FINER, FINE_REACH, len(bases) - 1 - FINE_REACH)
    tried = graph.op("Gather", bases, middle + np.arange(-FINE_REACH, FINE_REACH + 1))
    magnitude = graph.op("Exp", frames.cut(0, bases.shape[1], axis=1))
    magnitude = magnitude / graph.op("ReduceL2", magnitude, [1])
    projected = graph.op("Unsqueeze", magnitude, [1, 2]) @ tried  # [T, tried, 1, H]
    explained = graph.op("ReduceSum", projected * projected, [2, 3], keepdims=0)  # [T, tried]
    best = graph.op("ArgMax", explained, axis=1)  # [T, 1]
    best = graph.op("Clip", best, 1, 2 * FINE_REACH - 1)
    below, at, above = (graph.op("GatherElements", explained, best + k, axis=1) for k in (-1, 0, 1))
    curve = graph.op("Min", below - at - at + above, np.float64(-1e-9))
    peak = (below - above) * np.float64(0.5) / curve  # of a parabola
    peak = graph.op("Clip", peak, np.float64(-0.5), np.float64(0.5))
    steps = (middle + best - FINE_REACH).cast(np.float64) + peak
    octaves = steps * np.float64(CENTS / FINER / 1_200.0)
    return graph.op("Exp", octaves * np.log(2.0)) * np.float64(MIN_HZ)
