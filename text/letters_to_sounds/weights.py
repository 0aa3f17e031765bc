"""The file of the letters-to-sounds model: a trie of n-grams, compressed."""

from __future__ import annotations

import json
import lzma
import sys
from array import array
from pathlib import Path
from typing import NamedTuple

STEPS_PER_NAT = 16
"""Costs, negative logarithms of probabilities, are whole sixteenths from 0 to 255."""

BEGIN, END = 0, 1
"""Items of the model before and after a word; the pairs of letter and phones follow."""


class Weights(NamedTuple):
    """N-grams as a trie in breadth-first order, the children of a node sorted by their items.

    Attributes:
        pairs: A letter and its phones each, sorted: "x K S" is item END + 1 + its index.
        items: [nodes] uint16, the last item of each n-gram.
        n_children: [nodes] uint16, n-grams that are longer by one item.
        costs: [nodes] of the last item after the others.
        backoffs: [nodes] what it costs to forget the first item of a history.
    """

    pairs: list[str]
    items: array[int]
    n_children: array[int]
    costs: bytes
    backoffs: bytes


def write_weights(weights: Weights, path: Path) -> None:
    """Write the pairs and the number of nodes as a line of JSON, then the four arrays."""
    header = {"pairs": weights.pairs, "nodes": len(weights.items)}
    data = b"".join(
        (
            _in_file_order(weights.items).tobytes(),
            _in_file_order(weights.n_children).tobytes(),
            weights.costs,
            weights.backoffs,
        )
    )
    path.write_bytes(lzma.compress(json.dumps(header).encode() + b"\n" + data, preset=9))


def read_weights(path: Path) -> Weights:
    """Read what `write_weights` wrote."""
    header, _, data = lzma.decompress(path.read_bytes()).partition(b"\n")
    fields = json.loads(header)
    n_nodes = fields["nodes"]
    return Weights(
        pairs=fields["pairs"],
        items=_in_file_order(array("H", data[: 2 * n_nodes])),
        n_children=_in_file_order(array("H", data[2 * n_nodes : 4 * n_nodes])),
        costs=data[4 * n_nodes : 5 * n_nodes],
        backoffs=data[5 * n_nodes :],
    )


def _in_file_order(numbers: array[int]) -> array[int]:
    """Return numbers with the low byte first, from the machine's order or back to it."""
    if sys.byteorder == "little":
        return numbers
    swapped = array(numbers.typecode, numbers)
    swapped.byteswap()
    return swapped
