"""A user's own pronunciations, read from a file and checked."""

from collections.abc import Mapping
from pathlib import Path

from text.dictionary import Phones
from text.errors import TextError
from text.symbols import PHONES

Lexicon = Mapping[str, Phones]
"""Pronunciations that go before the dictionary's: lower-case words and their phones."""


def load_lexicon(path: Path) -> dict[str, Phones]:
    """Return the pronunciations of a lexicon file.

    A line holds a word and its ARPAbet phones, `tacotron  T AE1 K OW0 T R AA2 N`; lines that begin
    with # and empty lines say nothing.

    Raises:
        TextError: The file cannot be read as UTF-8; or a line, whose number is named, has no
            phones, one that is not ARPAbet, or a word that came before.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise TextError(f"cannot read the lexicon {path}: {error}", 0) from error
    lexicon: dict[str, Phones] = {}
    position = 0
    for number, line in enumerate(lines, 1):
        word, *phones = line.split() or ["#"]
        if not word.startswith("#"):
            _check(word.lower(), phones, lexicon, where=f"{path}, line {number}", position=position)
            lexicon[word.lower()] = tuple(phones)
        position += len(line)
    return lexicon


def _check(word: str, phones: list[str], lexicon: Lexicon, *, where: str, position: int) -> None:
    if not phones:
        raise TextError(f"{where}: {word!r} has no phones; write it as HH AH0 L OW1", position)
    for phone in phones:
        if phone not in PHONES:
            raise TextError(f"{where}: {phone!r} is not an ARPAbet phone, as AH0 is", position)
    if word in lexicon:
        raise TextError(f"{where}: {word!r} stands in the file twice", position)
