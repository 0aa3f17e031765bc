"""ARPAbet spans: phones in braces that stand for a word, `{HH AH0 L OW1}`."""

import re

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
        raise TextError("a span of phones is empty; write {HH AH0 L OW1}", position)
    return phones


def split_spans(text: str) -> list[tuple[str, bool]]:
    """Return the pieces of a text, each with whether it is a span of phones.

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
        pieces += [(text[start : match.start()], False), (f"{{{' '.join(phones)}}}", True)]
        start = match.end()
    return [*pieces, (text[start:], False)]
