"""Where a training runs, in how many processes and in what precision: Lightning Fabric set up."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins import MixedPrecision

from pipeline.errors import PipelineError
from pipeline.training.engine import Progress, Schedule, Task, Trainer
from pipeline.training.options import Accelerator, Precision, RunOptions
from pipeline.training.run_folder import RunFolder


class WholeInputs(MixedPrecision):
    """Mixed precision whose batches stay in float32: bf16 would cut audio to eight bits."""

    def convert_input(self, data: Any) -> Any:
        """Return the batch as it is."""
        return data


def make_fabric(
    *, accelerator: Accelerator, devices: int, nodes: int, precision: Precision
) -> Fabric:
    """Return Fabric for the processes asked for, or for those that torchrun has started.

    Args:
        accelerator: "auto" takes a GPU where there is one.
        devices: GPUs, or processes on the CPU, on each machine.
        nodes: Machines.
        precision: Of the networks.

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
        raise PipelineError(f"Cannot train on {devices} {accelerator} devices: {error}") from error


def launch(options: RunOptions) -> Fabric:
    """Return Fabric with its processes started."""
    if options.threads:
        torch.set_num_threads(options.threads)
    fabric = make_fabric(
        accelerator=options.accelerator,
        devices=options.devices,
        nodes=options.nodes,
        precision=options.precision,
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


def run_training(
    task: Task,
    schedule: Schedule,
    run: RunFolder,
    fabric: Fabric,
    *,
    deadline: float,
    on_end: Callable[[Progress], None] | None = None,
) -> Progress:
    """Train a task from the run folder's last checkpoint on, where there is one.

    Args:
        task: What to train.
        schedule: For how long.
        run: Where everything is kept.
        fabric: The processes, launched.
        deadline: When to stop, by `time.monotonic`.
        on_end: Called in the main process with what has been done, after an interruption too.
    """
    trainer = Trainer(task, schedule, run, fabric)
    if run.checkpoint_path.exists():
        trainer.resume()
    try:
        progress = trainer.fit(deadline=deadline)
    finally:
        if on_end and fabric.is_global_zero:
            on_end(trainer.progress)
    fabric.barrier()  # the others may read what the main process has written
    return progress
