"""Pauses that nobody wrote: a comma where a long stretch of words turns to its next clause."""

import re
from collections.abc import Sequence

from text.rules import words

LONG = 15
"""Words from which a stretch without a mark is too long for one breath."""

VERY_LONG = 22
"""Words from which even an "and" that may only join two nouns is a place to pause."""

_SIDE = 6  # words that must stand on both sides of a pause
TURNS = (
    words("because although though whereas unless but"),
    words("which while until since when where if before after"),
    words("and or"),
)
"""Words that begin a clause, the surest first."""

_SUBJECTS = words(
    "I a an everyone he her his in it its my nobody our she someone that the their there these they"
    " this those we what you"
)
"""Words after "and" that show a clause: without one, it joins two nouns as often."""

# A word after which nothing may pause: "and because", "so that", "of which", "as if".
BOUND = words(
    "a about an and as at because before but by even for from if in into just like nor not of on"
    " only or so than that the through to until upon when where whether with without to whose"
)
_STRETCH = re.compile(r"[^,.;:!?()]+")
_WORD = re.compile(r"\{[^{}]*\}|\S+")  # a span of phones is one word


def add_pauses(text: str) -> str:
    """Return normalized text with commas at the clauses of its long stretches.

    Args:
        text: What `normalize` returns.

    Returns:
        The same words; a second call changes nothing.
    """
    return _STRETCH.sub(lambda match: _broken(match.group()), text)


def _broken(stretch: str) -> str:
    found = list(_WORD.finditer(stretch))
    place = _turn([word.group() for word in found])
    if place is None:
        return stretch
    position = found[place].start()
    return f"{_broken(stretch[:position].rstrip())}, {_broken(stretch[position:])}"


def _turn(spoken: Sequence[str]) -> int | None:
    """Return the index of the word that begins the next clause, the surest nearest the middle."""
    if len(spoken) < LONG:
        return None
    ranked = [
        (rank, abs(2 * place - len(spoken)), place)
        for place in range(_SIDE, len(spoken) - _SIDE + 1)
        if spoken[place - 1] not in BOUND
        and (rank := _rank(spoken[place], spoken[place + 1])) is not None
    ]
    if not ranked or (min(ranked)[0] == len(TURNS) - 1 and len(spoken) < VERY_LONG):
        return None
    return min(ranked)[2]


def _rank(word: str, following: str) -> int | None:
    """Return how sure it is that a word begins a clause, 0 the surest, or None."""
    for rank, turns in enumerate(TURNS):
        if word in turns:
            return rank - 1 if following in _SUBJECTS and word in TURNS[-1] else rank
    return None


def end_with_pause(text: str) -> str:
    """Return a heading or list item with a period where it ends without a mark."""
    return f"{text}." if text and text[-1] not in ".!?,;:" else text
