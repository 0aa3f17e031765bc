"""The International Phonetic Alphabet to ARPAbet."""
# ruff: noqa: RUF001, RUF002 - letters of the IPA look like others

import re
import unicodedata

from text.dictionary import Phones
from text.errors import TextError

_VOWELS = {
    **{"eɪ": "EY", "aɪ": "AY", "aʊ": "AW", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY"},
    **{"ɪə": "IH R", "eə": "EH R", "ʊə": "UH R", "ɑ": "AA", "ɒ": "AA", "a": "AA", "æ": "AE"},
    **{"ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɔ": "AO", "ɛ": "EH", "e": "EH", "ɝ": "ER", "ɜ": "ER"},
    **{"ɚ": "ER", "ɪ": "IH", "ɨ": "IH", "i": "IY", "o": "OW", "ʊ": "UH", "u": "UW", "ʉ": "UW"},
}
_CONSONANTS = {
    **{"tʃ": "CH", "dʒ": "JH", "ʧ": "CH", "ʤ": "JH", "b": "B", "d": "D", "ð": "DH", "f": "F"},
    **{"ɡ": "G", "g": "G", "h": "HH", "k": "K", "x": "K", "l": "L", "ɫ": "L", "m": "M", "n": "N"},
    **{"ŋ": "NG", "p": "P", "ɹ": "R", "r": "R", "s": "S", "ʃ": "SH", "t": "T", "ɾ": "D"},
    **{"θ": "TH", "v": "V", "w": "W", "ʍ": "W", "j": "Y", "z": "Z", "ʒ": "ZH", "ʔ": ""},
}
_STRESSES = {"ˈ": "1", "'": "1", "ˌ": "2"}
_SOUND = re.compile(
    "|".join(sorted([*_VOWELS, *_CONSONANTS, *_STRESSES], key=len, reverse=True)) + "|[ː. ]"
)
_ONLY_IPA = re.compile("[ɪɑɒæʌəɐɔɛɝɜɚɨʊʉʧʤðɡɫŋɹʃɾθʍʒʔˈˌː]")


def looks_like_ipa(word: str) -> bool:
    """Tell whether a word has letters that English spelling has not."""
    return not word.isascii() and _ONLY_IPA.search(word) is not None


def ipa_to_phones(ipa: str) -> Phones:
    """Return the ARPAbet phones of an IPA transcription of English.

    Args:
        ipa: Sounds with ˈ and ˌ before stressed syllables; marks finer than ARPAbet are dropped.

    Raises:
        TextError: A symbol has no ARPAbet phone; the position is that within `ipa`.
    """
    sounds = unicodedata.normalize("NFD", ipa)
    sounds = "".join(sound for sound in sounds if not unicodedata.combining(sound))
    phones = []
    stress = "0"
    position = 0
    while position < len(sounds):
        match = _SOUND.match(sounds, position)
        if match is None:
            raise TextError(f"{sounds[position]!r} is no sound of English in IPA", position)
        sound = match.group()
        if sound in _STRESSES:
            stress = _STRESSES[sound]
        elif sound in _VOWELS:
            vowel, *glide = _VOWELS[sound].split()
            phones += [vowel + stress, *glide]
            stress = "0"
        elif _CONSONANTS.get(sound):
            phones.append(_CONSONANTS[sound])
        position = match.end()
    if not any(phone.endswith("1") for phone in phones):
        phones = _stress_first_vowel(phones)
    return tuple(phones)


def _stress_first_vowel(phones: list[str]) -> list[str]:
    for index, phone in enumerate(phones):
        if phone.endswith("0"):
            return [*phones[:index], f"{phone[:-1]}1", *phones[index + 1 :]]
    return phones
