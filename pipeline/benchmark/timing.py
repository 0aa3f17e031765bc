"""Times of what is run in turn: several medians from the same minutes of a machine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timer:
    """Takes the time of work on a device."""

    device: torch.device
    repeats: int
    clock: Callable[[], float] = time.perf_counter  # seconds

    def rounds(self, *works: Callable[[], object]) -> list[list[float]]:
        """Return the seconds that each work took in each round.

        A round runs all of them, every other one in reverse, so that a machine which slows down
        or speeds up treats them alike. All are run once before, unmeasured.
        """
        for work in works:
            self._seconds(work)
        order = list(range(len(works)))
        seconds: list[list[float]] = [[] for _ in works]
        for _ in range(self.repeats):
            for index in order:
                seconds[index].append(self._seconds(works[index]))
            order.reverse()
        return seconds

    def median(self, work: Callable[[], object]) -> float:
        """Return the median of the seconds that one work takes."""
        return statistics.median(self.rounds(work)[0])

    def _seconds(self, work: Callable[[], object]) -> float:
        self._synchronize()
        started = self.clock()
        work()
        self._synchronize()
        return self.clock() - started

    def _synchronize(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of pairs, each from one round."""
    pairs = zip(numerators, denominators, strict=True)
    return statistics.median(one / other for one, other in pairs)


def median_difference(minuends: Sequence[float], subtrahends: Sequence[float]) -> float:
    """Return the median of the differences of pairs, each from one round."""
    pairs = zip(minuends, subtrahends, strict=True)
    return statistics.median(one - other for one, other in pairs)
