"""The training loop of both models, on Lightning Fabric: one process or many, one way to resume."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Protocol

import lightning.fabric as lightning_fabric
import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from pipeline.checkpoints import save_model
from pipeline.errors import PipelineError
from pipeline.tacotron2 import Tacotron2
from pipeline.training.average import average_of, averaged_model_of
from pipeline.training.interruption import stopped_by_signals
from pipeline.training.monitor import Monitor
from pipeline.training.run_folder import RunFolder
from pipeline.waveglow import WaveGlow


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long to train, and what happens how often."""

    learning_rate: float
    max_steps: int = 1_000_000
    warmup_steps: int = 200
    decay_after_steps: int = 4_000  # from there the rate falls with the square root of the step
    clip_norm: float = 1.0
    average_decay: float = 0.999  # of the exponential moving average of the weights
    max_skipped_in_a_row: int = 20  # steps with a loss or gradient that is not finite
    validate_every: int = 500
    save_every: int = 500
    sample_seconds: float = math.inf  # what the model makes is shown at least so often
    patience: int | None = None  # validations in a row without a new best before training ends
    seed: int = 0


class Task(Protocol):
    """A model, what it is fed and what it is scored by; an `nn.Module` whose call is the loss."""

    name: str
    learning_rate: float
    betas: tuple[float, float]  # of Adam
    batch_size: int  # of all processes together

    @property
    def model(self) -> WaveGlow | Tacotron2:
        """The model whose averaged weights are saved."""

    def batch(self, step: int) -> Any:
        """Return the batch of a step, the same whenever it is asked for."""

    def split(self, batch: Any, rank: int, n_ranks: int) -> Any:
        """Return one process's share of a batch."""

    def n_samples(self, batch: Any) -> int:
        """Return how many audio samples a batch stands for."""

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
    best_step: int = 0
    validated_step: int = -1  # the last one that was validated after
    validations_since_best: int = 0


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
        if task.batch_size % fabric.world_size:
            raise PipelineError(
                f"A batch size of {task.batch_size} cannot be shared evenly by "
                f"{fabric.world_size} processes; give --batch-size a multiple"
            )
        self.task, self.schedule, self.run, self.fabric = task, schedule, run, fabric
        torch.manual_seed(schedule.seed)
        optimizer = torch.optim.Adam(
            task.parameters(), lr=schedule.learning_rate, betas=task.betas, eps=1e-8
        )
        self.module, self.optimizer = fabric.setup(task, optimizer)
        self.average = average_of(task.model, schedule.average_decay)
        self.progress = Progress()
        self._was_interrupted = False
        self._validation_seconds = 0.0
        self._shown_time = -math.inf  # when the model was shown last

    def resume(self) -> None:
        """Go on from the run folder's last checkpoint.

        Raises:
            PipelineError: It cannot be read, or holds a model of other sizes.
        """
        state = self.run.load()
        try:
            self.task.load_state_dict(state["task"])
            self.average.load_state_dict(state["average"])
        except RuntimeError as error:
            raise PipelineError(
                f"{self.run.checkpoint_path} holds a model of other sizes than are asked for; "
                "resume it with the options and the version that it began with"
            ) from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])

    def fit(self, *, deadline: float = math.inf) -> Progress:
        """Train until the schedule ends or, by `time.monotonic`, the deadline comes; then save.

        The last validation happens before the deadline too.

        Raises:
            KeyboardInterrupt: After the first SIGINT or SIGTERM, when all has been saved.
            PipelineError: Too many steps in a row were not finite, or the disk is full.
        """
        started = time.monotonic() - self.progress.seconds
        monitor = self._monitor(deadline) if self.fabric.is_global_zero else None
        if monitor:
            self.run.check_space(2 * self._checkpoint_bytes())
        if self.progress.step == 0:
            self._validate(monitor)
        with stopped_by_signals(self._interrupt):
            while not self._has_ended(deadline):
                batch = self.task.batch(self.progress.step)
                facts = self._step(batch)
                self.progress.seconds = time.monotonic() - started
                if monitor:
                    monitor.step(self.progress.step, facts, self.task.n_samples(batch))
                if self.progress.step % self.schedule.validate_every == 0:
                    self._validate(monitor)
                elif monitor and self._is_sample_due():
                    self._show(monitor)
                if self.progress.step % self.schedule.save_every == 0:
                    self._save(monitor)
        if not self._was_interrupted and self.progress.validated_step != self.progress.step:
            self._validate(monitor)
        self._save(monitor)
        if monitor:
            monitor.close()
        if self._was_interrupted:
            tqdm.write(f"saved at step {self.progress.step}; --resume goes on from there")
            raise KeyboardInterrupt
        return self.progress

    def _monitor(self, deadline: float) -> Monitor:
        return Monitor(
            self.run.tensorboard_dir,
            first_step=self.progress.step,
            max_steps=self.schedule.max_steps,
            deadline=deadline,
        )

    def _interrupt(self) -> None:
        self._was_interrupted = True

    def _has_ended(self, deadline: float) -> bool:
        """Say whether to take no further step; all processes agree."""
        progress, schedule = self.progress, self.schedule
        is_patient = (
            schedule.patience is None or progress.validations_since_best < schedule.patience
        )
        in_time = time.monotonic() + self._validation_seconds < deadline
        has_ended = progress.step >= schedule.max_steps or not is_patient or not in_time
        flags = torch.tensor([float(has_ended), float(self._was_interrupted)])
        ended, interrupted = self._over_all(flags, "max").tolist()
        self._was_interrupted = bool(interrupted)
        return bool(ended or interrupted)

    def _over_all(self, values: Tensor, operation: str) -> Tensor:
        if self.fabric.world_size == 1:
            return values
        reduced = self.fabric.all_reduce(values.to(self.fabric.device), reduce_op=operation)
        assert isinstance(reduced, Tensor)
        return reduced

    def _step(self, batch: Any) -> dict[str, float]:
        """Take one step, or skip it where loss or gradient is not finite."""
        progress, fabric, schedule = self.progress, self.fabric, self.schedule
        share = self.task.split(batch, fabric.global_rank, fabric.world_size)
        torch.manual_seed((schedule.seed * 1_000_003 + progress.step) * 1_009 + fabric.global_rank)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate(progress.step)
        self.module.train()
        self.optimizer.zero_grad(set_to_none=True)
        statistics = [buffer.clone() for buffer in self.task.model.buffers()]
        losses = self.module(fabric.to_device(share))
        fabric.backward(losses["loss"])
        norm = nn.utils.clip_grad_norm_(self.task.model.parameters(), schedule.clip_norm)
        values = self._over_all(torch.stack([loss.detach() for loss in losses.values()]), "mean")
        progress.step += 1
        if torch.isfinite(norm) and torch.isfinite(values).all():
            self.optimizer.step()
            self.average.update_parameters(self.task.model)
            progress.skipped_in_a_row = 0
        else:
            for buffer, before in zip(self.task.model.buffers(), statistics, strict=True):
                buffer.copy_(before)  # batch normalization has seen what was not finite
            self._count_skipped()
        facts = dict(zip(losses, values.tolist(), strict=True))
        return facts | {"gradient norm": norm.item(), "skipped": float(progress.skipped)}

    def _count_skipped(self) -> None:
        progress = self.progress
        progress.skipped += 1
        progress.skipped_in_a_row += 1
        if progress.skipped_in_a_row >= self.schedule.max_skipped_in_a_row:
            raise PipelineError(
                f"{progress.skipped_in_a_row} steps in a row had a loss or gradient that is "
                f"not finite, up to step {progress.step}; lower --learning-rate and --resume "
                f"from {self.run.checkpoint_path}"
            )

    def _learning_rate(self, step: int) -> float:
        schedule = self.schedule
        warm = min(1.0, (step + 1) / schedule.warmup_steps)
        fading = min(1.0, math.sqrt(schedule.decay_after_steps / (step + 1)))
        return schedule.learning_rate * warm * fading

    def _validate(self, monitor: Monitor | None) -> None:
        """Score the averaged weights, keep the best, and show what they make."""
        started = time.monotonic()
        progress = self.progress
        if monitor:
            with averaged_model_of(self.task, self.average):
                scores = self.task.validate()
                if scores["loss"] < progress.best_loss:
                    progress.best_loss, progress.best_step = scores["loss"], progress.step
                    progress.validations_since_best = 0
                    save_model(self.task.model, self.run.best_path)
                else:
                    progress.validations_since_best += 1
            monitor.validation(progress.step, scores)
            self._show(monitor)
        progress.validated_step = progress.step
        self._validation_seconds = time.monotonic() - started

    def _is_sample_due(self) -> bool:
        return time.monotonic() - self._shown_time >= self.schedule.sample_seconds

    def _show(self, monitor: Monitor) -> None:
        """Let it be heard and seen what the averaged weights make."""
        with averaged_model_of(self.task, self.average):
            audio, pictures = self.task.show()
        rate = self.task.model.config.audio.sample_rate
        monitor.show(self.progress.step, audio, pictures, rate)
        self._shown_time = time.monotonic()

    def _save(self, monitor: Monitor | None) -> None:
        """Save all that resuming needs, and the averaged weights as a model that speaks."""
        if not monitor:
            return
        monitor.flush()
        self.run.check_space(self._checkpoint_bytes())
        self.run.save(
            {
                "task": self.task.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "average": self.average.state_dict(),
                "progress": vars(self.progress),
            }
        )
        with averaged_model_of(self.task, self.average):
            save_model(self.task.model, self.run.model_path)

    def _checkpoint_bytes(self) -> int:
        """Return about how much `_save` writes: weights, average, Adam's two moments, the model."""
        return 5 * sum(int(weight.nbytes) for weight in self.average.state_dict().values())
