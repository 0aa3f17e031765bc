"""Worker processes: the same samples as in one process, and nothing lost when one is killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest
import torch
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.speech_api import speech_routes
from app.speech_service import SpeechService
from app.voice_store import VoiceStore
from pipeline import Speech, Synthesizer
from pipeline.errors import PipelineError
from pipeline.worker_pool import Call, VoiceKey, WorkerLostError, WorkerPool
from tests.app_server import running
from text.errors import TextError
from text.lexicon import parse_lexicon

pytestmark = pytest.mark.usefixtures("forks")
TEXT = "Hello there. How are you?"


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    pool = WorkerPool(2, n_threads=1)
    yield pool
    pool.close()


@pytest.fixture
def voices(tiny_voice: Path, workers: WorkerPool) -> tuple[Synthesizer, Synthesizer]:
    """Return the tiny voice in this process, and in the workers."""
    torch.set_num_threads(1)
    here = VoiceStore(tiny_voice, places=[], device="cpu")
    there = VoiceStore(tiny_voice, places=[], device="cpu", workers=workers)
    return here.get(here.default), there.get(there.default)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def worker_pids(of: int | None = None) -> list[int]:
    """Return the processes that serve calls for a server, or for this process."""
    return [
        child.pid
        for child in psutil.Process(of).children(recursive=True)
        if "forkserver" in " ".join(child.cmdline()) and not child.children()
    ]


def test_workers_say_the_same_samples(voices: tuple[Synthesizer, Synthesizer]) -> None:
    here, there = voices
    assert np.array_equal(here.speak(TEXT, seed=3).audio, there.speak(TEXT, seed=3).audio)
    pieces = [list(tts.stream_audio(TEXT, rate=1.2)) for tts in voices]
    assert [len(piece) for piece in pieces[0]] == [len(piece) for piece in pieces[1]]
    assert np.array_equal(np.concatenate(pieces[0]), np.concatenate(pieces[1]))
    speech = here.speak(TEXT)
    again = [tts.revoice(speech, sigma=0.3).audio for tts in voices]
    assert np.array_equal(*again)
    lexicon = parse_lexicon("hello Y EH1 S")
    said = [tts.with_lexicon(lexicon).speak("Hello.").audio for tts in voices]
    assert np.array_equal(*said)
    assert not np.array_equal(said[0], here.speak("Hello.").audio)


def test_errors_are_those_of_one_process(voices: tuple[Synthesizer, Synthesizer]) -> None:
    for tts in voices:
        with pytest.raises(TextError, match="nothing to speak"):
            tts.speak("...")
        with pytest.raises(PipelineError, match="sigma is 9"):
            tts.speak("Hi.", sigma=9)


def test_a_killed_worker_is_replaced_and_its_stream_goes_on(
    voices: tuple[Synthesizer, Synthesizer], workers: WorkerPool
) -> None:
    here, there = voices
    n_before = workers.n_restarts
    pieces = there.stream_pieces(TEXT)
    heard = [next(pieces)]
    for pid in worker_pids():
        kill(pid)
    heard += pieces
    whole = np.concatenate([piece.audio for piece in heard])
    expected = np.concatenate([piece.audio for piece in here.stream_pieces(TEXT)])
    assert np.array_equal(whole, expected)
    assert workers.n_restarts > n_before


def test_many_threads_share_the_workers(voices: tuple[Synthesizer, Synthesizer]) -> None:
    here, there = voices
    texts = [f"Number {n}." for n in range(6)]
    with ThreadPoolExecutor(4) as threads:
        streams = list(threads.map(lambda text: list(there.stream_pieces(text)), texts))
    for text, stream in zip(texts, streams, strict=True):
        expected = np.concatenate([piece.audio for piece in here.stream_pieces(text)])
        assert np.array_equal(np.concatenate([piece.audio for piece in stream]), expected)


def test_work_that_kills_two_workers_is_refused(
    voices: tuple[Synthesizer, Synthesizer], monkeypatch
) -> None:
    def die(*_: object) -> None:
        raise EOFError

    monkeypatch.setattr("pipeline.worker_pool._Worker.ask", die)
    monkeypatch.setattr("pipeline.worker_pool._Worker.start", lambda self: None)
    with pytest.raises(WorkerLostError, match="2 worker processes were killed at this"):
        voices[1].speak("Hello.")


def test_closing_ends_a_worker_that_speaks_and_none_takes_its_place(
    tiny_voice: Path, monkeypatch
) -> None:
    monkeypatch.setattr("pipeline.worker_pool.STOP_SECONDS", 0.05)
    pool = WorkerPool(1, n_threads=1)
    store = VoiceStore(tiny_voice, places=[], device="cpu", workers=pool)
    tts = store.get(store.default)
    asked = threading.Event()
    ask = pool._workers[0].ask
    monkeypatch.setattr(pool._workers[0], "ask", lambda *args: asked.set() or ask(*args))
    with ThreadPoolExecutor(1) as threads:
        speech = threads.submit(tts.speak, "a one and a two and " * 200)
        asked.wait()
        pool.close()
        with pytest.raises(WorkerLostError, match="have been ended"):
            speech.result()
    with pytest.raises(WorkerLostError, match="have been ended"):
        tts.speak("Hello.")
    assert pool.n_restarts == 0
    assert not pool._workers[0]._process.is_alive()


def test_a_stream_that_fails_is_forgotten(tiny_voice: Path, workers: WorkerPool) -> None:
    key = VoiceKey(tiny_voice, None, "cpu", "32", sha256=("", ""))  # of another voice
    for _ in range(3):
        with pytest.raises(PipelineError, match="was changed meanwhile"):
            list(workers.iterate(Call(key, "stream", ())))
    assert not any(worker.streams for worker in workers._workers)


def test_a_voice_that_is_gone_is_an_error_of_the_next_worker(
    tiny_voice: Path, workers: WorkerPool, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_voice, tmp_path / "mine")
    store = VoiceStore(folder, places=[], device="cpu", workers=workers)
    tts = store.get("mine")
    shutil.rmtree(folder)
    assert tts.speak("Hello.").seconds > 0, "a worker that has loaded it needs no file"
    for pid in worker_pids():
        kill(pid)
    with pytest.raises(PipelineError, match="The voice 'mine' cannot be loaded any more"):
        tts.speak("Hello.")


def test_what_goes_wrong_in_a_later_sentence_has_a_status(tiny_voice: Path, monkeypatch) -> None:
    spoken = Synthesizer.load(tiny_voice, device="cpu").speak("Hello.")

    def stream(*_: object) -> Iterator[Speech]:
        yield spoken
        raise WorkerLostError("2 worker processes were killed at this.")

    monkeypatch.setattr("pipeline.Synthesizer.stream", stream)
    server = FastAPI()
    service = SpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))
    server.include_router(speech_routes(service))
    with TestClient(server) as client:
        body = {"input": "Hello.", "response_format": "flac"}
        answer = client.post("/v1/audio/speech", json=body)
    service.queue.close()
    assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert answer.json()["detail"] == "2 worker processes were killed at this."


@pytest.mark.slow
def test_a_server_outlives_its_workers(tiny_voice: Path, tmp_path: Path) -> None:
    with running(tiny_voice, "--workers", "2", work_dir=tmp_path) as server:

        def ask(number: int) -> bytes:
            body = {"input": f"Number {number}. And one more.", "response_format": "wav"}
            answer = server.client.post("/v1/audio/speech", json=body)
            assert answer.status_code == httpx.codes.OK, answer.text
            return answer.content

        before = ask(0)
        with ThreadPoolExecutor(4) as threads:
            answers = threads.map(ask, [0] * 12)
            for pid in worker_pids(server.pid):
                kill(pid)
            assert set(answers) == {before}
        metrics = server.client.get("/metrics").text
        assert 'tacoglow_requests_total{route="/v1/audio/speech",status="200"} 13.0' in metrics
        assert re.search(r"tacoglow_worker_restarts [12]\.0", metrics), metrics
        assert "tacoglow_first_sound_seconds_count 13.0" in metrics
