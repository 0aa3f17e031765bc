"""The report of a vetting: a line for every clip, and the same as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from pipeline.atomic_write import atomic_write
from pipeline.data.preparation import Vetted
from pipeline.data.vetting import Measurements
from pipeline.tables import align_columns

HEAD = ("clip", "s", "Hz", "level", "peak", "noise", "silence", "clipped", "DC", "band", "gain")


def vetting_rows(vetted: Sequence[Vetted]) -> list[list[str]]:
    """Return the table: its head, then a row for every clip."""
    rows = [
        [clip.name, *_cells(clip.measured), f"{clip.gain_db:+.1f}", clip.left_out and "left out"]
        for clip in vetted
    ]
    return [[*HEAD, ""], *rows]


def vetting_table(vetted: Sequence[Vetted]) -> str:
    """Return the table as text, then the reason for every clip left out, and the totals."""
    reasons = [f"{clip.name} is left out: {clip.left_out}" for clip in vetted if clip.left_out]
    good = [clip.measured.seconds for clip in vetted if clip.measured and not clip.left_out]
    total = f"{len(good)} of {len(vetted)} clips are used, {sum(good) / 60:.1f} minutes"
    return "\n".join([align_columns(vetting_rows(vetted)), *reasons, total])


def write_vetting(vetted: Sequence[Vetted], path: Path) -> None:
    """Write everything that was found as JSON, whole or not at all."""
    content = json.dumps([asdict(clip) for clip in vetted], indent=1, ensure_ascii=False)
    with atomic_write(path) as part_path:
        part_path.write_text(content + "\n", encoding="utf-8")


def read_vetting(path: Path) -> list[Vetted]:
    """Return what `write_vetting` wrote."""
    clips = json.loads(path.read_text(encoding="utf-8"))
    return [
        Vetted(**{**clip, "measured": clip["measured"] and Measurements(**clip["measured"])})
        for clip in clips
    ]


def _cells(seen: Measurements | None) -> list[str]:
    if seen is None:
        return ["-"] * 9
    return [
        f"{seen.seconds:.2f}",
        f"{seen.sample_rate}",
        *(f"{db:.1f}" for db in (seen.level_db, seen.peak_db, seen.noise_db)),
        f"{seen.silence:.0%}",
        f"{seen.clipped:.2%}",
        f"{seen.dc:+.4f}",
        f"{seen.bandwidth_hz:.0f}",
    ]
