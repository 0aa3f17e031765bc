"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from tabulate import tabulate


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines, the first column to the left, all others to the right."""
    sides = ["left", *["right"] * (len(rows[0]) - 1)]
    text = tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=sides)
    return "\n".join(line.rstrip() for line in text.splitlines())
