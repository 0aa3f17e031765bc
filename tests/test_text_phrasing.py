"""Pauses where a long stretch of words turns to its next clause, and nowhere else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text import read_document
from text.phrasing import LONG, add_pauses, end_with_pause

WORDS = [
    "and",
    "but",
    "because",
    "which",
    "he",
    "the",
    "river",
    "went",
    "that",
    "in",
    "{HH AH0}",
    ",",
]


@pytest.mark.parametrize(
    "phrased",
    [
        "The committee had been meeting every week since the beginning of March, and nobody"
        " expected that the chairman would resign because of the weather.",
        "I went to the store to buy some bread and milk for the whole family, but the store was"
        " already closed for the day.",
        "He walked down the long road that led to the village, where his grandmother had lived for"
        " most of her life.",
        "Short ones and the like need none.",
        "The old man and the sea is a book that everyone who likes fishing should read at least"
        " once in their life.",
        "When it rains, the streets of our town fill with water and the children come out.",
    ],
)
def test_where_pauses_stand(phrased: str) -> None:
    plain = phrased.replace(",", "") if "rains" not in phrased else phrased
    assert add_pauses(plain) == phrased


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join))
def test_only_commas_come_in_and_only_once(text: str) -> None:
    phrased = add_pauses(text)
    assert phrased.replace(",", "").split() == text.replace(",", "").split()
    assert add_pauses(phrased) == phrased


@given(st.lists(st.sampled_from(WORDS[:-1]), max_size=LONG - 1).map(" ".join))
def test_short_stretches_stay(text: str) -> None:
    assert add_pauses(text) == text


def test_headings_and_list_items_end_with_a_pause() -> None:
    document = read_document(
        "# Shopping\n- eggs\n- milk, bread\n\nA Title\nWe went home.\n\n1. One"
    )
    assert [segment.text for segment in document.segments if segment.text != "one."] == [
        *("Shopping.", "eggs.", "milk, bread.", "A Title.", "We went home.", "One."),
    ]
    assert all(segment.pause_seconds for segment in document.segments[:5])


def test_a_mark_at_the_end_is_enough() -> None:
    assert [end_with_pause(text) for text in ("Why?", "so:", "(a)", "b", "")] == [
        *("Why?", "so:", "(a).", "b.", ""),
    ]


def test_brackets_keep_their_marks_for_the_model() -> None:
    (segment,) = read_document('The dog (a "spaniel") barked at 5.').segments
    assert segment.text == "The dog (a spaniel) barked at five."
