"""How a text is read and why, as HTML: the rules, the sources of pronunciations, the readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import NamedTuple

from text import TextError, pronounce
from text.document import Document, read_document
from text.phrasing import add_pauses
from text.tokens import Token
from text.trace import Change, Followed, follow

SOURCES = {
    "additions": "Dictionary (additions to CMUdict)",
    "cmudict": "Dictionary (CMUdict)",
    "span": "Phones in the text",
    "lexicon": "Lexicon",
    "heteronym": "Neighbouring words",
    "homograph": "Homograph classifier",
    "morphology": "Stem and ending",
    "guess": "Guessed from its letters",
    "letters": "Read letter by letter",
}
LEGEND = (
    "Highlighted words are read otherwise than they are written. A wavy line marks a word that no "
    "dictionary has, whose pronunciation is guessed from its letters."
)

SPACE = Token(" ", None, "", "punctuation")  # between sentences


class _Word(NamedTuple):
    """A word, mark or space as it is read."""

    token: Token
    changes: tuple[Change, ...]  # which made it, in their order


@lru_cache(maxsize=32)  # it is shown again when the sliders move
def reading(text: str) -> str:
    """Return what is spoken for a text, and why: which rules, which pronunciations, which readings.

    A text that cannot be read gives ""; the attempt to speak it says why.
    """
    try:
        document = read_document(text)
        changes, words = _explained(document)
    except TextError:
        return ""
    return (
        f'<h3>As it is read</h3><p class="reading">{_marked(words)}</p>'
        f'<details><summary>Why it is read so</summary><p class="hint">{LEGEND}</p>'
        f"{_rules(changes)}{_pronunciations(word.token for word in words)}</details>"
    )


def _explained(document: Document) -> tuple[list[Change], list[_Word]]:
    """Return what rules changed in a document, and its words with the changes that made each."""
    changes: list[Change] = []
    words: list[_Word] = []
    followed, place = Followed("", []), 0
    written = ""
    for segment in document.segments:
        tokens = pronounce(segment.text)
        text = segment.text.rstrip(" .")  # a heading's last period may be added
        start = followed.text.find(text, place) if written == segment.written else -1
        if start < 0:  # another sentence, not a further part of a long one
            written = segment.written
            followed = _follow(written)
            start = max(followed.text.find(text), 0)
            changes += followed.changes
        place = start
        if words:
            words.append(_Word(SPACE, ()))
        for token in tokens:
            end = place + len(token.written)
            words.append(_Word(token, _makers(followed, place, end)))
            place = end
    return changes, words


def _follow(written: str) -> Followed:
    followed = follow(written)
    followed.become("pause at a clause", add_pauses(followed.text))
    return followed


def _makers(followed: Followed, start: int, end: int) -> tuple[Change, ...]:
    """Return the changes that a stretch of a followed text comes from."""
    origins = followed.origins[start:end]
    if not origins:
        return ()
    first, last = min(span[0] for span in origins), max(span[1] for span in origins)
    return tuple(
        change
        for change in followed.changes
        if change.start < last and first < change.end and _letters(change.before, change.after)
    )


def _letters(before: str, after: str) -> bool:
    """Whether a change is of letters or digits, and not of marks alone."""
    return [c for c in before if c.isalnum()] != [c for c in after if c.isalnum()]


def _marked(words: Sequence[_Word]) -> str:
    """Return the text with its changed stretches and guessed words marked."""
    pieces = []
    for changes, stretch in groupby(words, key=lambda word: word.changes):
        spoken = "".join(_spoken(word.token) for word in stretch)
        words_alone = spoken.strip()
        if changes and words_alone:
            why = "; ".join(f"{change.before.strip()} ({change.rule})" for change in changes)
            marked = f'<mark title="Written: {escape(why)}">{words_alone}</mark>'
            spoken = spoken.replace(words_alone, marked)
        pieces.append(spoken)
    return "".join(pieces)


def _spoken(token: Token) -> str:
    word = escape(token.written)
    if token.source != "guess":
        return word
    return f'<span class="guess" title="Guessed: {escape(_phones(token))}">{word}</span>'


def _rules(changes: Iterable[Change]) -> str:
    rows = [(change.before, change.rule, change.after) for change in changes]
    return _table("Rules", ("Written", "Rule", "Becomes"), rows)


def _pronunciations(tokens: Iterable[Token]) -> str:
    rows = [
        (token.written, _phones(token), SOURCES[token.source], _reading(token))
        for token in tokens
        if token.source != "punctuation"
    ]
    return _table("Pronunciations", ("Word", "Phones", "Source", "Reading"), rows)


def _phones(token: Token) -> str:
    return " ".join(symbol.lstrip("@") for symbol in token.symbols)


def _reading(token: Token) -> str:
    return f"{token.reading} ({token.probability:.0%})" if token.reading else ""


def _table(title: str, head: Sequence[str], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table, each different row once, in the order of the text."""
    lines = "".join(_row("td", row) for row in dict.fromkeys(rows))
    if not lines:
        return ""
    return (
        f'<div class="why" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<caption>{title}</caption><thead>{_row('th', head)}</thead>"
        f"<tbody>{lines}</tbody></table></div>"
    )


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
