"""The symbol table: which integer a model reads for which letter, phone or punctuation mark.

Source: the order is that of the published Tacotron 2 weights; moving one symbol breaks them all.
"""

import hashlib
from collections.abc import Iterable

PAD = "_"
PUNCTUATION = "!'(),.:;? "
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N"),
    *("NG", "P", "R", "S", "SH", "T", "TH", "V", "W", "Y", "Z", "ZH"),
)
# A vowel stands without stress and with each of the three stresses; the table is in ASCII order.
PHONES = tuple(
    sorted([*CONSONANTS, *(vowel + stress for vowel in VOWELS for stress in ("", "0", "1", "2"))])
)
SYMBOLS: tuple[str, ...] = (PAD, "-", *PUNCTUATION, *LETTERS, *(f"@{phone}" for phone in PHONES))

SYMBOL_TABLE_ID = hashlib.sha256("\n".join(SYMBOLS).encode()).hexdigest()
"""Names this table in a voice's settings: a voice trained on another order must not load."""

_IDS = {symbol: index for index, symbol in enumerate(SYMBOLS)}


def symbols_to_ids(symbols: Iterable[str]) -> list[int]:
    """Return the ids of symbols; a plain string is read character by character.

    Raises:
        KeyError: A symbol is not in the table.
    """
    return [_IDS[symbol] for symbol in symbols]


def ids_to_symbols(ids: Iterable[int]) -> list[str]:
    """Return the symbols of ids, the inverse of `symbols_to_ids`.

    Raises:
        IndexError: An id is not in 0 ... 147.
    """
    return [_symbol(index) for index in ids]


def _symbol(index: int) -> str:
    if not 0 <= index < len(SYMBOLS):
        raise IndexError(f"Symbol id {index} is not in 0 ... {len(SYMBOLS) - 1}")
    return SYMBOLS[index]
