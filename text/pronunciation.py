"""Pronunciation: normalized text to tokens with phones, and to the symbol ids a model reads."""

import re

from unidecode import unidecode

from text import heteronyms
from text.dictionary import Phones, look_up
from text.errors import TextError
from text.ipa import ipa_to_phones, looks_like_ipa
from text.lexicon import Lexicon
from text.morphology import derive
from text.spans import parse_span
from text.symbols import PUNCTUATION
from text.tokens import Token, token_ids

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
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unspeakable(text, position)
        written = match.group()
        if match.lastgroup == "span":
            tokens.append(Token(written, parse_span(written, position), "", "span"))
        elif match.lastgroup == "word":
            tokens.append(_pronounce_word(written, lexicon or {}))
        else:
            tokens.append(Token(written, None, "", "punctuation"))
        position = match.end()
    return [_in_context(tokens, index) for index in range(len(tokens))]


def _pronounce_word(written: str, lexicon: Lexicon) -> Token:
    plain = unidecode(written).lower()
    spelling = re.sub("[^a-z']", "", plain).strip("'")
    # An apostrophe at either end belongs to some words ('tis, dogs') and is a quote around others.
    for form in (written.lower(), plain, plain.rstrip("'"), plain.lstrip("'"), spelling):
        if form in lexicon:
            return Token(written, lexicon[form], spelling, "lexicon")
        phones = look_up(form)
        if phones is not None:
            return Token(written, phones, spelling, "cmudict")
    phones = _from_ipa(written)
    if phones is not None:
        return Token(written, phones, "", "span")
    derived = derive(spelling, lambda word: lexicon.get(word) or look_up(word))
    if derived is not None:
        return Token(written, derived, spelling, "morphology")
    # Marks that no letter stands for are silent.
    return Token(written, None if spelling else (), spelling, "letters")


def _from_ipa(written: str) -> Phones | None:
    if not looks_like_ipa(written):
        return None
    try:
        return ipa_to_phones(written)
    except TextError:  # a word of another language with a letter or two of IPA
        return None


def _in_context(tokens: list[Token], index: int) -> Token:
    """Return a token with the reading that its neighbours ask for."""
    token = tokens[index]
    if token.source != "cmudict":
        return token
    before, after = _neighbour(tokens, index, -1), _neighbour(tokens, index, 1)
    if token.written == "A":
        phones = heteronyms.letter_a(before, after)
    else:
        phones = heteronyms.choose(token.written.lower(), before.lower(), after.lower())
    if phones is None or phones == token.phones:
        return token
    return Token(token.written, phones, token.spelling, "heteronym")


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
