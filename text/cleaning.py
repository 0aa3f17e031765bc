"""Any Unicode string to the characters that rules and the symbol table know."""

import re
import unicodedata

from unidecode import unidecode

from text.rules import text_before

MAX_RUN = 400
"""Longer runs without a space are cut, so that no rule can spend quadratic time on one."""

KEPT = frozenset("\u02c8\u02cc\u02d0°€£¥₹₩₽¢§¶©®™†‡‰·\u00d7÷±≈≤≥≠√²³")
"""Characters beyond ASCII that rules read."""

_SAME = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2212\u2043", "-"),
    **dict.fromkeys("\u2014\u2015\u2e3a\u2e3b", "\u2014"),
    **dict.fromkeys("\u00ba\u02da", "\u00b0"),  # the look-alikes in "20ºC"
    **{"\u2013": "\u2013", "\u2026": "...", "\u2044": "/", "\u00b5": "u", "\u03bc": "u"},
}
_GREEK = re.compile("(?<![^\\W\\d_])[\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03c9](?![^\\W\\d_])")
_GREEK_BEFORE_LATIN = re.compile(
    "(?<![^\\W\\d_])[\u0391-\u03a1\u03a3-\u03a9\u03b1-\u03bb\u03bd-\u03c9](?=[A-Za-z])"
)
_OHM = re.compile("(?<=\\d)( ?[kM]?)\u03a9(?!\\w)")
_GROUP_SPACE = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f](?=\\d{3}(?!\\d))")
_ORDINAL = re.compile(
    "(?<=\\d)(?:\u02e2\u1d57|\u207f\u1d48|\u02b3\u1d48|\u1d57\u02b0)"
)  # 16\u1d57\u02b0
_BASE = re.compile(r"(?:[\d)]|\b[^\W\d_])$")
_RAISED = re.compile("[\u207a\u207b]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+")


class _Translation(dict[int, str]):
    """What each character becomes, worked out the first time it is met."""

    def __missing__(self, code: int) -> str:
        self[code] = _plain(chr(code))
        return self[code]


def _plain(char: str) -> str:
    """Return a character as rules may meet it; names of symbols come later, after the rules."""
    category = unicodedata.category(char)
    if char in _SAME:
        plain = _SAME[char]
    elif char in KEPT:
        plain = char
    elif category in ("Cf", "Cs", "Mn", "Me", "Mc", "Sk", "Lm", "Co", "Cn"):
        plain = ""  # marks on letters, joiners, directions, lone surrogates: nothing to say
    elif category in ("Cc", "Zs", "Zl", "Zp"):
        plain = " "
    elif category == "Nd":
        plain = str(unicodedata.decimal(char))
    elif category == "No" and "\u2044" in unicodedata.normalize("NFKC", char):
        plain = " " + unicodedata.normalize("NFKC", char).replace("\u2044", "/")
    elif category[0] == "L" and "LATIN" not in unicodedata.name(char, ""):
        plain = unidecode(char)
    elif category[0] in "NP" or "\uff00" <= char <= "\uffef":
        plain = unicodedata.normalize("NFKC", char)
        plain = plain if plain.isascii() else unidecode(plain)
    else:
        plain = char
    return plain


_TRANSLATION = _Translation()
_TRANSLATION.update({code: chr(code) if code >= 32 else " " for code in range(127)})


def _greek(match: re.Match[str]) -> str:
    # Unicode spells it lamda, everyone else lambda.
    return unicodedata.name(match.group()).split()[-1].lower().replace("lamda", "lambda")


def _raised(match: re.Match[str]) -> str:
    """Write a raised number as a power, and drop the mark of a footnote.

    A lone square or cube stays: it may belong to a unit.
    """
    raised = match.group()
    if raised in ("\u00b2", "\u00b3"):
        return raised
    before = text_before(match, 2)
    if raised[0] in "\u207a\u207b" or _BASE.search(before):
        return "^" + unicodedata.normalize("NFKC", raised).replace("\u2212", "-")
    return ""


def clean(text: str) -> str:
    """Return text with one kind of quote, dash and space, other scripts in Latin letters.

    Latin letters keep their accents, since a lexicon may know "résumé"; everything that only says
    how text is shown (joiners, directions, marks without a letter) goes.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = _GROUP_SPACE.sub("'", _OHM.sub(r"\1ohm", text))
        text = _ORDINAL.sub(lambda match: unicodedata.normalize("NFKC", match.group()), text)
        text = _RAISED.sub(_raised, text)
        text = _GREEK.sub(_greek, text)
        text = _GREEK_BEFORE_LATIN.sub(lambda match: f"{_greek(match)} ", text)
    text = text.translate(_TRANSLATION)
    words = text.split()
    if len(text) > MAX_RUN:
        words = [
            word[start : start + MAX_RUN]
            for word in words
            for start in range(0, len(word), MAX_RUN)
        ]
    return " ".join(words)
