"""When each word is heard, read from how the decoder went through the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from text import token_spans
from text.written_words import written_words

if TYPE_CHECKING:
    from pipeline.speech import Sentence


@dataclass(frozen=True)
class Word:
    """A word of the text and when it is heard."""

    written: str  # "$5.50", without the marks around it; white space is single
    spoken: str  # "five dollars and fifty cents"
    start: float  # seconds from the beginning of the speech
    end: float
    begin: int  # offset of `written` in the text given to `speak`, markup included
    stop: int


def sentence_words(sentence: Sentence, *, start: float, seconds: float) -> list[Word]:
    """Return the words of a sentence, in the order in which they are heard.

    Args:
        sentence: What was spoken.
        start: When it begins, in seconds.
        seconds: How long it is, without the pause after it.
    """
    edges = start + seconds * symbol_edges(sentence.alignment)
    spans = token_spans(sentence.tokens)
    # The voice's boundary symbol, if it has one, stands at both ends.
    n_before = (len(sentence.symbols) - (spans[-1].stop if spans else 0)) // 2
    words = []
    for word in written_words(sentence.segment, sentence.tokens):
        tokens = sentence.tokens[word.tokens.start : word.tokens.stop]
        first = n_before + spans[word.tokens.start].start
        last = n_before + spans[word.tokens.stop - 1].stop
        words.append(
            Word(
                written=sentence.written[word.start : word.end],
                spoken="".join(token.written for token in tokens),
                start=float(edges[first]),
                end=float(edges[last]),
                begin=word.begin,
                stop=word.stop,
            )
        )
    return words


def symbol_edges(alignment: np.ndarray) -> np.ndarray:
    """Return [N + 1] where symbols begin and end, 0 to 1: each has its share of the steps.

    Args:
        alignment: [K, N], rows that sum to 1.
    """
    edges = np.concatenate([[0.0], np.cumsum(alignment.sum(axis=0, dtype=np.float64))])
    return np.asarray(edges / edges[-1])
