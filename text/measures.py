"""Measures: numbers with units, compound units, percent, temperatures, sizes and ranges of them."""

import re

from text.fractions import MIXED, speak_mixed
from text.number_words import MAGNITUDE, NUMBER, START, cardinal, signed
from text.rules import Rule, one_of
from text.units import RATES, UNITS

# Letters that mean other things too ("section 5 B", "2.8 V 6") are units only at the number itself.
_ATTACHED = frozenset(name for name in UNITS if len(name) == 1 and name.isupper()) | {"us"}
_POWERS = {"2": "square", "\u00b2": "square", "3": "cubic", "\u00b3": "cubic"}
_AREAS = {"sq": "square", "cu": "cubic"}

_VALUE = rf"-?(?:{MIXED}|{NUMBER}(?: {MAGNITUDE})?)"
_FREE = rf"(?<![\w.,])({_VALUE})"
_POWER = r"(?:\^?[23]|[\u00b2\u00b3])?"
_FIRST = rf"(?: ?(?:{one_of(UNITS.keys() - _ATTACHED)})|(?:{one_of(_ATTACHED)})){_POWER}"
_FURTHER = rf"(?: ?[/\u00b7] ?(?:{one_of(UNITS.keys() | RATES.keys())}){_POWER}){{0,2}}"
# A period belongs to the unit only where no sentence can end.
_UNIT = rf"(?: ?(sq|cu)\b\.?)?({_FIRST}{_FURTHER})(?!\w|-\w)(?:\.(?= [a-z]))?"


def _name(written: str, *, several: bool) -> str:
    """Return the name of one factor of a unit with its power: "km2" is square kilometers."""
    power = _POWERS.get(written[-1], "")
    symbol = written.rstrip("23\u00b2\u00b3^") if power else written
    if symbol in UNITS:
        name = UNITS[symbol].many if several else UNITS[symbol].one
    else:
        name = RATES[symbol]
    if symbol in ("s", "sec") and power:
        return f"{name} {'squared' if power == 'square' else 'cubed'}"
    return f"{power} {name}".strip()


def _speak_unit(written: str, *, several: bool) -> str:
    first, *rest = re.split(r" ?[/\u00b7] ?", written.strip())
    return " per ".join(
        [_name(first, several=several), *(_name(factor, several=False) for factor in rest)]
    )


def _number(written: str) -> str:
    sign, written = ("minus ", written[1:]) if written[0] == "-" else ("", written)
    if "/" in written:
        return sign + speak_mixed(written)
    number, _, magnitude = written.partition(" ")
    return f"{sign}{signed(number)} {magnitude}".strip()


def _measure(match: re.Match[str]) -> str:
    value, area, unit = match.groups()
    number = _number(value)
    several = number not in ("one", "minus one", "one half", "one quarter")
    return " ".join(
        filter(None, (number, _AREAS.get(area, ""), _speak_unit(unit, several=several)))
    )


def _rate(match: re.Match[str]) -> str:
    """Say "280.0/km2", a number for each of a unit, as tables of population have it."""
    return f"{_number(match.group(1))} per {_speak_unit(match.group(2), several=False)}"


def _range(match: re.Match[str]) -> str:
    return f"{_number(match.group(1))} to "


def _adjective(match: re.Match[str]) -> str:
    return f"{_number(match.group(1))} {_name(match.group(2), several=False)} "


def _feet_and_inches(match: re.Match[str]) -> str:
    foot = "foot" if match.group(1) == "1" else "feet"
    return f"{cardinal(match.group(1))} {foot} {_inches(match.group(2))}"


def _inches(number: str) -> str:
    return f"{_number(number)} {'inch' if number == '1' else 'inches'}"


def _inches_outside_quotes(match: re.Match[str]) -> str:
    return _inches(match.group(1)) if match.group(1) else match.group()


RULES = (
    Rule(r"(?<=\d[%\u00b0]) ?[-\u2013] ?(?=\d)", " to ", trigger="%\u00b0"),
    Rule(rf"(?<![\w.,'])(\d{{1,2}}) ?(?:'|ft\.?) ?({NUMBER}) ?(?:\"|in\b\.?)", _feet_and_inches),
    Rule(rf"\"[^\"]{{0,300}}\"|(?<![\w.])({_VALUE})\"", _inches_outside_quotes, trigger='"'),
    Rule(rf"{_FREE} ?[-\u2013\u2014] ?(?={NUMBER}{_UNIT})", _range),
    Rule(rf"{_FREE} ?[-\u2013] ?(?={NUMBER} ?%)", _range, trigger="%"),
    Rule(rf"{START}({NUMBER})-({one_of(n for n in UNITS if len(n) > 1)})-?(?!\w)", _adjective),
    Rule(rf"{_FREE}{_UNIT}", _measure),
    Rule(rf"{_FREE}/((?:{one_of(UNITS)}){_POWER})(?!\w)", _rate, trigger="/"),
    Rule(rf"{_FREE}in\b", lambda match: _inches(match.group(1))),
    Rule(rf"(?<!\d)({NUMBER}) ?[x\u00d7] ?(?={NUMBER}(?![A-Za-z]))", r"\1 by ", trigger="x\u00d7"),
)
