"""Drives a server for minutes with mixed traffic: `python -m tests.soak --minutes 10`.

Clients of the API in every format, some of which leave in the middle, of the page's endpoints and
of Wyoming work side by side, while a voice is taken away and given back. Prints what was served,
the time to the first sound, errors by kind, and the server's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np
from wyoming.audio import AudioChunk, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.tts import Synthesize

from app.encoding import ENCODINGS
from tests.app_server import Running, running
from tests.conftest import make_voice

TEXTS = ("Hi.", "Pay $5 by 3/4.", "Hello there. How are you? Fine.", "And one more. " * 20)
WRONG = ({"input": ""}, {"input": "Hi.", "speed": 9}, {"input": "Hi.", "voice": "nobody"})
AWAY_SECONDS = 5.0  # that the second voice is away, and that it is there


@dataclass
class Tally:
    """What the clients saw."""

    wyoming_port: int
    seconds: list[float] = field(default_factory=list)  # to the first sound
    served: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)


def ask_api(server: Running, tally: Tally, rng: random.Random) -> None:
    """Post a text or a mistake; read all of the answer, or leave after the first bytes."""
    body = {"input": rng.choice(TEXTS), "response_format": rng.choice(list(ENCODINGS))}
    body |= {"voice": rng.choice(("", "second"))}
    if rng.random() < 0.1:
        body = rng.choice(WRONG)
    started = time.perf_counter()
    url = f"{server.url}/v1/audio/speech"
    with httpx.stream("POST", url, json=body, timeout=60) as answer:
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
    event = httpx.post(url, json={"data": [rng.choice(TEXTS)]}, timeout=60).json()["event_id"]
    answer = httpx.get(f"{url}/{event}", timeout=60).text
    assert "event: complete" in answer, answer
    tally.served["page"] += 1


def ask_wyoming(server: Running, tally: Tally, rng: random.Random) -> None:
    """Speak a text over Wyoming."""

    async def converse() -> None:
        async with (
            asyncio.timeout(60),
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

    asyncio.run(converse())
    tally.served["Wyoming"] += 1


CLIENTS = (ask_api, ask_api, ask_page, ask_wyoming)


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
        except Exception as error:  # all kinds are counted and shown
            tally.errors[type(error).__name__] += 1


def soak(server: Running, tally: Tally, *, second: Path, minutes: float) -> None:
    """Drive a server with all kinds of clients, its second voice coming and going."""
    deadline = time.monotonic() + 60 * minutes
    threads = [
        threading.Thread(
            target=drive,
            args=(ask,),
            kwargs={"server": server, "tally": tally, "seed": seed, "deadline": deadline},
        )
        for seed, ask in enumerate(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    away = second.with_name(".away")
    next_report = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() >= next_report:
            print(f"{sum(tally.served.values())} served, {mebibytes(server)} MiB", flush=True)
            next_report += 30
        second.rename(away)
        time.sleep(AWAY_SECONDS)
        away.rename(second)
        time.sleep(AWAY_SECONDS)


def mebibytes(server: Running) -> int:
    """Return the memory that a server holds."""
    return server.resident_bytes() >> 20


def main() -> None:
    """Start a server with two small voices, drive it, print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        voice = make_voice(Path(folder, "voices", "tiny"))
        second = make_voice(Path(folder, "runs", "second"), seed=1)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        options = ("--runs", str(second.parent), "--wyoming", str(port))
        server = stack.enter_context(running(voice, *options, work_dir=Path(folder)))
        tally = Tally(port)
        at_start = mebibytes(server)
        soak(server, tally, second=second, minutes=args.minutes)
        n_served = sum(tally.served.values())
        print(f"Served {n_served}, {n_served / args.minutes:.0f} a minute: {dict(tally.served)}")
        print(f"Errors: {dict(tally.errors)}")
        p50, p95, p99 = np.percentile(tally.seconds, (50, 95, 99))
        print(f"First sound after {p50:.2f} s (p50), {p95:.2f} s (p95), {p99:.2f} s (p99)")
        print(f"Memory: {at_start} MiB at the start, {mebibytes(server)} MiB at the end")


if __name__ == "__main__":
    main()
