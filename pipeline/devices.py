"""Where models run, and in which precision."""

from __future__ import annotations

import contextlib
from typing import Literal

import torch

from pipeline.errors import PipelineError

Precision = Literal["32", "16"]


def pick_device(device: str, precision: Precision) -> torch.device:
    """Return the device of a name.

    Raises:
        PipelineError: There is no such device here, or it cannot do this precision.
    """
    has_gpu = torch.cuda.is_available()
    name = ("cuda" if has_gpu else "cpu") if device == "auto" else device
    if name not in ("cpu", "cuda"):
        raise PipelineError(f"The device is {device!r}, expected auto, cpu or cuda")
    if name == "cuda" and not has_gpu:
        raise PipelineError("The device is cuda, but torch finds no GPU; take --device cpu")
    if name == "cpu" and precision == "16":
        raise PipelineError("Precision 16 needs a GPU; take --precision 32 on the CPU")
    return torch.device(name)


def half_precision(
    device: torch.device, precision: Precision
) -> contextlib.AbstractContextManager[object]:
    """Return the context in which networks run in the precision asked for."""
    if precision == "32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.float16)
