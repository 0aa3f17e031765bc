"""A language model of sequences with Kneser-Ney smoothing.

Source: Chen and Goodman 1998, "An empirical study of smoothing techniques for language modeling",
section 3 (three discounts); Bisani and Ney 2008, "Joint-sequence models for grapheme-to-phoneme
conversion", for language models of letters with their phones.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

Gram = tuple[int, ...]


class LanguageModel(NamedTuple):
    """N-grams of all lengths.

    Attributes:
        probabilities: Of each n-gram's last item after the others.
        backoffs: What a history leaves to the history without its first item, as a factor.
    """

    probabilities: dict[Gram, float]
    backoffs: dict[Gram, float]


def estimate(sequences: Sequence[Sequence[int]], *, order: int) -> LanguageModel:
    """Return the language model of sequences, each with its beginning and its end.

    Args:
        sequences: Items, small whole numbers.
        order: Length of the longest n-grams.
    """
    model = LanguageModel({}, {})
    counts = _count(sequences, 1)
    for length in range(1, order + 1):
        longer = _count(sequences, length + 1) if length < order else Counter()
        _add_level(model, _continuations(counts, longer))
        counts = longer
    return model


def _count(sequences: Sequence[Sequence[int]], length: int) -> Counter[Gram]:
    return Counter(
        tuple(sequence[start : start + length])
        for sequence in sequences
        for start in range(len(sequence) - length + 1)
    )


def _continuations(counts: Counter[Gram], longer: Counter[Gram]) -> dict[Gram, int]:
    """Return after how many different items an n-gram occurs; its count where none is known."""
    preceded = Counter(gram[1:] for gram in longer)
    return {gram: preceded.get(gram) or count for gram, count in counts.items()}


def _add_level(model: LanguageModel, level: dict[Gram, int]) -> None:
    """Add n-grams of one length: discounted, and mixed with those one shorter."""
    discounts = _discounts(level)
    totals: Counter[Gram] = Counter()
    freed: dict[Gram, float] = defaultdict(float)
    for gram, count in level.items():
        totals[gram[:-1]] += count
        freed[gram[:-1]] += discounts[min(count, 3)]
    for history, total in totals.items():
        model.backoffs[history] = freed[history] / total
    uniform = 1 / len(level)
    for gram, count in level.items():
        history = gram[:-1]
        shorter = model.probabilities[gram[1:]] if history else uniform
        own = (count - discounts[min(count, 3)]) / totals[history]
        model.probabilities[gram] = own + model.backoffs[history] * shorter


def _discounts(level: dict[Gram, int]) -> tuple[float, float, float, float]:
    """Return what is taken off a count of 0, 1, 2, and 3 or more."""
    n = Counter(count for count in level.values() if count <= 4)
    if not (n[1] and n[2] and n[3]):
        return 0.0, 0.5, 0.5, 0.5  # too few n-grams to estimate discounts from
    ratio = n[1] / (n[1] + 2 * n[2])
    one, two, three = (max(0, k - (k + 1) * ratio * n[k + 1] / n[k]) for k in (1, 2, 3))
    return 0.0, one, two, three
