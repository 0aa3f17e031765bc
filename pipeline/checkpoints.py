"""Weights on disk: safetensors that carry their model's config, loaded strictly, no pickle."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError
from pipeline.mel import AudioConfig
from pipeline.tacotron2 import Tacotron2, Tacotron2Config
from pipeline.vocoder import Vocoder
from pipeline.waveglow import WaveGlow, WaveGlowConfig, WaveGlowVocoder


class Architecture(NamedTuple):
    """A kind of model that a file can hold."""

    model: type[Any]  # made of one config
    config: type[Any]
    vocoder: Callable[[Any], Vocoder] | None = None  # makes a vocoder of the model, where it is one


ARCHITECTURES = {
    "waveglow": Architecture(WaveGlow, WaveGlowConfig, WaveGlowVocoder),
    "tacotron2": Architecture(Tacotron2, Tacotron2Config),
}
# What these parts are called in files, which are older than the names in the code.
_STORED_PARTS = {"invertible_conv": "mixing", "in_layers": "gates", "res_skip_layers": "exits"}
DESCRIPTION_KEY = "model"  # of the file's own metadata
ConfigType = TypeVar("ConfigType")


def load_waveglow(path: Path, *, sha256: str | None = None) -> WaveGlow:
    """Return the WaveGlow of a file, in eval mode on the CPU; errors as `load_model`."""
    model = load_model(path, "waveglow", sha256=sha256)
    assert isinstance(model, WaveGlow)
    return model


def load_tacotron2(path: Path, *, sha256: str | None = None) -> Tacotron2:
    """Return the Tacotron 2 of a file, in eval mode on the CPU; errors as `load_model`."""
    model = load_model(path, "tacotron2", sha256=sha256)
    assert isinstance(model, Tacotron2)
    return model


def load_vocoder(
    path: Path, *, sha256: str | None = None, device: torch.device | None = None
) -> Vocoder:
    """Return the vocoder of a file, whichever it holds, on a device; errors as `load_model`."""
    _check_sha256(path, sha256)
    seen = read_description(path).get("architecture", "no model that we know")
    builders = {name: kind.vocoder for name, kind in ARCHITECTURES.items() if kind.vocoder}
    if seen not in builders:
        raise PipelineError(f"{path} holds {seen}, expected {' or '.join(builders)}")
    return builders[str(seen)](load_model(path, str(seen)).to(device))


def load_model(path: Path, architecture: str, *, sha256: str | None = None) -> nn.Module:
    """Return the model of a file, built from the config inside it.

    Args:
        path: A `.safetensors` file written by `save_model`.
        architecture: "waveglow" or "tacotron2"; the file must hold this one.
        sha256: What the file's digest must be, where it is known.

    Raises:
        PipelineError: The file is missing, damaged, altered or of another model; its config has
            unknown keys; a weight is missing, left over or of the wrong shape.
    """
    _check_sha256(path, sha256)
    description, weights = _read(path)
    if description.get("architecture") != architecture:
        raise PipelineError(
            f"{path} holds {description.get('architecture', 'no model that we know')!s}, "
            f"expected {architecture}"
        )
    kind = ARCHITECTURES[architecture]
    _check_sizes(description.get("config"), weights, path)
    try:
        config = config_from_json(kind.config, description.get("config"))
        with _NoInitialization():
            model: nn.Module = kind.model(config)
    except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:  # torch's own too
        raise PipelineError(f"{path} has a config that does not hold: {error}") from error
    _fill(model, weights, path)
    return model.eval()


def _check_sizes(config: object, weights: dict[str, Tensor], path: Path) -> None:
    """Refuse a config whose model would be larger than its file, before it is built."""
    n_values = sum(tensor.numel() for tensor in weights.values())
    for name, size in config.items() if isinstance(config, dict) else ():
        limit = len(weights) if name.endswith(("flows", "layers")) else n_values
        if isinstance(size, int) and size > limit:
            raise PipelineError(
                f"{path} has a config that does not hold: {name} is {size}, "
                f"expected at most {limit}; it has {n_values} values in {len(weights)} tensors"
            )


def save_model(model: nn.Module, path: Path) -> str:
    """Write weights and config to `path`, whole or not at all; return the file's sha256."""
    architecture = next(n for n, kind in ARCHITECTURES.items() if isinstance(model, kind.model))
    config: Any = model.config
    description = {"architecture": architecture, "config": dataclasses.asdict(config)}
    # One key alone: safetensors writes several in random order, and equal models would differ.
    metadata = {DESCRIPTION_KEY: json.dumps(description, sort_keys=True)}
    weights = {
        stored_name(name): tensor.detach().contiguous().cpu()
        for name, tensor in model.state_dict().items()
    }
    try:
        with atomic_write(path) as part_path:
            save_file(weights, part_path, metadata)
    except safetensors.SafetensorError as error:
        raise PipelineError(f"Cannot write {path}: {error}") from error
    return file_sha256(path)


def _check_sha256(path: Path, expected: str | None) -> None:
    if expected is not None and (seen := file_sha256(path)) != expected:
        raise PipelineError(
            f"{path} has sha256 {seen}, expected {expected}; it was altered or cut short, "
            "get it anew"
        )


def stored_name(name: str) -> str:
    """Return what a weight of a state dict is called in a file."""
    return ".".join(_STORED_PARTS.get(part, part) for part in name.split("."))


def file_sha256(path: Path) -> str:
    """Return the hexadecimal sha256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}") from error


def config_from_json(kind: type[ConfigType], values: object) -> ConfigType:
    """Build a frozen dataclass from parsed JSON; nested dataclasses too.

    Raises:
        TypeError: A key is unknown or missing, or a value has another type than the field.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"{kind.__name__} is {values!r}, expected an object")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise TypeError(f"{kind.__name__} does not know {', '.join(unknown)}")
    return kind(**{key: _checked(key, hints[key], value) for key, value in values.items()})


def _checked(key: str, hint: Any, value: object) -> object:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return config_from_json(hint, value)
    origin, options = typing.get_origin(hint), typing.get_args(hint)
    if origin is types.UnionType and isinstance(value, Mapping):
        nested = next((option for option in options if dataclasses.is_dataclass(option)), hint)
        return _checked(key, nested, value)
    if origin is typing.Literal:
        fits = value in options
    elif origin is types.UnionType:
        fits = isinstance(value, options)
    elif hint is float:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = type(value) is (origin or hint)
    if not fits:
        raise TypeError(f"{key} is {value!r}, expected {getattr(hint, '__name__', hint)}")
    return value


def read_description(path: Path) -> dict[str, object]:
    """Return what a file says of itself, `architecture` and `config`; empty if it is not ours.

    Raises:
        PipelineError: The file is missing or damaged.
    """
    return _read(path, with_weights=False)[0]


def read_audio_config(path: Path) -> AudioConfig:
    """Return the mel settings that the model of a file is made for.

    Raises:
        PipelineError: The file is missing or damaged, or does not tell them.
    """
    config = read_description(path).get("config")
    try:
        return config_from_json(
            AudioConfig, config.get("audio") if isinstance(config, dict) else None
        )
    except (TypeError, ValueError) as error:
        raise PipelineError(f"{path} does not tell its mel settings: {error}") from error


def _read(path: Path, *, with_weights: bool = True) -> tuple[dict[str, object], dict[str, Tensor]]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            names = file.keys() if with_weights else ()
            weights = {name: file.get_tensor(name) for name in names}
            description = json.loads((file.metadata() or {}).get(DESCRIPTION_KEY, "{}"))
            return description if isinstance(description, dict) else {}, weights
    except (RecursionError, ValueError) as error:
        raise PipelineError(f"{path} has a description that is not JSON: {error}") from error
    except FileNotFoundError as error:
        raise PipelineError(f"{path} does not exist; expected a .safetensors file") from error
    except (safetensors.SafetensorError, OSError) as error:
        raise PipelineError(f"{path} is not a whole .safetensors file: {error}") from error


class _NoInitialization(TorchFunctionMode):
    """Within it weights are made and not filled: those of a file come at once, every one of them.

    It holds for this thread alone. Drawing random numbers is most of what making a model takes.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Leave the tensor of an initializer as it is; call everything else."""
        kwargs = kwargs or {}
        is_initializer = getattr(func, "__module__", "") == "torch.nn.init"
        if is_initializer or func in (Tensor.uniform_, Tensor.normal_):
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def _fill(model: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    names = {stored_name(name): name for name in model.state_dict()}
    expected = {stored_name(name): tensor for name, tensor in model.state_dict().items()}
    missing, extra = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected)
    if missing or extra:
        raise PipelineError(
            f"{path} does not fit its config: missing weights {missing[:3] or 'none'} "
            f"({len(missing)}), left over {extra[:3] or 'none'} ({len(extra)})"
        )
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            raise PipelineError(
                f"{path}: {name} has shape {list(tensor.shape)}, "
                f"expected {list(expected[name].shape)}"
            )
    model.load_state_dict(
        {names[stored]: tensor.to(expected[stored].dtype) for stored, tensor in weights.items()}
    )
    if not all(torch.isfinite(tensor).all() for tensor in model.state_dict().values()):
        raise PipelineError(f"{path} holds weights that are not finite; get it anew")
