"""The worker processes: kept busy, and started again when one is killed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import active_children

from pipeline.batch_job.forkserver import forkserver
from pipeline.batch_job.requests import Request
from pipeline.batch_job.worker import Result, begin, failed

Work = Callable[[Sequence[Request]], list[Result]]
Done = tuple[Request, Result]

PATIENCE_SECONDS = 1_800.0  # eight sentences take seconds


def work_through(
    groups: Iterable[Sequence[Request]], work: Work, *, n_workers: int
) -> Generator[Done]:
    """Yield each request with its result, in the order in which they are done.

    When a worker is killed, the requests that were being worked on are tried again, in groups of
    one; those that are being worked on when a worker is killed again are tried one after the other.
    The one at which a worker is killed then is at fault, and fails. When none of them has done a
    group for `PATIENCE_SECONDS`, they hang, and are killed.

    Args:
        groups: Taken as workers become free, so there may be any number.
        work: Runs in the workers; what it raises ends everything.
        n_workers: How many processes.
    """
    todo = iter(groups)
    while lost := (yield from _until_a_worker_dies(todo, work, n_workers=n_workers)):
        apart = iter([[one] for one in lost])
        while suspects := (yield from _until_a_worker_dies(apart, work, n_workers=n_workers)):
            for one in suspects:
                if (yield from _until_a_worker_dies(iter([[one]]), work, n_workers=1)):
                    reason = "Its worker was killed or hung thrice, perhaps for want of memory"
                    yield one, failed(reason)


def _until_a_worker_dies(
    todo: Iterator[Sequence[Request]], work: Work, *, n_workers: int
) -> Generator[Done, None, list[Request]]:
    """Yield what is done; return what was under way when a worker died, or nothing at the end."""
    others = set(active_children())
    pool = ProcessPoolExecutor(n_workers, mp_context=forkserver(), initializer=begin)
    under_way: list[Sequence[Request]] = []
    futures: dict[Future[list[Result]], Sequence[Request]] = {}

    def submit(n_groups: int) -> None:
        for group in islice(todo, n_groups):
            under_way.append(group)  # first: submit fails where a worker has just died
            futures[pool.submit(work, group)] = group

    try:
        submit(2 * n_workers)
        while futures:
            done = wait(futures, timeout=PATIENCE_SECONDS, return_when=FIRST_COMPLETED).done
            if not done:
                for process in set(active_children()) - others:
                    process.kill()
            for future in done:
                results = future.result()
                group = futures.pop(future)
                under_way.remove(group)
                yield from zip(group, results, strict=True)
                submit(1)
    except BrokenProcessPool:
        return [request for group in under_way for request in group]
    finally:
        pool.shutdown(cancel_futures=True)
    return []
