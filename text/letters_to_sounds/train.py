"""Train the letters-to-sounds model on CMUdict: `python -m text.letters_to_sounds.train`.

About ten minutes on one core and 3 GB of memory; no randomness, so the same weights each time.
"""

import argparse
import math
import sys
from array import array
from collections import defaultdict
from pathlib import Path

from text.letters_to_sounds.alignment import Pair, align
from text.letters_to_sounds.corpus import Entries, read_entries, split
from text.letters_to_sounds.estimation import Gram, LanguageModel, estimate
from text.letters_to_sounds.evaluation import evaluate
from text.letters_to_sounds.model import WEIGHTS_PATH, LettersToSounds
from text.letters_to_sounds.weights import (
    BEGIN,
    END,
    STEPS_PER_NAT,
    Weights,
    read_weights,
    write_weights,
)

ORDER = 8  # items; more gain nothing, and fewer lose 1 % of the words


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m text.letters_to_sounds.train", description=__doc__
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS_PATH, metavar="FILE")
    parser.add_argument("--only-test", action="store_true", help="Score the weights that are there")
    args = parser.parse_args()
    training, tuning, testing = split(read_entries())
    if not args.only_test:
        write_weights(train(training), args.out)
    guess = LettersToSounds(read_weights(args.out)).guess
    for name, words in (("tuning", tuning), ("test", testing)):
        scores = evaluate(guess, words)
        print(
            f"{len(words)} {name} words: {scores.phone_errors:.2f} % of phones wrong,"
            f" {scores.word_errors:.1f} % of words,"
            f" {scores.word_errors_with_stress:.1f} % with stress;"
            f" {scores.milliseconds_per_word:.1f} ms a word"
        )
    return 0


def train(entries: Entries) -> Weights:
    """Return the weights learned from words and all their pronunciations."""
    print("aligning letters with phones", file=sys.stderr)
    words = align((word, phones) for word, many in entries.items() for phones in many)
    pairs = sorted({pair for word in words for pair in word})
    item_of = {pair: item for item, pair in enumerate(pairs, END + 1)}
    print("counting", file=sys.stderr)
    sequences = [[BEGIN, *(item_of[pair] for pair in word), END] for word in words]
    return _pack(pairs, estimate(sequences, order=ORDER))


def _pack(pairs: list[Pair], model: LanguageModel) -> Weights:
    """Return a language model as a trie in breadth-first order."""
    followers: dict[Gram, list[int]] = defaultdict(list)
    for gram in model.probabilities:
        followers[gram[:-1]].append(gram[-1])
    nodes: list[Gram] = [()]
    for gram in nodes:  # grows while it is read
        nodes += [(*gram, item) for item in sorted(followers[gram])]
    return Weights(
        pairs=[" ".join((letter, *phones)) for letter, phones in pairs],
        items=array("H", (gram[-1] if gram else BEGIN for gram in nodes)),
        n_children=array("H", (len(followers[gram]) for gram in nodes)),
        costs=bytes(_cost(model.probabilities.get(gram, 1.0)) for gram in nodes),
        backoffs=bytes(_cost(model.backoffs.get(gram, 1.0)) for gram in nodes),
    )


def _cost(probability: float) -> int:
    return min(255, max(0, round(-math.log(probability) * STEPS_PER_NAT)))


if __name__ == "__main__":
    sys.exit(main())
