"""Train the homograph classifier: `python -m text.homographs.train FOLDER`.

FOLDER is `data/train` of WikipediaHomographData. One logistic regression over all words: each
reading but a word's first has weights of its own, and the verbs share weights besides, which also
learn from the other words of the same sentences that can be nothing but a verb or a noun. No
randomness: the same weights each time. Needs scikit-learn; about two minutes on one core.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from text.homographs.corpus import Example, read_examples, read_group_phrases, read_phrases
from text.homographs.features import features
from text.homographs.model import (
    UNITS,
    WEIGHTS_PATH,
    Reading,
    choose,
    keys,
    readings,
    write_weights,
)
from text.homographs.word_classes import classes

_MAX_WEIGHTS = 220_000  # the largest; 0.9 MB with the table of word classes
_INVERSE_REGULARIZATION = 1.0
_OWN_SCALE = 0.5  # of a verb's own features beside those of all verbs
_LONE_SCALE = 3.0  # of the features of readings without a group
_PHRASE_WEIGHT = 0.3  # beside a sentence's 1
_GROUP_PHRASE_WEIGHT = 0.03
_UNAMBIGUOUS_WEIGHT = 0.05
_UNAMBIGUOUS_BIAS = 5.0
_STRONG = ("3w", "5w", "3t", "5t", "gw", "gt", "C")  # the nearest words, and capitals
_STRONG_SCALE = 4.0
_BAG_SCALE = 1.5
_GROUP_OF = {  # classes of words that can be nothing else, and whether they belong to the group
    **dict.fromkeys(("V", "EV", "DV", "DEV"), ("verb", True)),
    **dict.fromkeys(("N", "J", "JN"), ("verb", False)),
    "Z": ("verb-s", True),
    "S": ("verb-s", False),
}


class _Row(NamedTuple):
    """One line of the regression: is it this reading, rather than the word's first?"""

    features: dict[int, float]
    is_reading: bool
    weight: float


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m text.homographs.train", description=__doc__)
    parser.add_argument("folder", type=Path, help="The .tsv files of WikipediaHomographData")
    parser.add_argument("--only-test", action="store_true", help="Score the weights that are there")
    args = parser.parse_args()
    examples = list(read_examples(args.folder))
    if not args.only_test:
        write_weights(train([each for each in examples if each.fold != 0]), WEIGHTS_PATH)
    print_scores([each for each in examples if each.fold == 0])
    return 0


def train(examples: list[Example]) -> dict[int, int]:
    """Return the weights by key, in the file's units."""
    labelled = [
        *_rows(examples, weight=1.0),
        *_rows(read_phrases(), weight=_PHRASE_WEIGHT),
        *_rows(read_group_phrases(), weight=_GROUP_PHRASE_WEIGHT),
    ]
    known = {key for row in labelled for key in row.features}
    weights = _regress([*labelled, *_unambiguous_rows(examples, known)])
    largest = sorted(known, key=lambda key: (-abs(weights[key]), key))[:_MAX_WEIGHTS]
    return {key: round(weights[key] * UNITS) for key in largest}


def _rows(examples: Iterable[Example], *, weight: float) -> Iterator[_Row]:
    for example in examples:
        first, *others = readings(example.words[example.place])
        found = features(example.words, example.place)
        for reading in others:
            if example.name in (first.name, reading.name):
                yield _Row(_scaled(reading, found), example.name == reading.name, weight)


def _scaled(reading: Reading, found: list[str]) -> dict[int, float]:
    scales = [_scale(feature) for feature in found]
    own = _OWN_SCALE if reading.group else _LONE_SCALE
    factors = [own * scale for scale in scales] + (scales if reading.group else [])
    return dict(zip(keys(reading, found), factors, strict=True))


def _scale(feature: str) -> float:
    """Return how much of a feature's weight regularization spares."""
    if feature.startswith(_STRONG):
        return _STRONG_SCALE
    return _BAG_SCALE if feature.startswith("b") else 1.0


def _unambiguous_rows(examples: Iterable[Example], known: set[int]) -> Iterator[_Row]:
    """Yield the words around the homographs that can only be verbs, or only nouns or adjectives."""
    seen: set[str] = set()
    for example in examples:
        sentence = " ".join(example.words)
        if sentence in seen:
            continue
        seen.add(sentence)
        for index, word in enumerate(example.words):
            group, belongs = _GROUP_OF.get(classes(word), ("", False))
            if group and not readings(word):
                found = _scaled(Reading("", group, ()), features(example.words, index))
                row = {key: scale for key, scale in found.items() if key in known}
                # A bias of their own: how common verbs are here says nothing of homographs.
                row[crc32(group.encode())] = _UNAMBIGUOUS_BIAS
                yield _Row(row, belongs, _UNAMBIGUOUS_WEIGHT)


def _regress(rows: list[_Row]) -> dict[int, float]:
    """Return the weight of each key, its scale included."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    counts = Counter(key for row in rows for key in row.features)
    columns: dict[int, int] = {key: column for column, key in enumerate(counts)}
    scales: dict[int, float] = {key: scale for row in rows for key, scale in row.features.items()}
    values = [scale for row in rows for scale in row.features.values()]
    indices = [columns[key] for row in rows for key in row.features]
    ends = [0]
    for row in rows:
        ends.append(ends[-1] + len(row.features))
    matrix = csr_matrix((values, indices, ends), shape=(len(rows), len(columns)))
    regression: Any = LogisticRegression(
        C=_INVERSE_REGULARIZATION, solver="liblinear", tol=1e-3, fit_intercept=False
    )
    regression.fit(
        matrix, [row.is_reading for row in rows], sample_weight=[row.weight for row in rows]
    )
    return {
        key: float(weight) * scales[key]
        for key, weight in zip(columns, regression.coef_[0], strict=True)
    }


def print_scores(examples: list[Example]) -> None:
    """Print how many readings are right: of all sentences, and on average over words."""
    right: dict[str, list[bool]] = defaultdict(list)
    for example in examples:
        word = example.words[example.place]
        choice = choose(readings(word), example.words, example.place)
        right[word.lower()].append(choice.reading.name == example.name)
    micro = sum(map(sum, right.values())) / len(examples)
    macro = sum(sum(word) / len(word) for word in right.values()) / len(right)
    print(f"{len(examples)} sentences: {100 * micro:.1f} % right, {100 * macro:.1f} % over words")


if __name__ == "__main__":
    sys.exit(main())
