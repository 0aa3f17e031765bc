"""What a new speaker reads into a microphone: sentences in an order that soon holds every phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

from pipeline.data.own_clips import read_prompts
from text import normalize, pronounce

MORE_PROMPTS_PATH = Path(__file__).with_name("recording_prompts.txt")
SILENCE = "_"  # before and after a sentence

Unit = tuple[str, ...]
"""One phone, or two that follow each other."""


@cache
def recording_prompts() -> tuple[str, ...]:
    """Return all sentences to be read, some eight minutes of them, the most useful first."""
    more = MORE_PROMPTS_PATH.read_text(encoding="utf-8").splitlines()
    return tuple(by_coverage([*read_prompts(), *more]))


def by_coverage(sentences: Sequence[str]) -> list[str]:
    """Return sentences in an order in which each adds most, for its length, to those before it.

    To hear a unit, a phone or a pair of them, once more is worth the less the more often it was
    heard: 1, then a half, a third, and so on.
    """
    units = {sentence: units_of(sentence) for sentence in sentences}
    heard: Counter[Unit] = Counter()

    def worth(sentence: str) -> float:
        seen = units[sentence]
        gains = (
            sum(1.0 / (1 + heard[unit] + more) for more in range(count))
            for unit, count in seen.items()
        )
        return sum(gains) / max(1, seen.total())

    ordered = []
    left = list(units)
    while left:
        best = max(left, key=worth)
        left.remove(best)
        ordered.append(best)
        heard += units[best]
    return ordered


def units_of(sentence: str) -> Counter[Unit]:
    """Return how often a sentence holds each phone, and each pair of phones."""
    tokens = pronounce(normalize(sentence))
    phones = [phone.rstrip("012") for token in tokens for phone in token.phones or ()]
    pairs = pairwise([SILENCE, *phones, SILENCE])
    return Counter([*((phone,) for phone in phones), *pairs])
