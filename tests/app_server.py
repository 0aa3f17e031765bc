"""A real `python -m app` with a tiny voice, for the tests that talk to it from outside."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    pid: int
    log_path: Path

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
            wait_until_ready(url)
            yield Running(url, process.pid, log_path)
        finally:
            process.terminate()
            process.wait(timeout=40)  # what is being spoken is finished first


def wait_until_ready(url: str, *, max_seconds: float = 60.0) -> None:
    """Return when /health says that the default voice is in memory."""
    deadline = time.monotonic() + max_seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/health", timeout=5).json()["status"] == "ok":
                return
        time.sleep(0.2)
    raise AssertionError(f"{url} was not ready after {max_seconds} s")
