"""Worker processes that hold the models, each of which can be killed at any time.

What they are asked for says all that its answer depends on, so any worker can answer it: when one
is killed, another process takes its place and the same is asked again.
"""

from __future__ import annotations

import atexit
import itertools
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from functools import lru_cache, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import torch

from pipeline.devices import Precision
from pipeline.errors import PipelineError
from pipeline.torch_engine import TorchEngine

MAX_LOADED = 4  # voices in each worker
ATTEMPTS = 2  # workers that one piece of work may lose
STOP_SECONDS = 3.0


class WorkerLostError(PipelineError):
    """Workers were killed at this work."""


class VoiceKey(NamedTuple):
    """Which weights a worker is to speak with; it loads them when it first sees them."""

    folder: Path
    vocoder: Path | None
    device: str
    precision: Precision
    sha256: tuple[str, str]  # the voice's fingerprint, and that of its vocoder


class Call(NamedTuple):
    """A method of an engine with its arguments."""

    key: VoiceKey
    method: str  # "" where it is enough that the voice is loaded
    arguments: tuple[Any, ...]


class _Step(NamedTuple):
    """The next of what a call yields."""

    stream: int
    n_done: int  # steps before it; a worker that does not know the stream repeats them


class _Answer(NamedTuple):
    value: Any = None
    is_end: bool = False
    error: Exception | None = None


class WorkerPool:
    """Some worker processes. Any number of threads may ask, and wait while all are busy."""

    def __init__(self, n_workers: int, *, n_threads: int) -> None:
        """Start the processes.

        Args:
            n_workers: How many.
            n_threads: What each computes with; samples depend on it, by rounding.
        """
        self.n_workers = n_workers
        self.n_restarts = 0
        self._workers = [_Worker(n_threads) for _ in range(n_workers)]
        self._idle = set(self._workers)
        self._is_closed = False
        self._changed = threading.Condition()
        self._streams = itertools.count()
        atexit.register(self.close)

    def load(self, key: VoiceKey) -> None:
        """Load a voice in all workers, so that none makes its first request wait.

        Raises:
            PipelineError: It cannot be loaded.
        """
        for worker in self._workers:
            self._ask(worker, Call(key, "", ()), None)

    def run(self, call: Call) -> Any:
        """Return what a call returns, or raise what it raises.

        Raises:
            WorkerLostError: A worker was killed at it, and so was the next.
        """
        return self._ask(None, call, None)[1].value

    def iterate(self, call: Call) -> Iterator[Any]:
        """Yield what a call yields; each step is work of its own, for one worker if it lives."""
        stream = next(self._streams)
        worker: _Worker | None = None
        try:
            for n_done in itertools.count():
                worker, answer = self._ask(worker, call, _Step(stream, n_done))
                if answer.is_end:
                    return
                yield answer.value
        finally:
            if worker is not None:
                worker.close_stream(stream)

    def close(self) -> None:
        """End the processes; what they are asked from then on, or were just doing, is refused."""
        atexit.unregister(self.close)
        with self._changed:
            self._is_closed = True
        deadline = time.monotonic() + STOP_SECONDS
        for worker in self._workers:
            is_idle = partial(self._idle.__contains__, worker)
            with self._changed:
                has_ended = self._changed.wait_for(is_idle, deadline - time.monotonic())
            worker.stop() if has_ended else worker.kill()

    def _ask(
        self, wanted: _Worker | None, call: Call, step: _Step | None
    ) -> tuple[_Worker, _Answer]:
        for _ in range(ATTEMPTS):
            worker = self._take(wanted)
            try:
                answer = worker.ask(call, step)
            except (EOFError, OSError):
                self._restart(worker)
                wanted = worker  # others may have been killed too, while they were idle
                continue
            finally:
                self._put_back(worker)
            if answer.error is not None:
                if step is not None:
                    worker.streams.discard(step.stream)
                raise answer.error
            return worker, answer
        raise WorkerLostError(
            f"{ATTEMPTS} worker processes were killed at this, perhaps for want of memory. Try "
            "again in a minute, or a shorter text."
        )

    def _restart(self, worker: _Worker) -> None:
        with self._changed:  # not after `close`: nobody would end that process
            if self._is_closed:
                raise WorkerLostError("The worker processes have been ended.")
            worker.start()
            self.n_restarts += 1

    def _take(self, wanted: _Worker | None) -> _Worker:
        """Wait for a worker: for the one wanted, else for that with the fewest streams."""
        with self._changed:
            self._changed.wait_for(lambda: wanted in self._idle if wanted else self._idle)
            worker = wanted or min(self._idle, key=lambda idle: len(idle.streams))
            self._idle.remove(worker)
            return worker

    def _put_back(self, worker: _Worker) -> None:
        with self._changed:
            self._idle.add(worker)
            self._changed.notify_all()


class _Worker:
    """One process, as the process that started it sees it."""

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self.streams: set[int] = set()  # those that it has begun
        self._closed: deque[int] = deque()  # those that it may forget; other threads add to them
        self.start()

    def start(self) -> None:
        """Start the process, or a new one in the place of one that was killed."""
        context = get_context("forkserver")  # torch is imported once, and shared
        context.set_forkserver_preload(["pipeline.worker_pool"])
        self._connection, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._n_threads), daemon=True)
        process.start()
        theirs.close()  # so that the end of the process is the end of the connection
        self._process = process

    def ask(self, call: Call, step: _Step | None) -> _Answer:
        """Return the answer to a call, or to a step of it.

        Raises:
            EOFError, OSError: The process was killed.
        """
        closed = [self._closed.popleft() for _ in range(len(self._closed))]
        if step is not None:
            self.streams.add(step.stream)
        self._connection.send((call, step, closed))
        answer: _Answer = self._connection.recv()
        return answer

    def close_stream(self, stream: int) -> None:
        """Have a stream forgotten with the next call."""
        self.streams.discard(stream)
        self._closed.append(stream)

    def stop(self) -> None:
        """End the process, of which no thread awaits an answer."""
        self._connection.close()
        self._process.join(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End the process at once; a thread that awaits its answer gets an EOFError."""
        self._process.kill()
        self._process.join()


def _serve(connection: Connection, n_threads: int) -> None:
    """Answer calls until the other end is closed: what a worker process does."""
    for number in (signal.SIGINT, signal.SIGTERM):  # the server ends its workers, after speaking
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(n_threads)
    streams: dict[int, Iterator[Any]] = {}
    while True:
        try:
            call, step, closed = connection.recv()
        except EOFError:
            return
        for stream in closed:
            streams.pop(stream, None)
        try:
            answer = _Answer(_result(call)) if step is None else _next(streams, call, step)
        except PipelineError as error:
            answer = _Answer(error=error)
        except Exception as error:  # a bug, or no memory: it is told to the one who asked
            answer = _Answer(error=RuntimeError(f"{type(error).__name__}: {error}"))
        connection.send(answer)


def _next(streams: dict[int, Iterator[Any]], call: Call, step: _Step) -> _Answer:
    if step.stream not in streams:
        streams[step.stream] = itertools.islice(_result(call), step.n_done, None)
    try:
        for value in streams[step.stream]:
            return _Answer(value)
    except Exception:
        del streams[step.stream]  # nobody asks for more of it
        raise
    return _Answer(is_end=True)


def _result(call: Call) -> Any:
    engine = _engine(call.key)
    return getattr(engine, call.method)(*call.arguments) if call.method else None


@lru_cache(maxsize=MAX_LOADED)
def _engine(key: VoiceKey) -> TorchEngine:
    try:
        engine = TorchEngine.load(
            key.folder, vocoder=key.vocoder, device=key.device, precision=key.precision
        )
    except PipelineError as error:
        raise PipelineError(
            f"The voice {key.folder.name!r} cannot be loaded any more. Choose another."
        ) from error
    if (engine.voice.fingerprint, engine.vocoder_sha256) != key.sha256:
        raise PipelineError(f"The voice {key.folder.name!r} was changed meanwhile. Try again.")
    return engine
