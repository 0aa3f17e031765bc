"""What one sees of a training: the progress bar, and TensorBoard's curves, pictures and sound."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

WRITE_EVERY = 10  # steps between points of the training curves
SPEED_SECONDS = 30.0  # over about so long is the speed averaged


class Monitor:
    """Shows the steps of one session; only the main process has one.

    Args:
        folder: Where TensorBoard's files go.
        first_step: Steps taken by sessions before. What they logged beyond it, they lost.
        max_steps: Where the schedule ends.
        deadline: When it ends, by `time.monotonic`.
    """

    def __init__(self, folder: Path, *, first_step: int, max_steps: int, deadline: float) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=first_step + 1)
        self._bar = tqdm(
            total=max_steps if deadline == math.inf else None,
            initial=first_step,
            unit="step",
            dynamic_ncols=True,
            mininterval=1.0,
        )
        self._max_steps, self._deadline = max_steps, deadline
        self._last_time = time.monotonic()
        self._step_seconds = 0.0

    def step(self, step: int, facts: dict[str, float], n_samples: int) -> None:
        """Show one training step.

        Args:
            step: Steps taken so far.
            facts: Losses and the like, by name.
            n_samples: Audio samples in the step's batch.
        """
        now = time.monotonic()
        seconds, self._last_time = now - self._last_time, now
        share = 1.0 if not self._step_seconds else min(1.0, seconds / SPEED_SECONDS)
        self._step_seconds += share * (seconds - self._step_seconds)
        facts = facts | {"samples a second": n_samples / self._step_seconds}
        shown = {name: f"{value:.4g}" for name, value in facts.items()}
        self._bar.set_postfix(shown | {"left": self._left(step, now)}, refresh=False)
        self._bar.update()
        if step % WRITE_EVERY == 0:
            self._write("train", facts, step)

    def validation(self, step: int, scores: dict[str, float]) -> None:
        """Show scores by name."""
        self._write("validation", scores, step)
        line = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        tqdm.write(f"step {step}: validation {line}")

    def show(
        self,
        step: int,
        audio: dict[str, np.ndarray],
        pictures: dict[str, np.ndarray],
        sample_rate: int,
    ) -> None:
        """Show audio [S] and pictures [rows, columns] by name."""
        for name, samples in audio.items():
            self._writer.add_audio(name, np.clip(samples, -1, 1), step, sample_rate=sample_rate)
        for name, picture in pictures.items():
            span = float(np.ptp(picture)) or 1.0
            self._writer.add_image(name, (picture - picture.min()) / span, step, dataformats="HW")
        self._writer.flush()  # the page reads it
        self._last_time = time.monotonic()  # a validation or a sample is no slow step

    def flush(self) -> None:
        """Write out the curves, so that they reach at least as far as a checkpoint saved next."""
        self._writer.flush()

    def close(self) -> None:
        """End the progress bar and write out what is still in memory."""
        self._bar.close()
        self._writer.close()

    def _left(self, step: int, now: float) -> str:
        seconds = min((self._max_steps - step) * self._step_seconds, self._deadline - now)
        return str(tqdm.format_interval(max(0.0, seconds)))

    def _write(self, group: str, values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)
