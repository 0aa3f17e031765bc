"""Text to sentences that a model can speak in one breath."""

import re
from collections.abc import Iterator
from functools import lru_cache

from text.abbreviations import OPENERS
from text.errors import TextError
from text.normalizer import normalize
from text.pronunciation import pronounce
from text.rules import words
from text.tokens import token_symbols

MAX_SYMBOLS = 200

# A period after these never ends a sentence: a name or number follows.
_NEVER = words(
    "mr mrs ms dr prof gen col maj capt cmdr sgt cpl lt adm gov sen rep rev hon fr mt ft messrs mme"
    " mlle pres supt vs e.g i.e cf viz fig vol no nos pp ch sec eq ed eds jan feb mar apr jun jul"
    " aug sep sept oct nov dec approx dept univ"
)
# Nor after these where a number follows.
_LABELS = words("apt art bldg chap ext fl figs para pt ref rm ste tel ver vols")
# After these, and after initials, a sentence ends only where a word follows that often begins one.
_SELDOM = words(
    "st jr sr inc ltd co corp etc ave blvd rd ln al oz lbs hrs mon tue tues wed thu thurs fri"
)
_END = re.compile(
    r"(?<![.!?\u2026])[.!?\u2026]+[\"')\]\u201d\u2019\u00bb]*\s+|[\u3002\uff01\uff1f]+\s*"
)
_LAST_WORD = re.compile(r"([^\W\d_]+(?:\.[^\W\d_]+)*|\d+)$")
# Lines of Markdown that stand alone: headings, fences of code, rows of tables, lines across.
_WHOLE_LINE = re.compile(r"\s*(?:#{1,6}\s|```|~~~|\||[-*_=]{3,}\s*$)")
_LIST_ITEM = re.compile(r"\s*(?:[-*\u2022\u2023\u25e6]|\(?\d{1,3}[.)]|\(?[a-z]\))\s")
_WORD = re.compile(r"(?:\{[^{}]*\}|\S)+")  # a span of phones is one word
_BREAKS = (re.compile(r"[;:]$"), re.compile(r"[,)\u2014]$|^[-\u2013\u2014]+$"))
_HEADING_LENGTH = 60  # characters; a longer line without a period is one that was only wrapped


def split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs, headings and list items of a text, line breaks within them gone."""
    paragraphs: list[list[str]] = [[]]
    for line in text.splitlines():
        block = paragraphs[-1]
        if not line.strip():
            paragraphs.append([])
        elif block and _begins_block(block[-1], line):
            paragraphs.append([line])
        else:
            block.append(line)
    return [" ".join(" ".join(block).split()) for block in paragraphs if block]


def _begins_block(previous: str, line: str) -> bool:
    if _LIST_ITEM.match(line) or _WHOLE_LINE.match(line) or _WHOLE_LINE.match(previous):
        return True
    is_short = len(previous.strip()) < _HEADING_LENGTH
    return is_short and previous.strip()[-1].isalnum() and line.strip()[0].isupper()


def split_sentences(text: str, *, max_symbols: int = MAX_SYMBOLS) -> list[str]:
    """Return the sentences of a text, written or normalized.

    White space aside they are the text again, one after the other: no word is lost or doubled.

    Args:
        text: Any string.
        max_symbols: Longest sentence in symbols of the table, at least 40. Longer ones are cut at
            semicolons, commas, words or, where one word is longer still, inside it. Only a span of
            phones is never cut.

    Raises:
        ValueError: `max_symbols` is too small.
    """
    return list(each_sentence(text, max_symbols=max_symbols))


def each_sentence(text: str, *, max_symbols: int = MAX_SYMBOLS) -> Iterator[str]:
    """Yield what `split_sentences` returns, each sentence before the next is looked for."""
    if max_symbols < 40:
        raise ValueError(f"max_symbols is {max_symbols}, expected 40 at least")
    for paragraph in split_paragraphs(text):
        for sentence in _split_at_ends(paragraph):
            yield from _limit(sentence, max_symbols)


def _split_at_ends(paragraph: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(paragraph):
        if _is_end(paragraph, start, match):
            sentence = paragraph[start : match.end()].strip()
            start = match.end()
            if sentence:
                yield sentence
    if rest := paragraph[start:].strip():
        yield rest


def _is_end(paragraph: str, start: int, match: re.Match[str]) -> bool:
    mark = match.group()[0]
    following = re.match(r"\W*(\w+)", paragraph[match.end() : match.end() + 40])
    next_word = following.group(1) if following else ""
    if next_word[:1].islower():
        return mark in "\u3002\uff01\uff1f"
    if mark != "." or match.group().startswith(".."):
        return True
    last = _LAST_WORD.search(paragraph[max(start, match.start() - 30) : match.start()])
    word = last.group(1) if last else ""
    is_labelled = next_word[:1].isdigit()
    if word.lower() in _NEVER or (is_labelled and word.lower() in _LABELS):
        return word == "No" and not is_labelled
    if word.isdigit():  # "1." at the head of a list item, not "in 1963."
        return match.start() - len(word) > start
    is_initial = len(word) == 1 and word != "I"
    if is_initial or "." in word or word.lower() in _SELDOM:
        return next_word in OPENERS or not next_word
    return True


def _limit(sentence: str, max_symbols: int) -> list[str]:
    """Return the sentence in pieces of at most `max_symbols`, cut where the voice may pause."""
    pieces: list[str] = []
    line: list[str] = []
    costs: list[int] = []
    for word in _WORD.findall(sentence):
        cost = _cost(word)
        while line and sum(costs) + len(costs) + cost > max_symbols:
            cut = _best_cut(line)
            pieces.append(" ".join(line[:cut]))
            line, costs = line[cut:], costs[cut:]
        if cost > max_symbols and not word.startswith("{"):
            pieces += _cut_word(word, max_symbols)
        else:
            line.append(word)
            costs.append(cost)
    return [*pieces, " ".join(line)] if line else pieces


def _cut_word(word: str, max_symbols: int) -> list[str]:
    # A letter is at most two symbols, a digit or a sign the eight or so of its name.
    step = max_symbols // (2 if word.isalpha() else 8)
    return [word[start : start + step] for start in range(0, len(word), step)]


def _best_cut(words: list[str]) -> int:
    """Return after how many words to cut: at the last pause of the later half, else at the end."""
    for pattern in _BREAKS:
        for index in range(len(words), len(words) // 2, -1):
            if pattern.search(words[index - 1]):
                return index
    return len(words)


@lru_cache(maxsize=4096)
def _cost(word: str) -> int:
    """Return how many symbols a word of written or normalized text needs, at most."""
    try:
        tokens = pronounce(word)
    except TextError:  # not normalized yet
        try:
            tokens = pronounce(normalize(word))
        except TextError:  # a wrong span, which whoever speaks the text will report
            return len(word)
    return max(len(word), sum(len(symbols) for symbols in token_symbols(tokens)))
