"""Laws of the normalizer: on any text, and on what others wrote."""

import time
import unicodedata
from pathlib import Path

import inflect
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text import TextError, encode, normalize, read_document
from text.number_words import cardinal, ordinal

SHARED = Path(__file__).parents[2] / "shared" / "text"
WRITTEN = (
    "Dr. Lee paid $5.50 on 3 Jan. 2020 at 5:30 p.m., e.g. for 12 kg of \u00bd-inch bolts (no. 7)!",
    "Henry VIII's e-mail, h8@example.org, cost \u00a33m/yr \u2014 or 5\u201310% more.",
    "Call +1 (555) 123-4567 re. F-16s & the '60s: 2+2=4, 22\u00b0C, 1/3, 1:05, #5, C++.",
)
ANY_TEXT = st.one_of(
    st.text(max_size=80),
    st.text(st.characters(categories=None), max_size=40),
    st.text("0123456789 .,:;/-$%()'\"{}abAIVXmkp@#", max_size=60),
    st.text("#*-_`[]()|<>!&; \n1ab.", max_size=60),
    st.lists(st.sampled_from([part for text in WRITTEN for part in text.split()]), max_size=12).map(
        " ".join
    ),
)


def normalize_or_fail(text: str) -> tuple[str, int]:
    """Return the normalized text and 0, or "" and the position of the error."""
    try:
        return normalize(text), 0
    except TextError as error:
        return "", error.position


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_any_text_becomes_symbols_or_one_error_with_a_position(text: str) -> None:
    normalized, position = normalize_or_fail(text)
    assert 0 <= position < max(len(text), 1)
    assert all(0 <= symbol_id < 148 for symbol_id in encode(normalized))
    assert not any(char.isdigit() for char in normalized.partition("{")[0])


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT)
def test_normalizing_twice_changes_little_and_thrice_nothing(text: str) -> None:
    twice = normalize(normalize_or_fail(text)[0])
    assert normalize(twice) == twice


@pytest.mark.parametrize("written", WRITTEN)
def test_what_is_spoken_is_not_normalized_again(written: str) -> None:
    assert normalize(normalize(written)) == normalize(written)


def test_cases_of_others_are_spoken_once_and_for_all() -> None:
    files = [*SHARED.glob("cases/*.txt"), SHARED / "ljspeech.tsv"]
    if not SHARED.exists():
        pytest.skip("the shared cases are not here")
    lines = [line.split("~")[0] for path in files for line in path.read_text("utf-8").splitlines()]
    changed = [line for line in lines if normalize(normalize(line)) != normalize(line)]
    assert changed == []


@pytest.mark.parametrize(
    "part",
    [
        *("1", "a", "1,", "a.", "A", "A.A", "\u0301", "{", ".", "'", "-1", "a@", "/a", "1/", "$1 "),
        *(
            "1x1 ",
            "1'000",
            "5h5m ",
            "\u20ac1.000,",
            "1 000 ",
            "A/",
            "H2O",
            "1/2-",
            "5\u00b0 ",
            "p. ",
        ),
        *("\u202e\u0000\ud800", "12 3/4 ", "|", "{A", "a. ", "<", "\U0001f600", "<speak>"),
        *(
            "[a](",
            "**a ",
            "`a ",
            "# a\n",
            "- a\n",
            "|a|\n",
            "> ",
            "&#1",
            "<b ",
            "1234 as ",
            "45s in ",
            "- ",
        ),
    ],
    ids=ascii,
)
def test_the_time_for_a_long_text_is_not_quadratic(part: str) -> None:
    read_document("What is read on the first use.")
    text = part * (10_000 // len(part))
    start = time.process_time()
    try:
        read_document(text)
    except TextError as error:
        assert error.position >= 0  # noqa: PT017 - nothing to speak, or wrong markup
    assert time.process_time() - start < 1.6  # at most 0.7; quadratic rules take many seconds


@given(st.integers(min_value=0, max_value=10**33 - 1))
def test_cardinals_and_ordinals_agree_with_inflect(number: int) -> None:
    engine = inflect.engine()
    said = engine.number_to_words(number, andword="").replace(",", "").replace("-", " ")
    assert cardinal(str(number)) == " ".join(said.split())
    said = engine.number_to_words(engine.ordinal(number), andword="")
    assert ordinal(str(number)) == " ".join(said.replace(",", "").replace("-", " ").split())


def test_accents_stay_and_other_scripts_are_written_in_latin() -> None:
    assert normalize(unicodedata.normalize("NFD", "r\u00e9sum\u00e9")) == "r\u00e9sum\u00e9"
    assert normalize("\u6771\u4eac").isascii()
    assert normalize("5 \u03a2") == "five"  # a hole among the Greek capitals


def test_spans_of_phones_pass_through() -> None:
    assert normalize("5 {HH  AH0 L OW1}s") == "five {HH AH0 L OW1} s"
    assert normalize("{not phones} {") == "not phones"
    with pytest.raises(TextError, match="XX9") as raised:
        normalize("say {HH XX9}")
    assert raised.value.position == 8
