"""The same work on a Ray cluster: Ray Data sends groups of requests to actors with the models."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.batch_job.pool import Done, Work
from pipeline.batch_job.requests import ENVIRONMENT, THREADS, Request
from pipeline.batch_job.worker import Result, failed
from pipeline.errors import PipelineError

WINDOW = 10_000  # groups that Ray is given at a time: they are in memory here


class Speaker:
    """An actor: it keeps the voices that it has loaded."""

    def __init__(self, work: Work) -> None:
        import torch

        torch.set_num_threads(THREADS)
        self._work = work

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the results of a group; what ends the run is told, since Ray would go on."""
        try:
            results = self._work(_requests(row["requests"]))
        except PipelineError as error:
            return {**row, "results": "", "error": str(error)}
        return {**row, "results": json.dumps(results), "error": ""}


def connect(address: str) -> int:
    """Join a cluster; return how many processors it has.

    Raises:
        PipelineError: Ray is not installed, or there is no cluster at the address.
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
            ignore_reinit_error=True,
        )
    except (ConnectionError, ValueError) as error:
        raise PipelineError(f"There is no Ray cluster at {address!r}: {error}") from error
    return int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]


def work_on_cluster(
    groups: Iterator[Sequence[Request]], work: Work, *, n_workers: int, n_gpus: int
) -> Iterator[Done]:
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
        for request, result in run(window):
            del missing[request.row]
            yield request, result
        for request, result in run([[one] for one in missing.values()]) if missing else ():
            del missing[request.row]
            yield request, result
        for request in missing.values():
            yield request, failed("Its worker was killed, perhaps for want of memory")


def _run(
    groups: Sequence[Sequence[Request]], *, work: Work, n_workers: int, n_gpus: int
) -> Iterator[Done]:
    """Yield what Ray returns; groups at which actors are killed are left out.

    Raises:
        PipelineError: A file cannot be written.
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
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(n_workers, len(rows))),
        num_cpus=THREADS,
        num_gpus=n_gpus,
        max_restarts=-1,
        max_task_retries=0,
    )
    for row in done.iter_rows():
        if row["error"]:
            raise PipelineError(row["error"])
        results = [Result(*result) for result in json.loads(row["results"])]
        yield from zip(_requests(row["requests"]), results, strict=True)


def _requests(text: str) -> list[Request]:
    return [Request(**request) for request in json.loads(text)]
