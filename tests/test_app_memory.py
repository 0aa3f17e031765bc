"""What a server keeps in memory and on disk has bounds, whatever its clients do."""

from __future__ import annotations

import asyncio
import errno
import gc
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.encoding import ENCODINGS
from app.metrics import MeasuredSpeechService
from app.network.guard import NetworkOptions, guard
from app.network.uploads import Uploads
from app.page import build_page
from app.results import Results
from app.speech_answers import encoded
from app.voice_store import VoiceStore
from pipeline.speech import AudioPiece


def test_sessions_of_the_page_are_forgotten(tiny_voice: Path, monkeypatch) -> None:
    import gradio

    monkeypatch.setattr("app.page.MAX_SESSIONS", 3)
    service = MeasuredSpeechService(VoiceStore(tiny_voice, places=[], device="cpu"))
    page = build_page(service, Results(), None)
    server = gradio.mount_gradio_app(FastAPI(), page, path="")
    with TestClient(server) as client:
        for _ in range(6):
            event = client.post("/gradio_api/call/normalize", json={"data": ["Hi."]}).json()
            answer = client.get(f"/gradio_api/call/normalize/{event['event_id']}")
            assert "event: complete" in answer.text
    assert 0 < len(page.state_holder.session_data) <= 3
    service.queue.close()


@pytest.mark.parametrize("name", [name for name, kind in ENCODINGS.items() if kind.is_streamed])
def test_a_codec_is_closed_where_a_client_leaves(name: str, monkeypatch) -> None:
    complaints: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def no_more() -> AsyncGenerator[AudioPiece]:
        while True:
            yield piece

    async def leave() -> None:
        pieces = encoded(name, piece, no_more(), with_words=False)
        await anext(pieces)
        await pieces.aclose()

    piece = AudioPiece(np.zeros(4_096, dtype=np.float32), 22_050)
    asyncio.run(leave())
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EIO, 500)])
def test_a_disk_that_fills_up_meanwhile_has_a_status(
    number: int, status: int, tmp_path: Path
) -> None:
    server = FastAPI()
    page = FastAPI()  # like Gradio's, it answers an exception by itself before it is raised

    @page.post("/gradio_api/upload")
    def upload() -> None:
        raise OSError(number, "No space, or worse")

    guard(server, NetworkOptions(uploads=Uploads(tmp_path, max_bytes=1_000)))
    server.mount("/", page)
    with TestClient(server, "http://localhost", raise_server_exceptions=False) as client:
        answer = client.post("/gradio_api/upload", content=b"x")
    assert answer.status_code == status
    if status == 507:
        assert "disk is full" in answer.text


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


def test_uploads_are_refused_where_the_disk_is_full(tmp_path: Path, monkeypatch) -> None:
    uploads = Uploads(tmp_path / "none" / "yet", max_bytes=1_000)
    assert uploads.free_bytes() == 1_000
    monkeypatch.setattr("shutil.disk_usage", lambda path: DiskUsage(10**9, 10**9 - 7, 7))
    assert uploads.free_bytes() == 7
