"""The training loop of both models, on Lightning Fabric: one process or many, one way to resume."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import lightning.fabric as lightning_fabric
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from pipeline.checkpoints import save_model
from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2
from pipeline.training.average import WeightAverage
from pipeline.training.run_folder import RunFolder
from pipeline.waveglow import WaveGlow


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long to train, and what happens how often."""

    learning_rate: float
    max_steps: int = 1_000_000
    max_minutes: float | None = None
    warmup_steps: int = 200
    decay_after_steps: int = 4_000  # from there the rate falls with the square root of the step
    clip_norm: float = 1.0
    average_decay: float = 0.999  # of the exponential moving average of the weights
    max_skipped_in_a_row: int = 20  # steps with a loss or gradient that is not finite
    validate_every: int = 500
    save_every: int = 500
    seed: int = 0


class Task(Protocol):
    """A model, what it is fed and what it is scored by; an `nn.Module` whose call is the loss."""

    name: str
    learning_rate: float

    @property
    def model(self) -> WaveGlow | Tacotron2:
        """The model whose averaged weights are saved."""

    def batch(self, step: int) -> Any:
        """Return the batch of a step, the same whenever it is asked for."""

    def split(self, batch: Any, rank: int, n_ranks: int) -> Any:
        """Return one process's share of a batch."""

    def validate(self) -> dict[str, float]:
        """Return scores on clips that are never trained on; `loss` decides."""

    def show(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return audio [S] and pictures [rows, columns] by name."""

    def __call__(self, batch: Any) -> dict[str, Tensor]:
        """Return the losses of a batch; `loss` is what is minimized."""


@dataclass
class Progress:
    """What a run has done so far; saved with every checkpoint."""

    step: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    seconds: float = 0.0
    best_loss: float = math.inf


class Trainer:
    """Trains one task; everything it needs to go on later is in its run folder."""

    def __init__(
        self,
        task: Task,
        schedule: Schedule,
        run: RunFolder,
        fabric: lightning_fabric.Fabric,
    ) -> None:
        assert isinstance(task, nn.Module)
        self.task, self.schedule, self.run, self.fabric = task, schedule, run, fabric
        torch.manual_seed(schedule.seed)
        optimizer = torch.optim.Adam(
            task.parameters(), lr=schedule.learning_rate, betas=(0.9, 0.98), eps=1e-8
        )
        self.average = WeightAverage(task.model, schedule.average_decay)
        self.progress = Progress()
        self.module, self.optimizer = fabric.setup(task, optimizer)
        self.stopping = False

    def resume(self) -> None:
        """Go on from the run folder's last checkpoint."""
        state = self.run.load()
        self.task.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load_state_dict(state["average"])
        self.progress = Progress(**state["progress"])

    def fit(self) -> Progress:
        """Train until the schedule ends, or until the first SIGINT or SIGTERM; then save."""
        started = time.monotonic() - self.progress.seconds
        deadline = (self.schedule.max_minutes or math.inf) * 60.0 + time.monotonic()
        is_main = self.fabric.is_global_zero
        writer = SummaryWriter(str(self.run.folder / "tensorboard")) if is_main else None
        bar = tqdm(
            total=self.schedule.max_steps if self.schedule.max_minutes is None else None,
            initial=self.progress.step,
            unit="step",
            dynamic_ncols=True,
            disable=not is_main,
            mininterval=1.0,
        )
        with _stopped_by_signals(self._stop):
            while self.progress.step < self.schedule.max_steps and not self.stopping:
                losses = self._step()
                self.progress.seconds = time.monotonic() - started
                bar.update()
                bar.set_postfix(
                    {name: f"{value:.3f}" for name, value in losses.items()}, refresh=False
                )
                self._write(writer, "train", losses, every=10)
                if self.progress.step % self.schedule.validate_every == 0:
                    self._validate(writer)
                if self.progress.step % self.schedule.save_every == 0:
                    self._save()
                if time.monotonic() >= deadline:
                    break
        self._validate(writer)
        self._save()
        bar.close()
        if writer:
            writer.close()
        return self.progress

    def _stop(self) -> None:
        self.stopping = True

    def _step(self) -> dict[str, float]:
        """Take one step, or skip it where loss or gradient is not finite."""
        progress, fabric = self.progress, self.fabric
        batch = self.task.batch(progress.step)
        batch = fabric.to_device(self.task.split(batch, fabric.global_rank, fabric.world_size))
        torch.manual_seed(
            (self.schedule.seed * 1_000_003 + progress.step) * 1_009 + fabric.global_rank
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(progress.step)
        self.module.train()
        self.optimizer.zero_grad(set_to_none=True)
        losses = self.module(batch)
        fabric.backward(losses["loss"])
        norm = nn.utils.clip_grad_norm_(self.task.model.parameters(), self.schedule.clip_norm)
        progress.step += 1
        if torch.isfinite(norm):
            self.optimizer.step()
            self.average.update(self.task.model)
            progress.skipped_in_a_row = 0
        else:
            progress.skipped += 1
            progress.skipped_in_a_row += 1
            if progress.skipped_in_a_row >= self.schedule.max_skipped_in_a_row:
                raise PipelineError(
                    f"{progress.skipped_in_a_row} steps in a row had a loss or gradient that is "
                    f"not finite, up to step {progress.step}; lower --learning-rate and --resume "
                    f"from {self.run.checkpoint_path}"
                )
        facts = {name: value.item() for name, value in losses.items()}
        return facts | {"gradient norm": norm.item(), "skipped": float(progress.skipped)}

    def _learning_rate(self, step: int) -> float:
        schedule = self.schedule
        warm = min(1.0, (step + 1) / schedule.warmup_steps)
        return (
            schedule.learning_rate
            * warm
            * min(1.0, math.sqrt(schedule.decay_after_steps / (step + 1)))
        )

    def _validate(self, writer: SummaryWriter | None) -> None:
        """Score the averaged weights, keep the best, and show what they make."""
        if writer is None:
            return
        with self.average.in_place_of(self.task.model):
            scores = self.task.validate()
            self._write(writer, "validation", scores, every=1)
            audio, pictures = self.task.show()
            if scores["loss"] < self.progress.best_loss:
                self.progress.best_loss = scores["loss"]
                save_model(self.task.model, self.run.best_path)
        step, rate = self.progress.step, self.task.model.config.audio.sample_rate
        for name, samples in audio.items():
            writer.add_audio(name, np.clip(samples, -1, 1), step, sample_rate=rate)
        for name, picture in pictures.items():
            span = float(np.ptp(picture)) or 1.0
            writer.add_image(name, (picture - picture.min()) / span, step, dataformats="HW")
        minutes = self.progress.seconds / 60
        line = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        tqdm.write(f"step {step}, {minutes:.1f} min: validation {line}")

    def _save(self) -> None:
        """Save all that resuming needs, and the averaged weights as a model that speaks."""
        if not self.fabric.is_global_zero:
            return
        self.run.save(
            {
                "model": self.task.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.state_dict(),
                "progress": vars(self.progress),
            }
        )
        with self.average.in_place_of(self.task.model):
            save_model(self.task.model, self.run.model_path)

    def _write(
        self, writer: SummaryWriter | None, group: str, values: dict[str, float], *, every: int
    ) -> None:
        if writer is not None and self.progress.step % every == 0:
            for name, value in values.items():
                writer.add_scalar(f"{group}/{name}", value, self.progress.step)


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGINT or SIGTERM; a second one interrupts at once."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def handle(_kind: int, _frame: object) -> None:
        tqdm.write("stopping after this step; again to stop at once")
        stop()
        for kind in kinds:
            signal.signal(kind, before[kind])

    for kind in kinds:
        signal.signal(kind, handle)
    try:
        yield
    finally:
        for kind in kinds:
            signal.signal(kind, before[kind])
