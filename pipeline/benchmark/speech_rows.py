"""The rows of a voice as it is used: the whole chain, the first sound, a fresh process."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from pipeline.benchmark.fresh_process import run_python
from pipeline.benchmark.report import Measurement
from pipeline.benchmark.timing import Timer, median_difference
from pipeline.speech import Speech
from pipeline.synthesizer import Synthesizer
from pipeline.voice_folders import find_voice

SENTENCE = (  # about seven seconds
    "The benchmark reads a sentence of about seven seconds, without figures and names, "
    "and takes the time of each of its parts."
)
LONG_TEXT = " ".join([SENTENCE] * 20)
SHORT_SENTENCE = "Hello, this is a test."


def chain_rows(timer: Timer, tts: Synthesizer) -> list[Measurement]:
    """Return the real-time factors of a sentence: seconds it takes for a second of audio."""
    spoken: list[Speech] = []
    seconds = timer.median(lambda: spoken.append(tts.speak(SENTENCE)))
    length = spoken[-1].seconds
    warm = [speech.sentences[0] for speech in spoken[1:]]
    parts = {
        f"real-time factor of {tts.voice.name}, {length:.1f} s": seconds,
        "real-time factor of its predictor": statistics.median(
            sentence.predict_seconds for sentence in warm
        ),
        "real-time factor of its vocoder": statistics.median(
            sentence.vocode_seconds for sentence in warm
        ),
    }
    return [
        Measurement(row="chain", what=what, value=taken / length, unit="")
        for what, taken in parts.items()
    ]


def first_sound_rows(timer: Timer, tts: Synthesizer) -> list[Measurement]:
    """Return how long it takes, warm, from a text to its first piece of audio."""
    texts = {"a short sentence": SHORT_SENTENCE, f"{len(LONG_TEXT):,} characters": LONG_TEXT}
    return [
        Measurement(
            row="first-sound",
            what=f"first sound of {name}",
            value=1_000.0 * timer.median(partial(_first_piece, tts, text)),
            unit="ms",
        )
        for name, text in texts.items()
    ]


def _first_piece(tts: Synthesizer, text: str) -> np.ndarray:
    return next(tts.stream_audio(text))


def cold_rows(timer: Timer, voice: str | Path) -> tuple[list[Measurement], list[str]]:
    """Return what a fresh process takes to speak a short sentence, and notes on that.

    In all, beyond importing torch, and with the engine that needs no torch.

    Raises:
        PipelineError: Such a process failed.
    """
    speak = ["-m", "pipeline.speak", SHORT_SENTENCE, "out.wav", "--force"]
    has_onnx = all(find_spec(package) for package in ("onnx", "onnxruntime"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs = [
            [*speak, "--voice", str(voice), "--device", timer.device.type],
            ["-c", "import torch"],
        ]
        if has_onnx:
            from pipeline.pretrained.onnx_export import export_voice

            export_voice(find_voice(voice), folder / "onnx")
            programs.append([*speak, "--voice", str(folder / "onnx"), "--engine", "onnx"])
        whole, torch_alone, *onnx = timer.rounds(
            *(partial(run_python, program, folder) for program in programs)
        )
    found = {
        "cold speak, whole process": statistics.median(whole),
        "import torch alone": statistics.median(torch_alone),
        "cold speak less import torch": median_difference(whole, torch_alone),
    }
    if onnx:
        found["cold speak --engine onnx, whole process"] = statistics.median(onnx[0])
    notes = [] if has_onnx else ["ONNX's packages are not installed: its engine is not measured."]
    return [
        Measurement(row="cold", what=what, value=value, unit="s") for what, value in found.items()
    ], notes
