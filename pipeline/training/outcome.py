"""What a fine-tuning writes beside the voice: its model card and its scores."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.atomic_write import atomic_write
from pipeline.evaluation.voice_scores import plain
from pipeline.tables import align_columns
from pipeline.training.report import ScoreChange, score_change_rows

Facts = Mapping[str, str | float]


def write_card(folder: Path, base_dir: Path, facts: Facts, rows: Sequence[ScoreChange]) -> None:
    """Write the voice's model card and the scores as JSON."""
    name, today = folder.resolve().name, datetime.datetime.now(datetime.UTC).date()
    base_card = base_dir / "README.md"
    lines = [
        f"# {name}",
        "",
        f"A voice of this repository, fine-tuned on {today} from `{facts['base voice']}`"
        f" on {facts['clips trained on']} clips of `{facts['recordings']}`.",
        "",
        "Its licence is that of the base voice and of the recordings, and whoever was recorded"
        " has to agree to its use: neither is known to the program. Write both down here.",
        "",
        "## How it was made",
        "",
        *(f"- {key}: {value}" for key, value in facts.items()),
        "",
        f"## Scores on {rows[0].before.n_clips} clips that were never trained on",
        "",
        "```",
        score_change_text(rows),
        "```",
        "",
        "`report.html` beside this file has the curves, spectrograms and audio.",
    ]
    if base_card.exists():
        lines += ["", "## The base voice", "", base_card.read_text(encoding="utf-8").strip()]
    with atomic_write(folder / "README.md") as part_path:
        part_path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = [
        {"score": row.label}
        | {
            part: plain(dataclasses.asdict(getattr(row, part)))
            for part in ("before", "after", "difference")
        }
        for row in rows
    ]
    with atomic_write(folder / "scores.json") as part_path:
        part_path.write_text(json.dumps({"facts": dict(facts), "scores": content}, indent=2) + "\n")


def score_change_text(rows: Sequence[ScoreChange]) -> str:
    """Return the scores before and after as a table."""
    return align_columns(score_change_rows(rows))
