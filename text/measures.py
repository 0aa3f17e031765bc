"""Measures: numbers with units, compound units, percent, temperatures, and ranges of them."""

import re

from text.lengths import inches
from text.mathematics import power_words
from text.number_words import NUMBER
from text.quantities import FREE, is_attribute, is_noun, is_part, of_unit, speak_value
from text.rules import ALWAYS, START, Rule, one_of, text_after, text_before, words
from text.units import RATES, UNITS

# Letters that mean other things too ("section 5 B", "2.8 V 6", "108 W 55th Street") are units at
# the number itself, and apart from it only before the end of a phrase or a word in lower case.
_ATTACHED = frozenset("LVWJN") | {"us"}
_APART = r" [LVWJN](?=\.?$|[,;:!?)/\u00b7]| [a-z])"
_AFTER_DECIMALS = r"(?:(?<=\.\d)|(?<=\.\d\d)) ?[As]|(?<=[1-9]) s"  # "80 s" may be the eighties
_PLAIN = UNITS.keys() - _ATTACHED - {"A", "s"}
_ANGLED = words("angle angles turn turns heat view slope rotation bend cut")
_VERBAL = ("ing", "er", "est")
_LABELLED = words(
    "apartment apt chapter flight gate highway hwy interstate page platform room route row seat"
    " section suite track unit"
)
_TIMES = ("second", "seconds", "hour", "minute")  # whose power is said behind them
_POWERS = {"2": "square", "\u00b2": "square", "3": "cubic", "\u00b3": "cubic"}
_AREAS = {"sq": "square", "cu": "cubic"}

_POWER = r"(?:\^?[23]|[\u00b2\u00b3])?"
_FIRST = rf"(?: ?(?:{one_of(_PLAIN)})|(?:{one_of(_ATTACHED)})|{_APART}|{_AFTER_DECIMALS}){_POWER}"
_FURTHER = rf"(?: ?[/\u00b7] ?(?:{one_of(UNITS.keys() | RATES.keys())}){_POWER}){{0,2}}"
# A period belongs to the unit only where no sentence can end.
_UNIT = rf"(?: ?(sq|cu)\b\.?)?({_FIRST}{_FURTHER})(?!\w|-\w)(?:\.(?= [a-z\d]|[,;)]))?"

# Units that make a rate known without a number: "km/h", "people/km2", "days/month".
_COUNTED = one_of(name for name in UNITS if name in "mg" or (len(name) > 1 and name.isalpha()))
_PER = (
    r"(?:s|sec|second|min|minute|h|hr|hour|d|day|wk|week|mo|month|yr|year|l|L|dl|dL|ml|mL|kg|gal"
    rf"|(?:{_COUNTED})(?:\^?[23]|[\u00b2\u00b3]))(?!\w)"
)

# "in" is a unit at the number itself, with a period, before a further length or at an end.
_INCHES = r"(?:in\b| in(?:\.(?= [a-z\d]|[,;)])|(?=\.?$|[,;)]| (?:x|by) \d)))"
_ADJECTIVES = one_of(name for name in UNITS if name in "mghLVW" or len(name) > 1) + "|in(?!-)"


def _name(written: str, *, several: bool) -> str:
    """Return the name of one factor of a unit with its power: "km2" is square kilometers."""
    power = _POWERS.get(written[-1], "")
    symbol = written.rstrip("23\u00b2\u00b3^") if power else written
    if symbol in UNITS:
        name = UNITS[symbol].many if several else UNITS[symbol].one
    else:
        name = RATES[symbol]  # which has "in" too, no unit of its own because of "5 in a row"
    if power and name in _TIMES:
        return f"{name} {'squared' if power == 'square' else 'cubed'}"
    return f"{power} {name}".strip()


def _speak_unit(written: str, *, several: bool) -> str:
    product, *rates = re.split(" ?/ ?", written.strip())
    *factors, last = re.split(" ?\u00b7 ?", product)
    names = [*(_name(factor, several=False) for factor in factors), _name(last, several=several)]
    return " per ".join([" ".join(names), *(_name(rate, several=False) for rate in rates)])


def _measure(match: re.Match[str]) -> str:
    value, area, unit = match.groups()
    if unit[0] == " " and unit[1:] in _ATTACHED and _follows_label(match):
        return match.group()
    number = speak_value(value)
    several = not (number in ("one", "minus one") or is_part(value) or _is_attribute(match))
    name = " ".join(filter(None, (_AREAS.get(area, ""), _speak_unit(unit, several=several))))
    return f"{number}{of_unit(value, name)}"


def _is_attribute(match: re.Match[str]) -> bool:
    """Tell whether a measure stands before its noun: "a 60 W bulb", "2L bottle", "90° turn"."""
    noun = re.match(" ([a-z]+)", text_after(match, 20))
    if match.group()[-1] == "\u00b0":
        return noun is not None and noun.group(1) in _ANGLED
    if is_attribute(match):
        return True
    # "2L bottle", but "5km away" and "he ran 5km looking back".
    is_attached = " " not in match.group() and match.group()[-1].isalpha()
    if noun is None or not is_attached:
        return False
    word = noun.group(1)
    return is_noun(word) and not word.endswith(_VERBAL)


def _follows_label(match: re.Match[str]) -> bool:
    """Tell whether a number names something, as in "seat 5 L"."""
    before = text_before(match, 20).split()
    return bool(before) and (before[-1].lower().rstrip(".") in _LABELLED or before[-1][-1] == "-")


def _rate(match: re.Match[str]) -> str:
    """Say "280.0/km2", a number for each of a unit, as tables of population have it."""
    return f"{speak_value(match.group(1))} per {_speak_unit(match.group(2), several=False)}"


def _lone_power(match: re.Match[str]) -> str:
    article, unit = match.groups()
    return f"{article or ''}{_speak_unit(unit, several=not article)}"


def _per(match: re.Match[str]) -> str:
    per, area, unit = match.groups()
    return f"{per}{_AREAS.get(area, '')} {_speak_unit(unit, several=False)}"


def _range(match: re.Match[str]) -> str:
    return f"{speak_value(match.group(1))} to "


def _adjective(match: re.Match[str]) -> str:
    return f"{speak_value(match.group(1))} {_name(match.group(2), several=False)} "


def _basis_points(match: re.Match[str]) -> str:
    is_finance = re.search(
        r"%|\b(?:[Rr]ate|[Yy]ield|[Bb]ond|Fed|[Ss]pread|ECB|[Bb]ank|[Hh]ike)", match.string
    )
    return " basis points" if is_finance else match.group()


def _power_of_ten(match: re.Match[str]) -> str:
    exponent, unit = match.groups()
    return f"{power_words(exponent)} {_speak_unit(unit, several=True)}"


RULES = (
    Rule(
        "power before a unit",
        rf"(?<=\d)\^([-+]?\d{{1,3}})({_FIRST}{_FURTHER})(?!\w|-\w)",
        _power_of_ten,
        trigger="^",
    ),
    Rule("basis points", r"(?<=\d)[ -]?bps\b", _basis_points, trigger="b"),
    Rule(
        "degrees apart from their scale",
        r"(?<=\d) ?\u00b0 ?(?=[CFK]\b)",
        "\u00b0",
        trigger="\u00b0",
    ),
    # Blood pressure is no fraction.
    Rule(
        "blood pressure in mmHg",
        rf"{START}(\d{{2,3}})/(?=\d{{2,3}} ?mmHg\b)",
        r"\1 over ",
        trigger="/",
    ),
    Rule(
        "blood pressure",
        r"\b((?:BP|[Pp]ressure)(?: of| is| was|:)? \d{2,3})/(?=\d{2,3}\b)",
        r"\1 over ",
        trigger="/",
    ),
    Rule("years old", r"(?<=\d)[ -]?(?:yo|y/o|y\.o\.)(?!\w)", " year old", trigger="y"),
    Rule("fluid ounces", r"(?<=\d) ?fl\.? ?oz\b", " floz", trigger="z"),
    Rule(
        "range of percents or degrees",
        r"(?<=\d[%\u00b0]) ?[-\u2013] ?(?=\d)",
        " to ",
        trigger="%\u00b0",
    ),
    Rule("range before a unit", rf"{FREE} ?[-\u2013\u2014] ?(?={NUMBER}{_UNIT})", _range),
    Rule("range before percent", rf"{FREE} ?[-\u2013] ?(?={NUMBER} ?%)", _range, trigger="%"),
    Rule(
        "range with a unit on both sides",
        rf"{FREE} ?({one_of(_PLAIN | _ATTACHED)}) ?[-\u2013] ?(?={NUMBER}{_UNIT})",
        r"\1 \2 to ",
        trigger="-\u2013",
    ),
    Rule(
        "measure before a noun",
        rf"{START}({NUMBER})-({_ADJECTIVES})-?(?!\w)(?:\.(?= [a-z]))?",
        _adjective,
    ),
    Rule("measure", rf"{FREE}{_UNIT}", _measure),
    Rule("number per unit", rf"{FREE}/((?:{one_of(UNITS)}){_POWER})(?!\w)", _rate, trigger="/"),
    Rule(
        "unit per unit",
        rf"(?<![\w/.])((?:{_COUNTED})/{_PER})(?!/)",
        lambda match: _speak_unit(match.group(1), several=True),
        trigger="/",
    ),
    Rule(
        "unit with a power",
        rf"(?<![\w/.])(per |a )?((?:{_COUNTED})(?:\^[23]|[\u00b2\u00b3]))",
        _lone_power,
        trigger="^\u00b2\u00b3",
    ),
    Rule(
        "per unit",
        rf"([Pp]er )(?<!\w[Pp]er )(?:(sq|cu)\b\.? )?((?:{_COUNTED}){_POWER})"
        r"(?![\w/])(?:\.(?= [a-z]))?",
        _per,
        trigger=ALWAYS,
    ),
    Rule(
        "counted things per unit",
        rf"(?:(?<=[a-z]s)|(?<=people))/({_PER})",
        lambda match: f" per {_speak_unit(match.group(1), several=False)}",
        trigger="/",
    ),
    Rule("inches", rf"{FREE}{_INCHES}", lambda match: inches(match.group(1))),
)
