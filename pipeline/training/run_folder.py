"""Where a training run keeps its checkpoint, its models and its TensorBoard log."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import torch

from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError

SPARE_BYTES = 64 * 2**20  # left free for whoever else writes to the disk


class RunFolder:
    """One folder a run; every file in it is written whole or not at all."""

    def __init__(self, folder: Path, model_name: str) -> None:
        self.folder = folder
        self.checkpoint_path = folder / "checkpoint.pt"
        self.model_path = folder / f"{model_name}.safetensors"
        self.best_path = folder / f"{model_name}-best.safetensors"
        self.tensorboard_dir = folder / "tensorboard"

    def claim(self, *, resume: bool) -> None:
        """Make the folder ready, so that no run overwrites another unasked.

        Raises:
            PipelineError: There is a checkpoint and `resume` was not asked for, or the reverse; or
                the folder cannot be made.
        """
        if resume and not self.checkpoint_path.exists():
            raise PipelineError(
                f"{self.checkpoint_path} does not exist; there is nothing to resume"
            )
        if not resume and self.checkpoint_path.exists():
            raise PipelineError(
                f"{self.checkpoint_path} exists; go on with --resume, or choose another --out"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PipelineError(f"Cannot make {self.folder}: {error.strerror}") from error
        for path in self.folder.glob(".*.part"):  # what a killed run had not written to the end
            path.unlink(missing_ok=True)

    def check_space(self, n_bytes: int) -> None:
        """Raise PipelineError where the disk has no room for `n_bytes` more."""
        free = shutil.disk_usage(self.folder).free
        if free < n_bytes + SPARE_BYTES:
            raise PipelineError(
                f"The disk of {self.folder} is full: {free / 1e6:.0f} MB free, "
                f"{(n_bytes + SPARE_BYTES) / 1e6:.0f} MB needed; what was saved before stands, "
                "make room and go on with --resume"
            )

    def save(self, state: dict[str, Any]) -> None:
        """Write a checkpoint over the last one, which stands until the new one is whole."""
        try:
            with atomic_write(self.checkpoint_path) as part_path:
                torch.save(state, part_path)
        except RuntimeError as error:  # what torch makes of a write that fails
            raise PipelineError(
                f"Cannot write {self.checkpoint_path}: {error}; the last checkpoint stands"
            ) from error

    def load(self) -> dict[str, Any]:
        """Return the last checkpoint; only tensors and plain values are read, no code."""
        try:
            state = torch.load(self.checkpoint_path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
            raise PipelineError(f"{self.checkpoint_path} cannot be read: {error}") from error
        assert isinstance(state, dict)
        return state
