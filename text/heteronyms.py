"""Words that are written alike and spoken differently, told apart by their neighbours."""

from typing import NamedTuple

from text.dictionary import Phones
from text.rules import words


class Reading(NamedTuple):
    """One pronunciation, and the neighbours that ask for it."""

    phones: str
    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()


_TO_VERB = words(
    "to will would can could shall should may might must do does did don't didn't doesn't not won't"
    " can't couldn't wouldn't never i we they you who let's please i'll you'll we'll they'll"
)
_TO_NOUN = words(
    "a an the this that these those my your his her its our their no any some each every of in for"
    " with on by from at new old first last world good great which whose"
)
_PERFECT = words(
    "have has had having been be was were is are i've you've we've they've well widely"
)


def _stress_pair(noun: str, verb: str) -> tuple[Reading, ...]:
    return (Reading(verb, before=_TO_VERB), Reading(noun, before=_TO_NOUN))


_READINGS = {
    "read": (
        Reading("R EH1 D", before=_PERFECT),
        Reading("R IY1 D", before=_TO_VERB - words("i we they you who never") | words("a good")),
    ),
    "lead": (
        Reading(
            "L EH1 D",
            before=words("molten liquid unleaded of"),
            after=words("pipe pipes paint poisoning acid pencil bullet bullets shot ore mine"),
        ),
        Reading(
            "L IY1 D",
            before=_TO_VERB | _TO_NOUN - words("of with from"),
            after=words("to the us them him her me a singer guitarist actor role times by in"),
        ),
    ),
    "live": (
        Reading(
            "L AY1 V",
            before=words("a the this go went going goes broadcast"),
            after=words(
                "music concert concerts show shows album albums performance performances band"
                " audience television tv radio broadcast broadcasts coverage wire ammunition"
                " animals recording"
            ),
        ),
        Reading(
            "L IH1 V",
            before=_TO_VERB | words("people and he'd long really still now also"),
            after=words("in at on with here there near together alone by without under through"),
        ),
    ),
    "lives": (
        Reading(
            "L AY1 V Z", before=_TO_NOUN | words("human many two three nine thousand save saved")
        ),
        Reading(
            "L IH1 V Z",
            before=words("he she it who still now"),
            after=words("in at near with alone"),
        ),
    ),
    "wind": (
        Reading("W AY1 N D", before=_TO_VERB, after=words("up down its his around")),
        Reading("W IH1 N D", before=_TO_NOUN | words("strong cold north south east west")),
    ),
    "use": (
        Reading(
            "Y UW1 S", before=_TO_NOUN | words("little much further public"), after=words("of")
        ),
        Reading("Y UW1 Z", before=_TO_VERB, after=words("the a an it this that his her them")),
    ),
    "close": (
        Reading(
            "K L OW1 S",
            before=words(
                "very so too as is are was were how quite stay came come get got keep more"
            ),
            after=words(
                "to by together friend friends enough call contact range relationship ties"
            ),
        ),
        Reading("K L OW1 Z", before=_TO_VERB, after=words("the your his her it this that down")),
    ),
    "record": _stress_pair("R EH1 K ER0 D", "R AH0 K AO1 R D"),
    "object": _stress_pair("AA1 B JH EH0 K T", "AH0 B JH EH1 K T"),
    "present": _stress_pair("P R EH1 Z AH0 N T", "P R IY0 Z EH1 N T"),
    "project": _stress_pair("P R AA1 JH EH0 K T", "P R AH0 JH EH1 K T"),
    "produce": _stress_pair("P R OW1 D UW0 S", "P R AH0 D UW1 S"),
    "permit": _stress_pair("P ER1 M IH2 T", "P ER0 M IH1 T"),
    "conduct": _stress_pair("K AA1 N D AH0 K T", "K AA0 N D AH1 K T"),
    "contract": _stress_pair("K AA1 N T R AE2 K T", "K AH0 N T R AE1 K T"),
    "subject": _stress_pair("S AH1 B JH IH0 K T", "S AH0 B JH EH1 K T"),
    "refuse": _stress_pair("R EH1 F Y UW2 Z", "R AH0 F Y UW1 Z"),
    "desert": _stress_pair("D EH1 Z ER0 T", "D IH0 Z ER1 T"),
    "increase": _stress_pair("IH1 N K R IY2 S", "IH2 N K R IY1 S"),
    "excuse": _stress_pair("IH0 K S K Y UW1 S", "IH0 K S K Y UW1 Z"),
    "abuse": _stress_pair("AH0 B Y UW1 S", "AH0 B Y UW1 Z"),
    "separate": _stress_pair("S EH1 P ER0 IH0 T", "S EH1 P ER0 EY2 T"),
    "estimate": _stress_pair("EH1 S T AH0 M AH0 T", "EH1 S T AH0 M EY2 T"),
    "tear": (
        Reading("T EH1 R", before=_TO_VERB, after=words("down up apart off out")),
        Reading("T IH1 R", after=words("gas drop drops")),
    ),
}


def readings(word: str) -> tuple[Reading, ...]:
    """Return the readings of a word in lower case, none for a word with only one."""
    return _READINGS.get(word, ())


def heteronyms() -> frozenset[str]:
    """Return all words that have more than one reading."""
    return frozenset(_READINGS)


def choose(word: str, before: str, after: str) -> Phones | None:
    """Return the reading its neighbours ask for, or None where they do not decide.

    Args:
        word: In lower case.
        before: The word before it, "" at the beginning of a sentence or after a mark.
        after: The word after it, "" likewise.
    """
    for reading in _READINGS.get(word, ()):
        if before in reading.before or after in reading.after:
            return tuple(reading.phones.split())
    return None


def letter_a(before: str, after: str) -> Phones | None:
    """Return the name of the letter A (vitamin A, U S A) or None for the article.

    Args:
        before: The word before a capital A, as it is written; "" as for `choose`.
        after: The word after it.
    """
    is_spelled = any(len(word) == 1 and word.isupper() and word != "I" for word in (before, after))
    return ("EY1",) if is_spelled or after in ("", "at", "dot", "dash", "slash") else None
