"""Pronunciations as people write them: koo-ber-NET-eez, K UW2 B ER0, or the phonetic alphabet."""

from __future__ import annotations

import re

from text.dictionary import Phones
from text.errors import TextError
from text.ipa import ipa_to_phones, looks_like_ipa
from text.spans import parse_span
from text.symbols import PHONES

# Which letters of a syllable stand for which sound, in English respelling as dictionaries and
# encyclopedias use it. A vowel is written without its stress, which the syllable has.
_VOWELS = {
    **{"eye": "AY", "igh": "AY", "ie": "AY", "y": "AY"},
    **{"eer": "IH R", "ear": "IH R", "ee": "IY", "ea": "IY", "i": "IH", "ih": "IH"},
    **{"air": "EH R", "err": "EH R", "e": "EH", "eh": "EH"},
    **{"ay": "EY", "ai": "EY", "ey": "EY", "a": "AE"},
    **{"ar": "AA R", "ah": "AA", "aa": "AA", "o": "AA"},
    **{"or": "AO R", "aw": "AO", "au": "AO"},
    **{"oh": "OW", "oa": "OW", "oe": "OW"},
    **{"ow": "AW", "ou": "AW", "oy": "OY", "oi": "OY"},
    **{"oor": "UH R", "uu": "UH", "oo": "UW", "ew": "UW"},
    **{"er": "ER", "ir": "ER", "ur": "ER", "u": "AH", "uh": "AH"},
}
_CONSONANTS = {
    **{"tch": "CH", "ch": "CH", "sh": "SH", "zh": "ZH", "th": "TH", "dh": "DH", "ng": "NG"},
    **{"nk": "NG K", "ph": "F", "wh": "W", "kh": "K", "gh": "G", "ck": "K", "qu": "K W"},
    **{"b": "B", "c": "K", "d": "D", "f": "F", "g": "G", "h": "HH", "j": "JH", "k": "K"},
    **{"l": "L", "m": "M", "n": "N", "p": "P", "r": "R", "s": "S", "t": "T", "v": "V"},
    **{"w": "W", "x": "K S", "z": "Z"},
}
_SILENT_E = {"a": "EY", "i": "AY", "o": "OW", "u": "UW"}
_GLIDE = re.compile(r"y(?=[aeiou])")
_UNIT = re.compile("|".join(sorted({*_VOWELS, *_CONSONANTS}, key=len, reverse=True)))
_WITH_SILENT_E = re.compile(r"(.*)([aiou])([bcdfgjklmnpstvz]|th|ch|sh)e")
_SYLLABLE = re.compile(r"[A-Za-z]+")


def parse_pronunciation(written: str) -> Phones:
    """Return the phones of a pronunciation as somebody writes it.

    Phones are taken as they are, with or without braces, and so is the International Phonetic
    Alphabet. All else is a respelling: syllables with hyphens between, the stressed one in
    capitals; where none is, the stress falls on the last but one.

    Raises:
        TextError: A phone is not ARPAbet, or a syllable cannot be read.
    """
    written = written.strip()
    bare = written.strip("{}/[]").strip()
    if written.startswith("{") or (bare and all(phone in PHONES for phone in bare.split())):
        return parse_span(f"{{{bare}}}", 0)
    if looks_like_ipa(bare):
        return ipa_to_phones(bare)
    return _respelled(re.split(r"[-\s]+", bare))


def _respelled(syllables: list[str]) -> Phones:
    stressed = {at for at, syllable in enumerate(syllables) if syllable.isupper()}
    stressed = stressed or {max(len(syllables) - 2, 0)}
    return tuple(
        phone
        for at, syllable in enumerate(syllables)
        for phone in _syllable(syllable, stress="1" if at in stressed else "0")
    )


def _syllable(written: str, *, stress: str) -> list[str]:
    if not _SYLLABLE.fullmatch(written):
        raise _unreadable(written)
    letters = re.sub(r"([^aeiou])\1", r"\1", written.lower())  # a doubled consonant is one
    silent_e = _WITH_SILENT_E.fullmatch(letters)
    if silent_e and not set(silent_e.group(1)) & set("aeiou"):
        before, vowel, after = silent_e.groups()
        return [
            *_sounds(before, "", written),
            _SILENT_E[vowel] + stress,
            *_sounds(after, "", written),
        ]
    return _sounds(letters, stress, written)


def _sounds(letters: str, stress: str, written: str) -> list[str]:
    phones: list[str] = []
    place = 0
    while place < len(letters):
        glide = _GLIDE.match(letters, place)
        match = glide or _UNIT.match(letters, place)
        if match is None:
            raise _unreadable(written)
        unit = match.group()
        if glide:
            phones.append("Y")
        elif unit in _CONSONANTS:
            phones += _CONSONANTS[unit].split()
        else:
            vowel, *rest = _VOWELS[unit].split()
            phones += [vowel + stress, *rest]
            stress = "0"  # of a further vowel of the syllable
        place = match.end()
    return phones


def _unreadable(syllable: str) -> TextError:
    return TextError(
        f"{syllable!r} is no syllable; write such as koo-ber-NET-eez, with the stressed one in "
        "capitals, or phones such as K UW2 B ER0 N EH1 T IY0 Z",
        0,
    )
