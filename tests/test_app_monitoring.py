"""What operators see and do: metrics, readiness, the log, the end of a server."""

from __future__ import annotations

import itertools
import json
import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.network.guard import NetworkOptions
from app.network.record import JsonLines
from app.network.uploads import Uploads
from pipeline import Synthesizer
from tests.served import Served, served
from tests.timing import PATIENCE_SECONDS, wait_until

SPEECH = {"model": "tacoglow", "voice": "tiny", "input": "Hi.", "response_format": "wav"}


@pytest.fixture
def network(tmp_path: Path) -> NetworkOptions:
    return NetworkOptions(uploads=Uploads(tmp_path, max_bytes=0))


@pytest.fixture
def server(tiny_voice: Path, network: NetworkOptions) -> Iterator[Served]:
    with served(tiny_voice, network, grace_seconds=PATIENCE_SECONDS) as server:
        yield server


def figures(server: Served) -> dict[tuple[str, ...], float]:
    """Return the values of all metrics, by name and labels."""
    answer = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_metrics_count_what_was_asked_spoken_and_refused(
    server: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tacoglow")
    url = f"{server.url}/v1/audio/speech"
    audio = httpx.post(url, json=SPEECH, timeout=PATIENCE_SECONDS).content
    assert (
        httpx.post(url, json={**SPEECH, "voice": "nobody"}, timeout=PATIENCE_SECONDS).status_code
        == 400
    )
    assert (
        httpx.get(f"{server.url}/no/such/path?secret=1", timeout=PATIENCE_SECONDS).status_code
        == 404
    )
    seen = figures(server)
    assert seen["tacoglow_audio_seconds_total",] == pytest.approx((len(audio) - 44) / 44_100)
    assert seen["tacoglow_first_sound_seconds_count",] == 1
    assert seen["tacoglow_requests_total", "/v1/audio/speech", "200"] == 1
    assert seen["tacoglow_requests_total", "/v1/audio/speech", "400"] == 1
    assert seen["tacoglow_failures_total", "PipelineError"] == 1
    assert seen["tacoglow_speaking",] == seen["tacoglow_waiting_jobs",] == 0
    assert not [labels for labels in seen if "secret" in str(labels) or "/such" in str(labels)]
    first = next(record for record in caplog.records if record.name == "tacoglow.requests")
    line = json.loads(JsonLines().format(first))
    assert (line["route"], line["status"], line["bytes"]) == ("/v1/audio/speech", 200, len(audio))
    assert {"time", "level", "client", "method", "seconds"} <= line.keys()
    assert "secret" not in caplog.text


def test_ready_says_why_not(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    assert httpx.get(f"{server.url}/ready", timeout=PATIENCE_SECONDS).json() == {
        "ready": True,
        "reason": "",
    }
    monkeypatch.setattr(server.service.queue, "_max_waiting", 0)
    full = httpx.get(f"{server.url}/ready", timeout=PATIENCE_SECONDS)
    assert (full.status_code, full.json()["reason"]) == (503, "The queue is full.")
    monkeypatch.setattr(server.service.store, "default", "another")
    assert (
        "being loaded"
        in httpx.get(f"{server.url}/ready", timeout=PATIENCE_SECONDS).json()["reason"]
    )


def test_what_is_being_spoken_is_finished_before_the_end(server: Served) -> None:
    """The signal comes after the first sentence of twenty; no new connection is taken then."""
    body = {**SPEECH, "input": "One more. " * 20}
    with httpx.stream(
        "POST", f"{server.url}/v1/audio/speech", json=body, timeout=PATIENCE_SECONDS
    ) as answer:
        pieces = answer.iter_raw()
        audio = next(pieces) + next(pieces)
        server.server.should_exit = True
        wait_until(lambda: not _accepts(server.address))
        audio += b"".join(pieces)
    server.thread.join(timeout=PATIENCE_SECONDS)
    assert not server.thread.is_alive()
    assert server.service.n_speaking == 0
    spoken = server.service.metrics.audio_seconds._value.get()
    assert len(audio) == pytest.approx(44 + 44_100 * spoken)


def test_grace_has_an_end(
    tiny_voice: Path, network: NetworkOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = Synthesizer.load(tiny_voice, device="cpu").speak("One more.")
    monkeypatch.setattr(Synthesizer, "stream", lambda *_: itertools.repeat(spoken))
    with served(tiny_voice, network, grace_seconds=0.2) as server:
        speech = threading.Thread(
            target=lambda: _swallow(f"{server.url}/v1/audio/speech", SPEECH), daemon=True
        )
        speech.start()
        wait_until(lambda: server.service.n_speaking)
        server.server.should_exit = True
        server.thread.join(timeout=PATIENCE_SECONDS)
        assert not server.thread.is_alive()


def _accepts(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except OSError:
        return False
    return True


def _swallow(url: str, body: dict[str, object]) -> None:
    try:
        httpx.post(url, json=body, timeout=PATIENCE_SECONDS)
    except httpx.HTTPError:
        return
