"""Pronunciation: normalized text to tokens with phones, and to the symbol ids a model reads."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, lru_cache

from unidecode import unidecode

from text import heteronyms, homographs
from text.dictionary import Phones, look_up, look_up_addition
from text.errors import TextError
from text.homographs import Choice, Reading
from text.ipa import ipa_to_phones, looks_like_ipa
from text.lexicon import Lexicon, tagged
from text.spans import parse_span
from text.symbols import PUNCTUATION
from text.tokens import Token, token_ids
from text.unknown_words import pronounce_unknown

_TOKEN = re.compile(
    r"(?P<span>\{[^{}]*\})"
    r"|(?P<word>'?[^\W\d_]+(?:'[^\W\d_]+)*'?)"
    rf"|(?P<mark>[-{re.escape(PUNCTUATION)}])"
)


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
    for written, kind in split_tokens(text):
        if kind == "span":
            tokens.append(Token(written, parse_span(written, position), "", "span"))
        elif kind == "word":
            tokens.append(
                _pronounce_word(written, lexicon) if lexicon else _pronounce_cached(written)
            )
        else:
            tokens.append(_mark(written))
        position += len(written)
    return _in_context(tokens, lexicon or {})


def split_tokens(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens of normalized text, each with its kind: span, word or mark.

    Raises:
        TextError: A character belongs to no token.
    """
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unspeakable(text, position)
        yield match.group(), str(match.lastgroup)
        position = match.end()


@cache
def _mark(written: str) -> Token:
    return Token(written, None, "", "punctuation")


@lru_cache(maxsize=16_384)
def _pronounce_cached(written: str) -> Token:
    """Return the token of a word without a user's lexicon: most words of a text come again."""
    return _pronounce_word(written, {})


def _pronounce_word(written: str, lexicon: Lexicon) -> Token:
    plain = unidecode(written).lower()
    spelling = re.sub("[^a-z']", "", plain).strip("'")
    # An apostrophe at either end belongs to some words ('tis, dogs') and is a quote around others.
    for form in (written.lower(), plain, plain.rstrip("'"), plain.lstrip("'"), spelling):
        if form in lexicon:
            return Token(written, lexicon[form], spelling, "lexicon")
        phones = look_up_addition(form)
        if phones is not None:
            return Token(written, phones, spelling, "additions")
        phones = look_up(form)
        if phones is not None:
            return Token(written, phones, spelling, "cmudict")
    phones = _from_ipa(written)
    if phones is not None:
        return Token(written, phones, "", "span")
    phones, source = pronounce_unknown(written, spelling, lexicon)
    return Token(written, phones, spelling, source)


def _from_ipa(written: str) -> Phones | None:
    if not looks_like_ipa(written):
        return None
    try:
        return ipa_to_phones(written)
    except TextError:  # a word of another language with a letter or two of IPA
        return None


def _in_context(tokens: list[Token], lexicon: Lexicon) -> list[Token]:
    """Return tokens with the readings that their neighbours ask for."""
    places = [place for place, token in enumerate(tokens) if token.written != " "]
    words = [tokens[place].written for place in places]
    in_context = list(tokens)
    for index, place in enumerate(places):
        token = tokens[place]
        choices = _choices(token, lexicon)
        if choices:
            in_context[place] = _with_reading(token, homographs.choose(choices, words, index))
        elif token.written == "A" and token.source == "cmudict":
            in_context[place] = _letter_or_article(tokens, place)
    return in_context


def _choices(token: Token, lexicon: Lexicon) -> tuple[Reading, ...]:
    """Return the readings among which a word's neighbours choose: the user's, else the learned."""
    if token.source in ("lexicon", "span", "punctuation"):
        return ()
    learned = token.source in ("cmudict", "guess", "morphology")
    return tagged(token.written, lexicon) or (homographs.readings(token.written) if learned else ())


def _with_reading(token: Token, choice: Choice) -> Token:
    reading = choice.reading
    return replace(
        token,
        phones=reading.phones,
        source="homograph",
        reading=reading.name,
        probability=choice.probability,
    )


def _letter_or_article(tokens: list[Token], place: int) -> Token:
    phones = heteronyms.letter_a(_neighbour(tokens, place, -1), _neighbour(tokens, place, 1))
    token = tokens[place]
    return token if phones is None else replace(token, phones=phones, source="heteronym")


def _neighbour(tokens: list[Token], index: int, step: int) -> str:
    """Return the word before (-1) or after (1) a token, "" where more than a space lies between."""
    beyond = index + 2 * step
    if not 0 <= beyond < len(tokens) or tokens[index + step].written != " ":
        return ""
    return "" if tokens[beyond].source == "punctuation" else tokens[beyond].written


def _unspeakable(text: str, position: int) -> TextError:
    if text[position] in "{}":
        return TextError(f"brace {text[position]!r} without its other half", position)
    return TextError(f"no symbol for {text[position]!r}; normalize the text first", position)
