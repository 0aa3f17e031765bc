"""Words outside the dictionary: split at capitals, built from known words, guessed, or spelled."""

import re
from typing import Literal

from unidecode import unidecode

from text.dictionary import Phones, look_up
from text.initialisms import is_spoken
from text.letters_to_sounds import guess
from text.lexicon import Lexicon
from text.morphology import add_ending, derive

Pronunciation = tuple[Phones, Literal["morphology", "guess", "letters"]]

_CAPITAL_INSIDE = re.compile(r"[a-z][A-Z]")
_PART = re.compile(r"[A-Z]{2,}(?=s?$)|[A-Z]+(?![a-z])|[A-Z]?[a-z']+")
_POSSESSIVE = re.compile(r"(.*[a-z])('s|s')")
_WITHOUT_STRESS = {"Mc": "M AH0 K", "Mac": "M AH0 K"}
_VOWELS = frozenset("aeiouy")
_MAX_LETTERS = 40  # nobody says a longer word


def pronounce_unknown(written: str, spelling: str, lexicon: Lexicon) -> Pronunciation:
    """Return the phones of a word that neither the lexicon nor the dictionary knows.

    Args:
        written: The word with its capitals.
        spelling: Its letters a to z and apostrophes, in lower case.
        lexicon: The user's words, of which others may be built.
    """
    possessive = _POSSESSIVE.fullmatch(spelling)
    if possessive:
        phones, source = pronounce_unknown(written[:-2], possessive.group(1), lexicon)
        return add_ending(phones, "s"), source
    plain = re.sub("[^A-Za-z']", "", unidecode(written))
    if _CAPITAL_INSIDE.search(plain):
        return _join([_pronounce_part(part, lexicon) for part in _PART.findall(plain)])
    return _pronounce_word(spelling, lexicon)


def _pronounce_word(word: str, lexicon: Lexicon) -> Pronunciation:
    derived = derive(word, lambda known: lexicon.get(known) or look_up(known))
    if derived is not None:
        return derived, "morphology"
    if len(word) > _MAX_LETTERS or _VOWELS.isdisjoint(word):
        return _spell(word), "letters"
    return guess(word), "guess"


def _pronounce_part(part: str, lexicon: Lexicon) -> Pronunciation:
    """Return the phones of a part between capitals: GPT by its letters, Hub as a word."""
    if part in _WITHOUT_STRESS:
        return tuple(_WITHOUT_STRESS[part].split()), "morphology"
    if len(part) == 1 or (part.isupper() and not is_spoken(part)):
        return _spell(part), "morphology"
    known = lexicon.get(part.lower()) or look_up(part)
    return (known, "morphology") if known else _pronounce_word(part.lower(), lexicon)


def _spell(letters: str) -> Phones:
    """Return the names of letters."""
    phones: Phones = ()
    for letter in letters.lower():
        if letter != "'":
            phones += ("EY1",) if letter == "a" else look_up(letter) or ()
    return phones


def _join(parts: list[Pronunciation]) -> Pronunciation:
    """Return parts as one word, whose first primary stress is the strongest."""
    joined: list[str] = []
    for phones, _ in parts:
        is_later = any(phone.endswith("1") for phone in joined)
        joined += [phone.replace("1", "2") if is_later else phone for phone in phones]
    is_guess = any(source == "guess" for _, source in parts)
    return tuple(joined), "guess" if is_guess else "morphology"
