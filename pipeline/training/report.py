"""The report of a fine-tuning: one HTML file that needs nothing beside it."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping, Sequence
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
    "pitch_offset": "mean pitch, off the recording's (semitones)",
    "pitch_spread": "spread of pitch against the recording",
}
Curves = dict[str, tuple[list[int], list[float]]]
"""Steps and losses by "train" and "validation"."""
TEMPLATE_PATH = Path(__file__).with_name("report.html.jinja")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One validation clip to look at and to listen to."""

    name: str
    audio: dict[str, np.ndarray]  # [S] by version: recorded, base voice, new voice


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


def read_curves(tensorboard_dir: Path) -> Curves:
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
    words: Sequence[str],
    facts: Mapping[str, Any],
    rows: Sequence[ScoreChange],
    curves: dict[str, Curves],
    samples: Sequence[Sample],
    vetted: Sequence[Vetted],
    audio: AudioConfig,
) -> None:
    """Write the report, whole or not at all."""
    from jinja2 import Environment, StrictUndefined  # only a finished fine-tuning needs it

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string(TEMPLATE_PATH.read_text(encoding="utf-8"))
    page = template.render(
        title=title,
        words=words,
        facts=facts,
        scores=score_change_rows(rows, "difference of each clip, mean"),
        curves={name: _png(_draw_curves(each)) for name, each in curves.items()},
        samples=[
            {
                "name": sample.name,
                "audio": {
                    version: _flac(samples, audio.sample_rate)
                    for version, samples in sample.audio.items()
                },
                "mels": _png(_draw_mels(sample, audio)),
            }
            for sample in samples
        ],
        left_out=[(clip.name, clip.left_out) for clip in vetted if clip.left_out],
        vetted=vetting_rows(vetted),
    )
    with atomic_write(path) as part_path:
        part_path.write_text(page, encoding="utf-8")


def score_change_rows(
    rows: Sequence[ScoreChange], difference: str = "difference"
) -> list[list[str]]:
    """Return the scores before and after as a table, its head first."""
    body = [[r.label, *(number(a) for a in (r.before, r.after, r.difference))] for r in rows]
    return [["", "base voice", "new voice", difference], *body]


def number(value: Average) -> str:
    """Return a mean and its standard error as far as they exist."""
    if not value.n_clips:
        return "-"
    spread = "" if math.isnan(value.standard_error) else f" ± {value.standard_error:.3f}"
    return f"{value.mean:.3f}{spread}"


def _draw_curves(curves: Curves) -> Figure:
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


def _png(figure: Figure) -> str:
    """Return a picture in base64."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=100)
    return base64.b64encode(content.getvalue()).decode("ascii")


def _flac(audio: np.ndarray, sample_rate: int) -> str:
    """Return audio [S] in base64."""
    import soundfile

    content = io.BytesIO()
    soundfile.write(content, np.clip(audio, -1, 1), sample_rate, format="FLAC")
    return base64.b64encode(content.getvalue()).decode("ascii")
