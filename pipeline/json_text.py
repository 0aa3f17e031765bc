"""JSON a piece at a time: what is too long to be in memory as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any


def json_pieces(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield a mapping as JSON text; iterators among its values become lists, an item a line."""
    separator = ""
    yield "{\n"
    for name, value in facts.items():
        yield f"{separator}  {_text(name)}: "
        if isinstance(value, Iterator):
            yield from _list_pieces(value)
        else:
            yield _text(value)
        separator = ",\n"
    yield "\n}\n"


def _list_pieces(items: Iterator[Any]) -> Iterator[str]:
    separator = "[\n"
    is_empty = True
    for item in items:
        yield f"{separator}    {_text(item)}"
        separator = ",\n"
        is_empty = False
    yield "[]" if is_empty else "\n  ]"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
