"""The same work on a Ray cluster: Ray Data sends groups of requests to actors with the models."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.batch_job.forkserver import ENVIRONMENT, THREADS
from pipeline.batch_job.pool import Done, Work
from pipeline.batch_job.requests import Request
from pipeline.batch_job.worker import Result, failed
from pipeline.errors import PipelineError

WINDOW = 10_000  # groups that Ray is given at a time: they are in memory here
QUEUED = 2  # groups at an actor, so that it need not wait for the next


class Speaker:
    """An actor: it keeps the voices that it has loaded."""

    def __init__(self, work: Work) -> None:
        import torch

        torch.set_num_threads(THREADS)
        self._work = work

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the results of a group; what ends the run is told, since Ray would go on."""
        requests = [Request(**request) for request in json.loads(row["requests"])]
        try:
            results = self._work(requests)
        except PipelineError as error:
            return {"results": "", "error": str(error), "traceback": ""}
        except Exception:  # a bug
            return {"results": "", "error": "", "traceback": traceback.format_exc()}
        done = [(request.row, *result) for request, result in zip(requests, results, strict=True)]
        return {"results": json.dumps(done), "error": "", "traceback": ""}


@contextmanager
def connected(address: str) -> Iterator[int]:
    """Join a cluster for a while; yield how many processors it has.

    Raises:
        PipelineError: Ray is not installed, there is no cluster at the address, or it is lost.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    # Ray Data asks an actor of its own for resources; a busy machine is slow to start that one.
    os.environ.setdefault("RAY_DATA_AUTOSCALING_COORDINATOR_REQUEST_GET_TIMEOUT_S", "60")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise PipelineError("--ray needs Ray: pip install 'tacoglow[ray]'") from error
    environment = ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[2])}
    try:
        ray.init(
            address,
            runtime_env={"env_vars": environment},
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, ValueError) as error:
        raise PipelineError(f"There is no Ray cluster at {address!r}: {error}") from error
    try:
        yield int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]
    except ray.exceptions.RayError as error:
        reason = str(error).partition("\n")[0]
        raise PipelineError(
            f"The Ray cluster at {address!r} was lost: {reason}. Start it and this command again: "
            "what is spoken is kept."
        ) from error
    finally:
        ray.shutdown()


def work_on_cluster(
    groups: Iterator[Sequence[Request]], work: Work, *, n_workers: int, n_gpus: int
) -> Generator[Done]:
    """Yield each request with its result, in the order in which they are done.

    What an actor was killed at is tried once more, each request alone, and then has failed.

    Args:
        groups: As for `pool.work_through`.
        work: Runs in the actors; a `PipelineError` ends everything.
        n_workers: How many actors at most, of one processor each.
        n_gpus: What each needs, 0 or 1.
    """
    run = partial(_run, work=work, n_workers=n_workers, n_gpus=n_gpus)
    while window := list(islice(groups, WINDOW)):
        missing = {request.row: request for group in window for request in group}
        for row, result in run(window, n_queued=QUEUED):
            yield missing.pop(row), result
        # None waits at an actor for its turn now: it would be lost with the one before it.
        for row, result in run([[one] for one in missing.values()], n_queued=1) if missing else ():
            yield missing.pop(row), result
        for request in missing.values():
            yield request, failed("Its worker was killed twice, perhaps for want of memory")


def _run(
    groups: Sequence[Sequence[Request]],
    *,
    work: Work,
    n_workers: int,
    n_gpus: int,
    n_queued: int,
) -> Iterator[tuple[int, Result]]:
    """Yield rows with what Ray returns; groups that are at an actor when it is killed are left out.

    Raises:
        PipelineError: A file cannot be written, or a voice is not the same everywhere.
        RuntimeError: There is a bug, with the traceback in the actor.
    """
    import ray.data

    context = ray.data.DataContext.get_current()
    context.max_errored_blocks = -1  # a group is a block
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = [{"requests": json.dumps([one._asdict() for one in group])} for group in groups]
    done = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        Speaker,  # type: ignore[arg-type]  # Ray makes an actor of a class
        fn_constructor_args=(work,),
        compute=ray.data.ActorPoolStrategy(
            min_size=1,
            max_size=min(n_workers, len(rows)),
            max_tasks_in_flight_per_actor=n_queued,
        ),
        num_cpus=THREADS,
        num_gpus=n_gpus,
        max_restarts=-1,
        max_task_retries=0,
    )
    for row in done.iter_rows():
        if row["traceback"]:
            raise RuntimeError(f"A worker failed:\n{row['traceback']}")
        if row["error"]:
            raise PipelineError(row["error"])
        for number, *result in json.loads(row["results"]):
            yield number, Result(*result)
