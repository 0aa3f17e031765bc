"""Fractions and mixed numbers."""

import re

from text.number_words import START, cardinal, ordinal, plural
from text.rules import Rule

FRACTION = r"\d{1,9}(?:/| / )\d{1,9}"
MIXED = r"(?:\d{1,9}[ -])?\d{1,9}/\d{1,9}"
_IDIOMS = {
    **{"24/7": "twenty four seven", "9/11": "nine eleven", "50/50": "fifty fifty"},
    **{"20/20": "twenty twenty", "10/10": "ten out of ten"},
}


def speak_fraction(numerator: str, denominator: str) -> str:
    """Return "three quarters" for 3 and 4, "five over one" for 5 and 1."""
    number = cardinal(numerator)
    if denominator == "1":
        return f"{number} over one"
    if denominator == "2":
        return f"{number} {'half' if number == 'one' else 'halves'}"
    part = "quarter" if denominator == "4" else ordinal(denominator)
    return f"{number} {part if number == 'one' else plural(part)}"


def speak_mixed(written: str) -> str:
    """Return "two and a half" for "2 1/2" or "2-1/2", "two thirds" for "2/3"."""
    fraction, denominator = (part.strip() for part in written.replace("-", " ").split("/"))
    whole, _, numerator = fraction.rpartition(" ")
    spoken = speak_fraction(numerator, denominator)
    if not whole:
        return spoken
    return f"{cardinal(whole)} and {'a half' if spoken == 'one half' else spoken}"


def _speak(match: re.Match[str]) -> str:
    sign, written = match.groups()
    return ("minus " if sign else "") + (_IDIOMS.get(written) or speak_mixed(written))


RULES = (
    Rule(
        "fraction",
        rf"{START}(?<!/)(?<![A-Za-z]-)((?<![^\s(])-)?((?:\d{{1,3}}[ -])?{FRACTION})"
        r"(?:ths?|TH|nds?|rds?|st)?(?![\w/]|[.,-]\d)",
        _speak,
        trigger="/",
    ),
)
