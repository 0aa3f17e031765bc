"""Fractions and mixed numbers."""

import re

from text.number_words import cardinal, decimal, ordinal, plural
from text.rules import START, Rule, text_after, text_before

FRACTION = r"\d{1,9}(?:/| / )\d{1,9}"
MIXED = r"(?:\d{1,9}[ -])?\d{1,9}/\d{1,9}"
_IDIOMS = {
    **{"24/7": "twenty four seven", "9/11": "nine eleven", "50/50": "fifty fifty"},
    **{"20/20": "twenty twenty", "10/10": "ten out of ten"},
}

_FULL_MARKS = ("5", "10", "15", "20", "25", "30", "40", "50", "60", "75", "80", "100", "200")
_RATED = re.compile(
    r"\b(?:g[ia]v(?:e|es|ing|en)|rat(?:e[ds]?|ing)|scor(?:e[ds]?|ing)|grade[ds]?|got|gets?|solid"
    r"|mark(?:ed|s)?|review|rank(?:s|ed)?|earn(?:s|ed)?|quiz|exam|test|deserves?|receiv(?:es|ed)"
    r"|pain|feel(?:s|ing)?)\b[^.!?]{0,20}$"
)
_RATED_AFTER = re.compile(
    r" (?:stars?|points?|marks|rating|score|would|correct|right|on (?:the|my|his|her|a))\b"
)


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


def _is_rating(match: re.Match[str]) -> bool:
    """Tell whether "9/10" is nine out of ten: after a word of rating, before its points."""
    if not re.fullmatch(r"\d{1,4}/\d{1,4}", match.group(2)):
        return False
    numerator, denominator = match.group(2).split("/")
    if numerator == denominator != "1":
        return True
    if denominator not in _FULL_MARKS or int(numerator) > int(denominator):
        return False
    before, after = text_before(match, 40), text_after(match, 30)
    if _RATED_AFTER.match(after) or _RATED.search(before):
        return True
    is_last = not after[:2].strip(" .!?,;)")
    return numerator != "1" and (int(denominator) > 12 or (is_last and denominator == "10"))


def _out_of(match: re.Match[str]) -> str:
    number, full = match.groups()
    return f"{decimal(number)} out of {cardinal(full)}"


def _over(written: str) -> str | None:
    """Return "one hundred twenty over eighty", as blood pressure is; None for real fractions."""
    if not re.fullmatch(r"\d{2,4}/\d{2,4}", written) or written in _IDIOMS:
        return None
    above, below = written.split("/")
    is_improper = int(above) > int(below) > 12
    return f"{cardinal(above)} over {cardinal(below)}" if is_improper else None


def _speak(match: re.Match[str]) -> str:
    sign, written = match.groups()
    if _is_rating(match) and written not in _IDIOMS:
        return " out of ".join(map(cardinal, written.split("/")))
    if (over := _over(written)) is not None:
        return over
    return ("minus " if sign else "") + (_IDIOMS.get(written) or speak_mixed(written))


RULES = (
    Rule(
        "rating with decimals",
        rf"{START}(\d{{1,3}}\.\d{{1,2}}) ?/ ?(\d{{1,3}})(?![\w/]|[.,]\d)",
        _out_of,
        trigger="/",
    ),
    Rule(
        "fraction",
        rf"{START}(?<!/)(?<![A-Za-z]-)((?<![^\s(])-)?((?:\d{{1,3}}[ -])?{FRACTION})"
        r"(?:ths?|TH|nds?|rds?|st)?(?![\w/]|[.,-]\d)",
        _speak,
        trigger="/",
    ),
)
