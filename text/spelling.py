"""British spelling to American, which the pronunciation dictionary knows."""

import re

from text.dictionary import look_up
from text.rules import Rule, text_before, words

_OUR = words(
    "arb arm behavi cand clam col demean discol disfav dishon endeav fav ferv flav glam harb hon"
    " hum lab misdemean neighb od parl ranc rig rum sav splend tum val vap vig"
)
_RE = words(
    "met kilomet centimet millimet lit centilit millilit cent fib theat calib spect somb lust"
)
_LETTERS = re.compile("[A-Za-z]{1,12}$")


def _stem(match: re.Match[str]) -> str:
    """Return the letters of a word before its ending, which is quicker to find than the word."""
    stem = _LETTERS.search(text_before(match, 13))
    return stem.group().lower() if stem else ""


def _with_or(match: re.Match[str]) -> str:
    return "o" if _stem(match) in _OUR else "ou"


def _with_er(match: re.Match[str]) -> str:
    return f"er{match.group(1)}" if _stem(match) in _RE else match.group()


def _with_z(match: re.Match[str]) -> str:
    """Spell organise with a z; advise, and unknown nouns such as valise, stay as they are."""
    stem, ending = match.groups()
    respelled = f"{stem}z{ending}"
    if look_up(respelled):
        return respelled
    is_verb = ending.startswith(("ed", "ing", "ation"))
    return respelled if is_verb and not look_up(match.group()) else match.group()


RULES = (
    Rule(
        "British -our",
        r"ou(?=r(?:s|ed|ing|ful|able|ably|ite|ites|hood|hoods|ly|less|er|ers)?\b)",
        _with_or,
        trigger="u",
    ),
    Rule("British -re", r"re(s?)\b", _with_er, trigger="r"),
    Rule("British -ise", r"\b([a-z]{3,}i)s((?:e|ed|es|er|ers|ing))\b", _with_z, trigger="s"),
    Rule("British -isation", r"\b([A-Za-z]{3,}i)s(ation(?:s|al)?)\b", _with_z, trigger="s"),
)
