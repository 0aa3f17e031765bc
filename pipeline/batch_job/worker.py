"""What a worker process does: speaks one sentence after another, in one thread, into files."""

from __future__ import annotations

import os
import signal
import threading
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pipeline.batch_job.requests import THREADS, Request
from pipeline.checkpoints import file_sha256
from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions
from pipeline.speech import Speech
from pipeline.synthesizer import Synthesizer
from text.errors import TextError

MAX_VOICES = 4  # loaded at a time in each worker


class Result(NamedTuple):
    """What became of a request."""

    facts: dict[str, Any]  # what the manifest says of it beside the request
    seconds: float  # of audio
    size_bytes: int | None  # of its file; None where there is none


def begin() -> None:
    """Prepare a worker process: its threads, and its end with the process that started it."""
    torch.set_num_threads(THREADS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def fulfil(request: Request, out_dir: Path) -> Result:
    """Speak a request into its file; one that cannot be spoken is a result with the reason.

    Raises:
        PipelineError: The file cannot be written, which no other sentence would survive either.
    """
    if request.error:
        return failed(request.error)
    try:
        tts = _synthesizer(request.voice_dir, request.device)
        options = SpeechOptions.from_mapping(request.options)
        speech = tts.speak(request.text, options)
    except (PipelineError, TextError) as error:
        return failed(str(error))
    except Exception as error:  # a bug, or no memory: it must not take a million others along
        return failed(f"{type(error).__name__}: {error}")
    return _save(speech, tts, out_dir / request.file, request.file)


@lru_cache(maxsize=MAX_VOICES)
def _synthesizer(folder: str, device: str) -> Synthesizer:
    return Synthesizer.load(Path(folder), device=device)


def _save(speech: Speech, tts: Synthesizer, path: Path, file: str) -> Result:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PipelineError(f"Cannot make {path.parent}: {error.strerror}") from error
    speech.save(path)
    facts = {
        "file": file,
        "seconds": round(speech.seconds, 4),
        "sample_rate": speech.sample_rate,
        "sha256": {
            "audio": file_sha256(path),
            "tacotron2": tts.tacotron2_sha256,
            "waveglow": tts.vocoder_sha256,
        },
        "warnings": list(speech.warnings),
    }
    return Result(facts, speech.seconds, path.stat().st_size)


def failed(reason: str) -> Result:
    """Return the result of a sentence that has no audio."""
    return Result({"file": None, "error": reason}, 0.0, None)
