"""Requests sorted into groups that are decoded side by side: of one voice, and of like length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from pipeline.batch_job.requests import Request

WINDOW = 512  # requests sorted at a time: enough for like lengths, and no more in memory


def buckets(requests: Iterable[Request], *, most: int) -> Iterator[list[Request]]:
    """Yield all requests in groups of one voice, at most so many in each, the long ones first.

    At the end workers then wait for a group of short ones, not of long ones.

    Those that cannot be spoken come in groups of their own.
    """
    todo = iter(requests)
    while window := list(islice(todo, WINDOW)):
        window.sort(key=lambda request: (request.voice_dir, -len(request.text)))
        for _, of_voice in groupby(window, key=lambda request: request.voice_dir):
            while group := list(islice(of_voice, most)):
                yield group
