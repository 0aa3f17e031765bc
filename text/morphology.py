"""Words outside the dictionary from those inside: endings, prefixes and compounds."""

from typing import Protocol

from text.dictionary import Phones

_SIBILANTS = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
_VOICELESS = frozenset(("P", "T", "K", "F", "TH", *_SIBILANTS)) - {"Z", "ZH", "JH"}
_SURE_ENDINGS = (("s", "s"), ("ed", "ed"))
"""Endings, their phones as the sound before asks: surer than the model whatever the word is."""

_ENDINGS = (
    ("ing", "IH0 NG"),
    ("ings", "IH0 NG Z"),
    ("in'", "IH0 N"),
    ("er", "ER0"),
    ("ers", "ER0 Z"),
    ("est", "AH0 S T"),
    ("y", "IY0"),
    ("ly", "L IY0"),
    ("ness", "N AH0 S"),
    ("less", "L AH0 S"),
    ("ful", "F AH0 L"),
    ("able", "AH0 B AH0 L"),
    ("ment", "M AH0 N T"),
    ("ments", "M AH0 N T S"),
    ("ship", "SH IH0 P"),
    ("ish", "IH0 SH"),
    ("ism", "IH2 Z AH0 M"),
    ("ist", "IH0 S T"),
    ("like", "L AY2 K"),
    ("wise", "W AY2 Z"),
    ("hood", "HH UH2 D"),
)
_PREFIXES = (
    ("un", "AH0 N"),
    ("non", "N AA0 N"),
    ("mis", "M IH0 S"),
    ("anti", "AE0 N T IY0"),
    ("inter", "IH0 N T ER0"),
    ("sub", "S AH0 B"),
    ("over", "OW0 V ER0"),
    ("under", "AH0 N D ER0"),
    ("out", "AW0 T"),
    ("micro", "M AY2 K R OW0"),
    ("multi", "M AH2 L T IY0"),
    ("semi", "S EH2 M IY0"),
)
_MIN_PART = 4  # letters of a compound's parts, and of what stands after a prefix


class Words(Protocol):
    """The words that others are built from."""

    def look_up(self, word: str) -> Phones | None:
        """Return the phones of a known word, or None."""

    def is_common(self, word: str) -> bool:
        """Tell whether a known word is more than a name, which endings and other words join."""


def derive(word: str, words: Words) -> Phones | None:
    """Return the pronunciation of a word built from known ones, or None.

    Names end in -er, -ing and -man too, and dictionaries are full of names: held against the
    dictionary's own words, what is built of names is wrong three times out of four, and the
    letters-to-sounds model is right. So only common words are joined.

    Args:
        word: In lower case, with its apostrophes.
        words: The known words.
    """
    return _inflected(word, words, depth=2) or _compound(word, words)


def _inflected(word: str, words: Words, *, depth: int) -> Phones | None:
    if depth == 0:
        return None

    def common(base: str) -> Phones | None:
        known = words.look_up(base) if words.is_common(base) else None
        return known or _inflected(base, words, depth=depth - 1)

    def known(base: str) -> Phones | None:
        return words.look_up(base) or _inflected(base, words, depth=depth - 1)

    for endings, base_phones in ((_SURE_ENDINGS, known), (_ENDINGS, common)):
        for ending, sound in endings:
            if word.endswith(ending) and len(word) - len(ending) >= 2:
                for base in _bases(word.removesuffix(ending), ending):
                    phones = base_phones(base)
                    if phones:
                        return add_ending(phones, sound)
    for prefix, sound in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) >= _MIN_PART:
            phones = common(word.removeprefix(prefix))
            if phones:
                return (*sound.split(), *phones)
    return None


def _bases(stem: str, ending: str) -> list[str]:
    """Return what a stem may be without its ending: "tri" of tried is try, "bak" of baked bake."""
    if ending == "s":
        bases = [] if stem.endswith(("s", "'")) else [stem]
        if stem.endswith("ie"):
            bases.append(f"{stem[:-2]}y")
        elif stem.endswith(("se", "xe", "che", "she", "ze", "oe")):
            bases.append(stem[:-1])
        return bases
    bases = [stem]
    if ending[0] in "aeiy":
        bases.append(f"{stem}e")
        if stem[-1] == stem[-2]:
            bases.append(stem[:-1])
    if stem.endswith("i"):
        bases.append(f"{stem[:-1]}y")
    return bases


def add_ending(phones: Phones, sound: str) -> Phones:
    """Return phones with an ending: "s" and "ed" as the last sound asks for, others as they are."""
    last = phones[-1]
    if sound == "s":
        ending = "IH0 Z" if last in _SIBILANTS else "S" if last in _VOICELESS else "Z"
    elif sound == "ed":
        ending = "IH0 D" if last in ("T", "D") else "T" if last in _VOICELESS else "D"
    else:
        ending = sound
    return (*phones, *ending.split())


def _compound(word: str, words: Words) -> Phones | None:
    """Return two common words as one, the evenest split first, the second less stressed."""
    middle = len(word) / 2
    splits = range(_MIN_PART, len(word) - _MIN_PART + 1)
    for split in sorted(splits, key=lambda split: abs(split - middle)):
        first, second = word[:split], word[split:]
        if words.is_common(first) and words.is_common(second):
            one, two = words.look_up(first), words.look_up(second)
            if one and two:
                return one + tuple(phone.replace("1", "2") for phone in two)
    return None
