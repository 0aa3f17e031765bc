"""Fine-tunes one voice at a time, in a process of its own, and reads its files."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.training_files import Training, TrainingLog
from pipeline.errors import PipelineError

MAX_FILES = 5_000
MAX_BYTES = 2 * 2**30  # of all recordings together
VALIDATIONS = 10  # at least so often, so that there is something new to hear
MAX_STEPS_BETWEEN = 100
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, kw_only=True)
class FinetuneJob:
    """What to train."""

    name: str  # of the new voice
    base_dir: Path  # the voice to begin with
    recordings: Sequence[Path]
    max_minutes: float
    max_steps: int


@dataclass(frozen=True, kw_only=True)
class JobState:
    """How a training stands."""

    name: str
    is_running: bool
    words: str
    share: float  # of the minutes it was given
    folder: Path


class FinetuneJobs:
    """Trains; voices come to stand in its folder, beside hidden ones for recordings and logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = threading.Lock()
        self._job: FinetuneJob | None = None
        self._log: TrainingLog | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._worker: threading.Thread | None = None
        self._started = 0.0
        self._is_stopping = False
        self._outcome = ""

    @property
    def is_running(self) -> bool:
        """Whether a training is under way."""
        return self._worker is not None and self._worker.is_alive()

    def start(self, job: FinetuneJob) -> None:
        """Begin a training.

        Raises:
            PipelineError: One is under way already, the name is taken or not valid, or there are no
                recordings, or too many.
        """
        with self._guard:
            if self.is_running:
                raise PipelineError("A training is under way; wait for it or stop it")
            self._check(job)
            recordings = self.folder / ".recordings" / job.name
            _copy(job.recordings, recordings)
            (self.folder / ".logs").mkdir(exist_ok=True)
            self._job, self._started = job, time.monotonic()
            self._log = TrainingLog(self.folder / job.name)
            self._is_stopping, self._outcome = False, ""
            self._worker = threading.Thread(target=self._work, args=(recordings,), daemon=True)
            self._worker.start()

    def stop(self) -> None:
        """Let the training save what it has; then its best weights become the voice."""
        if not self._is_stopping:  # a second time it would stop the publishing
            self._is_stopping = True
            self._terminate()

    def close(self) -> None:
        """End with the server: the training saves and leaves."""
        self._job = None
        self._is_stopping = True
        self._terminate()

    def _terminate(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def state(self) -> JobState | None:
        """Return how the present or last training stands; None before the first one."""
        job = self._job
        if job is None:
            return None
        seconds = time.monotonic() - self._started
        return JobState(
            name=job.name,
            is_running=self.is_running,
            words=self._words(self.folder / job.name) if self.is_running else self._outcome,
            share=min(1.0, seconds / (60.0 * job.max_minutes)) if self.is_running else 1.0,
            folder=self.folder / job.name,
        )

    def training(self) -> Training:
        """Return the losses and the latest sample of the present or last training."""
        return Training({}, b"", 0) if self._log is None else self._log.read()

    def _check(self, job: FinetuneJob) -> None:
        if not _NAME.fullmatch(job.name):
            raise PipelineError(
                f"{job.name!r} cannot name a voice; use small letters, digits and hyphens, "
                "beginning with a letter"
            )
        if (self.folder / job.name).exists():
            raise PipelineError(f"There is {self.folder / job.name} already; choose another name")
        check_recordings(job.recordings)

    def _words(self, out: Path) -> str:
        if self._is_stopping:
            return "Stopping: saving, then scoring the voice …"
        if (out / "training" / "tensorboard").exists():
            return "Training …"
        if (out / "vetting.json").exists():
            return "Scoring the voice as it is …"
        return "Vetting the recordings …"

    def _work(self, recordings: Path) -> None:
        """Run the training; after a stop run it once more, to publish what it has saved."""
        job = self._job
        assert job is not None
        out = self.folder / job.name
        log_path = self.folder / ".logs" / f"{job.name}.log"
        save_every = max(1, min(MAX_STEPS_BETWEEN, job.max_steps // VALIDATIONS))
        command = [
            *(sys.executable, "-m", "pipeline.finetune", str(recordings), "--out", str(out)),
            *("--from", str(job.base_dir), "--save-every", str(save_every)),
        ]
        with log_path.open("wb") as log:
            limits = [*("--max-minutes", f"{job.max_minutes:g}", "--max-steps", str(job.max_steps))]
            status = self._run([*command, *limits], log)
            if self._is_stopping and self._job and (out / "training" / "checkpoint.pt").exists():
                status = self._run([*command, "--resume", "--max-steps", "1"], log)
        if (out / "voice.json").is_file():
            shutil.rmtree(recordings)  # the voice keeps those clips that are good
            self._outcome = f"Done: the voice {job.name} is in the list of voices."
            return
        if not (out / "training" / "checkpoint.pt").exists():
            shutil.rmtree(out, ignore_errors=True)  # the name is free again
        if self._is_stopping:
            self._outcome = "Stopped before there was anything to keep."
        else:
            self._outcome = f"Failed: {_error(log_path) or f'exit status {status}'}"

    def _run(self, command: list[str], log: object) -> int:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,  # type: ignore[call-overload]
            stderr=subprocess.STDOUT,
        )
        return self._process.wait()


def check_recordings(recordings: Sequence[Path]) -> None:
    """Raise PipelineError where there are no recordings, or too many."""
    if not recordings:
        raise PipelineError("There are no recordings; drop at least a minute of clear speech")
    if len(recordings) > MAX_FILES:
        raise PipelineError(f"{len(recordings):,} files, at most {MAX_FILES:,} are taken at once")
    size_bytes = sum(path.stat().st_size for path in recordings)
    if size_bytes > MAX_BYTES:
        raise PipelineError(
            f"The recordings have {size_bytes / 2**30:.1f} GB together, at most "
            f"{MAX_BYTES / 2**30:.0f} GB are taken"
        )


def _copy(recordings: Sequence[Path], folder: Path) -> None:
    """Copy the recordings side by side; a name that comes twice gets a number."""
    shutil.rmtree(folder, ignore_errors=True)  # of a training that failed
    folder.mkdir(parents=True)
    for path in recordings:
        target, number = folder / path.name, 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        shutil.copyfile(path, target)


def _error(log_path: Path) -> str:
    """Return what the command said went wrong."""
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    return " ".join(lines[found[-1] :]).removeprefix("error: ") if found else ""
