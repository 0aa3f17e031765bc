"""Roman numerals, where the words before them show that they are numerals."""

import re

from text.number_words import cardinal, ordinal
from text.rules import Rule, one_of, words

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NUMERAL = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_SMALL = r"(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})"

# Read as ordinals: Henry the eighth.
_RULERS = words(
    "Albert Alexander Alfonso Benedict Boniface Catherine Charles Christian Clement Constantine"
    " Darius Edward Elizabeth Ferdinand Francis Frederick George Gregory Gustav Haakon Harald"
    " Henri Henry Innocent Isabella Ivan James John Joseph Julius Leo Leopold Louis Ludwig"
    " Margaret Mary Maximilian Mehmed Murad Napoleon Nicholas Olav Paul Peter Philip Pius Ptolemy"
    " Rameses Ramses Richard Robert Rudolf Selim Sigismund Stephen Suleiman Umberto Urban Victoria"
    " Emmanuel Wilhelm William Xerxes"
)
_CROWNED = r"(?:Pope|King|Queen|Emperor|Empress|Tsar|Sultan|Prince) [A-Z][a-z]+"
# Read as cardinals: chapter four.
_NUMBERED = words(
    "Chapter Part Section Volume Vol Book Act Scene Article Title Appendix Phase Stage Type Class"
    " Level Grade Figure Fig Table Plate Canto Psalm Unit War Bowl Schedule Division Region Mark"
    " Amendment Annex Episode Season Group Round Tier Category Lesson Line Model Series"
)


def value(numeral: str) -> int:
    """Return the value of a roman numeral in capitals."""
    numbers = [_VALUES[letter] for letter in numeral]
    following = [*numbers[1:], 0]
    return sum(
        -number if number < after else number
        for number, after in zip(numbers, following, strict=True)
    )


def _ruler(match: re.Match[str]) -> str:
    return f"{match.group(1)} the {ordinal(str(value(match.group(2))))}"


def _numbered(match: re.Match[str]) -> str:
    return f"{match.group(1)} {cardinal(str(value(match.group(2))))}"


RULES = (
    Rule(
        rf"\b({one_of(_RULERS)}|{_CROWNED}) ({_SMALL})(?!\w|'(?!s\b))(?:\.(?= [a-z]))?",
        _ruler,
        trigger="IVX",
    ),
    Rule(
        rf"\b({_NUMERAL}) (?=[Cc]entur)",
        lambda match: f"{ordinal(str(value(match.group(1))))} ",
        trigger="IVX",
    ),
    Rule(
        rf"\b(chapter|part|section|volume|act|scene|book) ({_NUMERAL})(?!\w|'(?!s\b)|\.[A-Z])",
        _numbered,
        trigger="IVXLCDM",
    ),
    Rule(
        rf"\b((?:{one_of(_NUMBERED)})\.?) ({_NUMERAL})(?!\w|'(?!s\b)|\.[A-Z])",
        _numbered,
        trigger="IVXLCDM",
    ),
    # After any other word only what is hardly anything else: Rocky II, not vitamin C or a V.
    Rule(
        r"(?<=\w) (?=[IVX]{2})((?!XX?[^IVX])X{0,2}(?:IX|IV|V?I{0,3}))(?!\w|'(?!s\b)|\.[A-Z])",
        lambda match: f" {cardinal(str(value(match.group(1))))}",
        trigger="IVX",
    ),
)
