"""Drives a server for minutes with mixed traffic and faults: `python -m tests.soak --minutes 10`.

Clients of the API in every format, some of which leave in the middle, of the page's endpoints, of
uploads and of Wyoming work side by side. Meanwhile workers are killed, a voice is taken away and
given back, and the disk fills up: for root it is a small one of its own. Prints what was served,
the time to the first sound, errors by kind and memory; ends with 1 where an error was not one of
those that the server announces.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.tts import Synthesize

from app.encoding import ENCODINGS
from tests.app_server import Running, running
from tests.conftest import make_voice

TEXTS = ("Hi.", "Pay $5 by 3/4.", "Hello there. How are you? Fine.", "And one more. " * 20)
CUT_OFF = "stream cut off"  # how a body of unknown length says that there is no more of it
WRONG = ({"input": ""}, {"input": "Hi.", "speed": 9}, {"input": "Hi.", "voice": "nobody"})
ANNOUNCED = ("HTTP 400", "HTTP 413", "HTTP 429", "HTTP 503", "HTTP 507", "Wyoming error", CUT_OFF)
AWAY_SECONDS = 5.0  # that the second voice is away, and that it is there
FAULT_SECONDS = 20.0  # between two other faults
DISK_BYTES = 16 * 2**20
PATIENCE_SECONDS = 120.0  # of the clients


@dataclass
class Tally:
    """What the clients saw."""

    wyoming_port: int
    seconds: list[float] = field(default_factory=list)  # to the first sound
    served: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def unannounced(self) -> list[str]:
        """Return the kinds of errors that a server should not make."""
        return [kind for kind in self.errors if not kind.startswith(ANNOUNCED)]


def ask_api(server: Running, tally: Tally, rng: random.Random) -> None:
    """Post a text or a mistake; read all of the answer, or leave after the first bytes."""
    body = {"input": rng.choice(TEXTS), "response_format": rng.choice(list(ENCODINGS))}
    body |= {"voice": rng.choice(("", "second"))}
    if rng.random() < 0.1:
        body = rng.choice(WRONG)
    started = time.perf_counter()
    url = f"{server.url}/v1/audio/speech"
    with httpx.stream("POST", url, json=body, timeout=PATIENCE_SECONDS) as answer:
        if answer.status_code != httpx.codes.OK:
            tally.errors[f"HTTP {answer.status_code}"] += 1
            return
        pieces = answer.iter_raw()
        next(pieces)
        tally.seconds.append(time.perf_counter() - started)
        if rng.random() < 0.2:
            tally.served["left in the middle"] += 1
            return
        for _ in pieces:
            pass
    tally.served[f"API {body['response_format']}"] += 1


def ask_page(server: Running, tally: Tally, rng: random.Random) -> None:
    """Use an endpoint of the page and read the answer's events."""
    url = f"{server.url}/gradio_api/call/normalize"
    body = {"data": [rng.choice(TEXTS)]}
    event = httpx.post(url, json=body, timeout=PATIENCE_SECONDS).json()["event_id"]
    answer = httpx.get(f"{url}/{event}", timeout=PATIENCE_SECONDS).text
    kind = "page" if "event: complete" in answer else ""
    tally.served[kind] += bool(kind)
    tally.errors["page without an answer"] += not kind


def upload(server: Running, tally: Tally, rng: random.Random) -> None:
    """Upload a file as the page does."""
    url, files = f"{server.url}/gradio_api/upload", {"files": rng.randbytes(200_000)}
    answer = httpx.post(url, files=files, timeout=PATIENCE_SECONDS)
    if answer.status_code == httpx.codes.OK:
        tally.served["upload"] += 1
    else:
        tally.errors[f"HTTP {answer.status_code}"] += 1
    time.sleep(0.5)


def ask_wyoming(server: Running, tally: Tally, rng: random.Random) -> None:
    """Speak a text over Wyoming."""

    async def converse() -> None:
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            AsyncTcpClient("127.0.0.1", tally.wyoming_port) as client,
        ):
            started = time.perf_counter()
            is_first = True
            await client.write_event(Synthesize(text=rng.choice(TEXTS)).event())
            while (event := await client.read_event()) and not AudioStop.is_type(event.type):
                if Error.is_type(event.type):
                    tally.errors["Wyoming error"] += 1
                    return
                if is_first and AudioChunk.is_type(event.type):
                    is_first = False
                    tally.seconds.append(time.perf_counter() - started)
            kind = tally.served if event else tally.errors
            kind["Wyoming" if event else "Wyoming hung up"] += 1

    asyncio.run(converse())


CLIENTS = (ask_api, ask_api, ask_page, ask_wyoming, upload)


def drive(
    ask: Callable[[Running, Tally, random.Random], None],
    *,
    server: Running,
    tally: Tally,
    seed: int,
    deadline: float,
) -> None:
    """Ask again and again until the deadline."""
    rng = random.Random(seed)
    while time.monotonic() < deadline:
        try:
            ask(server, tally, rng)
        except httpx.RemoteProtocolError as error:
            is_cut = "incomplete chunked read" in str(error)
            tally.errors[CUT_OFF if is_cut else str(error)] += 1
        except Exception as error:  # all kinds are counted and shown
            tally.errors[f"{type(error).__name__} in {ask.__name__}"] += 1


def come_and_go(second: Path, deadline: float) -> None:
    """Take a voice away and give it back."""
    away = second.with_name(".away")
    while time.monotonic() < deadline:
        second.rename(away)
        time.sleep(AWAY_SECONDS)
        away.rename(second)
        time.sleep(AWAY_SECONDS)


def break_things(server: Running, tally: Tally, disk: Path | None, deadline: float) -> None:
    """Kill a worker and fill the disk, in turn."""
    rng = random.Random(0)
    while time.monotonic() < deadline - FAULT_SECONDS:
        time.sleep(FAULT_SECONDS / 2)
        if workers := worker_pids(server):
            os.kill(rng.choice(workers), signal.SIGKILL)
            tally.faults["worker killed"] += 1
        if disk is not None:
            with contextlib.suppress(OSError), (disk / "filler").open("wb") as file:
                while True:
                    file.write(bytes(2**16))
            tally.faults["disk full"] += 1
        time.sleep(FAULT_SECONDS / 2)
        if disk is not None:
            for path in (path for path in disk.rglob("*") if path.is_file()):
                path.unlink(missing_ok=True)


def worker_pids(server: Running) -> list[int]:
    """Return the processes in which a server speaks."""
    return [
        child.pid
        for child in psutil.Process(server.pid).children(recursive=True)
        if "forkserver" in " ".join(child.cmdline()) and not child.children()
    ]


def soak(server: Running, tally: Tally, *, second: Path, disk: Path | None, minutes: float) -> None:
    """Drive a server with all kinds of clients, and all faults."""
    deadline = time.monotonic() + 60 * minutes
    threads = [
        threading.Thread(
            target=drive,
            args=(ask,),
            kwargs={"server": server, "tally": tally, "seed": seed, "deadline": deadline},
        )
        for seed, ask in enumerate(CLIENTS)
    ]
    threads.append(threading.Thread(target=come_and_go, args=(second, deadline)))
    threads.append(threading.Thread(target=break_things, args=(server, tally, disk, deadline)))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        print(f"{sum(tally.served.values())} served, {memory(server)}", flush=True)
        time.sleep(30)


def memory(server: Running) -> str:
    """Return what a server holds, and what its workers hold, theirs alone."""
    workers = [psutil.Process(pid).memory_full_info().uss >> 20 for pid in worker_pids(server)]
    return f"{server.resident_bytes() >> 20} MiB" + "".join(f" + {held}" for held in workers)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Mount a disk of `DISK_BYTES` on a new folder; None where that is not allowed."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    is_mounted = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0
    try:
        yield folder if is_mounted else None
    finally:
        if is_mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def report(tally: Tally, minutes: float) -> None:
    """Print the figures."""
    n_served = sum(tally.served.values())
    print(f"Served {n_served}, {n_served / minutes:.0f} a minute: {dict(tally.served)}")
    print(f"Faults: {dict(tally.faults)}; errors: {dict(+tally.errors)}")
    p50, p95, p99 = np.percentile(tally.seconds, (50, 95, 99))
    print(f"First sound after {p50:.2f} s (p50), {p95:.2f} s (p95), {p99:.2f} s (p99)")


def main() -> int:
    """Start a server with two small voices, drive it, print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        disk = stack.enter_context(small_disk(folder / "disk"))
        voice = make_voice(folder / "voices" / "tiny")
        second = make_voice(folder / "runs" / "second", seed=1)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        options = ("--runs", str(second.parent), "--wyoming", str(port))
        options += ("--workers", str(args.workers))
        server = stack.enter_context(running(voice, *options, work_dir=folder, uploads_dir=disk))
        tally = Tally(port)
        ask_page(server, tally, random.Random(0))  # what is loaded once is there
        at_start = memory(server)
        soak(server, tally, second=second, disk=disk, minutes=args.minutes)
        report(tally, args.minutes)
        print(f"Memory: {at_start} at the start, {memory(server)} at the end")
        unannounced = [kind for kind in tally.unannounced() if tally.errors[kind]]
        if unannounced:
            print(f"Not announced: {', '.join(unannounced)}")
            print((folder / "stderr").read_text(encoding="utf-8")[-5_000:])
    return 1 if unannounced else 0


if __name__ == "__main__":
    raise SystemExit(main())
