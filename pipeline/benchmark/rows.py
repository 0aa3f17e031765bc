"""The rows that are asked for, measured one after the other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from pipeline.benchmark import ROW_NAMES
from pipeline.benchmark.batch_rows import batch_rows
from pipeline.benchmark.limits import Limits, measure_limits
from pipeline.benchmark.memory_rows import memory_rows
from pipeline.benchmark.model_rows import tacotron2_row, waveglow_row
from pipeline.benchmark.report import Measurement, Report, describe_machine
from pipeline.benchmark.speech_rows import chain_rows, cold_rows, first_sound_rows
from pipeline.benchmark.timing import Timer
from pipeline.benchmark.training_rows import training_rows
from pipeline.synthesizer import Synthesizer
from pipeline.tacotron2 import Tacotron2Config
from pipeline.waveglow import WaveGlowConfig


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """What is measured: models of the published sizes, a voice, and how much it says at once."""

    voice: str | Path
    minutes: float = 3.0  # of speech, for the memory row
    waveglow: WaveGlowConfig = field(default_factory=WaveGlowConfig)
    tacotron2: Tacotron2Config = field(default_factory=Tacotron2Config)


def measure(names: Collection[str], timer: Timer, subjects: Subjects) -> Report:
    """Measure the rows named, and the ceilings always, since shares are of them.

    Raises:
        PipelineError: There is no such voice, or a model does not do what it is timed for.
    """
    wants_voice = {"chain", "first-sound"} & set(names)
    device = timer.device.type
    tts = Synthesizer.load(subjects.voice, device=device) if wants_voice else None
    limits = measure_limits(timer)
    report = Report(describe_machine(timer.device), _ceilings(limits), [])
    for name in (name for name in ROW_NAMES if name in names):
        print(f"{name} ...", file=sys.stderr)
        found, notes = _row(name, timer, limits, subjects, tts)
        report.measurements.extend(found)
        report.notes.extend(note for note in notes if note not in report.notes)
    return report


def measure_training(timer: Timer, subjects: Subjects) -> Report:
    """Measure how fast both models are trained, by precision."""
    found, notes = training_rows(timer, subjects.waveglow, subjects.tacotron2)
    return Report(describe_machine(timer.device), found, notes)


def _row(
    name: str, timer: Timer, limits: Limits, subjects: Subjects, tts: Synthesizer | None
) -> tuple[list[Measurement], list[str]]:
    if name == "waveglow":
        return waveglow_row(timer, limits, subjects.waveglow)
    if name == "tacotron2":
        return tacotron2_row(timer, limits, subjects.tacotron2)
    if name == "cold":
        return cold_rows(timer, subjects.voice)
    device = timer.device.type
    works: dict[str, Callable[[], list[Measurement]]] = {
        "memory": partial(memory_rows, subjects.voice, minutes=subjects.minutes, device=device),
        "batch": partial(batch_rows, timer, subjects.voice),
    }
    if tts is not None:
        works["chain"] = partial(chain_rows, timer, tts)
        works["first-sound"] = partial(first_sound_rows, timer, tts)
    return works[name]() if name in works else [], []


def _ceilings(limits: Limits) -> list[Measurement]:
    found = {
        "limit: product of fp32 matrices": (limits.product / 1e9, "GFLOP/s"),
        "limit: copy in memory": (limits.copy / 1e9, "GB/s"),
    }
    return [
        Measurement(row="ceilings", what=what, value=value, unit=unit)
        for what, (value, unit) in found.items()
    ]
