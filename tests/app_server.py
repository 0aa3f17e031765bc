"""A real `python -m app` with a tiny voice, for the tests that talk to it from outside."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.timing import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Running:
    """A server that answers, and a client that waits for its answers."""

    url: str
    client: httpx.Client
    pid: int
    log_path: Path

    def audio_seconds(self) -> float:
        """Return how much audio the server has made since its start."""
        metrics = self.client.get("/metrics").text
        line = re.search(r"^tacoglow_audio_seconds_total (\S+)", metrics, re.MULTILINE)
        assert line is not None, metrics
        return float(line[1])

    def wait_until_idle(self) -> None:
        """Return when nothing is being spoken."""
        wait_until(lambda: self.client.get("/health").json()["waiting"] == 0)

    def resident_bytes(self) -> int:
        """Return how much memory the server holds."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def running(
    voice: Path, *options: str, work_dir: Path, uploads_dir: Path | None = None
) -> Iterator[Running]:
    """Start the server on a free port, wait until its voice is loaded, stop it in the end."""
    command = [sys.executable, "-m", "app", "--voice", str(voice), "--port", "0", *options]
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(uploads_dir or work_dir)}
    log_path = work_dir / "stderr"
    with log_path.open("w+") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, log_path.read_text()
            with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
                wait_until(lambda: client.get("/health").json()["status"] == "ok")
                yield Running(url, client, process.pid, log_path)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)  # what is being spoken is finished first
