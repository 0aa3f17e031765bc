"""Plain numbers: ordinals, ranges, scores, ratios, decimals, cardinals."""

import re

from text.counting import is_counting
from text.number_words import (
    MAGNITUDE,
    NUMBER,
    cardinal,
    decimal,
    plain_number,
    signed,
    year,
)
from text.rules import START, Rule

_CALIBER = "caliber|calibre|rifle|pistol|revolver|handgun|bullet|cartridge|ammunition"


def _grouped(match: re.Match[str]) -> str:
    whole, cents = match.groups()
    return re.sub("[ ']", ",", whole) + (f".{cents}" if cents else "")


def _years(match: re.Match[str]) -> str:
    first, second = match.group(1, 2)
    return f"{year(first)} to {year(second) if len(second) == 4 else cardinal(second)}"


def _number(match: re.Match[str]) -> str:
    written = match.group()
    if written[0] == "-":
        return signed(written)
    # Hundreds are "seventeen hundred" in both senses.
    is_counted = re.fullmatch(r"[1-9]\d{3}|[1-9]\d{9,}", written) and (
        not re.fullmatch("1[1-9]00", written)
        and is_counting(match.string, match.start(), match.end())
    )
    return decimal(written) if "," in written or is_counted else plain_number(written)


def _continental(match: re.Match[str]) -> str:
    return match.group().replace(".", ",").replace("_", ",")


GROUPS = (
    Rule(
        "groups of three digits",
        rf"{START}(?<!\d )([1-9]\d{{0,2}}(?:(?:'\d{{3}})+|(?: \d{{3}}){{2,8}}| 000))"
        r"(?:,(\d\d?))?(?!(?!th\b)[\w,'-]| \d)",
        _grouped,
    ),
    Rule(
        "decimal comma before a magnitude",
        rf"{START}(\d{{1,3}}),(\d\d?)(?= {MAGNITUDE}\b)",
        r"\1.\2",
        trigger=",",
    ),
    # As in Germany, and in programs: 1.234.567 and 1_000_000.
    Rule(
        "groups of three digits with periods",
        rf"{START}[1-9]\d{{0,2}}(?:\.\d{{3}}){{2,8}}(?![\w,]|[.-]\d)",
        _continental,
        trigger=".",
    ),
    Rule(
        "groups of three digits with underscores",
        rf"{START}[1-9]\d{{0,2}}(?:_\d{{3}}){{1,8}}(?!\w)",
        _continental,
        trigger="_",
    ),
    # Lakhs and crores: 1,00,000.
    Rule(
        "lakhs and crores",
        rf"{START}\d{{1,2}}(?:,\d\d){{1,5}},\d{{3}}(?![\d,])",
        lambda match: f"{int(match.group().replace(',', '')):,}",
        trigger=",",
    ),
)
"""Groups of three apart by spaces or apostrophes, written as everything else expects them."""

RULES = (
    Rule(
        "caliber",
        rf"(?<![\w.])\.(\d\d)(?=[ -](?:{_CALIBER}))",
        lambda match: cardinal(match.group(1)),
    ),
    Rule(
        "range of years",
        rf"{START}([12]\d{{3}}) ?[-\u2013] ?([12]\d{{3}}|\d\d)(?![\w-]|[.,]\d)",
        _years,
    ),
    Rule("range of numbers", rf"(?<!\d)({NUMBER}) ?[-\u2013] ?(?=\d)", r"\1 to "),
    Rule("ratio or score", rf"(?<!\d)({NUMBER}) ?: ?(?=\d)", r"\1 to ", trigger=":"),
    Rule("number before letters", r"(?<=\d)(?=[A-Za-z])", " "),
    Rule("number", rf"(?<![\w.])-?{NUMBER}", _number),
    Rule("digits left over", r"\d+", lambda match: f" {plain_number(match.group())} "),
)
