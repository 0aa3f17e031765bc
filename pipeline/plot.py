"""Pictures of a speech: its mel spectrogram and its attention."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.atomic_write import atomic_write
from pipeline.speech import Speech

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_LABELS = 60  # symbols on the axis; more would be unreadable


def draw(speech: Speech) -> Figure:
    """Return a figure of the mel over time, and of the attention over decoder steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7), layout="constrained")
    mel_axes, attention_axes = figure.subplots(2, 1, height_ratios=(2, 3))
    image = mel_axes.imshow(
        speech.mel,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0.0, speech.seconds, 0, speech.mel.shape[0]),
    )
    mel_axes.set(xlabel="seconds", ylabel="mel channel", title="mel spectrogram (natural log)")
    figure.colorbar(image, ax=mel_axes)
    alignment = speech.alignment.T  # [N, decoder steps]
    image = attention_axes.imshow(
        alignment, origin="lower", aspect="auto", interpolation="nearest", vmin=0.0, vmax=1.0
    )
    attention_axes.set(xlabel="decoder step", ylabel="symbol", title="attention")
    symbols = [symbol for sentence in speech.sentences for symbol in sentence.symbols]
    if len(symbols) <= MAX_LABELS:
        labels = [symbol.lstrip("@").replace(" ", "␣") for symbol in symbols]
        attention_axes.set_yticks(range(len(labels)), labels, fontsize=6)
    figure.colorbar(image, ax=attention_axes)
    return figure


def save_plot(path: Path, speech: Speech) -> None:
    """Write the picture as PNG, whole or not at all."""
    with atomic_write(path) as part_path:
        draw(speech).savefig(part_path, format="png", dpi=110)
