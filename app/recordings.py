"""Recordings that visitors give: what the voice of them may be called, how many, side by side."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import PipelineError

TEXT_SUFFIXES = (".csv", ".txt", ".lab", ".srt", ".vtt")  # of what is said in recordings
MAX_FILES = 5_000
MAX_BYTES = 2 * 2**30  # of all recordings together
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def check_name(name: str) -> None:
    """Raise PipelineError where a voice cannot have a name."""
    if not _NAME.fullmatch(name):
        raise PipelineError(
            f"{name!r} cannot name a voice; use small letters, digits and hyphens, "
            "beginning with a letter"
        )


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


def copy_recordings(recordings: Sequence[Path], folder: Path) -> None:
    """Copy the recordings side by side; a name that comes twice gets a number."""
    shutil.rmtree(folder, ignore_errors=True)  # of a training that failed
    folder.mkdir(parents=True)
    for path in recordings:
        target, number = folder / path.name, 1
        while target.exists():
            number += 1
            target = folder / f"{path.stem}-{number}{path.suffix}"
        shutil.copyfile(path, target)
