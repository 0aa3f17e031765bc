"""What the say-as element of SSML asks for: content read in a named way."""

import re
from collections.abc import Callable

from text.characters import SYMBOL
from text.cleaning import clean
from text.dates import MONTHS
from text.electronic import MARKS
from text.errors import TextError
from text.normalizer import normalize
from text.number_words import cardinal, digits, ordinal, signed, year


def say_as(content: str, kind: str, format_: str = "") -> str:
    """Return content in words, read as the kind of thing it is.

    Args:
        content: What stands in the element.
        kind: One of `SAY_AS`.
        format_: The order of a date's parts, such as "dmy"; other kinds ignore it.

    Raises:
        TextError: The content is not of that kind.
    """
    if kind == "date" and format_:
        return _date(content, format_)
    return SAY_AS[kind](content)


def _characters(content: str) -> str:
    names = []
    for char in clean(content):
        if char.isdecimal():
            names.append(cardinal(char))
        elif char.isalpha():
            names.append(char.upper())
        else:
            names.append(MARKS.get(char) or SYMBOL.apply(char))
    return " ".join(" ".join(names).split())


def _integer(content: str, kind: str) -> str:
    number = content.replace(",", "").replace(" ", "")
    if not re.fullmatch(r"[-+]?\d{1,2000}", number) or not number.isascii():
        raise TextError(f"say-as {kind} of {content!r}, expected digits", 0)
    return number


def _cardinal(content: str) -> str:
    if re.fullmatch(r"[-+]?\d{0,66}\.\d{1,100}", content) and content.isascii():
        return signed(content)
    return signed(_integer(content, "cardinal"))


def _ordinal(content: str) -> str:
    return ordinal(_integer(content, "ordinal").lstrip("+-"))


def _digits(content: str) -> str:
    if not any(char in "0123456789" for char in content):
        raise TextError(f"say-as digits of {content!r}, expected digits", 0)
    return digits(content)


def _telephone(content: str) -> str:
    groups = [
        digits(group) if group.isdigit() else " ".join(group.upper())
        for group in re.findall(r"[0-9]+|[A-Za-z]+", content)
    ]
    return ("plus " if content.startswith("+") else "") + ", ".join(groups)


def _date(content: str, format_: str) -> str:
    parts = re.findall(r"\d+", content)
    if not re.fullmatch("[dmy]{1,3}", format_) or len(parts) != len(format_):
        raise TextError(f"say-as date of {content!r} does not fit the format {format_!r}", 0)
    part = dict(zip(format_, parts, strict=True))
    month = int(part.get("m", "1"))
    if not (1 <= month <= 12 and 1 <= int(part.get("d", "1")) <= 31):
        raise TextError(f"say-as date of {content!r} in {format_!r} is no date", 0)
    words = []
    if "m" in part:
        words.append(MONTHS[month - 1])
    if "d" in part:
        words.append(ordinal(part["d"]))
    if "y" in part:
        words.append(year(part["y"]))
    return " ".join(words)


SAY_AS: dict[str, Callable[[str], str]] = {
    "characters": _characters,
    "spell-out": _characters,
    "cardinal": _cardinal,
    "number": _cardinal,
    "ordinal": _ordinal,
    "digits": _digits,
    "date": normalize,
    "time": normalize,
    "telephone": _telephone,
    "currency": normalize,
}
