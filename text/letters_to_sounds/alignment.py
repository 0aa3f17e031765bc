"""Which letter of a word stands for which of its phones, by expectation maximization.

Source: Jiampojamarn et al. 2007, "Applying many-to-many alignments and hidden Markov models to
letter-to-phoneme conversion"; here one letter stands for at most two phones.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from text.dictionary import Phones

Pair = tuple[str, Phones]
"""A letter and the phones it stands for."""

Probabilities = dict[Pair, float]

_MAX_PHONES = 2  # of a letter: x is K S, the u of cute Y UW
_ITERATIONS = 8


def align(entries: Iterable[tuple[str, Phones]]) -> list[list[Pair]]:
    """Return each word as letters with their phones, the likeliest way.

    Words with more than two phones a letter, which are read as abbreviations, are left out.
    """
    words = [(word, phones) for word, phones in entries if len(phones) <= _MAX_PHONES * len(word)]
    probabilities = _normalized(
        {step: 1.0 for word, phones in words for _, _, _, step in _steps(word, phones)}
    )
    for _ in range(_ITERATIONS):
        counts: Probabilities = defaultdict(float)
        for word, phones in words:
            _count(word, phones, probabilities, counts)
        probabilities = _normalized(counts)
    return [_likeliest(word, phones, probabilities) for word, phones in words]


def _normalized(counts: Probabilities) -> Probabilities:
    total = sum(counts.values())
    return {pair: count / total for pair, count in counts.items()}


def _steps(word: str, phones: Phones) -> Iterator[tuple[int, int, int, Pair]]:
    """Yield all steps: which letter, phones before it, phones after it, and the pair itself."""
    for place, letter in enumerate(word):
        room_before, room_after = _MAX_PHONES * place, _MAX_PHONES * (len(word) - place - 1)
        for start in range(min(room_before, len(phones)) + 1):
            for end in range(start, min(start + _MAX_PHONES, len(phones)) + 1):
                if len(phones) - end <= room_after:
                    yield place, start, end, (letter, phones[start:end])


def _count(word: str, phones: Phones, probabilities: Probabilities, counts: Probabilities) -> None:
    """Add how often each pair is expected in a word: forward and backward probabilities."""
    steps = [
        (place, start, end, pair, probabilities[pair])
        for place, start, end, pair in _steps(word, phones)
        if probabilities.get(pair)
    ]
    before = [[0.0] * (len(phones) + 1) for _ in range(len(word) + 1)]
    after = [[0.0] * (len(phones) + 1) for _ in range(len(word) + 1)]
    before[0][0] = after[-1][-1] = 1.0
    for place, start, end, _, probability in steps:
        before[place + 1][end] += before[place][start] * probability
    for place, start, end, _, probability in reversed(steps):
        after[place][start] += probability * after[place + 1][end]
    for place, start, end, pair, probability in steps:
        through = before[place][start] * probability * after[place + 1][end]
        counts[pair] += through / after[0][0]


def _likeliest(word: str, phones: Phones, probabilities: Probabilities) -> list[Pair]:
    best: dict[tuple[int, int], tuple[float, list[Pair]]] = {(0, 0): (1.0, [])}
    for place, start, end, pair in _steps(word, phones):
        if (place, start) in best:
            so_far, pairs = best[place, start]
            through = so_far * probabilities.get(pair, 0.0)
            if through > best.get((place + 1, end), (0.0, []))[0]:
                best[place + 1, end] = (through, [*pairs, pair])
    return best[len(word), len(phones)][1]
