"""The phones of a word from its letters, by a language model of letters with their phones.

Each letter stands for no phone, one, or two; the model says how likely each such pair is after the
seven before it, and a beam search finds the pairs of a word.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from functools import cache, lru_cache
from itertools import accumulate
from math import exp
from pathlib import Path
from typing import NamedTuple

from text.dictionary import Phones
from text.letters_to_sounds.weights import BEGIN, END, STEPS_PER_NAT, Weights, read_weights

WEIGHTS_PATH = Path(__file__).with_name("weights.xz")

_BEAM = 24  # paths followed at once
_MARGIN = 7 * STEPS_PER_NAT  # a path dearer than the cheapest by this is given up
_ROOT = 0  # the node of the empty history


class _Path(NamedTuple):
    """A way through the letters so far."""

    cost: int
    items: tuple[int, ...]
    nodes: tuple[int, ...]  # the longest history that the trie knows, and all shorter ones


class LettersToSounds:
    """Guesses how words are spoken."""

    def __init__(self, weights: Weights) -> None:
        """Take the weights and find the children of each node."""
        self._items, self._costs, self._backoffs = weights.items, weights.costs, weights.backoffs
        self._first_child = array("I", accumulate(weights.n_children, initial=1))
        self._phones: dict[int, Phones] = {}
        self._items_of: dict[str, range] = {}
        for item, pair in enumerate(weights.pairs, END + 1):
            letter, *phones = pair.split()
            self._phones[item] = tuple(phones)
            first = self._items_of.get(letter, range(item, item)).start
            self._items_of[letter] = range(first, item + 1)

    def guess(self, word: str) -> Phones:
        """Return the phones of a word, a to z and apostrophes.

        These are the likeliest sounds whatever their stress, with the likeliest of their stresses,
        of which those with one primary stress go first; where none has, one is made so.
        """
        paths = [_Path(0, (), self._histories((_ROOT,), BEGIN))]
        for letter in word:
            paths = self._advance(paths, self._items_of[letter])
        probabilities: dict[Phones, float] = defaultdict(float)
        for path in paths:
            phones = tuple(phone for item in path.items for phone in self._phones[item])
            probabilities[phones] += exp(-(path.cost + self._end_cost(path)) / STEPS_PER_NAT)
        return _stressed_once(_likeliest(probabilities))

    def _advance(self, paths: list[_Path], items: range) -> list[_Path]:
        """Return the cheapest paths that are one of the items longer."""
        first_child, item_of, costs = self._first_child, self._items, self._costs
        candidates: list[tuple[int, int, _Path]] = []
        limit = 1 << 30
        for path in paths:
            cost = path.cost
            seen: set[int] = set()
            for node in path.nodes:
                if cost > limit:
                    break
                end = first_child[node + 1]
                start = bisect_left(item_of, items.start, first_child[node], end)
                for child in range(start, bisect_left(item_of, items.stop, start, end)):
                    item = item_of[child]
                    if item not in seen:
                        seen.add(item)
                        longer = cost + costs[child]
                        if longer <= limit:
                            candidates.append((longer, item, path))
                            limit = min(limit, longer + _MARGIN)
                cost += self._backoffs[node]
        candidates.sort()
        return [
            _Path(cost, (*path.items, item), self._histories(path.nodes, item))
            for cost, item, path in candidates[:_BEAM]
            if cost <= limit
        ]

    def _histories(self, nodes: tuple[int, ...], item: int) -> tuple[int, ...]:
        """Return the nodes with an item more, as far as the trie has n-grams longer than these."""
        first_child = self._first_child
        children = (self._child(node, item) for node in nodes)
        return (
            *(node for node in children if node and first_child[node] < first_child[node + 1]),
            _ROOT,
        )

    def _child(self, node: int, item: int) -> int:
        """Return the node of an n-gram with an item more, the root where there is none."""
        end = self._first_child[node + 1]
        child = bisect_left(self._items, item, self._first_child[node], end)
        return child if child < end and self._items[child] == item else _ROOT

    def _end_cost(self, path: _Path) -> int:
        cost = 0
        for node in path.nodes:
            if child := self._child(node, END):
                return cost + self._costs[child]
            cost += self._backoffs[node]
        return cost


def _likeliest(probabilities: dict[Phones, float]) -> Phones:
    sounds: dict[Phones, float] = defaultdict(float)
    for phones, probability in probabilities.items():
        sounds[without_stress(phones)] += probability
    best = max(sounds, key=lambda phones: sounds[phones])
    return max(
        (phones for phones in probabilities if without_stress(phones) == best),
        key=lambda phones: (_n_primary(phones) == 1, probabilities[phones]),
    )


def _stressed_once(phones: Phones) -> Phones:
    """Return phones with one primary stress: the first there is, else the strongest vowel's."""
    ranks = {"1": 0, "2": 1, "0": 2}
    vowels = [place for place, phone in enumerate(phones) if phone[-1] in ranks]
    if not vowels:
        return phones
    primary = min(vowels, key=lambda place: (ranks[phones[place][-1]], place))
    weaker = tuple(phone.replace("1", "2") for phone in phones)
    return (*weaker[:primary], phones[primary][:-1] + "1", *weaker[primary + 1 :])


def without_stress(phones: Phones) -> Phones:
    """Return phones without the digits of their stress."""
    return tuple(phone.rstrip("012") for phone in phones)


def _n_primary(phones: Phones) -> int:
    return sum(phone.endswith("1") for phone in phones)


@lru_cache(maxsize=10_000)
def guess(word: str) -> Phones:
    """Return the phones of a word of a to z and apostrophes, by the weights of this folder."""
    return _load().guess(word)


@cache
def _load() -> LettersToSounds:
    return LettersToSounds(read_weights(WEIGHTS_PATH))
