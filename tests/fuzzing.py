"""What the fuzz tests share: how many inputs they try, and how a good input is made a bad one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

N_CASES = int(os.environ.get("FUZZ_CASES", "50"))  # a kind of input; the same ones every time
MAX_SECONDS = 10.0  # for one input, on a busy machine

NASTY_TEXTS = (
    *("", " ", "\0", "\ud800", "\u202e", "..", "../../x", "/etc/passwd", "a" * 3_000),
    *("1" * 5_000, "9" * 30, "-1", "1e999", "nan", "[" * 3_000, "{" * 50, "<" * 50, "&#0;"),
)
NASTY_NUMBERS = (0, -1, 1, 3, 2**31, 2**63, 10**30, 0.5, 1e-300, 1e300)
NASTY_NUMBERS += (float("nan"), float("inf"), float("-inf"))
KEYS = st.sampled_from(("x", "", "name", "\0", "\ud800"))


def fuzz(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test over `N_CASES` inputs; each may take `MAX_SECONDS`."""
    return settings(
        max_examples=N_CASES,
        deadline=timedelta(seconds=MAX_SECONDS),
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),  # making a failure smaller takes minutes
        suppress_health_check=list(HealthCheck),
    )(test)


def texts(*pieces: str) -> st.SearchStrategy[str]:
    """Return texts of a kind: some of its pieces, in any order, with anything between."""
    piece = st.sampled_from((*pieces, *NASTY_TEXTS)) | st.text(st.characters(), max_size=12)
    return st.lists(piece, max_size=12).map("".join)


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Return a file with bytes overwritten, inserted, doubled or cut off."""
    damage = bytearray(content)
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(damage)))
        end = place + draw(st.integers(0, 64))
        match draw(st.sampled_from(("overwrite", "insert", "double", "delete", "cut"))):
            case "overwrite":
                new = draw(st.binary(min_size=1, max_size=8))
                damage[place : place + len(new)] = new
            case "insert":
                damage[place:place] = draw(st.binary(max_size=64))
            case "double":
                damage[place:place] = damage[place:end] * draw(st.integers(1, 50))
            case "delete":
                del damage[place:end]
            case "cut":
                del damage[place:]
    return bytes(damage)


# What JSON can hold, and what Python takes for JSON.
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.sampled_from((*NASTY_NUMBERS, *NASTY_TEXTS)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def altered(draw: st.DrawFn, value: Any) -> Any:
    """Return a tree of JSON with one to three values replaced, removed or added."""
    for _ in range(draw(st.integers(1, 3))):
        value = _altered_once(draw, value)
    return value


def _altered_once(draw: st.DrawFn, value: Any) -> Any:
    if not isinstance(value, dict) or not value or draw(st.integers(0, 9)) == 0:
        return draw(JSON_VALUES)
    key = draw(st.sampled_from(sorted(value)))
    match draw(st.sampled_from(("inside", "inside", "inside", "remove", "add"))):
        case "inside":
            return {**value, key: _altered_once(draw, value[key])}
        case "remove":
            return {name: one for name, one in value.items() if name != key}
        case _:
            return {**value, draw(KEYS): draw(JSON_VALUES)}
