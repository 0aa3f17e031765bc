"""The readings of homographs and the log-linear model that tells them apart.

The first reading of a word scores 0, each other one the sum of its features' weights; the readings'
probabilities are the exponentials of the scores, divided by their sum.
"""

from __future__ import annotations

import lzma
import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from math import exp
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from text.dictionary import Phones
from text.homographs.features import features

WEIGHTS_PATH = Path(__file__).with_name("weights.xz")
UNITS = 1000  # a weight of 1 in the file

_READINGS_PATH = Path(__file__).with_name("readings.txt")


class Reading(NamedTuple):
    """One way to say a homograph.

    Attributes:
        name: The word's id in WikipediaHomographData, as `lead_nou`.
        group: Readings of a group, as verbs are, share weights; each has weights of its own too.
        phones: In CMUdict's way.
    """

    name: str
    group: str
    phones: Phones


class Choice(NamedTuple):
    """A reading and how sure it is, 0 to 1."""

    reading: Reading
    probability: float


def readings(word: str) -> tuple[Reading, ...]:
    """Return the readings of a homograph in any case, none for other words.

    The first is the one that the others are held against.
    """
    return homographs().get(word.lower(), ())


def choose(choices: Sequence[Reading], words: Sequence[str], index: int) -> Choice:
    """Return the likeliest reading of a word in its sentence.

    Args:
        choices: Its readings.
        words: Words and marks of a text, without the spaces.
        index: Which one is asked about.
    """
    odds = probabilities(choices, words, index)
    best = max(range(len(choices)), key=lambda choice: odds[choice])
    return Choice(choices[best], odds[best])


def probabilities(choices: Sequence[Reading], words: Sequence[str], index: int) -> list[float]:
    """Return how likely each reading of a word is in its sentence; arguments as of `choose`."""
    weights = _weights()
    found = features(words, index)
    scores = [0.0]
    for reading in choices[1:]:
        scores.append(sum(weights.get(key, 0) for key in keys(reading, found)) / UNITS)
    likelihoods = [exp(score - max(scores)) for score in scores]
    return [likelihood / sum(likelihoods) for likelihood in likelihoods]


def keys(reading: Reading, found: Iterable[str]) -> list[int]:
    """Return the keys of a reading's features, its own and those of its group."""
    names = (reading.name, reading.group) if reading.group else (reading.name,)
    return [crc32(f"{name} {feature}".encode()) for name in names for feature in found]


@cache
def homographs() -> dict[str, tuple[Reading, ...]]:
    """Return the readings of all homographs."""
    table: dict[str, tuple[Reading, ...]] = {}
    for line in _READINGS_PATH.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, group, *phones = line.split()
            word = name.partition("_")[0]
            reading = Reading(name, "" if group == "-" else group, tuple(phones))
            table[word] = (*table.get(word, ()), reading)
    return {
        word: tuple(sorted(row, key=lambda reading: reading.group)) for word, row in table.items()
    }


@cache
def _weights() -> dict[int, int]:
    return read_weights(WEIGHTS_PATH)


def write_weights(weights: dict[int, int], path: Path) -> None:
    """Write weights: the distances between their sorted keys, uint32, then the weights, int16."""
    sorted_keys = sorted(weights)
    distances = (key - before for before, key in zip([0, *sorted_keys], sorted_keys, strict=False))
    data = [array("I", distances), array("h", (weights[key] for key in sorted_keys))]
    path.write_bytes(lzma.compress(b"".join(_in_file_order(numbers) for numbers in data), preset=9))


def read_weights(path: Path) -> dict[int, int]:
    """Read what `write_weights` wrote."""
    data = lzma.decompress(path.read_bytes())
    split = len(data) // 6 * 4
    distances = array("I", _in_file_order(array("I", data[:split])))
    values = array("h", _in_file_order(array("h", data[split:])))
    return dict(zip(accumulate(distances), values, strict=True))


def _in_file_order(numbers: array[int]) -> bytes:
    """Return numbers with the low byte first, from the machine's order or back to it."""
    if sys.byteorder != "little":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()
