"""What worker processes are forked from: it imports torch once for all of them."""

from __future__ import annotations

import os
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running

THREADS = 1  # of each worker: samples depend on it, so it is the same for any number of workers
ENVIRONMENT = {name: str(THREADS) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}


def forkserver() -> ForkServerContext:
    """Return its context; started before it is needed, it imports while others read the list.

    Workers inherit its variables, this process keeps its own: libraries read how many threads to
    start with when they are imported.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["pipeline.batch_job.worker"])
    own = os.environ.copy()
    os.environ.update(ENVIRONMENT)
    try:
        ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(own)
    return context
