"""SIGINT and SIGTERM as a request to stop: work in hand is finished and saved first."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGINT or SIGTERM; a second one interrupts at once."""
    kinds = (signal.SIGINT, signal.SIGTERM)
    before = {kind: signal.getsignal(kind) for kind in kinds}

    def restore() -> None:
        for kind in kinds:
            signal.signal(kind, before[kind])

    def handle(_kind: int, _frame: object) -> None:
        tqdm.write("stopping after this step; again to stop at once")
        stop()
        restore()

    for kind in kinds:
        signal.signal(kind, handle)
    try:
        yield
    finally:
        restore()
