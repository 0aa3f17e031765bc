"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines, the first column to the left, all others to the right."""
    from tabulate import tabulate  # only scores and vettings are tables: speaking does without

    sides = ["left", *["right"] * (len(rows[0]) - 1)]
    text = tabulate(rows, tablefmt="plain", disable_numparse=True, colalign=sides)
    return "\n".join(line.rstrip() for line in text.splitlines())
