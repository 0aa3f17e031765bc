"""Serial numbers, codes and names that mix letters with digits."""

import re

from text.number_words import START, cardinal, digits, pairs, plain_number, plural
from text.rules import Rule

_PIECE = re.compile(r"[A-Za-z]+|\d+|-")


def _digits_of_code(number: str) -> str:
    if len(number) <= 2 and number[0] != "0":
        return cardinal(number)
    return digits(number)


def _code(match: re.Match[str]) -> str:
    """Say "VC836" as V C eight three six, "F-16" as F sixteen, "15-minute" as fifteen minute."""
    words = []
    for part in match.group().split("-"):
        pieces = _PIECE.findall(part)
        if len(pieces) == 1 and part.isdigit():
            words.append(plain_number(part))
        elif len(pieces) == 2 and pieces[1] == "s" and len(pieces[0]) > 1:
            words.append(plural(pairs(pieces[0])))
        else:
            words.append(
                " ".join(_digits_of_code(piece) if piece.isdigit() else piece for piece in pieces)
            )
    return " ".join(words)


def _named(match: re.Match[str]) -> str:
    return f"{match.group(1)}{pairs(match.group(2))} {match.group(3) or ''}".rstrip()


def _grouped(match: re.Match[str]) -> str:
    return digits(match.group(), zero="o")


def _version(match: re.Match[str]) -> str:
    return " dot ".join(plain_number(part) for part in match.group().split("."))


RULES = (
    Rule(r"\b([A-G])#(?!\w)", r"\1 sharp", trigger="#"),
    Rule(r"(?<=ISBN )[\d-]{9,20}X?(?![\w-])", _grouped),
    Rule(
        r"(?i)\b((?:exhibit|page|flight|room|suite|apartment|apt|interstate) (?:number )?)"
        r"(\d{3,4})(?:-([A-Z]))?\b",
        _named,
    ),
    Rule(rf"{START}(?:\d+(?:-\d+){{2,8}}|0\d+-\d+)(?![\w-])", _grouped),
    Rule(r"\b[vV](?=\d+(?:\.\d+){1,8}(?![\w.]))", "version "),
    Rule(rf"{START}\d+(?:\.\d+){{2,8}}(?!\w)", _version, trigger="."),
    Rule(
        r"(?<![\w.-])(?=[\w-]{0,100}\d)(?=[\w-]{0,100}[A-Za-z])[A-Za-z\d]+(?:-[A-Za-z\d]+)*(?!\w|\.\d)",
        _code,
    ),
)
