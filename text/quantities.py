"""The value before a unit, and whether a measure or an amount stands before its noun."""

import re

from text.counting import NO_NOUNS
from text.fractions import MIXED, speak_mixed
from text.number_words import MAGNITUDE, NUMBER, signed
from text.rules import text_after, text_before, words

VALUE = rf"-?(?:{MIXED}|{NUMBER}(?: {MAGNITUDE})?)"
"""Pattern of a value: a number, a mixed fraction, a number with a magnitude, each with its sign."""

FREE = rf"(?<![\w.,^])(?<!\^[-+])({VALUE})"
"""Pattern of a value, a group, where nothing before it claims it."""

_FUNCTION_WORDS = words("and as at by for from if in is of on or per than that to was while with")
_ADVERBS = words(
    "about above across after again against ago along apart around away before behind below but"
    " daily deep down downstream each east either else every faster farther further heavier here"
    " high higher inland into just later left less lighter long longer low lower more north now"
    " off once only onto or out outside over plus remaining right round short since slower so"
    " south straight tall taller then there thick through today together tomorrow too total under"
    " until up upstream west when wide without yesterday yet"
)
_VERBS = words("cost fell gave goes got kept lost paid rose sent spent swam took went won")
# "A $5 bill", "a two to $3 million house".
_ARTICLE = re.compile(r"(?<!\w)[Aa]n? (?:[a-z]{2,9}(?: [a-z]{2,9}){0,3} {1,2}to )?$")
_DETERMINER = re.compile(r"(?<!\w)(?i:the|this|that|each|every|my|your|his|her|its|our|their) $")


def speak_value(written: str) -> str:
    """Return a value in words: "minus two and a half", "one point five million"."""
    sign, written = ("minus ", written[1:]) if written[0] == "-" else ("", written)
    if "/" in written:
        return sign + speak_mixed(written)
    number, _, magnitude = written.partition(" ")
    return f"{sign}{signed(number)} {magnitude}".strip()


def is_attribute(match: re.Match[str]) -> bool:
    """Tell whether a measure or an amount stands before its noun: "a 60 W bulb", "the $5 fee"."""
    noun = re.match(r"(?: |-a-)([A-Za-z]+)", text_after(match, 20))
    if noun is None or noun.group(1) in _FUNCTION_WORDS:
        return False
    word = noun.group(1)
    before = text_before(match, 40)
    if _ARTICLE.search(before):
        return word not in NO_NOUNS
    return _DETERMINER.search(before) is not None and is_noun(word)


def is_noun(word: str) -> bool:
    """Tell whether a word behind a measure may be what it measures: not "away", not "walked"."""
    is_other = word in _ADVERBS | NO_NOUNS | _VERBS or word.endswith(("ed", "ly"))
    return word.islower() and not is_other


def is_part(value: str) -> bool:
    """Tell whether a value is less than its unit: 5/8, but not 2 5/8 and not 2-5/8."""
    return "/" in value and " " not in value and "-" not in value[1:]


def of_unit(value: str, name: str) -> str:
    """Return " inches" after a number, " of an inch" after "5/8"."""
    if not is_part(value) or value.lstrip("-").startswith("1/"):
        return f" {name}"
    return f" of {'an' if name[0] in 'aeio' or name.startswith('hour') else 'a'} {name}"
