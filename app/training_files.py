"""What a training writes while it runs: the vetting, the losses and the latest sample."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.mel import AudioConfig

if TYPE_CHECKING:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    from pipeline.data.preparation import Vetted

STAGES = {  # by the folder of a stage
    "speaker": "the new speaker among the predictor's",
    "predictor": "the predictor",
    "contour": "the pitch",
    "flow": "the details of the mel",
    "training": "the vocoder",
}
Curve = list[tuple[int, float]]  # steps and losses


class Training(NamedTuple):
    """What TensorBoard's files say so far."""

    curves: dict[str, Curve]  # "train" and "validation"
    sample: bytes  # wav of a clip that is held out, as it is made now; b"" before the first one
    sample_step: int


class TrainingLog:
    """TensorBoard's files of one training's latest stage, read on from where reading ended."""

    def __init__(self, folder: Path) -> None:
        """Read nothing yet.

        Args:
            folder: The one that `pipeline.finetune` fills.
        """
        self._guard = threading.Lock()
        self._training_dir = folder / "training"
        self._folder: Path | None = None  # of the stage that was read last
        self._events: EventAccumulator | None = None

    def read(self) -> Training:
        """Return what has been logged; all empty where nothing has."""
        with self._guard:
            folder = _latest_stage(self._training_dir)
            if folder is None:
                return Training({}, b"", 0)
            if self._events is None or folder != self._folder:
                self._folder, self._events = folder, open_events(folder)
            self._events.Reload()
            return _summary(self._events)


def stage_words(folder: Path) -> str:
    """Return what a training is at, "" before its first stage.

    Args:
        folder: The one that `pipeline.finetune` fills.
    """
    stage = _latest_stage(folder / "training")
    return "" if stage is None else STAGES.get(stage.parent.name, "")


def _latest_stage(training_dir: Path) -> Path | None:
    """Return TensorBoard's folder of the stage that began last, None before the first one."""
    folders = [path for path in training_dir.rglob("tensorboard") if path.is_dir()]
    return max(folders, key=lambda path: path.stat().st_mtime_ns, default=None)


def open_events(folder: Path) -> EventAccumulator:
    """Return a reader of TensorBoard's files that keeps all losses and the last sound."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder), size_guidance={"scalars": 0, "audio": 1})


def _summary(events: EventAccumulator) -> Training:
    tags = events.Tags()
    curves = {
        group: sorted(
            {point.step: point.value for point in events.Scalars(f"{group}/loss")}.items()
        )
        for group in ("train", "validation")
        if f"{group}/loss" in tags["scalars"]
    }
    heard = next((name for name in ("spoken", "vocoded") if name in tags["audio"]), None)
    if heard is None:
        return Training(curves, b"", 0)
    latest = events.Audio(heard)[-1]
    return Training(curves, latest.encoded_audio_string, latest.step)


def vet(path: Path, audio: AudioConfig, seen: dict[str, str]) -> list[Vetted]:
    """Return the vetting of one recording's clips.

    Args:
        path: The recording.
        audio: Settings of the voice to begin with.
        seen: Clips by fingerprint, to know copies by; it grows.
    """
    from pipeline.data.preparation import vet_source
    from pipeline.data.transcripts import Source

    source = Source(name=path.stem, path=path, text=None, is_held_out=False)
    clips = vet_source(source, path.parent, audio, 0.0, needs_text=False, seen=seen)
    return [clip for clip, _ in clips]


def vetting_rows(vetted: Sequence[Vetted]) -> list[list[str]]:
    """Return the table of a vetting, its head first; the second column is the verdict."""
    from pipeline.data.vetting_report import vetting_rows

    verdicts = ["verdict", *(clip.left_out or "good" for clip in vetted)]
    return [
        [row[0], verdict, *row[1:-1]]
        for row, verdict in zip(vetting_rows(vetted), verdicts, strict=True)
    ]


def read_vetting(folder: Path) -> list[Vetted]:
    """Return the vetting that a training made; nothing before it has."""
    from pipeline.data.vetting_report import read_vetting

    path = folder / "vetting.json"
    return read_vetting(path) if path.exists() else []
