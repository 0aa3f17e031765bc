"""A user's own pronunciations, read from a file and checked."""

from collections.abc import Mapping
from pathlib import Path

from text.dictionary import Phones
from text.errors import TextError
from text.homographs import Reading
from text.symbols import PHONES

Lexicon = Mapping[str, Phones]
"""Pronunciations that go before the dictionary's: lower-case words and their phones.

A word that is said in two ways stands twice, as `lead:noun` and `lead:verb`.
"""

_TAGS = ("noun", "verb")


def tagged(word: str, lexicon: Lexicon) -> tuple[Reading, ...]:
    """Return the two readings that a lexicon gives a word, none where it gives one or none.

    What is no verb is read as the noun: adjectives, names.
    """
    if not lexicon:
        return ()
    word = word.lower()
    noun, verb = (lexicon.get(f"{word}:{tag}") for tag in _TAGS)
    if noun is None or verb is None:
        return ()
    group = "verb-s" if word.endswith("s") else "verb"
    return Reading(f"{word}:noun", "", noun), Reading(f"{word}:verb", group, verb)


def load_lexicon(path: Path) -> dict[str, Phones]:
    """Return the pronunciations of a lexicon file.

    Raises:
        TextError: The file cannot be read as UTF-8, or `parse_lexicon` refuses what it says.
    """
    try:
        written = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"Cannot read the lexicon {path}: {error}", 0) from error
    return parse_lexicon(written, name=str(path))


def parse_lexicon(written: str, *, name: str = "The lexicon") -> dict[str, Phones]:
    """Return the pronunciations that a lexicon holds.

    A line holds a word and its ARPAbet phones, `tacotron  T AE1 K OW0 T R AA2 N`; lines that begin
    with # and empty lines say nothing. A word that is said in two ways has two lines, `lead:noun
    L EH1 D` and `lead:verb L IY1 D`; its neighbours tell which one is meant.

    Args:
        written: The lines.
        name: What errors call the lexicon.

    Raises:
        TextError: A line, whose number is named, has no phones, one that is not ARPAbet, a word
            that came before, or a tag that is neither noun nor verb; or a word has one tag without
            the other.
    """
    lexicon: dict[str, Phones] = {}
    position = 0
    for number, line in enumerate(written.splitlines(keepends=True), 1):
        word, *phones = line.split() or ["#"]
        if not word.startswith("#"):
            _check(word.lower(), phones, lexicon, where=f"{name}, line {number}", position=position)
            lexicon[word.lower()] = tuple(phones)
        position += len(line)
    _check_pairs(lexicon, name)
    return lexicon


def write_lexicon(lexicon: Lexicon) -> str:
    """Return the lines that `parse_lexicon` reads a lexicon from, in the order of the alphabet."""
    return "".join(f"{word}  {' '.join(phones)}\n" for word, phones in sorted(lexicon.items()))


def _check(word: str, phones: list[str], lexicon: Lexicon, *, where: str, position: int) -> None:
    tag = word.partition(":")[2]
    if ":" in word and tag not in _TAGS:
        raise TextError(f"{where}: {word!r} is tagged {tag!r}; write :noun or :verb", position)
    if not phones:
        raise TextError(f"{where}: {word!r} has no phones; write it as HH AH0 L OW1", position)
    for phone in phones:
        if phone not in PHONES:
            raise TextError(f"{where}: {phone!r} is not an ARPAbet phone, as AH0 is", position)
    if word in lexicon:
        raise TextError(f"{where}: {word!r} stands in the file twice", position)


def _check_pairs(lexicon: Lexicon, name: str) -> None:
    for entry in lexicon:
        word, _, tag = entry.partition(":")
        other = "verb" if tag == "noun" else "noun"
        if tag and f"{word}:{other}" not in lexicon:
            raise TextError(f"{name}: {entry!r} stands without {word + ':' + other!r}", 0)
