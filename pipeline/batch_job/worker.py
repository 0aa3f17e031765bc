"""What a worker process does: speaks some sentences at a time, in one thread, into files."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pipeline.batch_job.forkserver import THREADS
from pipeline.batch_job.requests import Request
from pipeline.checkpoints import file_sha256
from pipeline.engine import weights_sha256
from pipeline.errors import PipelineError
from pipeline.options import SpeechOptions
from pipeline.speech import Speech
from pipeline.synthesizer import Synthesizer
from text.errors import TextError

MAX_VOICES = 4  # loaded at a time in each worker


class VoiceChangedError(PipelineError):
    """A voice is another than the one that was asked for, so its samples would be others too."""


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


def fulfil(requests: Sequence[Request], out_dir: Path) -> list[Result]:
    """Speak requests into their files; one that cannot be spoken is a result with the reason.

    Args:
        requests: A group of `buckets`; their sentences are decoded side by side.
        out_dir: The folder of the files.

    Raises:
        PipelineError: A file cannot be written, or the voice was changed, which no other sentence
            would survive either.
    """
    if requests[0].error:
        return [failed(request.error) for request in requests]
    try:
        tts = _synthesizer(requests[0].voice_dir, requests[0].fingerprint, requests[0].device)
        options = [SpeechOptions.from_mapping(request.options) for request in requests]
        speeches = tts.speak_together([request.text for request in requests], options)
    except VoiceChangedError:
        raise
    except Exception as error:  # a bug, or no memory: it must not take a million others along
        if len(requests) > 1:  # the one at fault fails alone; the others sound the same alone
            return [result for request in requests for result in fulfil([request], out_dir)]
        is_ours = isinstance(error, PipelineError | TextError)
        return [failed(str(error) if is_ours else f"{type(error).__name__}: {error}")]
    return [
        _save(speech, tts, out_dir / request.file, request.file)
        for request, speech in zip(requests, speeches, strict=True)
    ]


@lru_cache(maxsize=MAX_VOICES)
def _synthesizer(folder: str, fingerprint: str, device: str) -> Synthesizer:
    tts = Synthesizer.load(Path(folder), device=device)
    if tts.voice.fingerprint != fingerprint:
        raise VoiceChangedError(
            f"The voice in {folder} is not the one that was there when this run began. Start it "
            "again, with the same voice on all machines."
        )
    return tts


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
        "sha256": {"audio": file_sha256(path), **weights_sha256(tts.engine)},
        "warnings": list(speech.warnings),
    }
    return Result(facts, speech.seconds, path.stat().st_size)


def failed(reason: str) -> Result:
    """Return the result of a sentence that has no audio."""
    return Result({"file": None, "error": reason}, 0.0, None)
