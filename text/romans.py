"""Roman numerals, where the words before them show that they are numerals."""

import re

from text.number_words import cardinal, ordinal, year
from text.rules import Rule, one_of, words

_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
_NUMERAL = r"(?=[IVXLCDM])M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_UNMISTAKABLE = r"(?=[IVX]{2})((?!XX?[^IVX])X{0,2}(?:IX|IV|V?I{0,3}))"
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
_IN_TEXT = (
    "[Cc]hapters?|[Pp]arts?|[Ss]ections?|[Vv]olumes?|[Aa]cts?|[Ss]cenes?|[Bb]ooks?|[Pp]ages?"
    "|[Aa]ppendix|[Aa]rticle|[Ff]igure"
)


def value(numeral: str) -> int:
    """Return the value of a roman numeral."""
    numbers = [_VALUES[letter] for letter in numeral.upper()]
    following = [*numbers[1:], 0]
    return sum(
        -number if number < after else number
        for number, after in zip(numbers, following, strict=True)
    )


def _ruler(match: re.Match[str]) -> str:
    return f"{match.group(1)} the {ordinal(str(value(match.group(2))))}"


def _numbered(match: re.Match[str]) -> str:
    return f"{match.group(1)} {cardinal(str(value(match.group(2))))}"


def _alone(match: re.Match[str]) -> str:
    number = value(match.group(1))
    return year(str(number)) if 1000 < number < 2100 else cardinal(str(number))


RULES = (
    Rule(
        "ruler's numeral",
        rf"\b({one_of(_RULERS)}|{_CROWNED}) ({_SMALL})(?!\w|'(?!s\b))(?:\.(?= [a-z]))?",
        _ruler,
        trigger="IVX",
    ),
    Rule(
        "roman century",
        rf"\b({_NUMERAL})(?: ?([-\u2013]) ?(?={_NUMERAL} [Cc]entur)|(?= [Cc]entur))",
        lambda match: ordinal(str(value(match.group(1)))) + (" to " if match.group(2) else ""),
        trigger="IVX",
    ),
    Rule(
        "roman ordinal",
        rf"\b(?=[IVXLC]{{2}}|[VX])({_NUMERAL})(?:st|nd|rd|th)\b",
        lambda match: ordinal(str(value(match.group(1)))),
        trigger="IVX",
    ),
    # An i is a numeral only where a phrase ends ("the part i like").
    Rule(
        "roman numeral of a chapter",
        rf"\b({_IN_TEXT}) (?!i\b(?!$|[.,:;)]))(?!v\. )({_NUMERAL}|{_SMALL.lower()})"
        r"(?!\w|'(?!s\b)|\.[A-Z])",
        _numbered,
        trigger="IVXLCDMivx",
    ),
    Rule(
        "roman numeral in brackets",
        rf"(?<=\()(?=[ivx]{{2}})({_SMALL.lower()})(?=\))",
        lambda match: cardinal(str(value(match.group(1)))),
        trigger="(",
    ),
    Rule(
        "roman numeral after a noun",
        rf"\b((?:{one_of(_NUMBERED)})\.?) ({_NUMERAL})(?!\w|'(?!s\b)|\.[A-Z])",
        _numbered,
        trigger="IVXLCDM",
    ),
    Rule(
        "long roman numeral",
        rf"\b(?=[IVXLCDM]{{4}})({_NUMERAL})(?!\w|'(?!s\b))",
        _alone,
        trigger="IVXLCDM",
    ),
    Rule(
        "roman numeral of a heading",
        rf"^{_UNMISTAKABLE}(?=\.(?: [A-Z]|$))",
        lambda match: cardinal(str(value(match.group(1)))),
        trigger="IVX",
    ),
    # After any other word only what is hardly anything else: Rocky II, not vitamin C or a V.
    Rule(
        "roman numeral after a name",
        rf"(?<=\w)(?<!\b[Aa]n) {_UNMISTAKABLE}(?!\w|'(?!s\b)|\.[A-Z])",
        lambda match: f" {cardinal(str(value(match.group(1))))}",
        trigger="IVX",
    ),
)
