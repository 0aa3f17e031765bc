"""Pieces of HTML for the tab that fine-tunes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from app.finetune_jobs import JobState
from app.training_files import Curve, Training, vetting_rows

if TYPE_CHECKING:
    from pipeline.data.preparation import Vetted

WIDTH, HEIGHT, MARGIN = 640, 220, 24  # of the drawing of the loss
GUIDE = """<h3>A voice of your own</h3><ol class="guide">
  <li>Read sentences into the microphone, or drop recordings of one speaker who agrees to it: a
  minute of clear speech at least, five are good, twenty are better.</li>
  <li>With recordings drop what is said in them: metadata.csv with lines of id|text, or .txt, .lab,
  .srt or .vtt of the same name. Without texts the vocoder alone is tuned.</li>
  <li>The table that appears here says which of them are good, and why others are not.</li>
  <li>Train. Predictor and vocoder learn the new speaker; you hear and see how far they are.</li>
  <li>Stop when it sounds right, or wait. The best state joins the list of voices.</li></ol>"""


def progress(state: JobState, training: Training) -> str:
    """Return the card of a training: how far it is, its losses as numbers and as curves."""
    bar = (
        f'<progress max="1" value="{state.share:.4f}" aria-label="Share of the time"></progress>'
        if state.is_running
        else ""
    )
    report = (
        '<p><a href="training/report.html" target="_blank">The report: scores and sound before '
        "and after</a></p>"
        if (state.folder / "report.html").is_file()
        else ""
    )
    return f"""<div class="training"><h3>Training</h3>
        <p role="status"><strong>{escape(state.name)}</strong> · {escape(state.words)}</p>
        {bar}{report}{_numbers(training)}{_drawing(training.curves)}</div>"""


def sample(step: int) -> str:
    """Return a player of the latest sample."""
    return (
        f"<h3>A clip it never trained on, after {step:,} steps</h3>"
        f'<audio controls preload="none" src="training/sample.wav?step={step}" '
        'aria-label="Sample of the voice in training"></audio>'
    )


def vetting(vetted: Sequence[Vetted]) -> str:
    """Return the table of a vetting."""
    head, *rows = vetting_rows(vetted)
    good = [clip for clip in vetted if not clip.left_out]
    seconds = sum(clip.measured.seconds for clip in good if clip.measured)
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(
        f"<tr{' class=left-out' if clip.left_out else ''}>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row)
        + "</tr>"
        for clip, row in zip(vetted, rows, strict=True)
    )
    return f"""<h3>Vetting</h3>
        <p>{len(good)} of {len(vetted)} clips are good: {seconds / 60:.1f} minutes.
        <strong>{_verdict(seconds, len(good))}</strong></p>
        <div class="vetting" tabindex="0" role="region" aria-label="Vetting table"><table>
        <thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"""


def _verdict(seconds: float, n_clips: int) -> str:
    """Return whether there is enough to train on."""
    from pipeline.data.preparation import MIN_SPEECH_CLIPS, MIN_SPEECH_SECONDS

    if seconds < MIN_SPEECH_SECONDS:
        return (
            f"Not enough to train on: {seconds:.0f} s of good speech, {MIN_SPEECH_SECONDS:.0f} s "
            "are needed. Add recordings."
        )
    if n_clips < MIN_SPEECH_CLIPS:
        return f"Not enough to train on: {MIN_SPEECH_CLIPS} clips are needed. Add recordings."
    return "Enough to train on; twenty minutes are good."


def _numbers(training: Training) -> str:
    last = {name: curve[-1] for name, curve in training.curves.items() if curve}
    if not last:
        return ""
    step = max(step for step, _ in last.values())
    losses = " · ".join(f"{name} loss {loss:.3f}" for name, (_, loss) in last.items())
    return f'<p class="facts">step {step:,} · {losses}</p>'


def _drawing(curves: dict[str, Curve]) -> str:
    """Return the losses over steps as SVG; both curves share their scale."""
    points = [point for curve in curves.values() for point in curve]
    if len(points) < 2:
        return ""
    last_step = max(step for step, _ in points) or 1
    low, high = (limit(loss for _, loss in points) for limit in (min, max))

    def place(step: int, loss: float) -> str:
        x = MARGIN + (WIDTH - 2 * MARGIN) * step / last_step
        y = MARGIN + (HEIGHT - 2 * MARGIN) * (high - loss) / ((high - low) or 1.0)
        return f"{x:.1f},{y:.1f}"

    lines = "".join(
        f'<polyline class="{name}" points="{" ".join(place(*point) for point in curve)}"/>'
        for name, curve in curves.items()
    )
    return f"""<svg class="loss" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"
        aria-label="Loss over {last_step} steps, from {low:.3f} to {high:.3f}">{lines}
        <text x="6" y="16">{high:.2f}</text><text x="6" y="{HEIGHT - 6}">{low:.2f}</text>
        <text x="{WIDTH - 6}" y="{HEIGHT - 6}" text-anchor="end">{last_step:,} steps</text></svg>
        <p class="legend"><span class="train">training</span>
        <span class="validation">validation</span></p>"""
