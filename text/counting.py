"""Whether a number counts something or is a year (four digits) or a code (ten and more)."""

import re

from text.rules import words

_PLURALS = words(
    "people men women children feet teeth sheep fish deer mice geese oxen cattle police folk"
    " percent kids aircraft lives wives"
)
# Words that end like a plural, or stand between a year and one.
NO_NOUNS = words(
    "a about after against all also an and are as at because been before began begins being both"
    " brings brought but by came comes could did does during each ended ends every for from goes"
    " had has have he her his how however if in is it its just later led less like likes looks"
    " made makes marks may means might more most no nor not of on or other our out over perhaps"
    " proves remains runs said saw says seems sees she should showed shows since so some starts"
    " still than that the their them then there these they this those though through to took"
    " under until up us very was we were when where which while who whose why will with without"
    " would yet you your always plus minus times sometimes afterwards towards onwards besides"
    " thus this"
)
# What is of a year rather than counted.
_YEARLY = words(
    "elections midterms primaries playoffs finals olympics riots protests floods wildfires"
    " levels prices results figures standards taxes models"
)
_BEFORE_YEARS = words(
    "in since until till from during by circa year years the early late mid fiscal between"
    " january february march april may june july august september october november december class"
    " model spring summer autumn fall winter his her its their our this last"
)
_BEFORE_QUANTITIES = words("exactly approximately nearly almost roughly another")
_FOLLOWING = re.compile(r"(?: [a-z]{2,20}(?:-[a-z]{1,20})?(?![\w'-])){1,2}")
_COUNTED = re.compile(
    r"(?:more|less|fewer|other) than $|(?:total|count|number|sum|score|all) of $"
    r"|\b(?:[Oo]ne|1) in $"
)
_OF_A_YEAR = re.compile(
    r"(?:class|year|spring|summer|autumn|fall|winter|end|start|beginning|middle) of $"
    r"|\b[12]\d{3} (?:and|to|or|through) $"
)


def _is_plural(word: str) -> bool:
    if word in _PLURALS:
        return True
    return word[-1] == "s" and word[-2:] not in ("ss", "us", "is") and word not in NO_NOUNS


def is_counting(text: str, start: int, end: int) -> bool:
    """Tell whether a number at some place in a text counts what follows it.

    It does before a plural ("1342 votes", "1342 registered voters"), unless a word before it says
    that it is a year ("in 1998 prices rose", "the 2008 elections").
    """
    before = text[max(0, start - 30) : start]
    if _OF_A_YEAR.search(before):
        return False
    if _COUNTED.search(before):
        return True
    *_, last = ["", *before.lower().split()]
    return last in _BEFORE_QUANTITIES or (last not in _BEFORE_YEARS and precedes_plural(text, end))


def precedes_plural(text: str, end: int) -> bool:
    """Tell whether a plural follows at some place in a text, at most one word between."""
    following = _FOLLOWING.match(text, end)
    if following is None:
        return False
    first, *rest = following.group().split()
    if first in NO_NOUNS or first in _YEARLY:
        return False
    return _is_plural(first) or (bool(rest) and rest[0] not in _YEARLY and _is_plural(rest[0]))
