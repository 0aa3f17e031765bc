"""The report of a fine-tuning: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.atomic_write import atomic_write
from pipeline.data.preparation import Vetted
from pipeline.data.vetting_report import vetting_rows
from pipeline.evaluation.comparison import Average, average, mel_of
from pipeline.evaluation.voice_scores import LABELS
from pipeline.mel import AudioConfig
from pipeline.training.assessment import Assessment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCORE_LABELS = LABELS | {
    "distance_in_step": "mel distance in step with the recording (nepers)",
    "word_error_rate": "word error rate of a recognizer",
    "seconds_per_recorded_second": "length of speech against the recording",
}
STYLE = """body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; }
table { border-collapse: collapse; } td, th { padding: .15em .8em; text-align: right; }
td:first-child, th:first-child { text-align: left; } tr:nth-child(even) { background: #f3f3f3; }
img { max-width: 100%; } audio { height: 2em; vertical-align: middle; }"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One validation clip to look at and to listen to."""

    name: str
    audio: dict[str, np.ndarray]  # [S] by version: recorded, before, after


@dataclass(frozen=True, kw_only=True)
class ScoreChange:
    """One score before and after, and the mean of the clips' own differences."""

    label: str
    before: Average
    after: Average
    difference: Average


def score_changes(before: Assessment, after: Assessment) -> list[ScoreChange]:
    """Return every score of the same clips before and after."""
    rows = []
    for name in before.scores[0]:
        values = [
            np.array([clip[name] for clip in assessment.scores]) for assessment in (before, after)
        ]
        rows.append(
            ScoreChange(
                label=SCORE_LABELS[name],
                before=average(values[0].tolist()),
                after=average(values[1].tolist()),
                difference=average((values[1] - values[0]).tolist()),
            )
        )
    return rows


def read_curves(tensorboard_dir: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Return steps and losses by "train" and "validation", what killed sessions redid only once."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tensorboard_dir), size_guidance={"scalars": 0})
    events.Reload()
    curves = {}
    for group in ("train", "validation"):
        tag = f"{group}/loss"
        points = events.Scalars(tag) if tag in events.Tags()["scalars"] else []
        by_step = {point.step: point.value for point in points}
        curves[group] = (sorted(by_step), [by_step[step] for step in sorted(by_step)])
    return curves


def write_report(
    path: Path,
    *,
    title: str,
    facts: dict[str, Any],
    rows: Sequence[ScoreChange],
    curves: dict[str, tuple[list[int], list[float]]],
    samples: Sequence[Sample],
    vetted: Sequence[Vetted],
    audio: AudioConfig,
) -> None:
    """Write the report, whole or not at all."""
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _table([[name, str(value)] for name, value in facts.items()]),
        "<h2>Before and after, on clips that were never trained on</h2>",
        score_change_table(rows),
        "<h2>Loss</h2>",
        _image(_draw_curves(curves)),
        "<h2>Listen and look</h2>",
        *(_sample(sample, audio) for sample in samples),
        "<h2>Recordings</h2>",
        _left_out(vetted),
        f"<details><summary>All {len(vetted)} clips</summary>",
        f"{_table(vetting_rows(vetted))}</details>",
    ]
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{html.escape(title)}</title>"
        f"<style>{STYLE}</style>{''.join(parts)}</html>"
    )
    with atomic_write(path) as part_path:
        part_path.write_text(page, encoding="utf-8")


def score_change_table(rows: Sequence[ScoreChange]) -> str:
    """Return the scores as an HTML table."""
    head = ["", "before", "after", "difference of each clip, mean"]
    body = [[r.label, *(number(a) for a in (r.before, r.after, r.difference))] for r in rows]
    return _table([head, *body])


def number(value: Average) -> str:
    """Return a mean and its standard error as far as they exist."""
    if not value.n_clips:
        return "-"
    spread = "" if math.isnan(value.standard_error) else f" ± {value.standard_error:.3f}"
    return f"{value.mean:.3f}{spread}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _left_out(vetted: Sequence[Vetted]) -> str:
    bad = [clip for clip in vetted if clip.left_out]
    if not bad:
        return "<p>All clips are used.</p>"
    return f"<p>Left out:</p>{_table([[clip.name, clip.left_out] for clip in bad])}"


def _sample(sample: Sample, audio: AudioConfig) -> str:
    players = " ".join(
        f"{html.escape(version)} <audio controls src='data:audio/flac;base64,"
        f"{_encoded(_flac(samples, audio.sample_rate))}'></audio>"
        for version, samples in sample.audio.items()
    )
    picture = _image(_draw_mels(sample, audio))
    return f"<h3>{html.escape(sample.name)}</h3><p>{players}</p>{picture}"


def _draw_curves(curves: dict[str, tuple[list[int], list[float]]]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.5), layout="constrained")
    axes = figure.subplots()
    for (name, (steps, losses)), alpha in zip(curves.items(), (0.5, 1.0), strict=True):
        axes.plot(
            steps, losses, marker="." if name == "validation" else "", alpha=alpha, label=name
        )
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
    return figure


def _draw_mels(sample: Sample, audio: AudioConfig) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 2.6), layout="constrained")
    axes = figure.subplots(1, len(sample.audio), squeeze=False)[0]
    for place, (version, samples) in zip(axes, sample.audio.items(), strict=True):
        place.imshow(
            mel_of(samples, audio),
            origin="lower",
            aspect="auto",
            extent=(0.0, len(samples) / audio.sample_rate, 0, audio.n_mels),  # seconds, channels
            vmin=math.log(audio.magnitude_floor),
            vmax=1.0,
        )
        place.set(title=version, xlabel="seconds", ylabel="mel channel")
    return figure


def _image(figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return f"<img alt='' src='data:image/png;base64,{_encoded(content.getvalue())}'>"


def _flac(audio: np.ndarray, sample_rate: int) -> bytes:
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, np.clip(audio, -1, 1), sample_rate, format="FLAC")
    return content.getvalue()


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
