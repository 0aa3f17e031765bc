"""Words in capitals: spelled (FBI), spoken (NASA), or only shouted (NEVER)."""

import re
from functools import cache

from text.dictionary import look_up
from text.rules import ALWAYS, Rule, text_before, words

_SPELLED = words(
    "AC AD AI AKA AL AM API AR CA CD CT DC DJ ED ER EST EU FAQ GDP GED HR ID IDE IP IQ IRA IRS"
    " IT KO LA MA MIA OG OK OS OT PA PC PM PO POW PR RIP SAP SAT SSD TV UFO UK UN US VAT WHO"
)
"""Initialisms that are spelled though their letters may make a word."""

_SPOKEN = words(
    "ANZAC ASCII ASEAN CARICOM CERN COVID CRISPR CUDA DARPA DRAM FEMA FIFA FLOTUS FOMO GIF INTERPOL"
    " JPEG JSON LASER LIDAR MIDI NAFTA NASA NATO NIMBY NORAD OPEC OSHA PIN POTUS RADAR RAM ROM SARS"
    " SCOTUS SCUBA SONAR SRAM SWAT TOML UEFA UNESCO UNICEF VRAM YAML YOLO"
)
"""Acronyms spoken as words that the dictionary may not know."""

_SOUNDS = words("brr brrr grr grrr hmmm mmm pfft phew psst pst shhh tsk zzz zzzz st nd rd th ch")
"""What is no initialism though it has no vowel."""

_MAX_SPELLED = 5  # letters; longer words in capitals are words
_VOWELS = frozenset("AEIOUY")


def spell(word: str) -> str:
    """Return the letters of a word one by one, in capitals: "F B I"."""
    return " ".join(word.upper())


def is_spoken(word: str) -> bool:
    """Tell whether a word in capitals is said as a word (NASA, NEVER) or by its letters (XML)."""
    if word in _SPOKEN:
        return True
    if word in _SPELLED or _says_letters(word):
        return False
    return look_up(word) is not None or not (len(word) <= _MAX_SPELLED or _VOWELS.isdisjoint(word))


@cache
def _says_letters(word: str) -> bool:
    """Tell whether the dictionary says a word by the names of its letters, as it does CEO."""
    phones = look_up(word)
    if phones is None or len(phones) < len(word):
        return False
    names = [phone for letter in word for phone in look_up(f"{letter}.") or ()]
    return [phone.rstrip("012") for phone in phones] == [phone.rstrip("012") for phone in names]


def speak_label(label: str) -> str:
    """Return one label of an address as a word or, when it cannot be said, by its letters."""
    if len(label) == 1:
        return label.upper()
    if label.lower() in ("me", "my", "us", "co") or is_spoken(label.upper()):
        return label
    return spell(label) if len(label) <= _MAX_SPELLED else label


def _initialism(match: re.Match[str]) -> str:
    word, ending = match.group(1), match.group(2) or ""
    around = match.string[max(0, match.start() - 40) : match.end() + 40]
    is_shouted = around.isupper() and " " in around
    if is_spoken(word) or (is_shouted and look_up(word) and not _says_letters(word)):
        return match.group()
    return f"{spell(word)}'s" if ending else spell(word)


def _without_vowels(match: re.Match[str]) -> str:
    word = match.group()
    return word if look_up(word) or word in _SOUNDS else spell(word)


def _capitals_inside(match: re.Match[str]) -> str:
    is_shouted = len(match.group(1)) > 2 and is_spoken(match.group(1))  # iPHONE
    if is_shouted or re.search(r"\b[a-z]{1,12}$", text_before(match, 13)) is None:
        return match.group()
    return f" {spell(match.group(1))}{'' if match.group(2) is None else chr(39) + 's'}"


RULES = (
    Rule("initials with &", r"\b([A-Z])&([A-Z])\b", r"\1 and \2", trigger="&"),
    Rule("initials with &, plural", r"\b([A-Z])&([A-Z])s\b", r"\1 and \2's", trigger="&"),
    Rule("three initials with &", r"\b([A-Z])([A-Z])&([A-Z])\b", r"\1 \2 and \3", trigger="&"),
    Rule(
        "letters without a vowel",
        r"(?<![\w'])[b-df-hj-np-tv-xz]{2,5}(?![\w'])",
        _without_vowels,
        trigger=ALWAYS,
    ),
    # iOS, macOS, mRNA.
    Rule(
        "capitals after small letters",
        r"(?<=[a-z])([A-Z]{2,})(s)?\b",
        _capitals_inside,
        trigger=ALWAYS,
    ),
    Rule("word in capitals", r"\b([A-Z]{2,})('s|s|')?(?![\w'])", _initialism, trigger=ALWAYS),
)
