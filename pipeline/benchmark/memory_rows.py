"""The rows of memory: what a long text takes while it is spoken, and how that grows."""

from __future__ import annotations

from pathlib import Path

from pipeline.benchmark.report import Measurement
from pipeline.benchmark.speech_rows import SENTENCE
from pipeline.errors import PipelineError
from pipeline.synthesizer import Synthesizer

SENTENCE_SECONDS = 8.0  # at least as long as one sentence below with its pause
WARM_SHARE = 0.3  # of the speech, after which caches are full and growth is measured
STATUS = Path("/proc/self/status")


def memory_rows(tts: Synthesizer, *, minutes: float) -> list[Measurement]:
    """Return the memory of this process while one text of so many minutes is spoken.

    Raises:
        PipelineError: The system does not tell what a process takes.
    """
    if not STATUS.is_file():
        raise PipelineError(f"There is no {STATUS}; the memory row needs Linux")
    n_sentences = max(2, round(60.0 * minutes / SENTENCE_SECONDS))
    text = " ".join(f"This is sentence number {i}. {SENTENCE}" for i in range(n_sentences))
    rate = tts.voice.audio.sample_rate
    spoken, highest = 0.0, 0.0
    course = []  # minutes spoken, and the most that was taken until then
    for audio in tts.stream_audio(text):
        spoken += len(audio) / rate / 60.0
        highest = max(highest, resident_bytes())
        course.append((spoken, highest))
    warm, warm_bytes = next(at for at in course if at[0] >= WARM_SHARE * spoken)
    growth = (highest - warm_bytes) / max(spoken - warm, 1.0 / 60.0)
    name = f"{tts.voice.name}, one text of {spoken:.1f} minutes"
    return [
        Measurement(row="memory", what=f"memory of {name}", value=highest / 1e6, unit="MB"),
        Measurement(
            row="memory", what="its growth a minute of speech", value=growth / 1e6, unit="MB"
        ),
    ]


def resident_bytes() -> float:
    """Return what this process has in memory now."""
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    kilobytes = next(line.split()[1] for line in lines if line.startswith("VmRSS:"))
    return 1_024.0 * float(kilobytes)
