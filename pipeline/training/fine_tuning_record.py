"""What makes a fine-tuning what it is; kept in its folder, so that it is resumed as it began."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from pipeline.atomic_write import atomic_write
from pipeline.errors import PipelineError


@dataclass(frozen=True, kw_only=True)
class FineTuningRecord:
    """What makes a fine-tuning what it is: `--resume` must come with the same."""

    recordings: str
    base: str
    tacotron2_sha256: str  # before
    waveglow_sha256: str
    model: str | None  # None: as the recordings allow
    gta: bool
    batch_size: int | None  # None: each recipe's
    learning_rate: float | None
    precision: str
    save_every: int
    seed: int


def write_record(record: FineTuningRecord, path: Path) -> None:
    """Write the record as JSON, whole or not at all."""
    with atomic_write(path) as part_path:
        part_path.write_text(json.dumps(dataclasses.asdict(record), indent=2) + "\n")


def check_record(record: FineTuningRecord, path: Path) -> None:
    """Raise PipelineError where a fine-tuning was not begun, or was with other settings."""
    try:
        before = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise PipelineError(f"Cannot resume from {path}: {error}") from error
    for name, value in dataclasses.asdict(record).items():
        if before.get(name) != value:
            raise PipelineError(
                f"{path.parent} was begun with {name} {before.get(name)!r}, not {value!r}; "
                "--resume needs the same, or choose another --out"
            )
