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
_ANGLED = words("angle angles turn turns heat view slope rotation bend cut")
_VERBAL = ("ing", "ed", "ly", "er", "est")


def speak_value(written: str) -> str:
    """Return a value in words: "minus two and a half", "one point five million"."""
    sign, written = ("minus ", written[1:]) if written[0] == "-" else ("", written)
    if "/" in written:
        return sign + speak_mixed(written)
    number, _, magnitude = written.partition(" ")
    return f"{sign}{signed(number)} {magnitude}".strip()


def is_attribute(match: re.Match[str]) -> bool:
    """Tell whether a measure stands before its noun, as in "a 60 W bulb"."""
    before = text_before(match, 4)
    noun = re.match(r" ([A-Za-z]+)", text_after(match, 20))
    if noun is None or noun.group(1) in _FUNCTION_WORDS:
        return False
    if match.group()[-1] == "\u00b0":
        return noun.group(1) in _ANGLED
    if re.search(r"(?<!\w)[Aa]n? $", before):
        return True
    # "2L bottle", but "5km away" and "he ran 5km looking back".
    is_attached = " " not in match.group() and match.group()[-1].isalpha()
    word = noun.group(1)
    return (
        is_attached
        and word.islower()
        and word not in _ADVERBS | NO_NOUNS
        and not word.endswith(_VERBAL)
    )


def is_part(value: str) -> bool:
    """Tell whether a value is less than its unit: 5/8, but not 2 5/8 and not 2-5/8."""
    return "/" in value and " " not in value and "-" not in value[1:]


def of_unit(value: str, name: str) -> str:
    """Return " inches" after a number, " of an inch" after "5/8"."""
    if not is_part(value) or value.lstrip("-").startswith("1/"):
        return f" {name}"
    return f" of {'an' if name[0] in 'aeio' or name.startswith('hour') else 'a'} {name}"
