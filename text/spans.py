"""ARPAbet spans: phones in braces that stand for a word, `{HH AH0 L OW1}`."""

import re
from typing import NamedTuple

from text.dictionary import Phones
from text.errors import TextError
from text.symbols import PHONES

_BRACES = re.compile(r"\{([^{}]*)\}")
_MEANT = re.compile(r"\s*[A-Z]{1,2}[0-9]?(?:\s+[A-Z]{1,2}[0-9]?)*\s*")
_KNOWN = frozenset(PHONES)


def parse_span(written: str, position: int) -> Phones:
    """Return the phones of a span.

    Args:
        written: The span with its braces.
        position: Where it begins in the text, for the error.

    Raises:
        TextError: The span is empty or one of its phones is not ARPAbet.
    """
    phones = tuple(written[1:-1].split())
    for phone in phones:
        if phone not in _KNOWN:
            where = position + written.index(phone)
            raise TextError(f"{phone!r} in {written} is not an ARPAbet phone, as AH0 is", where)
    if not phones:
        raise TextError("A span of phones is empty; write {HH AH0 L OW1}", position)
    return phones


class Piece(NamedTuple):
    """A part of a text: where it stands, and the phones if it is a span of them.

    Attributes:
        start: Offset of the piece in the text.
        end: Offset of what follows it.
        span: The span with single spaces, "" for a piece of text.
    """

    start: int
    end: int
    span: str


def split_spans(text: str) -> list[Piece]:
    """Return the pieces of a text, one after the other: spans of phones and what is between.

    Braces around anything that does not look like phones belong to the text.

    Raises:
        TextError: A span looks like phones, but one of them is not ARPAbet.
    """
    pieces = []
    start = 0
    for match in _BRACES.finditer(text):
        if not _MEANT.fullmatch(match.group(1)):
            continue
        phones = parse_span(match.group(), match.start())
        pieces += [
            Piece(start, match.start(), ""),
            Piece(match.start(), match.end(), f"{{{' '.join(phones)}}}"),
        ]
        start = match.end()
    return [*pieces, Piece(start, len(text), "")]
