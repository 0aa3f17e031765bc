"""Tokens: words, marks and spaces of a text, their phones, and the symbol ids they become."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from text.dictionary import Phones
from text.symbols import symbols_to_ids

Source = Literal[
    "additions",
    "cmudict",
    "span",
    "lexicon",
    "heteronym",
    "homograph",
    "morphology",
    "guess",
    "letters",
    "punctuation",
]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, an ARPAbet span, a punctuation mark or a space.

    Attributes:
        written: The token as it stands in the normalized text; joined, tokens give the text back.
        phones: ARPAbet phones, or None for punctuation and spaces.
        spelling: The letters the word is written with, or "" for spans and punctuation.
        source: Where the pronunciation comes from.
        reading: Which of its readings a word has where it has several, else "".
        probability: How sure the reading is, 0 to 1; 1 where nothing was to choose.
    """

    written: str
    phones: Phones | None
    spelling: str
    source: Source
    reading: str = ""
    probability: float = 1.0

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols a model reads: phones where known, else letters or the mark itself."""
        if self.phones is not None:
            return tuple(f"@{phone}" for phone in self.phones)
        return tuple(self.spelling or self.written)

    @property
    def letters(self) -> tuple[str, ...]:
        """The symbols of the word spelled in letters; a span or mark has no other form."""
        return tuple(self.spelling) or self.symbols


def token_symbols(tokens: Iterable[Token], *, spelled: Collection[int] = ()) -> list[list[str]]:
    """Return the symbols of each token.

    Args:
        tokens: What `pronounce` gave.
        spelled: Indices of tokens to write in letters instead of phones, as training on a mix of
            both wants; an index of a span or mark changes nothing.
    """
    return [
        list(token.letters if index in spelled else token.symbols)
        for index, token in enumerate(tokens)
    ]


def token_ids(tokens: Iterable[Token], *, spelled: Collection[int] = ()) -> list[int]:
    """Return the symbol ids of tokens, one after the other; `spelled` as in `token_symbols`."""
    return [
        symbol_id
        for symbols in token_symbols(tokens, spelled=spelled)
        for symbol_id in symbols_to_ids(symbols)
    ]


def token_spans(tokens: Iterable[Token], *, spelled: Collection[int] = ()) -> list[range]:
    """Return which positions of `token_ids` belong to each token.

    The spans follow each other without gaps, so that an alignment of symbols to sound can be read
    as an alignment of words.
    """
    ends = list(accumulate(map(len, token_symbols(tokens, spelled=spelled))))
    return [range(start, end) for start, end in zip([0, *ends], ends, strict=False)]
