"""The line before the models: order, places, limits, giving up."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from app.line import Line, LineFullError


async def finish(turn) -> list[int]:
    return [ahead async for ahead in turn.news()]


def test_work_is_done_one_by_one_in_the_order_it_came() -> None:
    async def scenario() -> None:
        line, done, busy = Line(), [], threading.Lock()

        def work(number: int) -> int:
            assert busy.acquire(blocking=False), "two pieces are worked on at once"
            time.sleep(0.002)  # long enough for another worker to begin
            done.append(number)
            busy.release()
            return number

        turns = [line.enter(lambda number=number: work(number)) for number in range(20)]
        await asyncio.gather(*map(finish, turns))
        assert done == list(range(20)) == [turn.result() for turn in turns]
        assert len(line) == 0

    asyncio.run(scenario())


def test_who_waits_hears_how_many_are_ahead() -> None:
    async def scenario() -> None:
        line, gate = Line(), threading.Event()
        turns = [line.enter(gate.wait) for _ in range(3)]
        assert [turn.ahead for turn in turns] == [0, 1, 2]
        turns[1].cancel()
        assert turns[2].ahead == 1
        listening = asyncio.create_task(finish(turns[2]))
        await asyncio.sleep(0.01)
        gate.set()
        assert (await listening)[0] == 1
        assert turns[2].ahead == 0

    asyncio.run(scenario())


def test_who_gives_up_is_not_worked_for() -> None:
    async def scenario() -> None:
        line, gate, done = Line(), threading.Event(), []
        first = line.enter(gate.wait)
        gone = line.enter(lambda: done.append("gone"))
        listening = asyncio.create_task(finish(gone))
        await asyncio.sleep(0.01)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)  # it has left the line
        gate.set()
        await finish(first)
        await finish(line.enter(lambda: done.append("next")))
        assert done == ["next"]

    asyncio.run(scenario())


def test_a_full_line_says_so_and_takes_others_later() -> None:
    async def scenario() -> None:
        line, gate = Line(max_waiting=2), threading.Event()
        turns = [line.enter(gate.wait) for _ in range(2)]
        with pytest.raises(LineFullError, match="2 requests are waiting already"):
            line.enter(gate.wait)
        gate.set()
        await asyncio.gather(*map(finish, turns))
        await finish(line.enter(gate.wait))

    asyncio.run(scenario())


def test_an_error_reaches_who_asked_and_nobody_else() -> None:
    async def scenario() -> None:
        line = Line()
        bad, good = line.enter(lambda: 1 // 0), line.enter(lambda: 1)
        await asyncio.gather(finish(bad), finish(good))
        with pytest.raises(ZeroDivisionError):
            bad.result()
        assert good.result() == 1

    asyncio.run(scenario())
