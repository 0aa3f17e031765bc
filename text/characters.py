"""What is left after the rules: symbols by name, punctuation the model knows, nothing else."""

import re
import unicodedata
from functools import cache

from unidecode import unidecode

from text.rules import ALWAYS, Rule

_NAMES = {
    **{"&": "and", "@": "at", "%": "percent", "+": "plus", "=": "equals", "#": "hash"},
    **{"$": "dollar", "£": "pound", "€": "euro", "¥": "yen", "¢": "cent", "°": "degree"},
    **{"_": "underscore", "\\": "backslash", "§": "section", "¶": "paragraph", "©": "copyright"},
    **{"®": "registered", "™": "trademark", "\u00d7": "times", "÷": "divided by"},
    **{"±": "plus or minus", "‰": "per mille", "\u2605": "star"},
    **{"²": "squared", "³": "cubed", "√": "square root", "†": "dagger", "∞": "infinity"},
    **{"→": "to", "\u2665": "heart", "\u2764": "heart", "✓": "check", "№": "number"},
}
_ODD = r"[^\w\s'!(),.:;?\u2013\u2014-]|[\d_\u00b2\u00b3]"
_DECORATION = ("Sk", "Ps", "Pe", "Pi", "Pf", "Po", "Pd", "Pc")
_SILENT = frozenset("<>|*^~`")


@cache
def _name(symbol: str) -> str:
    if symbol in _NAMES:
        return f" {_NAMES[symbol]} "
    if symbol in _SILENT or unicodedata.category(symbol) in _DECORATION:
        return " "
    words = re.findall("[a-z]+", unidecode(unicodedata.name(symbol, "")).lower())
    return f" {' '.join(word for word in words if word not in ('sign', 'symbol'))} "


SYMBOL = Rule(
    "symbol by name",
    rf"({_ODD})(?:(?<=[^\0-\x7f]) ?\1)*",
    lambda match: _name(match.group(1)),
    trigger=ALWAYS,
)
"""Every symbol that has no place in the symbol table is named, a run of emoji once, or dropped."""

TIDY = (
    # A dash between words is a pause; a hyphen holds two words together; all others are silent.
    Rule(
        "pause for a dash",
        r"(?: ?(?:\u2014|\u2013|--+) ?)+| -(?= )|(?<=[.!?,;:])-+",
        ", ",
        trigger="-\u2013\u2014",
    ),
    Rule("silent hyphen", r"(?<![^\W\d_])-+|-+(?![^\W\d_])", " ", trigger="-"),
    # An apostrophe stands in or after a word, and before the few that begin with it.
    Rule(
        "silent quotation mark",
        r"(?<!\w)'(?!(?:[Tt]is|[Tt]was|em|cause|til|bout)\b)|'(?![^\W\d_])(?<!s')",
        " ",
        trigger="'",
    ),
    Rule("empty brackets", r"\( *\)", " ", trigger="("),
    Rule("space before a mark", r" +(?=[ !),.:;?])|(?<=\() +", "", trigger="!(),.:;?"),
    Rule("space before a bracket", r"(?<=[^\s(])\(", " (", trigger="("),
    Rule("period before a mark", r"(?<!\.)\.(?=[,;:])", "", trigger="."),
    # One mark is enough: the strongest of a run. An ellipsis within a sentence is a pause.
    Rule("ellipsis", r"(?<!\.)\.{2,}(?= ?[^\s.!?)A-Z])", ",", trigger="."),
    Rule(
        "run of marks",
        r"(?<![,;:.!?])[,;:.!?]{2,}",
        lambda match: _strongest(match.group()),
        trigger=",;:.!?",
    ),
    Rule("space after a mark", r"(?<=[),.:;?!])(?=[^\W\d_])", " ", trigger="),.:;?!"),
    Rule("mark at the beginning", r"^[\s,;:.)]+(?=.)", "", trigger=ALWAYS),
)
"""Single spaces and single punctuation marks: each rule expects white space to be single."""


def _strongest(marks: str) -> str:
    return next(mark for mark in "?!.;:," if mark in marks)
