"""The queue of jobs for the models: first come, first served, by one worker thread or more."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

T = TypeVar("T")

MAX_WAITING = 100  # jobs; beyond it a request is told to come back later
PROGRESS_SECONDS = 0.5  # between two reports of the place in the queue


class QueueFullError(RuntimeError):
    """Too many are waiting already."""


class Job(Generic[T]):
    """A place in the queue, and in the end the result of its work."""

    def __init__(self, queue: JobQueue, future: Future[T]) -> None:
        self._queue = queue
        self._future = future

    @property
    def ahead(self) -> int:
        """How many jobs come before this one; 0 while it works and after."""
        return self._queue.ahead_of(self._future)

    def cancel(self) -> None:
        """Give up the place; work that has begun runs to its end, and its result is dropped."""
        self._future.cancel()

    async def progress(self) -> AsyncIterator[int]:
        """Yield how many are ahead, at once and twice a second, until the work is done."""
        done = asyncio.wrap_future(self._future)
        try:
            while not done.done():
                yield self.ahead
                await asyncio.wait([done], timeout=PROGRESS_SECONDS)
        finally:
            if not done.cancel() and not done.cancelled():
                done.exception()  # `result` raises it; asyncio would log that nobody asked

    def result(self) -> T:
        """Return what the work returned, or raise what it raised."""
        return self._future.result(timeout=0)


class JobQueue:
    """Work is begun in the order in which it came, by as many threads as there are models.

    Pieces are as small as a sentence: a long text is submitted sentence by sentence, so that no
    request waits for more than one sentence of each of the others.
    """

    def __init__(self, *, n_workers: int = 1, max_waiting: int = MAX_WAITING) -> None:
        self._n_workers = n_workers
        self._max_waiting = max_waiting
        self._worker = ThreadPoolExecutor(n_workers, thread_name_prefix="models")
        self._guard = threading.Lock()
        self._pending: list[Future[Any]] = []  # the first ones may be at work

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def is_full(self) -> bool:
        """Whether the next job would be refused."""
        return len(self._pending) >= self._max_waiting

    def submit(self, work: Callable[[], T]) -> Job[T]:
        """Add a piece of work to the end of the queue.

        Raises:
            QueueFullError: There are `max_waiting` already.
        """
        with self._guard:
            if self.is_full:
                raise QueueFullError(
                    f"{len(self._pending)} requests are waiting already. Try again in a minute."
                )
            future = self._worker.submit(work)
            self._pending.append(future)
        future.add_done_callback(self._remove)
        return Job(self, future)

    def ahead_of(self, future: Future[Any]) -> int:
        """Return how many come before a future of this queue; 0 if it is done."""
        with self._guard:
            before = self._pending.index(future) if future in self._pending else 0
            return max(0, before - self._n_workers + 1)

    def close(self) -> None:
        """Take no more work and drop what waits; what has begun is finished."""
        self._worker.shutdown(cancel_futures=True)

    def _remove(self, future: Future[Any]) -> None:
        with self._guard:
            self._pending.remove(future)
