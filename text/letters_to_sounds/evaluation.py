"""Error rates of the letters-to-sounds model on words that it was not trained on."""

import time
from collections.abc import Callable
from typing import NamedTuple

from text.dictionary import Phones
from text.letters_to_sounds.corpus import Entries
from text.letters_to_sounds.model import without_stress


class Scores(NamedTuple):
    """Error rates in percent, against whichever pronunciation of the dictionary is nearest."""

    phone_errors: float
    word_errors: float
    word_errors_with_stress: float
    milliseconds_per_word: float


def evaluate(guess: Callable[[str], Phones], words: Entries) -> Scores:
    """Return the scores of guesses at words."""
    start = time.process_time()
    guesses = {word: guess(word) for word in words}
    seconds = time.process_time() - start
    nearest = [
        min(
            (edit_distance(without_stress(guesses[word]), without_stress(phones)), len(phones))
            for phones in pronunciations
        )
        for word, pronunciations in words.items()
    ]
    n_wrong = sum(distance > 0 for distance, _ in nearest)
    n_wrong_with_stress = sum(guesses[word] not in words[word] for word in words)
    return Scores(
        phone_errors=100 * sum(d for d, _ in nearest) / sum(length for _, length in nearest),
        word_errors=100 * n_wrong / len(words),
        word_errors_with_stress=100 * n_wrong_with_stress / len(words),
        milliseconds_per_word=1000 * seconds / len(words),
    )


def edit_distance(first: Phones, second: Phones) -> int:
    """Return the fewest insertions, deletions and substitutions that make one the other."""
    row = list(range(len(second) + 1))
    for i, phone in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (phone != other))
    return row[-1]
