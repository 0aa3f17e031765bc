"""WaveGlow's weights as NVIDIA laid them out over the years, made from the latest layout."""

from __future__ import annotations

import re

import torch
from torch import Tensor

State = dict[str, Tensor]


def latest(nemo_state: State) -> State:
    """Rename NeMo's weights to NVIDIA's of 2020."""
    names = {name: name.removeprefix("waveglow.") for name in nemo_state}
    return {
        re.sub(r"^wavenet\.", "WN.", names[name]): tensor for name, tensor in nemo_state.items()
    }


def conditioned_by_layer(state: State) -> State:
    """Cut each fused `cond_layer` into `cond_layers.0`, `cond_layers.1`, ..."""
    cut = {}
    for name, tensor in state.items():
        found = re.fullmatch(r"(WN\.\d+\.)cond_layer\.(.+)", name)
        if found is None:
            cut[name] = tensor
            continue
        n_layers = sum(f"{found[1]}in_layers.{i}.bias" in state for i in range(100))
        for i, piece in enumerate(tensor.chunk(n_layers)):
            cut[f"{found[1]}cond_layers.{i}.{found[2]}"] = piece
    return cut


def oldest(state: State) -> State:
    """Cut each `res_skip_layers.i` into `res_layers.i` and `skip_layers.i` as well."""
    cut = {}
    for name, tensor in conditioned_by_layer(state).items():
        found = re.fullmatch(r"(WN\.\d+\.)res_skip_layers\.(\d+)\.(.+)", name)
        if found is None:
            cut[name] = tensor
            continue
        n_channels = len(state[f"{found[1]}start.bias"])
        if len(tensor) > n_channels:
            cut[f"{found[1]}res_layers.{found[2]}.{found[3]}"] = tensor[:n_channels]
        cut[f"{found[1]}skip_layers.{found[2]}.{found[3]}"] = tensor[-n_channels:]
    return cut


def folded(state: State) -> State:
    """Replace direction and length of each weight-normed weight by the weight."""
    plain = {name: tensor for name, tensor in state.items() if not name.endswith(("_g", "_v"))}
    for name, direction in state.items():
        if name.endswith(".weight_v"):
            length = state[name.removesuffix("_v") + "_g"]
            scale = length / direction.flatten(1).norm(dim=1)[:, None, None]
            plain[name.removesuffix("_v")] = direction * scale
    return plain


def prefixed(state: State) -> State:
    """Put `module.` before each name, as data-parallel training does."""
    return {f"module.{name}": tensor for name, tensor in state.items()}


def training_checkpoint(state: State) -> dict[str, object]:
    """Surround a state dict with what DeepLearningExamples saves beside it."""
    moments = {0: {"step": 7, "exp_avg": torch.zeros(3), "exp_avg_sq": torch.zeros(3)}}
    return {
        "epoch": 1000,
        "cuda_rng_state_all": [torch.get_rng_state()],
        "random_rng_state": torch.get_rng_state(),
        "config": {"n_mel_channels": 80, "n_flows": 12, "WN_config": {"n_layers": 8}},
        "state_dict": state,
        "optimizer": {"state": moments, "param_groups": [{"lr": 1e-4, "params": [0]}]},
        "amp": {"loss_scaler0": {"loss_scale": 65_536.0, "unskipped": 12}},
    }


LAYOUTS = {
    "2020": latest,
    "2019": conditioned_by_layer,
    "2018": oldest,
    "2020, folded": folded,
    "2018, folded": lambda state: folded(oldest(state)),
    "data-parallel": lambda state: prefixed(conditioned_by_layer(state)),
}
