"""The queue of jobs: order, places, limits, giving up."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from app.job_queue import JobQueue, QueueFullError


async def finish(job) -> list[int]:
    return [ahead async for ahead in job.progress()]


def test_work_is_done_one_by_one_in_the_order_it_came() -> None:
    async def scenario() -> None:
        queue, done, busy = JobQueue(), [], threading.Lock()

        def work(number: int) -> int:
            assert busy.acquire(blocking=False), "two jobs are worked on at once"
            time.sleep(0.002)  # long enough for another worker to begin
            done.append(number)
            busy.release()
            return number

        jobs = [queue.submit(lambda number=number: work(number)) for number in range(20)]
        await asyncio.gather(*map(finish, jobs))
        assert done == list(range(20)) == [job.result() for job in jobs]
        assert len(queue) == 0

    asyncio.run(scenario())


def test_who_waits_hears_how_many_are_ahead() -> None:
    async def scenario() -> None:
        queue, gate = JobQueue(), threading.Event()
        jobs = [queue.submit(gate.wait) for _ in range(3)]
        assert [job.ahead for job in jobs] == [0, 1, 2]
        jobs[1].cancel()
        assert jobs[2].ahead == 1
        listening = asyncio.create_task(finish(jobs[2]))
        await asyncio.sleep(0.01)
        gate.set()
        assert (await listening)[0] == 1
        assert jobs[2].ahead == 0

    asyncio.run(scenario())


def test_who_gives_up_is_not_worked_for() -> None:
    async def scenario() -> None:
        queue, gate, done = JobQueue(), threading.Event(), []
        first = queue.submit(gate.wait)
        gone = queue.submit(lambda: done.append("gone"))
        listening = asyncio.create_task(finish(gone))
        await asyncio.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)  # it has left the queue
        gate.set()
        await finish(first)
        await finish(queue.submit(lambda: done.append("next")))
        assert done == ["next"]

    asyncio.run(scenario())


def test_a_full_line_says_so_and_takes_others_later() -> None:
    async def scenario() -> None:
        queue, gate = JobQueue(max_waiting=2), threading.Event()
        jobs = [queue.submit(gate.wait) for _ in range(2)]
        with pytest.raises(QueueFullError, match="2 requests are waiting already"):
            queue.submit(gate.wait)
        gate.set()
        await asyncio.gather(*map(finish, jobs))
        await finish(queue.submit(gate.wait))

    asyncio.run(scenario())


def test_an_error_reaches_who_asked_and_nobody_else() -> None:
    async def scenario() -> None:
        queue = JobQueue()
        bad, good = queue.submit(lambda: 1 // 0), queue.submit(lambda: 1)
        await asyncio.gather(finish(bad), finish(good))
        with pytest.raises(ZeroDivisionError):
            bad.result()
        assert good.result() == 1

    asyncio.run(scenario())


def test_an_error_that_was_raised_is_not_logged_too() -> None:
    logged: list[str] = []

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: logged.append(context["message"]))
        job = JobQueue().submit(lambda: 1 // 0)
        await finish(job)
        with pytest.raises(ZeroDivisionError):
            job.result()
        del job
        gc.collect()  # asyncio complains when a future goes whose exception nobody asked for

    asyncio.run(scenario())
    assert logged == []
