"""What a benchmark found, as a table and as JSON, with the machine that it was found on."""

from __future__ import annotations

import datetime
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch

from pipeline.benchmark.nemo_models import has_nemo
from pipeline.tables import align_columns


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One line of the table."""

    row: str  # one of `ROW_NAMES`
    what: str
    value: float
    unit: str  # empty for a ratio
    nemo: float | None = None  # in the same unit
    times_nemo: float | None = None  # how many times as fast as NeMo's: median over the pairs
    limit: Literal["product", "copy"] | None = None  # what bounds it on this machine
    share: float | None = None  # of that limit, 1 at best


class Report(NamedTuple):
    """All that was measured in one run."""

    machine: dict[str, Any]
    measurements: list[Measurement]
    notes: list[str]  # sentences


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Return the facts without which no figure means anything."""
    return {
        "processor": _processor(),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "nemo": _nemo_version(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def table(report: Report) -> str:
    """Return the machine in one line, the table, and the notes."""
    machine = report.machine
    head = (
        f"{machine['gpu'] or machine['processor']}, threads: {machine['threads']}, "
        f"torch {machine['torch']}, {machine['date']}"
    )
    rows = [("", "here", "NeMo", "times as fast", "share of the limit")]
    rows += [_cells(measurement) for measurement in report.measurements]
    return "\n".join([head, "", align_columns(rows), *report.notes])


def as_json(report: Report) -> dict[str, Any]:
    """Return the same as JSON can hold it."""
    return {
        "machine": report.machine,
        "measurements": [asdict(measurement) for measurement in report.measurements],
        "notes": report.notes,
    }


def _cells(one: Measurement) -> tuple[str, str, str, str, str]:
    return (
        one.what,
        f"{one.value:.4g} {one.unit}".rstrip(),
        "" if one.nemo is None else f"{one.nemo:.4g} {one.unit}".rstrip(),
        "" if one.times_nemo is None else f"{one.times_nemo:.2f}",
        "" if one.share is None else f"{one.share:.0%} of the {one.limit}",
    )


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _nemo_version() -> str | None:
    if not has_nemo():
        return None
    from importlib.metadata import version

    return version("nemo-toolkit")
