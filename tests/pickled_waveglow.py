"""Writes files as NVIDIA/waveglow did: `torch.save` of whole modules of a module named `glow`.

Run in a process of its own, so that the process that reads them has never seen these classes:
`python -m tests.pickled_waveglow FOLDER` turns each FOLDER/*.state.pt into pickled modules.
"""

from __future__ import annotations

import sys
import types
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def define_old_classes() -> dict[str, types.ModuleType]:
    """Make the modules `glow`, `glow_old` and the part of torch 1.0 that modules pointed at."""

    def class_in(module: types.ModuleType, name: str) -> None:
        setattr(module, name, type(name, (nn.Module,), {"__module__": module.__name__}))

    glow, glow_old = types.ModuleType("glow"), types.ModuleType("glow_old")
    thnn = types.ModuleType("torch.nn.backends.thnn")
    for name in ("WaveGlow", "WN", "Invertible1x1Conv"):
        class_in(glow, name)
    for name in ("WaveGlow", "WN"):
        class_in(glow_old, name)

    def _get_thnn_function_backend() -> object:
        return backend

    class Backend:
        def __reduce__(self) -> tuple[Any, ...]:
            return _get_thnn_function_backend, ()

    backend = Backend()
    _get_thnn_function_backend.__module__ = thnn.__name__
    _get_thnn_function_backend.__qualname__ = "_get_thnn_function_backend"
    thnn._get_thnn_function_backend = _get_thnn_function_backend  # type: ignore[attr-defined]
    thnn.backend = backend  # type: ignore[attr-defined]
    modules = {"glow": glow, "glow_old": glow_old, thnn.__name__: thnn}
    sys.modules.update(modules)
    return modules


def build(state: dict[str, Tensor], glow: types.ModuleType, backend: object) -> nn.Module:
    """Build the module tree that a state dict tells of, weight-normed where it is."""
    root: nn.Module = glow.WaveGlow()
    for name in sorted({name.rpartition(".")[0] for name in state}):
        *parents, last = name.split(".")
        module = root
        for depth, part in enumerate(parents):
            if part not in module._modules:
                module.add_module(part, new_parent(parents[: depth + 1], glow))
            child = module._modules[part]
            assert child is not None
            module = child
        module.add_module(last, new_convolution(name, state))
    for module in root.modules():
        module._backend = backend  # type: ignore[assignment]
    root.load_state_dict(state)
    return root


def new_parent(path: list[str], glow: types.ModuleType) -> nn.Module:
    """Return what stands at a path such as WN, WN.3, WN.3.in_layers or convinv.0."""
    if len(path) == 2:
        name = "WN" if path[0] == "WN" else "Invertible1x1Conv"
        source = glow if hasattr(glow, name) else sys.modules["glow"]
        parent: nn.Module = getattr(source, name)()
        return parent
    return nn.ModuleList()


def new_convolution(name: str, state: dict[str, Tensor]) -> nn.Module:
    """Return a convolution for the weights of one name, of their shape."""
    is_normed = f"{name}.weight_v" in state
    n_out, n_in, taps = state[f"{name}.weight_v" if is_normed else f"{name}.weight"].shape
    if name == "upsample":
        return nn.ConvTranspose1d(n_out, n_in, taps, stride=256)
    convolution = nn.Conv1d(n_in, n_out, taps, bias=f"{name}.bias" in state)
    return torch.nn.utils.weight_norm(convolution) if is_normed else convolution


def main() -> None:
    """Pickle each state dict of a folder, in both of torch's formats."""
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    modules = define_old_classes()
    for path in sorted(folder.glob("*.state.pt")):
        layout = path.name.removesuffix(".state.pt")
        glow = modules["glow_old" if layout == "glow_old" else "glow"]
        backend = modules["torch.nn.backends.thnn"].backend
        model = build(torch.load(path, weights_only=True), glow, backend)
        optimizer = torch.optim.Adam(model.parameters())
        content = {"model": model, "iteration": 580_000, "optimizer": optimizer.state_dict()}
        for kind, is_zip in (("zip", True), ("legacy", False)):
            torch.save(
                content | {"learning_rate": 1e-4},
                folder / f"{layout}.{kind}.pt",
                _use_new_zipfile_serialization=is_zip,
            )


if __name__ == "__main__":
    main()
