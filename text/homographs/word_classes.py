"""Which parts of speech a word may be, as a string of letters: "NV" for walk, "d" for the.

N noun, S plural, V verb, D past tense, E past participle, G present participle, Z third person,
J adjective, R adverb; the words of a closed class have one small letter. Names have none.

Source: open classes from the tables of LemmInflect 0.2.3 (MIT licence), which were made of the
SPECIALIST Lexicon of the National Library of Medicine; `python -m
text.homographs.collect_word_classes` writes them. Closed classes by hand.
"""

import lzma
from functools import cache
from pathlib import Path

TABLE_PATH = Path(__file__).with_name("word_classes.xz")

CLOSED_CLASSES = {
    "d": "a an the this that these those every each some any no all both another either neither",
    "p": "my your his her its our their whose",
    "i": "of in on at by for with from into onto about against between among through during before"
    " after above below under over without within along across behind beyond near off out up down"
    " since until toward towards upon via per despite like than as if because although though"
    " while whereas",
    "t": "to",
    "m": "will would can could shall should may might must cannot won't can't couldn't wouldn't"
    " shouldn't i'll you'll he'll she'll we'll they'll",
    "o": "do does did don't doesn't didn't",
    "b": "be am is are was were been being isn't aren't wasn't weren't it's that's there's i'm"
    " you're we're they're",
    "h": "have has had having haven't hasn't hadn't i've you've we've they've",
    "s": "i he she we they who",
    "u": "you it me him us them himself herself itself themselves what which there here",
    "c": "and or but nor",
    "n": "not never n't",
    "q": "very so too more most less least quite rather",
}


def classes(word: str) -> str:
    """Return what a word in lower case may be, "" where nobody knows."""
    return _table().get(word, "")


@cache
def _table() -> dict[str, str]:
    table: dict[str, str] = {}
    for line in lzma.decompress(TABLE_PATH.read_bytes()).decode("ascii").splitlines():
        kind, *words = line.split()
        table.update(dict.fromkeys(words, kind))
    for kind, words_of_kind in CLOSED_CLASSES.items():
        table.update(dict.fromkeys(words_of_kind.split(), kind))
    return table
