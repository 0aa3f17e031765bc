"""Time on a machine that is busy: waiting for others, and what a process took."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import psutil

PATIENCE_SECONDS = 120.0  # after which something hangs, also where every core has much to do


def wait_until(holds: Callable[[], object], *, max_seconds: float = PATIENCE_SECONDS) -> None:
    """Return when a condition holds; fail where it does not within so many seconds."""
    deadline = time.monotonic() + max_seconds
    while not holds():
        assert time.monotonic() < deadline, f"It does not hold after {max_seconds} s."
        time.sleep(0.02)


def children_seconds() -> float:
    """Return the processor's time that child processes took which have ended."""
    times = os.times()
    return times.children_user + times.children_system


def compute(process: BaseProcess, *, max_seconds: float = math.inf) -> float:
    """Wait until a process has ended, or computed for so many seconds; return how long it did."""
    seconds = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        observed = psutil.Process(process.pid)
        while seconds < max_seconds and process.exitcode is None:
            process.join(0.01)
            times = observed.cpu_times()
            seconds = times.user + times.system
    return seconds
