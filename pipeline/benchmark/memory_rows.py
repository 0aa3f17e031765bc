"""The rows of memory: what a long text takes while it is spoken, and how that grows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from pipeline.benchmark.fresh_process import run_python
from pipeline.benchmark.report import Measurement
from pipeline.benchmark.speech_rows import SENTENCE
from pipeline.errors import PipelineError
from pipeline.synthesizer import Synthesizer

SENTENCE_SECONDS = 8.0  # at least as long as one sentence below with its pause
WARM_SHARE = 0.3  # of the speech, after which caches are full and growth is measured
STATUS = Path("/proc/self/status")

Course = list[tuple[float, float]]
"""Minutes spoken, and the most bytes that the process had taken until then."""


def memory_rows(voice: str | Path, *, minutes: float, device: str) -> list[Measurement]:
    """Return the memory of a fresh process in which a voice speaks one text of so many minutes.

    Raises:
        PipelineError: The system does not tell what a process takes, or it failed.
    """
    if not STATUS.is_file():
        raise PipelineError(f"There is no {STATUS}; the memory row needs Linux")
    program = ["-m", "pipeline.benchmark.memory_rows", str(voice), str(minutes), device]
    name, course = json.loads(run_python(program))
    spoken, highest = course[-1]
    warm, warm_bytes = next(at for at in course if at[0] >= WARM_SHARE * spoken)
    growth = (highest - warm_bytes) / max(spoken - warm, 1.0 / 60.0)
    what = f"memory of {name}, one text of {spoken:.1f} minutes"
    return [
        Measurement(row="memory", what=what, value=highest / 1e6, unit="MB"),
        Measurement(
            row="memory", what="its growth a minute of speech", value=growth / 1e6, unit="MB"
        ),
    ]


def course_of(tts: Synthesizer, *, minutes: float) -> Course:
    """Return what this process takes while one text of so many minutes is spoken."""
    n_sentences = max(2, round(60.0 * minutes / SENTENCE_SECONDS))
    text = " ".join(f"This is sentence number {i}. {SENTENCE}" for i in range(n_sentences))
    rate = tts.voice.audio.sample_rate
    spoken, highest = 0.0, 0.0
    course = []
    for audio in tts.stream_audio(text):
        spoken += len(audio) / rate / 60.0
        highest = max(highest, resident_bytes())
        course.append((spoken, highest))
    return course


def resident_bytes() -> float:
    """Return what this process has in memory now."""
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return 1_024.0 * float(kilobytes)


if __name__ == "__main__":
    spoken_voice, spoken_minutes, on_device = sys.argv[1:]
    loaded = Synthesizer.load(spoken_voice, device=on_device)
    print(json.dumps([loaded.voice.name, course_of(loaded, minutes=float(spoken_minutes))]))
