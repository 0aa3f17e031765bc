"""NeMo's `.nemo` archives: a tar of a YAML config and a file of `torch.save`; never unpacked."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch
import yaml  # type: ignore[import-untyped]
from torch import Tensor

from pipeline.errors import PipelineError
from pipeline.pretrained.torch_files import read_weights

CONFIG_NAME = "model_config.yaml"
WEIGHTS_NAME = "model_weights.ckpt"
MAX_CONFIG_BYTES = 1 << 20
MAX_WEIGHTS_BYTES = 1 << 33
# What tar, its compressions and YAML run into when a file is not what it should be; PyYAML raises
# ValueError for a date that does not exist, and RecursionError where lists lie in lists.
_DAMAGE = (
    *(tarfile.TarError, yaml.YAMLError, zlib.error, lzma.LZMAError),
    *(EOFError, OSError, RecursionError, ValueError),
)


class NemoArchive(NamedTuple):
    """What an archive holds."""

    config: dict[str, Any]
    weights: dict[str, Tensor]


def is_nemo(path: Path) -> bool:
    """Say whether a file is a tar archive, compressed or not; one that was cut short is, too."""
    try:
        return tarfile.is_tarfile(path)
    except (EOFError, zlib.error, lzma.LZMAError):
        return True  # `read_nemo` says what is wrong


def read_nemo(path: Path) -> NemoArchive:
    """Return an archive's config and weights; what else lies in it is left there.

    Raises:
        PipelineError: It is damaged, lacks one of the two, or one is larger than any such model.
    """
    try:
        with tarfile.open(path, "r:*") as archive, tempfile.TemporaryFile() as weights_file:
            config = yaml.safe_load(_member(archive, CONFIG_NAME, MAX_CONFIG_BYTES, path))
            # Its reader jumps to and fro, which a compressed tar cannot.
            shutil.copyfileobj(
                _member(archive, WEIGHTS_NAME, MAX_WEIGHTS_BYTES, path), weights_file
            )
            weights, _ = read_weights(weights_file, str(path))
    except _DAMAGE as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise PipelineError(f"{path} is damaged or cut short: {told}; get it anew") from error
    if not isinstance(config, dict):
        raise PipelineError(f"{path}: {CONFIG_NAME} holds no config, but {type(config).__name__}")
    return NemoArchive(config, weights)


def write_nemo(path: Path, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Write an archive that NeMo's `restore_from` reads, whole or not at all."""
    part_path = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with tempfile.TemporaryDirectory() as folder, tarfile.open(part_path, "w:") as archive:
            config_path, weights_path = Path(folder, CONFIG_NAME), Path(folder, WEIGHTS_NAME)
            config_path.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
            torch.save(
                {name: tensor.contiguous() for name, tensor in weights.items()}, weights_path
            )
            for member in (config_path, weights_path):
                archive.add(member, arcname=f"./{member.name}")
        part_path.replace(path)
    except OSError as error:
        raise PipelineError(f"Cannot write {path}: {error.strerror}") from error
    finally:
        part_path.unlink(missing_ok=True)


def _member(archive: tarfile.TarFile, name: str, max_bytes: int, path: Path) -> IO[bytes]:
    for member in archive:
        if member.name.removeprefix("./") == name and member.isreg():
            if member.size > max_bytes:
                raise PipelineError(
                    f"{path} is refused: {name} would take {member.size} bytes, "
                    f"more than {max_bytes}"
                )
            file = archive.extractfile(member)
            assert file is not None
            return file
    raise PipelineError(f"{path} is a tar archive without {name}; expected one of NeMo's")
