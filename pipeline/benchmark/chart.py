"""A chart of training: throughput and largest batch of each model, by precision."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.atomic_write import atomic_write
from pipeline.benchmark.report import Measurement, Report


def save_chart(path: Path, report: Report) -> None:
    """Write the chart as PNG, whole or not at all."""
    from matplotlib.figure import Figure

    units = [unit for unit in ("samples/s", "clips") if _bars(report.measurements, unit)]
    figure = Figure(figsize=(9, 1.5 + 2.5 * len(units)), layout="constrained")
    all_axes = figure.subplots(len(units), 1, squeeze=False)[:, 0]
    for axes, unit in zip(all_axes, units, strict=True):
        bars = _bars(report.measurements, unit)
        drawn = axes.barh([one.what for one in bars], [one.value for one in bars])
        axes.bar_label(drawn, fmt="{:,.0f}", padding=3)
        axes.invert_yaxis()
        axes.set_xlabel(unit)
    machine = report.machine
    figure.suptitle(f"{machine['gpu'] or machine['processor']}, torch {machine['torch']}")
    with atomic_write(path) as part_path:
        figure.savefig(part_path, format="png", dpi=110)


def _bars(measurements: Sequence[Measurement], unit: str) -> list[Measurement]:
    return [one for one in measurements if one.row == "train" and one.unit == unit]
