"""Amounts of money in the common currencies, with magnitudes, cents and rates."""

import re

from text.number_words import MAGNITUDE, NUMBER, cardinal, decimal, year
from text.quantities import is_attribute
from text.rules import Rule, one_of, text_after
from text.units import CURRENCIES, RATES, Currency

_MAGNITUDES = {
    **{"k": "thousand", "m": "million", "mn": "million", "mm": "million", "b": "billion"},
    **{"bn": "billion", "t": "trillion", "tn": "trillion"},
}
_SURE_MAGNITUDES = ("bn", "mn", "tn")  # so without a currency too: "2.5 bn people"
_CROWDS = (
    "copies|customers|downloads|followers|households|inhabitants|jobs|members|people|residents"
    "|subscribers|tourists|users|viewers|views|visitors|voters|votes|years"
)

_BEFORE = rf"(?:{one_of(CURRENCIES)})"
_AFTER = rf"(?:{one_of(name for name in CURRENCIES if '$' not in name)}|(?<=\d)\$)"
_SIZE = rf"(?:[ -]?(?P<size>{MAGNITUDE})\b| ?(?P<letters>(?i:{one_of(_MAGNITUDES)}))\b)?"
_RATE = rf"(?: ?/ ?(?P<rate>{one_of(RATES)})\b(?:\.(?= [a-z]))?)?"
_SINGULAR = r"(?P<singular>(?=-(?!a-)[a-z]| (?:bill|note|coin|ticket)\b))?"
_SIZED = rf"(?:[ -]?{MAGNITUDE}|[kKmMbBtT]n?)\b"
_END = r"(?![\w-]|[.,]\d)"


def _amount(number: str, size: str, currency: Currency) -> str:
    """Return "twenty dollars, one cent" or "two point five million dollars"."""
    if re.fullmatch(r"\d+,\d\d", number):  # the comma of a European decimal
        number = number.replace(",", ".")
    whole, _, fraction = number.partition(".")
    if size:
        return f"{decimal(number)} {size} {currency.many}"
    fraction = fraction.rstrip("0")
    if fraction and (len(fraction) > 2 or not currency.cent):
        return f"{decimal(f'{whole}.{fraction}')} {currency.many}"
    words = []
    if whole.strip("0,") or not fraction:
        words.append(_whole(whole, currency))
    if fraction:
        words.append(_count(fraction.ljust(2, "0"), currency.cent, currency.cents))
    return ", ".join(words)


def _whole(number: str, currency: Currency) -> str:
    # "£1400" is fourteen hundred pounds, "£1,400" one thousand four hundred.
    spoken = year(number) if re.fullmatch("1[1-9]00", number) else cardinal(number)
    return f"{spoken} {currency.one if spoken == 'one' else currency.many}"


def _count(number: str, one: str, many: str) -> str:
    spoken = cardinal(number)
    return f"{spoken} {one if spoken == 'one' else many}"


def _speak(match: re.Match[str]) -> str:
    found = match.groupdict()
    currency = CURRENCIES[found["currency"]]
    size = found["size"] or _MAGNITUDES.get((found["letters"] or "").lower(), "")
    spoken = _amount(found["number"], size, currency)
    after = text_after(match, 2)
    is_compound = re.search(r"\d-[a-z]", match.group()) and re.match(" [a-z]", after)
    if (
        found.get("singular") is not None
        or is_compound
        or (is_attribute(match) and not found.get("rate"))
    ):  # a $5 bill, a $5-million deal
        spoken = spoken.removesuffix(currency.many) + currency.one
    if found.get("sign"):
        spoken = f"minus {spoken}"
    if found.get("rate"):
        spoken += f" per {RATES[found['rate']]}"
    return spoken


def _range(match: re.Match[str]) -> str:
    """Say the currency of "$5-10" once, of "$1.50-2.00" twice."""
    currency, number = match.groups()
    after = text_after(match, 40)
    if "." in number and not re.match(rf"[\d,.]+{_SIZED}", after):
        return f"{currency}{number} to {currency}"
    number, _, size = number.partition(" ")
    return f"{decimal(number)} {size} to {currency}"


def _thousands(match: re.Match[str]) -> str:
    """Write the number of "1.234,56 €" with the marks that English puts there."""
    whole, cents = match.groups()
    return f"{whole.replace('.', ',')}{'.' + cents if cents else ''}"


def _small_change(match: re.Match[str]) -> str:
    number, mark = match.group(1, 2)
    one, many = ("penny", "pence") if mark == "p" else ("cent", "cents")
    return _count(number, one, one if is_attribute(match) and mark != "p" else many)


RULES = (
    # A currency that is written twice is said once.
    Rule(
        "currency written twice",
        rf"((?:{one_of('$£€')}) ?{NUMBER}(?: ?{_SIZED})?) (?:dollars|pounds|euros)\b",
        r"\1",
        trigger="$£€",
    ),
    Rule(
        "magnitude in two letters",
        rf"(?<=\d) ?({one_of(_SURE_MAGNITUDES)})\b(?:\.(?= [a-z]))?",
        lambda match: f" {_MAGNITUDES[match.group(1)]}",
    ),
    Rule(
        "magnitude before a crowd",
        rf"(?<=\d) ?([kKmMbB])(?= (?:{_CROWDS})\b)",
        lambda match: f" {_MAGNITUDES[match.group(1).lower()]}",
    ),
    Rule(
        "European thousands before the euro",
        r"(?:(?<![\w.,])(?=[\d.,]{5,20} ?€)|(?<=€)|(?<=€ ))(\d{1,3}(?:\.\d{3})+)(?:,(\d\d))?"
        r"(?![.,]?\d)",
        _thousands,
        trigger="€",
    ),
    Rule("minus after the currency", r"([$£€])-(?=\d)", r"-\1", trigger="$£€"),
    Rule(
        "range with two currencies",
        rf"({_BEFORE} ?{NUMBER}(?:{_SIZED})?) ?[-\u2013] ?(?={_BEFORE} ?\d)",
        r"\1 to ",
    ),
    Rule(
        "range with one currency",
        rf"({_BEFORE}) ?({NUMBER}(?: {MAGNITUDE})?) ?[-\u2013] ?(?={NUMBER}(?:{_SIZED}|{_END}))",
        _range,
    ),
    Rule(
        "money",
        rf"(?<![A-Za-z\d.])(?P<sign>-)?(?P<currency>{_BEFORE}) ?"
        rf"(?P<number>\d{{1,9}},\d\d(?![\d,])|{NUMBER})(?:s\b)?"
        rf"{_SIZE}{_RATE}{_SINGULAR}",
        _speak,
    ),
    Rule(
        "money, currency last",
        rf"(?<![\w.,])(?P<sign>-)?(?P<number>\d{{1,9}},\d\d(?![\d,])|{NUMBER}){_SIZE} ?"
        rf"(?P<currency>{_AFTER})(?![\w$]){_RATE}",
        _speak,
    ),
    Rule(
        "small change",
        r"(?<![\w.,])(?!(?:240|360|480|720)p)(\d{1,3}) ?(¢|(?<=\d)p(?=[ ,.;:!?)]|$))",
        _small_change,
        trigger="¢p",
    ),
)
