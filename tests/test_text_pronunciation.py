"""Words to phones, and phones to the ids a model reads."""

import pytest

from text import TextError, encode, pronounce, token_ids, token_spans
from text.symbols import ids_to_symbols


def spoken(text: str) -> str:
    """Return the symbols of `text`, phones without their @, words apart by a blank mark."""
    return " ".join(symbol.lstrip("@").replace(" ", "_") for symbol in ids_to_symbols(encode(text)))


@pytest.mark.parametrize(
    ("text", "symbols"),
    [
        ("Hello, world!", "HH AH0 L OW1 , _ W ER1 L D !"),
        ("HELLO hello", "HH AH0 L OW1 _ HH AH0 L OW1"),
        ("say {HH AH0 L OW1}", "S EY1 _ HH AH0 L OW1"),
        ("xqzwv's", "EH1 K S K Y UW1 Z IY1 D AH1 B AH0 L Y UW0 V IY1 Z"),
        ("it's 'tis", "IH1 T S _ T IH1 Z"),
        ("'hello'", "HH AH0 L OW1"),
        ("wolf-dog", "W UH1 L F - D AO1 G"),
    ],
)
def test_symbols_of_text(text: str, symbols: str) -> None:
    assert spoken(text) == symbols


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("say {HH XX0}", 8, "XX0"),
        ("say {}", 4, "empty"),
        ("say {HH", 4, "other half"),
        ("costs 5", 6, "normalize"),
    ],
)
def test_errors_name_the_position(text: str, position: int, message: str) -> None:
    with pytest.raises(TextError, match=message) as raised:
        encode(text)
    assert raised.value.position == position


def test_a_mix_of_phones_and_letters_keeps_its_spans() -> None:
    tokens = pronounce("The wolf, {HH IY1}.")
    assert "".join(token.written for token in tokens) == "The wolf, {HH IY1}."
    assert token_ids(tokens) == encode("The wolf, {HH IY1}.")
    words = {index for index, token in enumerate(tokens) if token.source != "punctuation"}
    symbols = ids_to_symbols(token_ids(tokens, spelled=words))
    spans = token_spans(tokens, spelled=words)
    assert [symbols[span.start : span.stop] for span in spans] == [
        ["t", "h", "e"],
        [" "],
        ["w", "o", "l", "f"],
        [","],
        [" "],
        ["@HH", "@IY1"],
        ["."],
    ]


def test_a_lexicon_goes_before_the_dictionary() -> None:
    (token,) = pronounce("Hello", lexicon={"hello": ("HH", "AY1")})
    assert (token.phones, token.source) == (("HH", "AY1"), "lexicon")
