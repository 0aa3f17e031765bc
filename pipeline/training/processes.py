"""Where a training runs, in how many processes and in what precision: Lightning Fabric set up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any, Literal

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins import MixedPrecision

from pipeline.errors import PipelineError

Precision = Literal["32-true", "bf16-mixed"]


class WholeInputs(MixedPrecision):
    """Mixed precision whose batches stay in float32: bf16 would cut audio to eight bits."""

    def convert_input(self, data: Any) -> Any:
        """Return the batch as it is."""
        return data


def make_fabric(*, accelerator: str, devices: int, nodes: int, precision: Precision) -> Fabric:
    """Return Fabric for the processes asked for, or for those that torchrun has started.

    Args:
        accelerator: "auto", "cpu" or "cuda".
        devices: GPUs, or processes on the CPU, on each machine.
        nodes: Machines.
        precision: "32-true" or "bf16-mixed".

    Raises:
        PipelineError: There is no such device here.
    """
    if "TORCHELASTIC_RUN_ID" in os.environ:  # set by torchrun, which has counted already
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return Fabric(
            accelerator=accelerator,
            devices=devices,
            num_nodes=nodes,
            strategy="ddp" if devices * nodes > 1 else "auto",
            plugins=[] if precision == "32-true" else [WholeInputs(precision, accelerator)],
        )
    except (RuntimeError, ValueError) as error:
        raise PipelineError(f"cannot train on {devices} {accelerator} devices: {error}") from error


def launch(args: argparse.Namespace) -> Fabric:
    """Return Fabric, with its processes started, for the options of `add_training_options`."""
    if args.threads:
        torch.set_num_threads(args.threads)
    fabric = make_fabric(
        accelerator=args.accelerator,
        devices=args.devices,
        nodes=args.nodes,
        precision=args.precision,
    )
    fabric.launch()
    return fabric


def on_main_process(fabric: Fabric, work: Callable[[], None]) -> None:
    """Do work in the main process while the others wait; an error of ours there ends them all.

    Raises:
        PipelineError: In the main process, what the work raised.
        SystemExit: In the others then; one process says what happened.
    """
    error: PipelineError | None = None
    if fabric.is_global_zero:
        try:
            work()
        except PipelineError as raised:
            error = raised
    has_failed = fabric.broadcast(error is not None)
    if error is not None:
        raise error
    if has_failed:
        raise SystemExit(1)
