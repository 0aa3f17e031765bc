"""WikipediaHomographData as training data: sentences as the front end sees them, with a label.

Source: github.com/google-research-datasets/WikipediaHomographData (Apache-2.0); Gorman, Mazovetskiy
and Nikolaev 2018, "Improving homograph disambiguation with machine learning", LREC.
"""

import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from text.homographs.model import homographs
from text.normalizer import normalize
from text.pronunciation import split_tokens

_PHRASES_PATH = Path(__file__).with_name("phrases.txt")
_GROUP_PHRASES_PATH = Path(__file__).with_name("group_phrases.txt")
_FOLDS = 10
_WORD = re.compile(r"[^\W\d_]+")


class Example(NamedTuple):
    """A homograph in a sentence.

    Attributes:
        words: Words and marks of the normalized sentence.
        place: Of the homograph among them.
        name: The name of its reading.
        fold: 0 to 9; fold 0 is kept apart for the test.
    """

    words: list[str]
    place: int
    name: str
    fold: int


def read_examples(folder: Path) -> Iterator[Example]:
    """Yield the labelled sentences of a folder of `.tsv` files.

    Its columns are homograph, wordid, sentence, and where the homograph starts and ends in bytes.
    Sentences in which normalizing leaves more or fewer homographs than before are left out.
    """
    for path in sorted(folder.glob("*.tsv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                example = _example(row)
                if example is not None:
                    yield example


def _example(row: dict[str, str]) -> Example | None:
    homograph, sentence = row["homograph"], row["sentence"]
    before = sentence.encode()[: int(row["start"])].decode()
    words = spoken_words(sentence)
    places = [place for place, word in enumerate(words) if word.lower() == homograph]
    if len(places) != _count(homograph, sentence):
        return None
    fold = int(hashlib.sha256((sentence + homograph).encode()).hexdigest(), 16) % _FOLDS
    return Example(words, places[_count(homograph, before)], row["wordid"], fold)


def spoken_words(sentence: str) -> list[str]:
    """Return the words and marks of a sentence once it is normalized."""
    return [written for written, _ in split_tokens(normalize(sentence)) if written != " "]


def _count(word: str, text: str) -> int:
    return sum(found.lower() == word for found in _WORD.findall(text))


def read_phrases() -> Iterator[Example]:
    """Yield our own everyday phrases, of which an encyclopedia has few."""
    for name, phrase in _lines(_PHRASES_PATH):
        words = phrase.split()
        (place,) = (place for place, word in enumerate(words) if word.startswith("*"))
        words[place] = words[place].removeprefix("*")
        yield Example(words, place, name, fold=-1)


def read_group_phrases() -> Iterator[Example]:
    """Yield our own phrases in which any word of a group could stand, with each word in turn."""
    for line, phrase in _lines(_GROUP_PHRASES_PATH):
        group, belongs = line[:-1], line[-1] == "+"
        words = phrase.split()
        place = words.index("*")
        for word, (first, *others) in homographs().items():
            if any(reading.group == group for reading in others):
                reading = others[0] if belongs else first
                spoken = [*words[:place], word, *words[place + 1 :]]
                yield Example(spoken, place, reading.name, fold=-1)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the phrases of a file, each with the first word of its line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            label, _, phrases = line.partition(" ")
            for phrase in phrases.split(" | "):
                yield label, phrase
