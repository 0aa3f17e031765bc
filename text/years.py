"""Years and parts of them: decades, seasons, quarters, fiscal years, years with an era."""

import re

from text.number_words import cardinal, digits, ordinal, plural, year
from text.rules import START, Rule


def spoken_year(written: str) -> str:
    """Return a year of four digits or two: "nineteen sixty nine", "sixty nine", "zero eight"."""
    if len(written) == 2:
        return digits(written) if written[0] == "0" else cardinal(written)
    return year(written)


def _season(match: re.Match[str]) -> str:
    first, second = match.groups()
    is_later = int(second) > int(first[-len(second) :])
    return f"{year(first)} {'to ' if is_later else ''}{spoken_year(second)}"


def _decade(match: re.Match[str]) -> str:
    number = match.group(1)
    if number.endswith("000"):
        return f"{cardinal(number[0])} thousands"
    if number.endswith("00"):
        return f"{cardinal(number[:2])} hundreds"
    return plural(year(number))


def _short_decade(match: re.Match[str]) -> str:
    return f"{match.group(1) or ''}{plural(cardinal(match.group(2)))}"


def _quarter(match: re.Match[str]) -> str:
    number, part, written = match.group("number", "part", "year")
    spoken = f"the {ordinal(number)} {'half' if part == 'H' else 'quarter'}"
    return f"{spoken} of {spoken_year(written)}" if written else spoken


def _fiscal_year(match: re.Match[str]) -> str:
    return f"F Y {spoken_year(match.group(1))}"


def _ancient_year(match: re.Match[str]) -> str:
    return f"{match.group(1)} {year(match.group(2))}"


def _era(match: re.Match[str]) -> str:
    number, era = match.group(1, 2)
    return f"{year(number)} {' '.join(re.findall('[A-Z]', era))}"


RULES = (
    Rule(
        "quarter of a fiscal year",
        r"\b([QH])([1-4]),? FY ?'?(20\d\d|\d\d)\b",
        lambda match: f"{match[1]} {cardinal(match[2])} F Y {spoken_year(match[3])}",
        trigger="QH",
    ),
    Rule(
        "quarter or half of a year",
        r"\b(?P<part>Q(?=[1-4])|H(?=[12]))(?P<number>\d)(?: ?(?:FY)? ?['/]?| of )"
        r"(?P<year>20\d\d|\d\d)\b",
        _quarter,
        trigger="QH",
    ),
    Rule(
        "quarter, number first",
        r"\b(?P<number>[1-4])(?P<part>Q|(?<=[12])H(?= ?'?\d))(?: ?'?(?P<year>20\d\d|\d\d))?\b",
        _quarter,
        trigger="QH",
    ),
    Rule(
        "quarter, year first",
        r"\b(?P<year>20\d\d)[- ]?(?P<part>Q)(?P<number>[1-4])\b",
        _quarter,
        trigger="Q",
    ),
    Rule(
        "short year before 2010",
        r"(?<!\w)'0([1-9])(?![\w'])",
        lambda match: f"oh {cardinal(match.group(1))}",
        trigger="0",
    ),
    Rule("fiscal year", r"\bFY ?'?(\d{4}|\d\d)\b", _fiscal_year),
    Rule(
        "years with a stroke",
        rf"{START}(1\d{{3}}|20\d\d)/(1\d{{3}}|20\d\d|\d\d)(?![\w/-]|[.,]\d)",
        _season,
        trigger="/",
    ),
    Rule("decades, range", r"(?<=\d0s) ?[-\u2013] ?(?=(?:1\d|20)?\d0s)", " to "),
    Rule("decade", rf"{START}(1\d\d0|20\d0) ?'?s(?!\w)", _decade),
    Rule("short decade", r"(?<![\w$£€.,-])(mid-|' ?)?([2-9]0)'?s(?!\w)", _short_decade),
    Rule(
        "year of an era", rf"{START}(\d{{3,4}}) (A\.? ?D\b|B\.? ?C\b(?:\.? ?E\b)?|C\.? ?E\b)", _era
    ),
    Rule(
        "ancient year", r"\b([Ii]n|year) (\d{3})(?=,(?!\d)|(?<=In \d{3}) [A-Z][a-z])", _ancient_year
    ),
)
