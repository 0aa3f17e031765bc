"""WaveGlow as ONNX: one graph from a mel and noise to audio, as `WaveGlowVocoder` makes it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import onnx
import torch
from torch import nn

from pipeline.pretrained.onnx_graph import Graph, Value
from pipeline.pretrained.onnx_layers import array, between_frames, convolution
from pipeline.pretrained.onnx_pitch import pulses_of
from pipeline.pretrained.onnx_prediction import Predictor
from pipeline.pretrained.onnx_spectra import Spectra
from pipeline.waveglow import WaveGlow
from pipeline.waveglow.denoiser import measure_bias
from pipeline.waveglow.flow import CouplingNetwork, Flow


def vocoder_graph(model: WaveGlow) -> onnx.ModelProto:
    """Return the graph of the whole vocoder.

    Inputs: mel [1, M, T], natural logarithm; noise [1, G, L] of a standard normal distribution,
    L = hop_length * T / G; sigma [], its factor; denoise [], the share of the bias that is taken
    away. Output: audio [1, S], S = hop_length * T.
    """
    config, graph = model.config, Graph()
    mel = graph.input("mel", np.float32, [1, config.audio.n_mels, "frames"])
    noise = graph.input("noise", np.float32, [1, config.n_group, "groups"])
    sigma = graph.input("sigma", np.float32, [])
    denoise = graph.input("denoise", np.float32, [])
    audio = _excitation(model, mel, noise * sigma)  # [1, S]
    spectra = Spectra(graph, config.audio, n_frames=mel.size(2))
    audio = spectra.less_bias(audio, array(measure_bias(model)), denoise)
    if config.prediction_order:
        audio = Predictor(mel, config).synthesize(audio)
    audio = spectra.matched(audio, mel, rounds=config.matching_rounds)
    graph.output("audio", audio, [1, "samples"])
    return graph.model("WaveGlow, its denoiser and what brings its audio to the mel")


class _Conditions(NamedTuple):
    """What every coupling sees of the mel, as `pipeline.waveglow.flow.Conditions`."""

    values: Value  # [1, D, L / groups_per_frame]
    groups_per_frame: int
    pulses: Value | None  # [1, G, L]


def _excitation(model: WaveGlow, mel: Value, z: Value) -> Value:
    """Return what the flows make of `z` [1, G, L], [1, S]."""
    config, graph = model.config, mel.graph
    conditions = _conditions(model, mel)
    n_early = config.n_group - config.n_rest
    early, z = z.cut(0, n_early, axis=1), z.cut(n_early, None, axis=1)
    for k in reversed(range(config.n_flows)):
        flow = model.flows[k]
        assert isinstance(flow, Flow)
        z = _inverse(flow, z, conditions)
        if config.leaves_early(k):
            leaving = early.cut(n_early - config.n_early_size, n_early, axis=1)
            z = graph.op("Concat", leaving, z, axis=1)
            n_early -= config.n_early_size
    return z.transpose(0, 2, 1).reshape(1, -1)


def _conditions(model: WaveGlow, mel: Value) -> _Conditions:
    config, graph = model.config, mel.graph
    pulses = None
    if config.pulses:
        samples = pulses_of(mel, config.audio)  # [S]
        pulses = samples.reshape(1, -1, config.n_group).transpose(0, 2, 1)
    if config.conditioning == "interpolate":
        values = graph.op("LeakyRelu", convolution(model.context, (mel + 5.0) * 0.5), alpha=0.1)
        return _Conditions(values, config.audio.hop_length // config.n_group, pulses)
    upsample, hop, n_mels = model.upsample, config.audio.hop_length, config.audio.n_mels
    weight, bias = array(upsample.weight), array(upsample.bias)
    samples = graph.op("ConvTranspose", mel, weight, bias, strides=[hop])
    samples = samples.cut(0, mel.size(2) * hop, axis=2)
    groups = samples.reshape(n_mels, -1, config.n_group).transpose(0, 2, 1)  # [M, G, L]
    return _Conditions(groups.reshape(1, n_mels * config.n_group, -1), 1, pulses)


def _inverse(flow: Flow, z: Value, conditions: _Conditions) -> Value:
    """Undo a step of flow."""
    graph = z.graph
    kept, changed = graph.ops("Split", 2, z, axis=1, num_outputs=2)
    if flow.changes_first:
        kept, changed = changed, kept
    log_scale, shift = _couple(flow.coupling, kept, conditions)
    changed = (changed - shift) * graph.op("Exp", graph.op("Neg", log_scale))
    halves = [changed, kept] if flow.changes_first else [kept, changed]
    mixing = torch.linalg.inv(flow.invertible_conv.detach().double())
    return graph.constant(array(mixing)) @ graph.op("Concat", *halves, axis=1)


def _couple(network: CouplingNetwork, kept: Value, conditions: _Conditions) -> tuple[Value, Value]:
    """Return log_s and the shift, [1, channels, L] each."""
    graph, n_layers = kept.graph, len(network.in_layers)
    hidden = convolution(network.start, kept)
    if network.pulses is not None and conditions.pulses is not None:
        hidden = hidden + convolution(network.pulses, conditions.pulses)
    projected = convolution(network.condition, conditions.values)
    projected = between_frames(projected, conditions.groups_per_frame)
    output: Value | None = None
    layers = zip(
        network.in_layers,
        network.res_skip_layers,
        graph.ops("Split", n_layers, projected, axis=1, num_outputs=n_layers),
        strict=True,
    )
    for in_layer, res_skip_layer, condition in layers:
        both = convolution(in_layer, hidden) + condition
        wave, gate = graph.ops("Split", 2, both, axis=1, num_outputs=2)
        passed = graph.op("Tanh", wave) * graph.op("Sigmoid", gate)
        residual, skip = _res_skip(network, res_skip_layer, passed)
        if residual is not None:
            hidden = hidden + residual
        output = skip if output is None else output + skip
    assert output is not None
    output = output + array(network.end.bias)[:, None]
    shift, log_scale = graph.ops("Split", 2, output, axis=1, num_outputs=2)
    return log_scale, shift


def _res_skip(
    network: CouplingNetwork, layer: nn.Module, passed: Value
) -> tuple[Value | None, Value]:
    """Return the residual, of all layers but the last, and the skip after the last convolution.

    As in `cpu_coupling`, that one is applied to the weights of the skips instead of to their sum.
    """
    assert isinstance(layer, nn.Conv1d)
    size = layer.out_channels - network.end.in_channels  # of the residual
    weight, bias, end = array(layer.weight), array(layer.bias), array(network.end.weight)[..., 0]
    weight = np.concatenate([weight[:size], (end @ weight[size:, :, 0])[..., None]])
    both = passed.graph.op("Conv", passed, weight, np.append(bias[:size], end @ bias[size:]))
    if not size:
        return None, both
    return both.cut(0, size, axis=1), both.cut(size, None, axis=1)
