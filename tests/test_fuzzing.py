"""The limits within which inputs are fuzzed: what oversteps one fails."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fuzzing


@pytest.fixture(autouse=True)
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "N_CASES", 20)
    monkeypatch.setattr(fuzzing, "ROUND", 5)


def test_every_input_of_every_round_is_another() -> None:
    seen = []

    @fuzzing.fuzz
    @given(number=st.integers(0, 2**64))
    def any_number(number: int) -> None:
        seen.append(number)

    any_number()
    assert len(seen) == 20
    assert len(set(seen)) > 10


def test_an_endless_input_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "MAX_SECONDS", 0.05)

    @fuzzing.fuzz
    @given(st.none())
    def endless(_: None) -> None:
        while True:
            pass

    with pytest.raises(TimeoutError, match=r"over 0\.05 s of processor time"):
        endless()


def test_memory_that_grows_with_the_inputs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzing, "MAX_GROWTH_BYTES", 2**22)
    monkeypatch.setattr(fuzzing, "N_CASES", 80)
    monkeypatch.setattr(fuzzing, "ROUND", 20)
    kept: list[None] = []
    # In a process that has used much before, what is kept may fit into what was freed.
    used = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=2**20 * len(kept)))
    monkeypatch.setattr("psutil.Process", lambda: used)

    @fuzzing.fuzz
    @given(st.integers())
    def leaking(_: int) -> None:
        kept.append(None)

    with pytest.raises(AssertionError, match="bytes more than after half of the inputs"):
        leaking()


def test_what_lies_outside_is_not_to_be_touched() -> None:
    @fuzzing.fuzz
    @given(st.none())
    def curious(_: None) -> None:
        Path("/etc/passwd").read_bytes()

    with pytest.raises(AssertionError, match=r"It reached for \['/etc/passwd'\]"):
        curious()
