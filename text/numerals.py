"""Plain numbers: ordinals, ranges, scores, ratios, decimals, cardinals."""

import re

from text.number_words import NUMBER, START, cardinal, decimal, plain_number, signed, year
from text.rules import Rule, words

_CALIBER = "caliber|calibre|rifle|pistol|revolver|handgun|bullet|cartridge|ammunition"

_PLURALS = words(
    "people men women children feet teeth sheep fish deer mice geese oxen cattle police folk"
    " percent kids aircraft lives wives"
)
# Words that end like a plural, or stand between a year and one.
_NO_NOUNS = words(
    "a about after against all also an and are as at because been before began begins being both"
    " brings brought but by came comes could did does during each ended ends every for from goes had"
    " has have he her his how however if in is it its just later led less like likes looks made makes"
    " marks may means might more most no nor not of on or other our out over perhaps proves remains"
    " runs said saw says seems sees she should showed shows since so some starts still than that the"
    " their them then there these they this those though through to took under until up us very was"
    " we were when where which while who whose why will with without would yet you your always plus"
    " minus times sometimes afterwards towards onwards besides thus this"
)
# What is of a year rather than counted.
_YEARLY = words(
    "elections midterms primaries playoffs finals olympics riots protests floods wildfires levels"
    " prices results figures standards taxes models"
)
_BEFORE_YEARS = words(
    "in since until till from during by circa year years the early late mid fiscal between january"
    " february march april may june july august september october november december class model"
    " spring summer autumn fall winter his her its their our this last"
)
_BEFORE_QUANTITIES = words("exactly approximately nearly almost roughly another")
_COUNTED = re.compile(r"(?:more|less|fewer|other) than $|(?:total|count|number|sum|score|all) of $")


def _is_plural(word: str) -> bool:
    if word in _PLURALS:
        return True
    return word[-1] == "s" and word[-2:] not in ("ss", "us", "is") and word not in _NO_NOUNS


def is_counting(text: str, start: int, end: int) -> bool:
    """Tell whether a number of four digits, at some place in a text, counts what follows it.

    It does before a plural ("1342 votes", "1342 registered voters"), unless a word before it says
    that it is a year ("in 1998 prices rose", "the 2008 elections").
    """
    before = text[max(0, start - 30) : start]
    if _COUNTED.search(before):
        return True
    *_, last = ["", *before.lower().split()]
    if last in _BEFORE_QUANTITIES:
        return True
    following = re.match(r"(?: [a-z]{2,}(?:-[a-z]+)?(?![\w'-])){1,2}", text[end : end + 40])
    if following is None or last in _BEFORE_YEARS:
        return False
    first, *rest = following.group().split()
    if first in _NO_NOUNS or first in _YEARLY:
        return False
    return _is_plural(first) or (bool(rest) and rest[0] not in _YEARLY and _is_plural(rest[0]))


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
    is_counted = (
        len(written) == 4  # hundreds are "seventeen hundred" in both senses
        and written.isdigit()
        and not re.fullmatch("1[1-9]00", written)
        and is_counting(match.string, match.start(), match.end())
    )
    return decimal(written) if "," in written or is_counted else plain_number(written)


def _continental(match: re.Match[str]) -> str:
    return match.group().replace(".", ",").replace("_", ",")


GROUPS = (
    Rule(
        "groups of three digits",
        rf"{START}(?<!\d )([1-9]\d{{0,2}}(?:(?:'\d{{3}})+|(?: \d{{3}}){{2,8}}| 000))"
        r"(?:,(\d\d?))?(?![\w,'-]| \d)",
        _grouped,
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
