"""Words outside the dictionary from those inside: endings, prefixes and compounds."""

from collections.abc import Callable

from text.dictionary import Phones

LookUp = Callable[[str], Phones | None]

_SIBILANTS = frozenset(("S", "Z", "SH", "ZH", "CH", "JH"))
_VOICELESS = frozenset(("P", "T", "K", "F", "TH", *_SIBILANTS)) - {"Z", "ZH", "JH"}
_ENDINGS = (
    # Ending, its phones; "s" and "ed" depend on the sound before them.
    ("'s", "s"),
    ("s'", "s"),
    ("s", "s"),
    ("ed", "ed"),
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
    ("re", "R IY0"),
    ("non", "N AA0 N"),
    ("dis", "D IH0 S"),
    ("mis", "M IH0 S"),
    ("pre", "P R IY0"),
    ("de", "D IY0"),
    ("co", "K OW0"),
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
_MIN_PART = 3  # letters; shorter parts of compounds are mostly accidents
_MAX_LETTERS = 40


def derive(word: str, look_up: LookUp) -> Phones | None:
    """Return the pronunciation of a word built from known ones, or None.

    Args:
        word: In lower case, with its apostrophes.
        look_up: Gives the phones of known words.
    """
    if len(word) > _MAX_LETTERS:
        return None
    return _inflected(word, look_up, depth=2) or _compound(word, look_up)


def _inflected(word: str, look_up: LookUp, *, depth: int) -> Phones | None:
    if depth == 0:
        return None

    def base_phones(base: str) -> Phones | None:
        return look_up(base) or _inflected(base, look_up, depth=depth - 1)

    for ending, sound in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            for base in _bases(word.removesuffix(ending), ending):
                phones = base_phones(base)
                if phones:
                    return add_ending(phones, sound)
    for prefix, sound in _PREFIXES:
        if word.startswith(prefix) and len(word) - len(prefix) > _MIN_PART:
            phones = base_phones(word.removeprefix(prefix))
            if phones:
                return (*sound.split(), *phones)
    return None


def _bases(stem: str, ending: str) -> list[str]:
    """Return what a stem may be without its ending: "tri" of tried is try, "bak" of baked bake."""
    if ending in ("'s", "s'"):
        return [stem]
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


def _compound(word: str, look_up: LookUp) -> Phones | None:
    """Return two known words as one, the evenest split first, the second with the weaker stress."""
    middle = len(word) / 2
    splits = range(_MIN_PART, len(word) - _MIN_PART + 1)
    for split in sorted(splits, key=lambda split: abs(split - middle)):
        first = look_up(word[:split])
        second = look_up(word[split:]) or _inflected(word[split:], look_up, depth=1)
        if first and second:
            return first + tuple(phone.replace("1", "2") for phone in second)
    return None
