"""What the fuzz tests share: how many inputs they try, how bad ones are made, what none may do."""

from __future__ import annotations

import functools
import gc
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

N_CASES = int(os.environ.get("FUZZ_CASES", "50"))  # a kind of input; the same ones every time
ROUND = 500  # inputs of which Hypothesis keeps a record: its memory is not to be taken for ours
MAX_SECONDS = 10.0  # of processor time for one input, so that a busy machine makes no difference
MAX_WAIT_SECONDS = 600.0  # by the clock, for one that waits for what never comes
MAX_GROWTH_BYTES = 64 * 2**20  # of memory, in the second half of the inputs

NASTY_TEXTS = (
    *("", " ", "\0", "\ud800", "\u202e", "..", "../../x", "/etc/passwd", "a" * 3_000),
    *("1" * 5_000, "9" * 30, "-1", "1e999", "nan", "[" * 3_000, "{" * 50, "<" * 50, "&#0;"),
)
NASTY_NUMBERS = (0, -1, 1, 3, 2**31, 2**63, 10**30, 0.5, 1e-300, 1e300)
NASTY_NUMBERS += (float("nan"), float("inf"), float("-inf"))
KEYS = st.sampled_from(("x", "", "name", "\0", "\ud800"))


def fuzz(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test over `N_CASES` inputs, each within limits of time and its own files.

    Modules that use it name the fixture `own_files_only`.
    """
    given: Any = test
    given.hypothesis.inner_test = _watched(given.hypothesis.inner_test)
    given = settings(
        max_examples=min(N_CASES, ROUND),
        deadline=None,  # Hypothesis knows the clock alone
        database=None,
        phases=(Phase.explicit, Phase.generate),  # making a failure smaller takes minutes
        suppress_health_check=list(HealthCheck),
    )(given)

    @functools.wraps(given)
    def rounds(*args: Any, **kwargs: Any) -> None:
        memory = []
        for number in range(math.ceil(N_CASES / ROUND)):
            seed(number)(given)(*args, **kwargs)
            gc.collect()
            memory.append(psutil.Process().memory_info().rss)
        growth = memory[-1] - memory[len(memory) // 2]
        assert growth < MAX_GROWTH_BYTES, f"{growth} bytes more than after half of the inputs"

    return rounds


def _watched(test: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(test)
    def watched(*args: Any, **kwargs: Any) -> None:
        with _within_time(), _files.watched():
            test(*args, **kwargs)

    return watched


@contextmanager
def _within_time() -> Iterator[None]:
    """Stop what takes too long, and fail if what stopped it was caught on the way."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"One input took over {MAX_SECONDS} s of processor time")

    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, stop)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS, MAX_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, MAX_WAIT_SECONDS)
    started = time.process_time()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert time.process_time() - started < MAX_SECONDS


class _Files:
    """Sees what is opened, written, removed, connected to or started anywhere in this process."""

    PATHS = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate")
    FORBIDDEN = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system")

    def __init__(self) -> None:
        self.folders = [sys.prefix, sys.base_prefix, str(Path(__file__).parents[1])]
        self._outside: list[str] | None = None
        sys.addaudithook(self._see)  # for good: Python takes none back

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Fail if anything outside the folders is touched."""
        self._outside = []
        try:
            yield
        finally:
            outside, self._outside = self._outside, None
        assert not outside, f"It reached for {outside}"

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._outside is None:
            return
        if event in self.FORBIDDEN:
            self._outside.append(f"{event} {arguments}")
        elif event in self.PATHS and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith(tuple(self.folders)):
                self._outside.append(path)


_files = _Files()


def allow(folder: Path) -> None:
    """Let inputs touch a folder beside those of the program."""
    _files.folders.append(os.path.realpath(folder))


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
