"""The symbol table is a contract with trained weights."""

import pytest

from text.symbols import SYMBOLS, ids_to_symbols, symbols_to_ids


def test_the_order_of_the_table_is_the_published_one() -> None:
    assert len(SYMBOLS) == len(set(SYMBOLS)) == 148
    assert symbols_to_ids("Hi!") == [19, 46, 2]
    assert symbols_to_ids(["_", "-", "!", " ", "A", "a", "@AA", "@ZH"]) == [
        *(0, 1, 2, 11, 12, 38, 64, 147),
    ]
    assert symbols_to_ids(["@HH", "@AH0", "@L", "@OW1"]) == [106, 73, 117, 123]


def test_ids_and_symbols_undo_each_other() -> None:
    assert ids_to_symbols(symbols_to_ids(SYMBOLS)) == list(SYMBOLS)


@pytest.mark.parametrize("index", [-1, 148])
def test_an_id_outside_the_table_is_an_error(index: int) -> None:
    with pytest.raises(IndexError, match="is not in 0"):
        ids_to_symbols([index])
