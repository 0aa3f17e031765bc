"""Reads what `torch.save` wrote, in both of its file formats, without unpickling anything."""

from __future__ import annotations

import math
import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import IO, Any

import torch
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.pretrained.safe_unpickler import MAX_PICKLE_BYTES, Name, SafeUnpickler, StandIn

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # opens files written before torch 1.6
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_STORAGES = frozenset(f"{place}.{name}" for place in ("torch", "torch.cuda") for name in _DTYPES)
# The classes of NVIDIA/waveglow's modules, of what they are built from, and of what old versions
# of torch kept in every module.
_CLASSES = frozenset(
    {
        *(f"{file}.{name}" for file in ("glow", "glow_old") for name in ("WaveGlow", "WN")),
        "glow.Invertible1x1Conv",
        "torch.nn.modules.container.ModuleList",
        "torch.nn.modules.conv.Conv1d",
        "torch.nn.modules.conv.ConvTranspose1d",
        "torch.nn.utils.weight_norm.WeightNorm",
        "torch.nn.backends.thnn._get_thnn_function_backend",
    }
)


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that is still in the file."""

    storage: _Storage
    offset: int  # elements
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def n_bytes(self) -> int:
        """Memory that the tensor would take."""
        return abs(math.prod(self.shape)) * self.storage.dtype.itemsize

    def read(self) -> Tensor:
        """Return the tensor.

        Raises:
            PipelineError: It would lie outside its storage, or the storage outside the file.
        """
        storage = self.storage
        lengths = (*self.shape, *self.stride, self.offset)
        last = self.offset + sum(
            (n - 1) * step for n, step in zip(self.shape, self.stride, strict=True)
        )
        fits = min(lengths) >= 0 and math.prod(self.shape) <= storage.n_elements
        if not fits or last >= storage.n_elements:
            raise PipelineError(
                f"{storage.source} is damaged: a tensor of shape {list(self.shape)} does not fit "
                f"its storage of {storage.n_elements} elements"
            )
        n_bytes = storage.n_elements * storage.dtype.itemsize
        if not n_bytes:
            return torch.empty(self.shape, dtype=storage.dtype)
        flat = torch.frombuffer(storage.read(n_bytes), dtype=storage.dtype)
        return flat.as_strided(self.shape, self.stride, self.offset).clone()


@dataclass(frozen=True)
class _Storage:
    dtype: torch.dtype
    n_elements: int
    source: str
    read: Callable[[int], bytearray]  # how many bytes it must have


# What zipfile and the reader run into when sizes, keys or types in a file are not what they
# should be; whatever it is, the file is at fault.
_DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError),
    *(TypeError, ValueError, struct.error, zipfile.BadZipFile),
)


def read_weights(file: IO[bytes], source: str) -> tuple[dict[str, Tensor], str]:
    """Return the weights by name of a file of `torch.save`, and the class of a pickled model.

    Args:
        file: Open for reading.
        source: What the file is called in errors.

    Returns:
        Weights, those of an optimizer left aside, and a path such as "glow.WaveGlow", or "" where
        the file holds a plain `state_dict`.

    Raises:
        PipelineError: The file is of another kind or damaged, holds no model, or asks for a name
            that is not on the closed list.
    """
    try:
        value = _read(file, source)
        return _weights_of(value, file.seek(0, os.SEEK_END), source), _pickled_class(value)
    except _DAMAGE as error:
        told = str(error).partition("\n")[0] or type(error).__name__
        raise PipelineError(f"{source} is damaged or cut short: {told}; get it anew") from error


def _read(file: IO[bytes], source: str) -> Any:
    """Return what is in the file: tensors as `StoredTensor`, objects as `StandIn`."""
    size_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    start = file.read(4)
    file.seek(0)
    if start == b"PK\x03\x04":
        return _read_zip(zipfile.ZipFile(file), source)
    if start[:1] == b"\x80":
        return _read_legacy(file, size_bytes, source)
    raise PipelineError(f"{source} is not a file of torch.save; expected a .pt or a .nemo")


def _weights_of(value: Any, size_bytes: int, source: str) -> dict[str, Tensor]:
    if isinstance(value, Mapping):
        value = next((value[key] for key in ("state_dict", "model") if key in value), value)
    named = _module_tensors(value, source) if isinstance(value, StandIn) else value
    if not isinstance(named, Mapping) or not named:
        raise PipelineError(f"{source} holds no model; expected a state_dict or a pickled WaveGlow")
    for name, tensor in named.items():
        if not isinstance(name, str) or not isinstance(tensor, StoredTensor):
            raise PipelineError(f"{source} holds {name!r}, which is no weight; it is refused")
    wanted_bytes = sum(tensor.n_bytes for tensor in named.values())
    if wanted_bytes > size_bytes:
        raise PipelineError(
            f"{source} is refused: its weights would take {wanted_bytes} bytes, "
            f"the file has {size_bytes}"
        )
    return {name: tensor.read() for name, tensor in named.items()}


def _pickled_class(value: Any) -> str:
    model = value.get("model") if isinstance(value, Mapping) else value
    return model.path if isinstance(model, StandIn) else ""


def _module_tensors(root: StandIn, source: str) -> dict[str, StoredTensor]:
    """Walk a pickled module as `state_dict` would."""
    found: dict[str, StoredTensor] = {}
    waiting = [("", root)]
    for _ in range(10_000):  # a module that contains itself would never end
        if not waiting:
            return found
        prefix, module = waiting.pop()
        if prefix.count(".") > 16:
            break
        for kind in ("_parameters", "_buffers"):
            tensors = module.state.get(kind) or {}
            found |= {f"{prefix}{k}": tensor for k, tensor in tensors.items() if tensor is not None}
        children = (module.state.get("_modules") or {}).items()
        waiting += [(f"{prefix}{k}.", m) for k, m in children if isinstance(m, StandIn)]
    raise PipelineError(f"{source} holds a module with more parts than any WaveGlow; it is refused")


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StoredTensor:
    numbers = (offset, *shape, *stride)
    if not isinstance(storage, _Storage) or not all(isinstance(n, int) for n in numbers):
        raise ValueError("a tensor that is not made of a storage and whole numbers")
    if len(shape) != len(stride):
        raise ValueError(f"a tensor of shape {list(shape)} with strides {list(stride)}")
    return StoredTensor(storage, offset, tuple(shape), tuple(stride))


def _machine(persistent: Callable[[Any], Any]) -> SafeUnpickler:
    calls: dict[str, Callable[..., Any]] = {
        "collections.OrderedDict": dict,
        "builtins.set": list,
        "__builtin__.set": list,
        "torch.Size": tuple,
        "torch._utils._rebuild_tensor": _tensor,
        "torch._utils._rebuild_tensor_v2": _tensor,
        "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
    }
    return SafeUnpickler(calls, _CLASSES | _STORAGES, persistent)


def _dtype(kind: Any) -> torch.dtype:
    if not isinstance(kind, Name) or kind.path not in _STORAGES:
        raise ValueError(f"storage of type {kind!r}")
    return _DTYPES[kind.path.rpartition(".")[2]]


def _read_zip(archive: zipfile.ZipFile, source: str) -> Any:
    members = {info.filename.partition("/")[2]: info for info in archive.infolist()}

    @lru_cache(maxsize=1)  # an LSTM's weights lie in one storage
    def read(key: str, n_bytes: int) -> bytearray:
        info = members.get(key)
        if info is None:
            raise PipelineError(f"{source} is damaged: it lacks {key}; get it anew")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != n_bytes:
            raise PipelineError(
                f"{source} is damaged: {info.filename} has {info.file_size} bytes, "
                f"expected {n_bytes}, not compressed"
            )
        return bytearray(archive.read(info))

    def persistent(reference: Any) -> _Storage:
        _, kind, key, _, n_elements = reference
        return _Storage(_dtype(kind), n_elements, source, lambda size: read(f"data/{key}", size))

    if "data.pkl" not in members:
        raise PipelineError(f"{source} is a zip archive, but not one of torch.save")
    if "byteorder" in members and read("byteorder", 6) != b"little":
        raise PipelineError(f"{source} was written on a big-endian machine, which is not supported")
    size_bytes = members["data.pkl"].file_size
    if size_bytes > MAX_PICKLE_BYTES:
        raise PipelineError(f"{source} is refused: its structure takes {size_bytes} bytes")
    return _machine(persistent).load(BytesIO(read("data.pkl", size_bytes)), source)


def _read_legacy(file: IO[bytes], size_bytes: int, source: str) -> Any:
    """Read magic number, version, platform, the object, its storages' keys, then their bytes."""
    places: dict[str, int] = {}
    storages: dict[str, _Storage] = {}

    @lru_cache(maxsize=1)
    def read(key: str, n_bytes: int) -> bytearray:
        file.seek(places[key])
        return bytearray(file.read(n_bytes))

    def persistent(reference: Any) -> Any:
        if reference[0] == "module":  # a pickled module and, next to it, its source code as text
            return reference[1]
        _, kind, key, _, n_elements, *view = reference
        if view and view[0] is not None:
            raise PipelineError("shares storages in the way of torch 0.3, which is not supported")
        storages[key] = _Storage(_dtype(kind), n_elements, source, lambda size: read(key, size))
        return storages[key]

    machine = _machine(persistent)
    if machine.load(file, source) != _LEGACY_MAGIC:
        raise PipelineError(f"{source} is a pickle, but not one of torch.save; it is refused")
    machine.load(file, source)
    machine.load(file, source)
    value = machine.load(file, source)
    for key in machine.load(file, source):
        n_elements = int.from_bytes(file.read(8), "little")
        n_bytes = n_elements * storages[key].dtype.itemsize
        places[key] = file.tell()
        if n_elements != storages[key].n_elements or places[key] + n_bytes > size_bytes:
            raise PipelineError(
                f"{source} is damaged or cut short: storage {key} of {n_bytes} bytes does not "
                f"fit in {size_bytes}; get it anew"
            )
        file.seek(n_bytes, os.SEEK_CUR)
    return value
