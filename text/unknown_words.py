"""Words outside the dictionary: split at capitals, built from known words, guessed, or spelled."""

import re
from typing import Literal

from unidecode import unidecode

from text.dictionary import Phones, look_up, look_up_addition
from text.homographs.word_classes import classes
from text.initialisms import is_spoken
from text.letters_to_sounds import guess
from text.lexicon import Lexicon
from text.morphology import add_ending, derive

Pronunciation = tuple[Phones, Literal["morphology", "guess", "letters"]]

_CAPITAL_INSIDE = re.compile(r"[a-z][A-Z]")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z']+")
_WITH_S = re.compile(r"(.*[A-Za-z])'s|(.*[A-Z]{2})s")
_VOWELS = frozenset("aeiouy")
_MAX_LETTERS = 40  # nobody says a longer word


class _KnownWords:
    """The user's words and the dictionary's."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon

    def look_up(self, word: str) -> Phones | None:
        return self.lexicon.get(word) or look_up_addition(word) or look_up(word)

    def is_common(self, word: str) -> bool:
        return word in self.lexicon or bool(classes(word))


def pronounce_unknown(written: str, spelling: str, lexicon: Lexicon) -> Pronunciation:
    """Return the phones of a word that neither the lexicon nor the dictionary knows.

    Args:
        written: The word with its capitals.
        spelling: Its letters a to z and apostrophes, in lower case.
        lexicon: The user's words, of which others may be built.
    """
    words = _KnownWords(lexicon)
    letters = re.sub("[^A-Za-z']", "", unidecode(written)).strip("'")
    with_s = _WITH_S.fullmatch(letters)
    if with_s:
        base, source = _pronounce_cased(with_s.group(with_s.lastindex or 1), words)
        return add_ending(base, "s"), source
    return _pronounce_cased(letters, words) if spelling else ((), "letters")


def _pronounce_cased(word: str, words: _KnownWords) -> Pronunciation:
    if _CAPITAL_INSIDE.search(word):
        return _join([_pronounce_part(part, words) for part in _PART.findall(word)])
    return _pronounce_plain(word.lower(), words)


def _pronounce_plain(word: str, words: _KnownWords) -> Pronunciation:
    """Return the phones of a word in lower case: known, derived, guessed or spelled."""
    known = words.look_up(word) or (derive(word, words) if len(word) <= _MAX_LETTERS else None)
    if known is not None:
        return known, "morphology"
    if len(word) <= _MAX_LETTERS and not _VOWELS.isdisjoint(word):
        phones = guess(word)
        if any(phone[-1].isdigit() for phone in phones):
            return phones, "guess"
    return _spell(word), "letters"  # nobody can say a word without a vowel


def _pronounce_part(part: str, words: _KnownWords) -> Pronunciation:
    """Return the phones of a part between capitals: GPT by its letters, Hub as a word."""
    if part == "Mc":
        return ("M", "AH0", "K"), "morphology"
    if len(part) == 1 or (part.isupper() and not is_spoken(part)):
        return _spell(part), "letters"
    return _pronounce_plain(part.lower(), words)


def _spell(letters: str) -> Phones:
    """Return the names of letters."""
    names = (
        "EY1" if letter == "a" else " ".join(look_up(letter) or ()) for letter in letters.lower()
    )
    return tuple(" ".join(names).split())


def _join(parts: list[Pronunciation]) -> Pronunciation:
    """Return parts as one word: the first word has the strongest stress, letters keep theirs."""
    joined: list[str] = []
    for phones, source in parts:
        is_weaker = source != "letters" and any(phone.endswith("1") for phone in joined)
        joined += [phone.replace("1", "2") if is_weaker else phone for phone in phones]
    is_guess = any(source == "guess" for _, source in parts)
    return tuple(joined), "guess" if is_guess else "morphology"
