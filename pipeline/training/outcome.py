"""What a fine-tuning tells beside the voice: its facts, its scores and its model card."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.atomic_write import atomic_write
from pipeline.evaluation.voice_scores import LABELS, plain
from pipeline.tables import align_columns
from pipeline.training.engine import Progress
from pipeline.training.fine_tuning_stages import Material, Stage
from pipeline.training.options import ModelName
from pipeline.training.report import ScoreChange, score_change_rows
from pipeline.voices import Voice

Facts = Mapping[str, str | float]
VOCODER_LABELS = {  # what a vocoder is judged by, and where it is better
    LABELS["pesq"]: "up",
    LABELS["stoi"]: "up",
    LABELS["mel_distance"]: "down",
    LABELS["mcd_db"]: "down",
}


def training_facts(
    material: Material, models: Sequence[ModelName], ends: Mapping[Stage, Progress]
) -> Facts:
    """Return what was trained on what, and how far each stage came."""
    corpus, record = material.corpus, material.record
    facts: dict[str, str | float] = {
        "models": ", ".join(models),
        "base voice": material.base.name,
        "sha256 of its Tacotron 2": record.tacotron2_sha256,
        "sha256 of its WaveGlow": record.waveglow_sha256,
        "recordings": Path(record.recordings).name,
        "clips trained on": len(corpus.train),
        "clips held out": len(corpus.validation),
        "mels": "predicted by Tacotron 2" if record.gta else "of the recordings",
        "precision": record.precision,
        "seed": record.seed,
    }
    for stage, progress in ends.items():
        name = f"{stage.name}: " if len(ends) > 1 else ""
        facts |= {
            f"{name}learning rate": stage.schedule.learning_rate,
            f"{name}steps": progress.step,
            f"{name}best step": progress.best_step,
            f"{name}best validation loss": round(progress.best_loss, 4),
            f"{name}steps skipped": progress.skipped,
            f"{name}minutes of training": round(progress.seconds / 60, 1),
        }
    return facts


def write_card(
    folder: Path, base_dir: Path, voice: Voice, facts: Facts, rows: Sequence[ScoreChange]
) -> None:
    """Write the voice's model card and the scores as JSON."""
    name, today = folder.resolve().name, datetime.datetime.now(datetime.UTC).date()
    base_card = base_dir / "README.md"
    lines = [
        f"# {name}",
        "",
        f"A voice of this repository, fine-tuned on {today} from `{facts['base voice']}`"
        f" on {facts['clips trained on']} clips of `{facts['recordings']}`.",
        "",
        f"Speaker: {voice.speaker_name or 'not named'}.",
        f"Consent: {voice.consent or 'not recorded; the speaker has to agree to its use'}.",
        "",
        "Its licence is that of the base voice and of the recordings; write it down here.",
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


def without_steps(steps: Mapping[str, int]) -> list[str]:
    """Return in sentences which stages the time did not reach, by how many steps each took."""
    return [
        f"Stage {name}: there was no time for a step; more minutes would help."
        for name, n_steps in steps.items()
        if not n_steps
    ]


def verdicts(rows: Sequence[ScoreChange], best_steps: Mapping[str, int]) -> list[str]:
    """Return in sentences what training could not better.

    Args:
        rows: Scores before and after.
        best_steps: Of each stage that was trained, by name; 0 where no step was better than none.
    """
    words = [
        f"Stage {name}: no step was better on the held-back clips, so none is kept."
        for name, step in best_steps.items()
        if name != "vocoder" and not step
    ]
    judged = [row for row in rows if row.label in VOCODER_LABELS]
    is_better = any(_gain(row) > 2.0 * row.difference.standard_error for row in judged)
    if "vocoder" in best_steps and not (best_steps["vocoder"] and is_better):
        words.append(
            "Your base vocoder already does as well: no score of the held-back clips is better "
            "by more than twice its standard error."
        )
    return words


def _gain(row: ScoreChange) -> float:
    return row.difference.mean if VOCODER_LABELS[row.label] == "up" else -row.difference.mean


def score_change_text(rows: Sequence[ScoreChange]) -> str:
    """Return the scores before and after as a table."""
    return align_columns(score_change_rows(rows))
