"""British spelling to American, which the pronunciation dictionary knows."""

import re

from text.dictionary import look_up
from text.rules import Rule

_OUR = (
    "arb|arm|behavi|cand|clam|col|demean|endeav|fav|ferv|flav|glam|harb|hon|hum|lab|neighb|od|parl"
    "|ranc|rig|rum|sav|splend|tum|val|vap|vig"
)


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
        rf"(?i)\b((?:{_OUR})o)u(?=r(?:s|ed|ing|ful|able|ably|ite|ites|hood|hoods|ly|less|er|ers)?\b)",
        r"\1",
        trigger="u",
    ),
    Rule(
        r"(?i)\b((?:kilo|centi|milli)?(?:met|lit)|cent|fib|theat|calib|spect|somb|lust)re(s?)\b",
        r"\1er\2",
        trigger="r",
    ),
    Rule(r"\b([a-z]{3,}i)s((?:e|ed|es|er|ers|ing))\b", _with_z, trigger="s"),
    Rule(r"\b([A-Za-z]{3,}i)s(ation(?:s|al)?)\b", _with_z, trigger="s"),
)
