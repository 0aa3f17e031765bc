"""Fine-tunes one voice at a time, in a process of its own, and reads its files."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.recordings import check_name, check_recordings, copy_recordings
from app.takes import Takes
from app.training_files import Training, TrainingLog, stage_words
from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError

VALIDATIONS = 10  # at least so often, so that there is something new to hear
MAX_STEPS_BETWEEN = 100
RECORD_FILE = "finetune.json"  # in the folder of a training, from its beginning
VOICE_FILE = "voice.json"  # in the folder of a training that came to its end


@dataclass(frozen=True, kw_only=True)
class FinetuneJob:
    """What to train."""

    name: str  # of the new voice
    base_dir: Path  # the voice to begin with
    recordings: Sequence[Path]  # and their texts
    max_minutes: float
    max_steps: int
    speaker: str = ""  # who was recorded
    consent: str = ""  # what the speaker has agreed to


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
        self.takes = Takes(folder / ".takes")
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
            copy_recordings(job.recordings, self._recordings(job.name))
            (self.folder / ".logs").mkdir(exist_ok=True)
            self._write_facts(job)
            self._begin(job)

    def interrupted(self) -> list[str]:
        """Return the names of trainings that can go on: not finished, and not running."""
        running = self._job.name if self._job and self.is_running else ""
        folders = (path.parent for path in sorted(self.folder.glob(f"*/{RECORD_FILE}")))
        return [
            folder.name
            for folder in folders
            if folder.name != running
            and not (folder / VOICE_FILE).exists()
            and self._facts_path(folder.name).is_file()
        ]

    def resume(self, name: str, *, max_minutes: float) -> None:
        """Go on with a training from where it was saved last.

        Args:
            name: One of `interrupted`.
            max_minutes: How long it may take from now on.

        Raises:
            PipelineError: One is under way already, or there is nothing of that name to go on with.
        """
        with self._guard:
            if self.is_running:
                raise PipelineError("A training is under way; wait for it or stop it")
            if name not in self.interrupted():
                raise PipelineError(f"There is no interrupted training {name!r}; train it anew")
            facts = json.loads(self._facts_path(name).read_text(encoding="utf-8"))
            self._begin(
                FinetuneJob(
                    name=name,
                    base_dir=Path(facts["base_dir"]),
                    recordings=[],  # copied when it began
                    max_minutes=max_minutes,
                    max_steps=facts["max_steps"],
                    speaker=facts["speaker"],
                    consent=facts["consent"],
                )
            )

    def discard(self, name: str) -> None:
        """Delete an interrupted training with its recordings; the name is free again."""
        with self._guard:
            if name in self.interrupted():
                self._delete(name)

    def _begin(self, job: FinetuneJob) -> None:
        self._job, self._started = job, time.monotonic()
        self._log = TrainingLog(self.folder / job.name)
        self._is_stopping, self._outcome = False, ""
        self._worker = threading.Thread(target=self._work, args=(job,), daemon=True)
        self._worker.start()

    def _recordings(self, name: str) -> Path:
        return self.folder / ".recordings" / name

    def _log_path(self, name: str) -> Path:
        return self.folder / ".logs" / f"{name}.log"

    def _facts_path(self, name: str) -> Path:
        """Return where it is written how a training began, so that it can go on the same way."""
        return self.folder / ".jobs" / f"{name}.json"

    def _write_facts(self, job: FinetuneJob) -> None:
        path = self._facts_path(job.name)
        path.parent.mkdir(exist_ok=True)
        facts = {
            "base_dir": str(job.base_dir.resolve()),
            "max_steps": job.max_steps,
            "speaker": job.speaker,
            "consent": job.consent,
        }
        with atomic_write(path) as part_path:
            part_path.write_text(json.dumps(facts), encoding="utf-8")

    def _delete(self, name: str) -> None:
        """Leave nothing of a training behind."""
        for folder in (self.folder / name, self._recordings(name)):
            shutil.rmtree(folder, ignore_errors=True)
        for path in (self._facts_path(name), self._log_path(name)):
            path.unlink(missing_ok=True)

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
            words=self._words(job, seconds / 60.0) if self.is_running else self._outcome,
            share=min(1.0, seconds / (60.0 * job.max_minutes)) if self.is_running else 1.0,
            folder=self.folder / job.name,
        )

    def training(self) -> Training:
        """Return the losses and the latest sample of the present or last training."""
        return Training({}, b"", 0) if self._log is None else self._log.read()

    def _check(self, job: FinetuneJob) -> None:
        check_name(job.name)
        if job.name in self.interrupted():
            raise PipelineError(
                f"A training of {job.name} was interrupted; resume or discard it, or choose "
                "another name"
            )
        if (self.folder / job.name).exists():
            raise PipelineError(f"There is {self.folder / job.name} already; choose another name")
        check_recordings(job.recordings)

    def _words(self, job: FinetuneJob, minutes: float) -> str:
        out = self.folder / job.name
        if self._is_stopping:
            return "Stopping: saving, then scoring the voice …"
        if (out / "after").exists():
            return "Scoring the new voice …"
        if stage := stage_words(out):
            left = max(0.0, job.max_minutes - minutes)
            return f"Training {stage}; {left:.0f} of {job.max_minutes:g} minutes left …"
        if (out / "vetting.json").exists():
            return "Scoring the voice as it is …"
        return "Vetting the recordings …"

    def _work(self, job: FinetuneJob) -> None:
        """Run the training; after a stop run it once more, to publish what it has saved."""
        out, log_path = self.folder / job.name, self._log_path(job.name)
        save_every = max(1, min(MAX_STEPS_BETWEEN, job.max_steps // VALIDATIONS))
        command = [
            *(sys.executable, "-m", "pipeline.finetune", str(self._recordings(job.name))),
            *("--out", str(out), "--from", str(job.base_dir), "--save-every", str(save_every)),
            *("--speaker", job.speaker, "--consent", job.consent),
        ]
        limits = ["--max-minutes", f"{job.max_minutes:g}", "--max-steps", str(job.max_steps)]
        goes_on = ["--resume"] if (out / RECORD_FILE).exists() else []
        with log_path.open("ab") as log:
            status = self._run([*command, *limits, *goes_on], log)
            if self._is_stopping and self._job and _has_checkpoint(out):
                status = self._run([*command, "--resume", "--max-steps", "1"], log)
        self._outcome = self._conclude(job.name, status)

    def _conclude(self, name: str, status: int) -> str:
        """Return how a training ended; one that cannot go on leaves nothing behind."""
        out, log_path = self.folder / name, self._log_path(name)
        if (out / VOICE_FILE).is_file():
            shutil.rmtree(self._recordings(name))  # the voice keeps those clips that are good
            self.takes.discard(name)
            self._facts_path(name).unlink(missing_ok=True)
            return f"Done: the voice {name} is in the list of voices."
        if self._job is None:  # the server ends
            return ""
        reason = _error(log_path)
        if _has_checkpoint(out):
            return f"Failed: {reason or f'exit status {status}'}. What is saved can be resumed."
        if self._is_stopping or reason:
            self._delete(name)
            return f"Failed: {reason}" if reason else "Stopped before there was anything to keep."
        report = log_path.rename(log_path.with_suffix(".failed.log"))
        self._delete(name)
        return f"Failed with exit status {status}; what it printed is in {report}"

    def _run(self, command: list[str], log: object) -> int:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,  # type: ignore[call-overload]
            stderr=subprocess.STDOUT,
        )
        return self._process.wait()


def _has_checkpoint(folder: Path) -> bool:
    return any(folder.rglob("checkpoint.pt"))


def _error(log_path: Path) -> str:
    """Return what the command said went wrong."""
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [number for number, line in enumerate(lines) if line.startswith("error: ")]
    return " ".join(lines[found[-1] :]).removeprefix("error: ") if found else ""
