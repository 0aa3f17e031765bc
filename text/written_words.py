"""Which words of the normalized text say a word as it was written."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from text.document import Segment
from text.phrasing import add_pauses
from text.ssml import Span
from text.tokens import Token
from text.trace import Followed, follow

_GAP = re.compile(r"\s|[\u2013\u2014\u2026]|--|\.\.\.")
"""What parts two words, where no rule reads across it."""


class WrittenWord(NamedTuple):
    """A word as it was written, and the tokens that say it: "$5.50" takes five of them."""

    start: int  # offset in the sentence as written
    end: int
    begin: int  # offset in the input
    stop: int
    tokens: range  # indices, the spaces between them included


def written_words(segment: Segment, tokens: Sequence[Token]) -> list[WrittenWord]:
    """Return the written words of a segment in the order in which they are said.

    A written word ends at white space or a dash, unless a rule of the normalizer or an element of
    SSML reads across it: "5 km" is one. Each token that is heard belongs to one word.

    Args:
        segment: From `read_document`.
        tokens: What `pronounce` gave for its text.
    """
    words: list[WrittenWord] = []
    for word in _words_of_tokens(segment, tokens):
        if words and _belong_together(segment.written, words[-1], word):
            words.append(_joined(words.pop(), word))
        else:
            words.append(word)
    return words


def _joined(one: WrittenWord, other: WrittenWord) -> WrittenWord:
    return WrittenWord(
        min(one.start, other.start),
        max(one.end, other.end),
        min(one.begin, other.begin),
        max(one.stop, other.stop),
        range(one.tokens.start, other.tokens.stop),
    )


def _belong_together(written: str, one: WrittenWord, next_one: WrittenWord) -> bool:
    is_nowhere = one.start == one.end or next_one.start == next_one.end  # only said
    return (
        is_nowhere
        or next_one.begin < one.stop
        or _GAP.search(written, one.end, next_one.start) is None
    )


def _words_of_tokens(segment: Segment, tokens: Sequence[Token]) -> Iterator[WrittenWord]:
    """Yield for each token that is heard the stretch of the written sentence it comes from."""
    origins = _followed(segment.written).origins
    place = segment.start
    for index, token in enumerate(tokens):
        spans = origins[place : place + len(token.written)]
        place += len(token.written)
        if token.source != "punctuation" and spans:
            start, end = _bounds(spans)
            stretch = segment.written[start:end]
            start += len(stretch) - len(stretch.lstrip())
            end = start + len(stretch.strip())
            yield WrittenWord(start, end, *_in_input(segment, start, end), range(index, index + 1))


def _in_input(segment: Segment, start: int, end: int) -> Span:
    first = _n_visible(segment.written[:start])
    spans = segment.origins[first : first + _n_visible(segment.written[start:end])]
    return _bounds(spans or [segment.origins[min(first, len(segment.origins) - 1)]])


def _n_visible(text: str) -> int:
    return len("".join(text.split()))


def _bounds(spans: Sequence[Span]) -> Span:
    return min(span[0] for span in spans), max(span[1] for span in spans)


@lru_cache(maxsize=8)  # the parts of a long sentence follow each other
def _followed(written: str) -> Followed:
    followed = follow(written)
    followed.become("pause at a clause", add_pauses(followed.text))
    return followed
