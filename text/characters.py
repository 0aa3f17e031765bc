"""What is left after the rules: symbols by name, punctuation the model knows, nothing else."""

import re
import unicodedata
from functools import cache

from unidecode import unidecode

_NAMES = {
    **{"&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "#": "hash"},
    **{"$": "dollar", "£": "pound", "€": "euro", "¥": "yen", "¢": "cent", "°": "degree"},
    **{"_": "underscore", "\\": "backslash", "§": "section", "¶": "paragraph", "©": "copyright"},
    **{"®": "registered", "™": "trademark", "\u00d7": "times", "÷": "divided by"},
    **{"±": "plus or minus", "‰": "per mille", "\u2605": "star"},
    **{"²": "squared", "³": "cubed", "√": "square root", "†": "dagger", "∞": "infinity"},
    **{"→": "to", "\u2665": "heart", "\u2764": "heart", "✓": "check", "№": "number"},
}
_ODD = re.compile(r"[^\w\s'!(),.:;?\u2013\u2014-]|[\d_\u00b2\u00b3]")
_DECORATION = ("Sk", "Ps", "Pe", "Pi", "Pf", "Po", "Pd", "Pc")
_SILENT = frozenset("<>|*^~`")


def name_symbols(text: str) -> str:
    """Return text with every symbol that has no place in the symbol table named or dropped."""
    return _ODD.sub(lambda match: _name(match.group()), text)


@cache
def _name(symbol: str) -> str:
    if symbol in _NAMES:
        return f" {_NAMES[symbol]} "
    if symbol in _SILENT or unicodedata.category(symbol) in _DECORATION:
        return " "
    words = re.findall("[a-z]+", unidecode(unicodedata.name(symbol, "")).lower())
    return f" {' '.join(word for word in words if word not in ('sign', 'symbol', 'with'))} "


_TIDY = (
    # A dash between words is a pause; a hyphen holds two words together; all others are silent.
    (re.compile(r"(?: ?(?:\u2014|\u2013|--+) ?)+| -(?= )|(?<=[.!?,;:])-+"), ", "),
    (re.compile(r"(?<![^\W\d_])-+|-+(?![^\W\d_])"), " "),
    # An apostrophe stands in or after a word, and before the few that begin with it.
    (re.compile(r"(?<!\w)'(?!(?:[Tt]is|[Tt]was|em|cause|til|bout)\b)|'(?![^\W\d_])(?<!s')"), " "),
    (re.compile(r"\( *\)"), " "),
    (re.compile(r" +(?=[ !),.:;?])|(?<=\() +"), ""),
    (re.compile(r"(?<=[^\s(])\("), " ("),
    (re.compile(r"(?<!\.)\.(?=[,;:])"), ""),
    # One mark is enough: the strongest of a run. An ellipsis within a sentence is a pause.
    (re.compile(r"(?<!\.)\.{2,}(?= ?[^\s.!?)A-Z])"), ","),
    (re.compile(r"(?<![,;:.!?])[,;:.!?]{2,}"), lambda match: _strongest(match.group())),
    (re.compile(r"(?<=[),.:;?!])(?=[^\W\d_])"), " "),
    (re.compile(r"^[\s,;:.)]+(?=.)"), ""),
)


def _strongest(marks: str) -> str:
    return next(mark for mark in "?!.;:," if mark in marks)


def tidy(text: str) -> str:
    """Return text with single spaces and single punctuation marks."""
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, " ".join(text.split()))
    return " ".join(text.split())
