"""How a text is read and why, as HTML: the rules, the sources of pronunciations, the readings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby
from typing import NamedTuple

from text import TextError, pronounce
from text.document import Document, read_document
from text.lexicon import Lexicon, parse_lexicon
from text.phrasing import add_pauses
from text.tokens import Token
from text.trace import Change, Followed, follow
from text.written_words import written_words

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
UNSURE = ("guess", "letters")  # sources of words that no dictionary has
LEGEND = (
    "Highlighted words are read otherwise than they are written. A wavy line marks a word that no "
    "dictionary has, whose pronunciation is guessed from its letters."
)
HINT = "Choose a word to hear the text from there, and to fix how it is said."

SPACE = Token(" ", None, "", "punctuation")  # between sentences


class _Word(NamedTuple):
    """A word, mark or space as it is read."""

    token: Token
    number: int  # in `Speech.words`; -1 for marks and spaces
    changes: tuple[Change, ...]  # which made it, in their order


@lru_cache(maxsize=32)  # it is shown again when the sliders move
def reading(text: str, lexicon: str = "") -> str:
    """Return what is spoken for a text, and why: which rules, which pronunciations, which readings.

    A text that cannot be read gives ""; the attempt to speak it says why.

    Args:
        text: As it was written.
        lexicon: Lines that go before the dictionary, as `parse_lexicon` reads them.
    """
    try:
        changes, words = _explained(_read(text), parse_lexicon(lexicon))
    except TextError:
        return ""
    return (
        f'<h3>As it is read</h3>{_unsure(words)}<p class="hint">{HINT}</p>'
        f'<p class="reading">{_marked(words)}</p>'
        f'<details><summary>Why it is read so</summary><p class="hint">{LEGEND}</p>'
        f"{_rules(changes)}{_pronunciations(word.token for word in words)}</details>"
    )


def count_sentences(text: str) -> int:
    """Return of how many pieces a text is spoken; 0 for one that cannot be read."""
    try:
        return len(_read(text).segments)
    except TextError:
        return 0


@lru_cache(maxsize=8)
def _read(text: str) -> Document:
    return read_document(text)


def _explained(document: Document, lexicon: Lexicon) -> tuple[list[Change], list[_Word]]:
    """Return what rules changed in a document, and its words with the changes that made each."""
    changes: list[Change] = []
    words: list[_Word] = []
    followed, place = Followed("", []), 0
    written = ""
    n_written = 0
    for segment in document.segments:
        tokens = pronounce(segment.text, lexicon=lexicon)
        if segment.written != written or segment.start < place:  # not a further part of a long one
            written = segment.written
            followed = _follow(written)
            changes += followed.changes
        place = segment.start
        if words:
            words.append(_Word(SPACE, -1, ()))
        of_segment = written_words(segment, tokens)
        numbers = {at: n for n, word in enumerate(of_segment, n_written) for at in word.tokens}
        n_written += len(of_segment)
        for index, token in enumerate(tokens):
            end = place + len(token.written)
            number = -1 if token.source == "punctuation" else numbers.get(index, -1)
            words.append(_Word(token, number, _makers(followed, place, end)))
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
    first = next((word for word in words if word.number >= 0), None)
    for changes, stretch in groupby(words, key=lambda word: word.changes):
        spoken = "".join(_spoken(word, tabindex=0 if word is first else -1) for word in stretch)
        words_alone = spoken.strip()
        if changes and words_alone:
            why = "; ".join(f"{change.before.strip()} ({change.rule})" for change in changes)
            marked = f'<mark title="Written: {escape(why)}">{words_alone}</mark>'
            spoken = spoken.replace(words_alone, marked)
        pieces.append(spoken)
    return "".join(pieces)


def _spoken(word: _Word, *, tabindex: int) -> str:
    """Return a token; one that is heard can be chosen, as `read_along.js` explains."""
    token = word.token
    if word.number < 0:
        return escape(token.written)
    is_unsure = token.source in UNSURE
    title = f' title="Guessed: {escape(_phones(token))}"' if is_unsure else ""
    return (
        f'<span class="word{" guess" if is_unsure else ""}"{title} role="button" '
        f'tabindex="{tabindex}" {_data(word)}>{escape(token.written)}</span>'
    )


def _unsure(words: Iterable[_Word]) -> str:
    """Return the words that no dictionary has, each once: what to look at first."""
    found = {w.token.written: w for w in words if w.number >= 0 and w.token.source in UNSURE}
    if not found:
        return ""
    buttons = "".join(
        f'<button type="button" class="word" {_data(word)}>{escape(written)}</button>'
        for written, word in found.items()
    )
    return f'<p class="unsure">Guessed, so listen to these first: {buttons}</p>'


def _data(word: _Word) -> str:
    """Return what a word tells when it is chosen."""
    token = word.token
    return (
        f'data-word="{word.number}" data-spoken="{escape(token.written)}" '
        f'data-phones="{escape(_phones(token))}" data-source="{escape(SOURCES[token.source])}"'
    )


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
