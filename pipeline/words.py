"""When each word is heard, read from how the decoder went through the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from text import Token, token_spans
from text.written_words import WrittenWord


@dataclass(frozen=True)
class Word:
    """A word of the text and when it is heard."""

    written: str  # "$5.50", without the marks around it; white space is single
    spoken: str  # "five dollars and fifty cents"
    start: float  # seconds from the beginning of the speech
    end: float
    begin: int  # offset of `written` in the text given to `speak`, markup included
    stop: int

    def as_json(self) -> dict[str, Any]:
        """Return the word for JSON, times to the millisecond."""
        return asdict(self) | {"start": round(self.start, 3), "end": round(self.end, 3)}

    def later(self, seconds: float) -> Word:
        """Return the word as it is heard so much later."""
        return replace(self, start=self.start + seconds, end=self.end + seconds)


@dataclass(frozen=True)
class HeardSentence:
    """A sentence, or a part of a long one, and when its words are heard."""

    written: str  # all of the sentence, also where this is a part of it
    words: tuple[Word, ...]  # `begin` and `stop` count in `written`

    def later(self, seconds: float) -> HeardSentence:
        """Return the sentence as it is heard so much later."""
        return replace(self, words=tuple(word.later(seconds) for word in self.words))


def timed_words(
    written: str, words: Sequence[WrittenWord], tokens: Sequence[Token], edges: np.ndarray
) -> list[Word]:
    """Return the words of a sentence, in the order in which they are heard.

    Args:
        written: The sentence as it stands in the text.
        words: What `written_words` found in it.
        tokens: What says them.
        edges: [N + 1] seconds, between the symbols of the tokens.
    """
    spans = token_spans(tokens)
    return [
        Word(
            written=written[word.start : word.end],
            spoken="".join(token.written for token in tokens[word.tokens.start : word.tokens.stop]),
            start=float(edges[spans[word.tokens.start].start]),
            end=float(edges[spans[word.tokens.stop - 1].stop]),
            begin=word.begin,
            stop=word.stop,
        )
        for word in words
    ]


def symbol_edges(alignment: np.ndarray) -> np.ndarray:
    """Return [N + 1] where symbols begin and end, 0 to 1: each has its share of the steps.

    Args:
        alignment: [K, N], rows that sum to 1.
    """
    edges = np.concatenate([[0.0], np.cumsum(alignment.sum(axis=0, dtype=np.float64))])
    return np.asarray(edges / edges[-1])
