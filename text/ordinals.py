"""Ordinals in digits: 1st, 22nd, 9,000,000th."""

import re

from text.number_words import ordinal, plain_number
from text.rules import Rule


def _speak(match: re.Match[str]) -> str:
    number, suffix = match.group(1).replace(",", ""), match.group(2).lower()
    is_teen = number[-2:-1] == "1"
    expected = "th" if is_teen else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th")
    return ordinal(number) if suffix == expected else f"{plain_number(number)} {suffix}"


RULES = (Rule("ordinal", r"(?<![\w.])(\d[\d,]*)(st|nd|rd|th|ST|ND|RD|TH)(?![a-zA-Z\d])", _speak),)
