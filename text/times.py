"""Times of day, with or without a.m. and p.m., time zones, durations and ranges of times."""

import re

from text.number_words import NUMBER, cardinal, decimal
from text.rules import START, Rule, text_after, text_before

_ZONES = (
    *("EST", "EDT", "PST", "PDT", "CST", "CDT", "MST", "MDT", "GMT", "UTC", "BST", "CET", "IST"),
    *("CEST", "JST", "AEST", "ET", "PT", "CT", "MT"),
)
_DOTTED_ZONES = "|".join(r"\.?".join(zone) for zone in _ZONES)
_ZONE = rf"(?: ?((?i:{_DOTTED_ZONES}))\b(?:\.(?!$| [A-Z]))?)?"
# "p.m." keeps its period only where a new sentence may begin after it.
_HALF = r" ?([AaPp])(?:\.? ?[Mm]\.(?!$| [A-Z][a-z])|\.? ?[Mm]\b)"
_CLOCK = r"\d\d?(?:[:.][0-5]\d)?"
# Words before a time that was measured, not told by a clock.
_TIMED = re.compile(
    r"\b(?:[Tt]ime|[Rr]ecord|[Pp]ace|[Ll]ap|best|clocked|ran|runs?|w[io]ns?|finish\w*|complet\w+|race"
    r"|lasts?|lasted|duration|length|\d+ ?[Kk]m?|miles?|marathon)\b[^.!?]{0,25} (?:in|of)(?: a)? $"
)
_BEFORE_SECONDS = (
    *(
        "under ",
        "after ",
        "every ",
        "takes ",
        "lasts ",
        " in ",
        " for ",
        "within ",
        "about ",
        "wait ",
    ),
)
_LETTER = "(?:d|h(?:rs?)?|m(?:ins?)?|s(?:ecs?)?)"
_PARTS = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def _minutes(written: str | None) -> str:
    if not written or written == "00":
        return ""
    return f" oh {cardinal(written)}" if written[0] == "0" else f" {cardinal(written)}"


def _suffix(half: str | None, zone: str | None) -> str:
    letters = f"{half or ''}{'m' if half else ''}{zone or ''}".replace(".", "").upper()
    return "".join(f" {letter}" for letter in letters)


def _with_half(match: re.Match[str]) -> str:
    hour, minutes, seconds, half, zone = match.groups()
    spoken = (
        _duration(hour, minutes, seconds) if seconds else f"{cardinal(hour)}{_minutes(minutes)}"
    )
    return spoken + _suffix(half, zone)


def _duration(hours: str, minutes: str, seconds: str) -> str:
    return f"{_count(hours, 'hour')} {_count(minutes, 'minute')} and {_count(seconds, 'second')}"


def _letters(match: re.Match[str]) -> str:
    """Say "5h 30m" or "1h30"; letters in any other order are no duration."""
    parts = re.findall(r"(\d+) ?([dhms]?)", match.group())
    letters = "".join(letter or "m" for _, letter in parts)
    if list(letters) != sorted(set(letters), key=list(_PARTS).index):
        return match.group()
    named = [(int(number), _PARTS[letter or "m"]) for number, letter in parts]
    return " ".join(_count(str(number), name) for number, name in named if number)


def _military(match: re.Match[str]) -> str:
    hour, minutes = match.groups()
    zero = "oh " if hour[0] == "0" and hour != "00" else ""
    return f"{zero}{cardinal(hour)}{' hundred' if minutes == '00' else _minutes(minutes)} hours"


def _lap(match: re.Match[str]) -> str:
    minutes, seconds = match.groups()
    return f"{_count(minutes, 'minute')} {decimal(seconds)} seconds"


def _race(match: re.Match[str]) -> str:
    """Say "31:07" as thirty one oh seven; "60:40" and odds stay ratios."""
    minutes, seconds = match.groups()
    before = text_before(match, 40)
    if not _TIMED.search(before) and (int(minutes) < 25 or int(minutes) + int(seconds) == 100):
        return match.group()
    if re.search("ratio|odds|split|scale|mix", before):
        return match.group()
    return (
        _count(minutes, "minute") if seconds == "00" else f"{cardinal(minutes)}{_minutes(seconds)}"
    )


def _midnight(match: re.Match[str]) -> str:
    return f"midnight{_suffix(None, match.group(1))}"


def _count(number: str, unit: str) -> str:
    return f"{cardinal(number)} {unit}{'' if int(number) == 1 else 's'}"


def _clock(match: re.Match[str]) -> str:
    hour, minutes, hours, zone = match.groups()
    if minutes == "00":
        is_long = hours or int(hour) > 12
        spoken = f"{cardinal(hour)} hundred" if is_long else f"{cardinal(hour)} o'clock"
        if re.match(" (?:noon|midnight)", text_after(match, 9)):
            spoken = cardinal(hour)
    else:
        spoken = f"{cardinal(hour)}{_minutes(minutes)}"
    return f"{spoken}{' hours' if hours else ''}{_suffix(None, zone)}"


def _seconds(match: re.Match[str]) -> str:
    before = f" {text_before(match, 8)}".lower()
    return f"{match.group(1)} seconds" if before.endswith(_BEFORE_SECONDS) else match.group()


SECONDS = (
    Rule(
        "time since in one letter",
        rf"{START}(\d{{1,3}}) ?([smhdwy])(?= (?:ago|later)\b)",
        lambda match: _count(
            match[1], _PARTS.get(match[2]) or {"w": "week", "y": "year"}[match[2]]
        ),
    ),
    Rule(
        "seconds in one letter",
        rf"{START}({NUMBER}) ?s"
        r"(?= (?:remain\w*|left|later|ago)\b)",
        r"\1 seconds",
    ),
    Rule(
        "seconds before their noun",
        rf"{START}(\d{{1,4}}) ?s(?= (?:delay|timeout|interval|rule|clip|video|pause)s?\b)",
        r"\1 second",
    ),
    Rule(
        "seconds after a word of time",
        rf"{START}(\d+(?:\.\d+)?) ?s(?=[ .,;:)!?]|$)",
        _seconds,
    ),
)
"""Before decades: "30s left" is no age."""

RULES = (
    Rule(
        "military time",
        rf"{START}(0\d|(?:(?<=[Aa]t )|(?<=[Bb]y ))[12]\d)([0-5]\d) ?(?:hours|hrs?|h)\b",
        _military,
    ),
    Rule(
        "military time without hours",
        r"(?:(?<=[Aa]t )|(?<=[Bb]y )|(?<=[Tt]he )(?=\d{4} (?:briefing|bus|ferry|flight|train)\b))"
        r"(0\d)([0-5]\d)(?![\w:,-]|\.\d)",
        lambda match: _military(match).removesuffix(" hours"),
    ),
    Rule(
        "range of hours",
        rf"{START}({_CLOCK}(?:{_HALF})?) ?[-\u2013] ?(?={_CLOCK}{_HALF})",
        lambda match: f"{match.group(1).replace(':00', '')} to ",
    ),
    Rule("countdown", r"\bT-(?=\d{1,3}(?: (?:second|minute|hour|day)s?\b|:\d))", "T minus "),
    Rule("zone minus hours", r"\b(UTC|GMT) ?-(?=\d)", r"\1 minus ", trigger="-"),
    Rule(
        "range from a time",
        rf"{START}(\d\d?:[0-5]\d) ?[-\u2013] ?(?=[0-5]?\d(?::[0-5]\d)?(?![\w:-]|[.,]\d))",
        r"\1 to ",
        trigger=":",
    ),
    Rule(
        "range to a time",
        rf"{START}(\d\d?) ?[-\u2013] ?(?=\d\d?:[0-5]\d(?![\w:]|[.,]\d))",
        r"\1 to ",
        trigger=":",
    ),
    Rule(
        "time with a.m. or p.m.",
        rf"{START}(\d\d?)(?:[:.]([0-5]\d))?(?::([0-5]\d))?{_HALF}{_ZONE}",
        _with_half,
    ),
    Rule(
        "hours, minutes and seconds",
        rf"{START}(\d\d?):([0-5]\d):([0-5]\d)(?![\w:]|\.\d)",
        lambda match: _duration(*match.groups()),
        trigger=":",
    ),
    Rule("midnight", rf"{START}00:00{_ZONE}(?![\w:])", _midnight, trigger=":"),
    Rule("race time", rf"{START}(\d\d?):([0-5]\d)(?![\w:]|[.,]\d)", _race, trigger=":"),
    Rule("lap time", rf"{START}(\d\d?):([0-5]\d\.\d+)(?!\w)", _lap, trigger=":"),
    Rule(
        "time of day",
        rf"{START}([01]?\d|2[0-4]):([0-5]\d)( ?h(?:rs)?\b(?:\.(?= [a-z]))?)?{_ZONE}(?![\w:])",
        _clock,
        trigger=":",
    ),
    Rule(
        "duration in letters",
        rf"{START}(?:\d\d?h[0-5]\d|\d{{1,3}} ?{_LETTER}(?: ?\d\d? ?{_LETTER}){{1,3}})(?!\w|[.,]\d)",
        _letters,
    ),
)
