"""Dates in every common order, days of the week, months, and ranges of them."""

import re

from text.number_words import cardinal, ordinal, year
from text.rules import START, Rule, one_of, text_after
from text.years import spoken_year

MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_BY_PREFIX = {name[:3].lower(): name for name in MONTHS}
MONTH = (
    "(?=[ADFJMNOSadfjmnos])"  # quicker than to try each name everywhere
    r"(?i:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b(?: ?\.)?)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
# A year that a tokenizer broke in two ("19 44") is still a year.
_YEAR = r"(?:[12]\d{3}|1[5-9] \d\d|20 [012]\d)(?![\d,]\d|[\w%]|:\d|\.\d)"
_WEEKDAYS = {
    **{"Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday"},
    **{"Thu": "Thursday", "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday"},
    **{"Sat": "Saturday", "Sun": "Sunday"},
}
_SHORT_DAYS = one_of(_WEEKDAYS)
_SHORT_MONTHS = one_of({name[:3] for name in MONTHS} | {"Sept"} | set(MONTHS))


def _month(written: str) -> str:
    return _BY_PREFIX[written[:3].lower()]


def _year(written: str | None) -> str:
    return year(written.replace(" ", "")) if written else ""


def _day_month(match: re.Match[str]) -> str:
    article, day, month, gap, number = match.group(1, 2, 3, 4, 5)
    follows = text_after(match, 2)
    if month in ("may", "march", "mar") and not number and follows[1:].isalpha():
        return match.group()  # "only 2 may enter"
    return f"{article or 'the '}{ordinal(day)} of {_month(month)}{gap or ''}{_year(number)}"


def _ordinal_day_month(match: re.Match[str]) -> str:
    article, day, month, number = match.group(1, 2, 3, 4)
    if number:
        return f"{article or 'the '}{ordinal(day)} of {_month(month)} {_year(number)}"
    return f"{article or ''}{ordinal(day)} {_month(month)}"


def _month_day(match: re.Match[str]) -> str:
    """Say "November 22, 1963" as LJSpeech's reader does, other spellings with an ordinal.

    Corpora of readings disagree; printed prose ("November 22," with its comma at once) is read with
    a cardinal, notes and lists ("june 20 2014", "Jan. 15", "June 20 , 1986") with an ordinal.
    """
    month, day, suffix, comma, number = match.group(1, 2, 3, 4, 5)
    prose = month in MONTHS and not suffix and comma != " ," and (comma or not number)
    spoken = cardinal(day) if prose else ordinal(day)
    return f"{_month(month)} {spoken}{comma or ''}{' ' if number else ''}{_year(number)}"


def _month_year(match: re.Match[str]) -> str:
    return f"{_month(match.group(1))}{match.group(2)}{_year(match.group(3))}"


def _year_first(match: re.Match[str]) -> str:
    number, mark, month, day = match.group(1, 2, 3, 4)
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    name = MONTHS[int(month) - 1]
    if mark == "-":
        return f"the {ordinal(day)} of {name} {year(number)}"
    return f"{name} {ordinal(day)} {year(number)}"


def _year_last(match: re.Match[str]) -> str:
    first, second, number = int(match.group(1)), int(match.group(3)), match.group(4)
    if 1 <= first <= 12 and 1 <= second <= 31:
        return f"{MONTHS[first - 1]} {ordinal(str(second))} {spoken_year(number)}"
    if 1 <= second <= 12 and 1 <= first <= 31:
        return f"the {ordinal(str(first))} of {MONTHS[second - 1]} {spoken_year(number)}"
    return match.group()


def _month_slash_day(match: re.Match[str]) -> str:
    before, month, day = match.groups()
    if int(month) > 12:
        return match.group()
    return f"{before}{MONTHS[int(month) - 1]} {ordinal(day)}"


def _hyphened(match: re.Match[str]) -> str:
    first, second, number = match.group(1, 2, 3)
    if first[0].isdigit():
        return f"the {ordinal(first)} of {_month(second)} {spoken_year(number)}"
    return f"{_month(first)} {ordinal(second)} {spoken_year(number)}"


def _names_to(match: re.Match[str]) -> str:
    names = {**_WEEKDAYS, **{name[:3]: name for name in MONTHS}, "Sept": "September"}
    first, second = (names.get(name.rstrip("."), name) for name in match.groups())
    return f"{first} to {second}"


RULES = (
    Rule(
        "days of the week, range",
        rf"\b({_SHORT_DAYS})\.?[-\u2013]({_SHORT_DAYS})\b(?:\.(?= [a-z\d]))?",
        _names_to,
        trigger="-\u2013",
    ),
    Rule(
        "months, range",
        rf"\b({_SHORT_MONTHS})\.?[-\u2013]({_SHORT_MONTHS})\b",
        _names_to,
        trigger="-\u2013",
    ),
    Rule(
        "days of the week with a stroke",
        rf"\b({_SHORT_DAYS})/({_SHORT_DAYS})\b",
        lambda match: " and ".join(_WEEKDAYS[day] for day in match.groups()),
        trigger="/",
    ),
    Rule(
        "date and time in ISO 8601",
        r"(?<=\d-\d\d)T(\d\d:\d\d)(?:(?::00)?(?:\.\d{1,6})?(Z))?",
        lambda match: f" {match[1]}{' UTC' if match[2] else ''}",
    ),
    Rule(
        "day of the week before a date",
        rf"\b({_SHORT_DAYS})\.?(?=,? (?:\d|{MONTH}))",
        lambda match: _WEEKDAYS[match.group(1)],
    ),
    # "The Sun." and a girl called Jan may end a sentence.
    Rule(
        "day of the week with a period",
        rf"\b({_SHORT_DAYS})(?<![Tt]he Sun)(?:\.(?= [a-z\d&])|(?=\.))",
        lambda match: _WEEKDAYS[match.group(1)],
        trigger=".",
    ),
    # Nobody means ten thirty-firsts; sixteenths and twentieths stay fractions.
    Rule(
        "month/day",
        rf"{START}(?<!/)()(0?[1-9]|1[0-2])/(1[3-57-9]|2[1-46-9]|3[01])(?![\w/-]|[.,]\d| of\b)",
        _month_slash_day,
        trigger="/",
    ),
    Rule(
        "month/day after a weekday",
        rf"((?:\b[Oo]n|day),? )({_DAY})/({_DAY})(?![\w/-]|[.,]\d)",
        _month_slash_day,
        trigger="/",
    ),
    Rule(
        "dates, range",
        rf"\b({MONTH} ?{_DAY}) ?[-\u2013] ?(?={MONTH} ?\d)",
        r"\1 to ",
        trigger="-\u2013",
    ),
    Rule(
        "days of a month, range",
        rf"{START}({_DAY}) ?[-\u2013] ?(?={_DAY} (?=[A-Z]){MONTH})",
        lambda match: f"the {ordinal(match.group(1))} to ",
        trigger="-\u2013",
    ),
    Rule(
        "dates in digits, range",
        r"(?<=/\d{4}) ?[-\u2013] ?(?=\d{1,2}/\d)|(?<=\d-\d\d) ?\u2013 ?(?=\d{4}-\d)",
        " to ",
        trigger="-\u2013",
    ),
    Rule(
        "date, year first", rf"{START}(\d{{4}})([-/.])(\d\d?)\2(\d\d?)(?![\w/-]|\.\d)", _year_first
    ),
    Rule(
        "date, year last",
        rf"{START}(\d\d?)([-/.])(\d\d?)\2(\d{{4}}|\d\d)(?![\w/-]|\.\d)",
        _year_last,
    ),
    Rule(
        "month-day-year",
        rf"(?<!\w)({MONTH})-({_DAY})-(\d{{4}}|\d\d)(?![\w-])",
        _hyphened,
        trigger="-",
    ),
    Rule(
        "month-day",
        rf"\b({_SHORT_MONTHS})-({_DAY})(?![\w-]|[.,]\d)",
        lambda match: f"{_month(match[1])} {ordinal(match[2])}",
        trigger="-",
    ),
    Rule(
        "day-month",
        rf"{START}({_DAY})-({_SHORT_MONTHS})(?![\w-])",
        lambda match: f"the {ordinal(match[1])} of {_month(match[2])}",
        trigger="-",
    ),
    Rule(
        "month and year with a hyphen",
        rf"(?<![\w-])({_SHORT_MONTHS})-(?:20(\d\d)|((?:3[2-9]|[4-9]\d)))(?![\w-])",
        lambda match: f"{_month(match[1])} {spoken_year(match[3] or '20' + match[2])}",
        trigger="-",
    ),
    Rule(
        "day-month-year",
        rf"{START}({_DAY})-({MONTH})-(\d{{4}}|\d\d)(?![\w-])",
        _hyphened,
        trigger="-",
    ),
    Rule(
        "day and month",
        rf"(?<![\w.,/-])([Tt]he )?({_DAY}) (?:of )?({MONTH})(?:( ?,? )({_YEAR})|(?![\w-]))",
        _day_month,
    ),
    Rule(
        "day as an ordinal and month",
        rf"(?<![\w.,/-])([Tt]he )?({_DAY})(?:st|nd|rd|th) ({MONTH})(?: ({_YEAR})|(?![\w-]))",
        _ordinal_day_month,
    ),
    Rule(
        "month and day",
        rf"\b({MONTH}) ?({_DAY})(st|nd|rd|th)?(?![\w%/$:\u2013-]|[.,]\d)( ?,)?(?: ({_YEAR}))?",
        _month_day,
    ),
    Rule("month and year", rf"\b({MONTH})( of | ?, | )({_YEAR})", _month_year),
    Rule(
        "month with a period",
        rf"\b(?!Jan\. ?$)({_SHORT_MONTHS})(?:\.(?= [a-z\d'])|(?=\.))",
        lambda match: _month(match.group(1)),
        trigger=".",
    ),
)
