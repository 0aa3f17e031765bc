"""WaveGlow's weights under NVIDIA's and NeMo's names.

One name for each weight in the order they were published:

    2018  WN.k.{start, in_layers.i, cond_layers.i, res_layers.i, skip_layers.i, end}; flows of odd
          k change the other half of the channels
    2019  WN.k.{start, in_layers.i, cond_layers.i, res_skip_layers.i, end}; also torch.hub's and
          DeepLearningExamples', where `module.` may stand before each
    2020  WN.k.{start, in_layers.i, cond_layer, res_skip_layers.i, end}
    NeMo  the last, as waveglow.wavenet.k; waveglow. before all others

and `convinv.k.conv`, `upsample` in each. All but `end` are weight-normed (`weight_g` the length,
`weight_v` the direction), or already folded into one `weight`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.pretrained.named_weights import NamedWeights, length_of
from pipeline.waveglow import WaveGlow, WaveGlowConfig
from pipeline.waveglow.flow import CouplingNetwork, Flow
from pipeline.waveglow.model import UPSAMPLE_TAPS

Couplings = Literal["second half", "alternate"]


def is_waveglow(names: Mapping[str, Tensor]) -> bool:
    """Say whether these are names of a WaveGlow in any of the layouts."""
    return any(re.search(r"(^|\.)convinv\.0\.conv\.weight$", name) for name in names)


def waveglow_from_published(
    weights: Mapping[str, Tensor],
    audio: AudioConfig,
    *,
    couplings: Couplings | None = None,
    source: str,
) -> WaveGlow:
    """Return our WaveGlow with the weights of any layout, in eval mode.

    Args:
        weights: By their published names.
        audio: The mels that the model was trained on.
        couplings: Which half each flow changes; by default what the layout's age says.
        source: What the file is called in errors.

    Raises:
        PipelineError: A weight is missing, left over or misshapen.
    """
    named = NamedWeights(weights, _canonical, source)
    if couplings is None:
        couplings = "alternate" if "WN.0.skip_layers.0.bias" in named else "second half"
    model = WaveGlow(_infer_config(named, audio, couplings, source))
    filled = _filled(model, named)
    named.check()
    model.load_state_dict(filled)
    return model.eval()


def waveglow_to_nemo(model: WaveGlow) -> dict[str, Tensor]:
    """Return the weights under NeMo's names, weight-normed.

    Raises:
        PipelineError: The model has parts that NeMo's WaveGlow has not.
    """
    config = model.config
    seen = (
        config.conditioning,
        config.prediction_order,
        config.pulses,
        config.matching_rounds,
        config.couplings,
        config.audio.hop_length,
    )
    expected = ("upsample", 0, False, 0, "second half", 256)
    if seen != expected:
        raise PipelineError(
            "NeMo's WaveGlow cannot hold this model: its (conditioning, prediction_order, pulses, "
            f"matching_rounds, couplings, hop_length) are {seen}, expected {expected}; train "
            "with --size full"
        )
    weights = {f"upsample.{name}": tensor for name, tensor in model.upsample.state_dict().items()}
    for k, flow in enumerate(model.flows):
        assert isinstance(flow, Flow)
        network = flow.coupling
        weights[f"convinv.{k}.conv.weight"] = flow.invertible_conv[..., None]
        for name, convolution in _convolutions(network).items():
            normed = not name.startswith("end")
            weights |= _split(f"wavenet.{k}.{name}", convolution, normed=normed)
    return {f"waveglow.{name}": tensor.detach() for name, tensor in weights.items()}


def _canonical(name: str) -> str:
    name = re.sub(r"^(module\.(1\.)?|waveglow\.)+", "", name)
    return re.sub(r"^wavenet\.", "WN.", name)


def _infer_config(
    named: NamedWeights, audio: AudioConfig, couplings: Couplings, source: str
) -> WaveGlowConfig:
    n_flows = named.count("convinv.{}.conv.weight")
    channels = [named.shape(f"convinv.{k}.conv.weight")[0] for k in range(n_flows)]
    exits = [k for k in range(1, n_flows) if channels[k] < channels[k - 1]]
    early_every = exits[0] if exits else max(n_flows, 1)
    early_size = channels[exits[0] - 1] - channels[exits[0]] if exits else 2
    n_mels, _, taps = named.shape("upsample.weight")
    if taps != UPSAMPLE_TAPS:
        raise PipelineError(
            f"{source} upsamples mels with {taps} taps, expected {UPSAMPLE_TAPS}; "
            "it was trained with another hop length, which is not supported"
        )
    n_layers = named.count("WN.0.in_layers.{}.bias")
    gate = "WN.0.in_layers.0.weight"
    two_channels, _, kernel_size = named.shape(gate if gate in named else f"{gate}_v")
    try:
        return WaveGlowConfig(
            audio=dataclasses.replace(audio, n_mels=n_mels),
            n_flows=n_flows,
            n_group=channels[0],
            n_early_every=early_every,
            n_early_size=early_size,
            n_layers=n_layers,
            n_channels=two_channels // 2,
            kernel_size=kernel_size,
            couplings=couplings,
        )
    except ValueError as error:
        raise PipelineError(f"{source} holds no WaveGlow that can be built: {error}") from error


def _filled(model: WaveGlow, named: NamedWeights) -> dict[str, Tensor]:
    """Return our state dict, every weight of it taken from `named`."""
    expected = {name: tensor.shape for name, tensor in model.state_dict().items()}
    filled = {n: named.take(n, shape) for n, shape in expected.items() if n.startswith("upsample.")}
    for k in range(model.config.n_flows):
        size = expected[f"flows.{k}.invertible_conv"]
        matrix = named.take(f"convinv.{k}.conv.weight", (*size, 1))[..., 0]
        filled[f"flows.{k}.invertible_conv"] = matrix
        _drop_inverse(named, k, matrix)
        ours = f"flows.{k}.coupling"
        for name in (n for n in expected if n.startswith(f"{ours}.") and n.endswith(".weight")):
            part = name.removeprefix(f"{ours}.").removesuffix(".weight")
            weight, bias = _taken(named, f"WN.{k}", part, expected[name], model.config.n_layers)
            filled |= {name: weight, f"{ours}.{part}.bias": bias}
    return filled


def _taken(
    named: NamedWeights, network: str, part: str, shape: torch.Size, n_layers: int
) -> tuple[Tensor, Tensor]:
    """Take one of our convolutions; older layouts keep some of them in several pieces."""
    kind, _, i = part.partition(".")
    if kind == "condition":
        pieces = ["cond_layer"]
        if f"{network}.cond_layer.bias" not in named:
            pieces = [f"cond_layers.{layer}" for layer in range(n_layers)]
    elif kind == "res_skip_layers":
        pieces = [f"res_skip_layers.{i}"]
        if f"{network}.skip_layers.{i}.bias" in named:
            is_last = int(i) == n_layers - 1
            pieces = [f"skip_layers.{i}"] if is_last else [f"res_layers.{i}", f"skip_layers.{i}"]
    else:
        pieces = [part]
    piece_shape = (shape[0] // len(pieces), *shape[1:])
    names = [f"{network}.{piece}" for piece in pieces]
    weight = torch.cat([named.take_folded(name, piece_shape) for name in names])
    bias = torch.cat([named.take(f"{name}.bias", piece_shape[:1]) for name in names])
    return weight, bias


def _drop_inverse(named: NamedWeights, flow: int, matrix: Tensor) -> None:
    """Take the inverse that NeMo keeps beside a matrix it has used; it holds nothing new."""
    name = f"convinv.{flow}.inv_conv.weight"
    if name not in named:
        return
    product = named.take(name, (*matrix.shape, 1))[..., 0] @ matrix
    if not torch.allclose(product, torch.eye(len(matrix)), atol=1e-2):
        raise PipelineError(f"{name} is not the inverse of convinv.{flow}.conv.weight")


def _convolutions(network: CouplingNetwork) -> dict[str, torch.nn.Module]:
    return {
        "start": network.start,
        "cond_layer": network.condition,
        **{f"in_layers.{i}": layer for i, layer in enumerate(network.in_layers)},
        **{f"res_skip_layers.{i}": layer for i, layer in enumerate(network.res_skip_layers)},
        "end": network.end,
    }


def _split(name: str, convolution: torch.nn.Module, *, normed: bool) -> dict[str, Tensor]:
    weight, bias = convolution.weight, convolution.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    if not normed:
        return {f"{name}.weight": weight, f"{name}.bias": bias}
    length = length_of(weight)  # [C, 1, 1]
    return {f"{name}.weight_g": length, f"{name}.weight_v": weight, f"{name}.bias": bias}
