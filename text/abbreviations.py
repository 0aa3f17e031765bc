"""Abbreviations, some by what stands around them: Dr. Smith and Elm Dr., St. Mary and Main St."""

import re

from text.rules import ALWAYS, Rule, one_of, words

# Read so wherever they stand, with or without the period. Those that the pronunciation dictionary
# says rightly itself (Mr, Mrs, Co, Jr) need no row.
_WORDS = {
    **{"etc": "etcetera", "vs": "versus", "dept": "department", "Dept": "Department"},
    **{"mr": "mister", "dr": "doctor", "jr": "junior", "sr": "senior", "approx": "approximately"},
    **{"Blvd": "Boulevard", "Pkwy": "Parkway", "Hwy": "Highway", "Expy": "Expressway"},
    **{"govt": "government", "Govt": "Government", "intl": "international", "Bros": "Brothers"},
    **{"Inc": "Incorporated", "Ltd": "Limited", "ltd": "limited", "Messrs": "Messieurs"},
    **{"WWI": "World War one", "WWII": "World War two", "PhD": "P H D", "pp": "P P"},
    **{"programme": "program", "programmes": "programs"},
}
# Read so only with the period.
_DOTTED = {
    **{"Ave": "Avenue", "Rd": "Road", "Corp": "Corporation", "Univ": "University"},
    **{"vol": "volume", "Vol": "Volume", "fig": "figure", "Fig": "Figure", "avg": "average"},
    **{"max": "maximum", "min": "minimum", "misc": "miscellaneous", "est": "established"},
    **{"e.g": "for example", "i.e": "that is", "Ph.D": "P H D", "Esq": "Esquire"},
    **{"Mr": "Mr", "Mrs": "Mrs", "Ms": "Ms", "Jr": "Junior", "Sr": "Senior"},
}
# Read so only before a name.
_TITLES = {
    **{"Adm": "Admiral", "Brig": "Brigadier", "Capt": "Captain", "Cmdr": "Commander"},
    **{"Col": "Colonel", "Cpl": "Corporal", "Dr": "Doctor", "Fr": "Father", "Ft": "Fort"},
    **{"Gen": "General", "Gov": "Governor", "Hon": "Honorable", "Lt": "Lieutenant", "Maj": "Major"},
    **{"Mlle": "Mademoiselle", "Mme": "Madame", "Mt": "Mount", "Pres": "President"},
    **{"Prof": "Professor", "Rep": "Representative", "Rev": "Reverend", "Sen": "Senator"},
    **{"Sgt": "Sergeant", "St": "Saint", "Supt": "Superintendent", "st": "saint"},
}
# Read so after a name.
_STREETS = {"St": "Street", "Dr": "Drive", "st": "street"}

_STROKES = {"w/o": "without", "w/": "with", "c/o": "care of", "n/a": "not applicable"}

OPENERS = words(
    "The A An It He She We They I You This That These Those There Here In On At But And So Then"
    " When While If As For From To After Before However His Her Its Our Their My Your What Who Why"
    " How Where Is Are Was Were Did Do Does Not No Yes One Some Many Most All Both Now"
)
"""Words that begin a new sentence after "Main St." rather than name a saint."""

# The period goes unless it may end a sentence too.
_PERIOD = rf"(?: ?\.(?!$| (?:{one_of(OPENERS)})\b))"
_INITIAL = r"(?<![\w.'])"


def _number_sign(match: re.Match[str]) -> str:
    return f"{match.group(1)}umber{match.group(2) or ''} "


def _initials(match: re.Match[str]) -> str:
    """Say initials by their letters; the period of the last stays where it ends the text."""
    letters = re.findall("[A-Za-z]", match.group())
    ending = "." if match.end() == len(match.string) else " "
    return " ".join(letters).upper() + ending


RULES = (
    Rule(
        r"(?<![\w/])(w/o|w/|c/o|n/a)(?![\w/])", lambda match: _STROKES[match.group(1)], trigger="/"
    ),
    Rule(r"\b([Nn])o(s)? ?\. ?(?=\d|[A-Z]{1,3}\d)", _number_sign),
    Rule(r"(?<![\w#])# ?(?=\d)", "number ", trigger="#"),
    Rule(
        rf"\b({one_of(_TITLES)})\b ?\.? (?!(?:{one_of(OPENERS)})\b)(?=(?:and )?[A-Z])",
        lambda match: f"{_TITLES[match.group(1)]} ",
        trigger=ALWAYS,
    ),
    Rule(
        rf"\b([A-Z][a-z]+|\d+th) ({one_of(_STREETS)})\b{_PERIOD}?(?!\w)",
        lambda match: f"{match.group(1)} {_STREETS[match.group(2)]}",
        trigger=ALWAYS,
    ),
    Rule(
        rf"\b({one_of(_DOTTED)})(?= ?\.){_PERIOD}?(?!\w)",
        lambda match: _DOTTED[match.group(1)],
        trigger=".",
    ),
    Rule(
        rf"\b({one_of(_WORDS)})\b(?: ?\.(?= ?[a-z,])|(?<=Messrs)\.|(?<=vs)\.)?",
        lambda match: _WORDS[match.group(1)],
        trigger=ALWAYS,
    ),
    # J. R. R. Tolkien; then U.S.A., D. T.; then a tokenizer's "U.S ." and "D.C".
    Rule(
        rf"{_INITIAL}(?:[A-Za-z] ?\. ?){{1,6}}(?!(?:{one_of(OPENERS)})\b)(?=[A-Z]\w|\()",
        _initials,
        trigger=".",
    ),
    Rule(rf"{_INITIAL}(?:[A-Za-z]\. ?){{2,8}}", _initials, trigger="."),
    Rule(rf"{_INITIAL}[A-Za-z]\.[A-Za-z]\b(?: ?\.)?", _initials, trigger="."),
    Rule(r"(?<![\w.'])([A-Za-z]{1,2})(?: ?\. |\.)(?=\d)", r"\1 ", trigger="."),
)
