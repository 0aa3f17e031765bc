"""Where a training run keeps its checkpoint, its models and its TensorBoard log."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from pipeline.errors import PipelineError


class RunFolder:
    """One folder a run; every file in it is written whole or not at all."""

    def __init__(self, folder: Path, model_name: str) -> None:
        self.folder = folder
        self.checkpoint_path = folder / "checkpoint.pt"
        self.model_path = folder / f"{model_name}.safetensors"
        self.best_path = folder / f"{model_name}-best.safetensors"

    def claim(self, *, resume: bool) -> None:
        """Make the folder ready, so that no run overwrites another unasked.

        Raises:
            PipelineError: There is a checkpoint and `resume` was not asked for, or the reverse.
        """
        if resume and not self.checkpoint_path.exists():
            raise PipelineError(f"{self.checkpoint_path} does not exist; there is nothing to resume")
        if not resume and self.checkpoint_path.exists():
            raise PipelineError(
                f"{self.checkpoint_path} exists; go on with --resume, or choose another --out"
            )
        self.folder.mkdir(parents=True, exist_ok=True)

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint over the last one."""
        part_path = self.checkpoint_path.with_suffix(".part")
        try:
            torch.save(state, part_path)
            os.replace(part_path, self.checkpoint_path)
        except OSError as error:
            part_path.unlink(missing_ok=True)
            raise PipelineError(
                f"cannot write {self.checkpoint_path}: {error.strerror}; the last checkpoint stands"
            ) from error

    def load(self) -> dict[str, Any]:
        """Return the last checkpoint; only tensors and plain values are read, no code."""
        try:
            state = torch.load(self.checkpoint_path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, pickle.UnpicklingError) as error:
            raise PipelineError(f"{self.checkpoint_path} cannot be read: {error}") from error
        assert isinstance(state, dict)
        return state
