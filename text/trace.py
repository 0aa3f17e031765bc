"""Why a text is read as it is: which rule changed which part of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, takewhile

from text import markdown
from text.characters import TIDY
from text.cleaning import clean
from text.normalizer import RULES
from text.phrasing import add_pauses
from text.rules import Rule, characters_of
from text.spans import split_spans

_Span = tuple[int, int]
_Replacement = tuple[int, int, str]
_SPACES = re.compile(r"\s+")
_WORDS = re.compile(r" |[^ ]+")


@dataclass(frozen=True)
class Change:
    """One place where one rule changed the text.

    Attributes:
        rule: The rule's name.
        start: Where the changed part begins in the text as it was written.
        end: Where it ends there.
        before: What stood there when the rule came, the words of earlier rules among it.
        after: What the rule made of it.
    """

    rule: str
    start: int
    end: int
    before: str
    after: str


def trace(text: str) -> list[Change]:
    """Return all changes on the way from a written text to what is spoken, in their order.

    They are those of `normalize` and then the pauses of `phrasing`; changes of nothing but white
    space are left out.

    Raises:
        TextError: A span of phones is not ARPAbet.
    """
    followed = follow(text)
    followed.become("pause at a clause", add_pauses(followed.text))
    return followed.changes


class Followed:
    """A text on its way through the rules, which knows where each character was written.

    Attributes:
        text: The text as it is now.
        origins: For each of its characters the span of the written text that it comes from.
        changes: What was done to it so far.
    """

    def __init__(self, text: str, origins: list[_Span]) -> None:
        self.text = text
        self.origins = origins
        self.changes: list[Change] = []

    def apply(self, rules: Iterable[Rule]) -> None:
        """Apply rules as `rules.apply_rules` does."""
        for rule in rules:
            if not rule.trigger.isdisjoint(characters_of(self.text)):
                self.replace(rule.name, rule.changes(self.text))

    def replace(self, name: str, replacements: Iterable[_Replacement]) -> None:
        """Put new characters in the place of old ones, which lend them their origins."""
        pieces: list[str] = []
        origins: list[_Span] = []
        done = 0
        for start, end, after in replacements:
            pieces += (self.text[done:start], after)
            origins += [*self.origins[done:start], *self._origins(start, end, after)]
            done = end
            before = self.text[start:end]
            if before.split() != after.split():
                self.changes.append(Change(name, *self._origin(start, end), before, after))
        self.text = "".join([*pieces, self.text[done:]])
        self.origins = origins + self.origins[done:]

    def become(self, name: str, text: str) -> None:
        """Become a text with single spaces that no rule made; a change is at least a word."""
        self.replace("white space", _single_spaces(self.text))
        self.replace(name, _word_changes(self.text, text))

    def _origins(self, start: int, end: int, after: str) -> list[_Span]:
        """Return the origins of what replaces a stretch.

        Words that only lose the marks around them, as in bold type, keep their own, and so do
        characters that others of the same number replace, as one kind of quote another.
        """
        if len(after) == end - start:
            return self.origins[start:end]
        kept = after.rstrip(".")  # which headings and list items gain
        place = self.text.find(kept, start, end) if kept.strip() else -1
        if place < 0:
            return [self._origin(start, end)] * len(after)
        stop = place + len(kept)
        added = [self._origin(stop, stop)] * (len(after) - len(kept))
        return [*self.origins[place:stop], *added]

    def _origin(self, start: int, end: int) -> _Span:
        """Return the written span of a stretch; an empty one stands between its neighbours."""
        if start < end:
            spans = self.origins[start:end]
            return min(span[0] for span in spans), max(span[1] for span in spans)
        before = self.origins[start - 1][1] if start else 0
        after = self.origins[start][0] if start < len(self.origins) else before
        return min(before, after), max(before, after)


def _single_spaces(text: str) -> Iterator[_Replacement]:
    """Yield what makes each stretch of white space one space, and none at either end."""
    for match in _SPACES.finditer(text):
        is_inside = match.start() > 0 and match.end() < len(text)
        yield match.start(), match.end(), " " if is_inside else ""


def _word_changes(old: str, new: str) -> Iterator[_Replacement]:
    """Yield what makes one text another, word by word, in linear time."""
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    starts = [0, *accumulate(map(len, before))]
    first = _n_common(before, after)
    n_last = _n_common(before[first:][::-1], after[first:][::-1])
    last, last_after = len(before) - n_last, len(after) - n_last
    if last != last_after:
        yield starts[first], starts[last], "".join(after[first:last_after])
        return
    for place in range(first, last):
        if before[place] != after[place]:
            yield starts[place], starts[place + 1], after[place]


def _n_common(one: list[str], other: list[str]) -> int:
    """Return with how many equal words two lists begin."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def follow(text: str) -> Followed:
    """Return the text as `normalize` speaks it, with its history."""
    whole = Followed("", [])
    for piece in split_spans(text):
        written = text[piece.start : piece.end]
        spoken = Followed(written, [(at, at + 1) for at in range(piece.start, piece.end)])
        if piece.span:
            spoken.replace("span of phones", [(0, len(written), piece.span)])
        else:
            spoken.apply(markdown.RULES)
            spoken.become("characters", clean(spoken.text))
            spoken.apply(RULES)
        gap = " " if whole.text else ""
        whole.text += gap + spoken.text
        whole.origins += [(piece.start, piece.start)] * len(gap) + spoken.origins
        whole.changes += spoken.changes
    for rule in TIDY:
        whole.replace("white space", _single_spaces(whole.text))
        whole.replace(rule.name, rule.changes(whole.text))
    whole.replace("white space", _single_spaces(whole.text))
    return whole
