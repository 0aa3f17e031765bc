"""Pronunciation: normalized text to tokens with phones, and to the symbol ids a model reads."""

import re
from collections.abc import Mapping

from unidecode import unidecode

from text.dictionary import Phones, look_up
from text.errors import TextError
from text.symbols import PHONES, PUNCTUATION
from text.tokens import Source, Token, token_ids

Lexicon = Mapping[str, Phones]
"""A user's pronunciations: lower-case words and their phones."""

_TOKEN = re.compile(
    r"(?P<span>\{[^{}]*\})"
    r"|(?P<word>'?[^\W\d_]+(?:'[^\W\d_]+)*'?)"
    rf"|(?P<mark>[-{re.escape(PUNCTUATION)}])"
)
_PHONES = frozenset(PHONES)


def encode(text: str, *, lexicon: Lexicon | None = None) -> list[int]:
    """Return the symbol ids of normalized text.

    Args:
        text: What `normalize` returns: words, punctuation and `{HH AH0 L OW1}` spans.
        lexicon: Pronunciations that go before the dictionary's.

    Returns:
        [N] ids of `text.symbols.SYMBOLS`.

    Raises:
        TextError: A character has no symbol, or a span is not ARPAbet.
    """
    return token_ids(pronounce(text, lexicon=lexicon))


def pronounce(text: str, *, lexicon: Lexicon | None = None) -> list[Token]:
    """Return the tokens of normalized text with their phones and where these come from.

    Args:
        text: What `normalize` returns.
        lexicon: Pronunciations that go before the dictionary's.

    Raises:
        TextError: A character has no symbol, or a span is not ARPAbet.
    """
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unspeakable(text, position)
        written = match.group()
        if match.lastgroup == "span":
            tokens.append(Token(written, _parse_span(written, position), "", "span"))
        elif match.lastgroup == "word":
            tokens.append(_pronounce_word(written, lexicon or {}))
        else:
            tokens.append(Token(written, None, "", "punctuation"))
        position = match.end()
    return tokens


def _pronounce_word(written: str, lexicon: Lexicon) -> Token:
    plain = unidecode(written).lower()
    spelling = re.sub("[^a-z']", "", plain).strip("'")
    phones: Phones | None
    source: Source
    # An apostrophe at either end belongs to some words ('tis, dogs') and is a quote around others.
    for form in (plain, plain.rstrip("'"), plain.lstrip("'"), spelling):
        for source, phones in (("lexicon", lexicon.get(form)), ("cmudict", look_up(form))):
            if phones is not None:
                return Token(written, phones, spelling, source)
    return Token(written, None, spelling, "letters")


def _parse_span(written: str, position: int) -> Phones:
    phones = tuple(written[1:-1].split())
    for phone in phones:
        if phone not in _PHONES:
            where = position + written.index(phone)
            raise TextError(f"{phone!r} in {written} is not an ARPAbet phone, as AH0 is", where)
    if not phones:
        raise TextError("a span of phones is empty; write {HH AH0 L OW1}", position)
    return phones


def _unspeakable(text: str, position: int) -> TextError:
    if text[position] in "{}":
        return TextError(f"brace {text[position]!r} without its other half", position)
    return TextError(f"no symbol for {text[position]!r}; normalize the text first", position)
