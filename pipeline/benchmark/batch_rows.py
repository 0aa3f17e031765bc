"""The rows of a list of sentences: by the batch with its workers, and one by one in a process."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from pipeline.benchmark.fresh_process import run_python
from pipeline.benchmark.report import Measurement
from pipeline.benchmark.timing import Timer, median_ratio
from pipeline.data.recording_prompts import recording_prompts
from pipeline.synthesizer import Synthesizer

N_SENTENCES = 130  # about eight minutes of speech, so that starting counts for little
UNIT = "s of audio a second"


def batch_rows(timer: Timer, voice: str | Path) -> list[Measurement]:
    """Return the throughput of `pipeline.batch` beside that of one process with all threads.

    Each is a fresh process from its start to its end, and leaves the same list as FLAC files.

    Raises:
        PipelineError: Such a process failed.
    """
    device = timer.device.type
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sentences = folder / "sentences.txt"
        sentences.write_text("\n".join(recording_prompts()[:N_SENTENCES]) + "\n", encoding="utf-8")
        alone, together = timer.rounds(
            partial(_speak_one_by_one, sentences, folder, str(voice), device),
            partial(_speak_as_batch, sentences, folder, str(voice), device),
        )
        manifests = folder.glob("batch*/manifest.jsonl")
        lines = next(manifests).read_text(encoding="utf-8").splitlines()
    n_seconds = sum(json.loads(line)["seconds"] for line in lines)
    what = f"{len(lines)} sentences, {n_seconds:.0f} s of audio"
    found = {
        f"batch of {what}": (n_seconds / statistics.median(together), UNIT),
        "one by one in one process": (n_seconds / statistics.median(alone), UNIT),
        "batch, times as fast": (median_ratio(alone, together), ""),
    }
    return [
        Measurement(row="batch", what=label, value=value, unit=unit)
        for label, (value, unit) in found.items()
    ]


def _speak_as_batch(sentences: Path, folder: Path, voice: str, device: str) -> None:
    out = tempfile.mkdtemp(prefix="batch", dir=folder)
    options = ["--voice", voice, "--device", device]
    run_python(["-m", "pipeline.batch", str(sentences), out, *options])


def _speak_one_by_one(sentences: Path, folder: Path, voice: str, device: str) -> None:
    out = tempfile.mkdtemp(prefix="alone", dir=folder)
    run_python(["-m", "pipeline.benchmark.batch_rows", str(sentences), out, voice, device])


def speak_list(sentences: Path, out: Path, tts: Synthesizer) -> None:
    """Speak a sentence a line, each into a file of its own."""
    for number, line in enumerate(sentences.read_text(encoding="utf-8").splitlines(), start=1):
        tts.speak(line).save(out / f"{number:09}.flac")


if __name__ == "__main__":
    list_path, out_dir, spoken_voice, on_device = sys.argv[1:]
    loaded = Synthesizer.load(spoken_voice, device=on_device)
    speak_list(Path(list_path), Path(out_dir), loaded)
