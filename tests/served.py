"""A server with a tiny voice in a thread of the test's own process, on a real socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from app.metrics import MeasuredSpeechService
from app.network.graceful import GracefulServer
from app.network.guard import NetworkOptions
from app.server import build_server, prepare
from app.voice_store import VoiceStore
from tests.timing import PATIENCE_SECONDS, wait_until


class Served(NamedTuple):
    """What a test talks to."""

    address: tuple[str, int]
    service: MeasuredSpeechService
    server: GracefulServer
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"


@contextlib.contextmanager
def served(
    voice: Path,
    network: NetworkOptions,
    *,
    wyoming_listener: socket.socket | None = None,
    grace_seconds: float = 0.0,
) -> Iterator[Served]:
    """Serve until the context ends; the default voice is loaded."""
    service = MeasuredSpeechService(VoiceStore(voice, places=[], device="cpu"))
    application = build_server(
        service, finetune_jobs=None, network=network, wyoming_listener=wyoming_listener
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = prepare(application, service, grace_seconds=grace_seconds)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: service.store.is_loaded(service.store.default))
        yield Served(listener.getsockname(), service, server, thread)
    finally:
        server.should_exit = True
        thread.join(timeout=PATIENCE_SECONDS)
