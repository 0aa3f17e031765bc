"""Lengths and angles by their marks: feet and inches, sides of a size, places on a map."""

import re

from text.number_words import NUMBER, cardinal
from text.quantities import VALUE, is_attribute, is_part, of_unit, speak_value
from text.rules import START, Rule, one_of
from text.units import UNITS

_DIRECTIONS = {"N": "north", "S": "south", "E": "east", "W": "west"}
_SIDE = rf"{NUMBER}(?: ?(?:{one_of(UNITS)}|in)\b\.?| ?[\"'])?"


def _feet(number: str) -> str:
    return f"{speak_value(number)} {'foot' if number == '1' else 'feet'}"


def _feet_and_inches(match: re.Match[str]) -> str:
    return f"{_feet(match.group(1))} {inches(match.group(2))}"


def inches(number: str) -> str:
    """Return "one inch", "forty inches", "five eighths of an inch"."""
    name = "inch" if number == "1" or is_part(number) else "inches"
    return f"{speak_value(number)}{of_unit(number, name)}"


def _inches_outside_quotes(match: re.Match[str]) -> str:
    number = match.group(1)
    if not number:
        return match.group()
    return f"{speak_value(number)} inch" if is_attribute(match) else inches(number)


def _feet_outside_quotes(match: re.Match[str]) -> str:
    return _feet(match.group(1)) if match.group(1) else match.group()


def _angle(match: re.Match[str]) -> str:
    """Say a place on a map or an angle with minutes: 45° N, 40° 26' 46" W."""
    degrees, minutes, seconds, direction = match.groups()
    if not (minutes or direction):
        return match.group()
    parts = [(degrees, "degree"), (minutes, "minute"), (seconds, "second")]
    words = [
        f"{speak_value(part)} {name}{'' if part == '1' else 's'}" for part, name in parts if part
    ]
    return " ".join([*words, _DIRECTIONS.get(direction, "")]).strip()


RULES = (
    Rule(
        "angle or place on a map",
        rf"{START}({NUMBER}) ?\u00b0(?: ?(\d{{1,2}}) ?'(?: ?({NUMBER}) ?\")?)?(?: ?([NSEW])\b)?",
        _angle,
        trigger="\u00b0",
    ),
    Rule(
        "sides of a size",
        rf"(?<![\d.,])(?!0x)({_SIDE})(?: ?x|\u00d7|(?<=[a-z.\"']) \u00d7) ?(?=\d)",
        r"\1 by ",
        trigger="x\u00d7",
    ),
    Rule(
        "feet and inches",
        rf"(?<![\w.,'])(\d{{1,2}}) ?(?:'|ft\.?) ?({NUMBER}) ?(?:\"|in\b\.?)",
        _feet_and_inches,
    ),
    Rule(
        "feet and inches without a mark",
        r"(?<![\w.,'])(\d{1,2})'(\d|1[01])(?![\w'\"]|[.,]\d)",
        lambda match: f"{_feet(match.group(1))} {cardinal(match.group(2))}",
        trigger="'",
    ),
    Rule(
        "feet",
        rf"(?<!\w)'[^']{{0,300}}'(?!\w)|(?<![\w.,'])({NUMBER})'(?![\w'])",
        _feet_outside_quotes,
        trigger="'",
    ),
    Rule(
        "inches in quotation marks",
        rf"\"[^\"]{{0,300}}\"|(?<![\w.])({VALUE})\"",
        _inches_outside_quotes,
        trigger='"',
    ),
)
