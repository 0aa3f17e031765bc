"""Text to sentences: no word lost, none doubled, none too long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text import TextError, encode, normalize, split_sentences
from text.sentences import split_paragraphs


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith met Mr. J. R. Jones. He left.", ["Dr. Smith met Mr. J. R. Jones.", "He left."]),
        ("Pi is 3.14. It is.", ["Pi is 3.14.", "It is."]),
        ("He lives on Elm St. It is near.", ["He lives on Elm St.", "It is near."]),
        ("We went to St. Ives in Jan. 1999.", ["We went to St. Ives in Jan. 1999."]),
        (
            "At 5 p.m. Tom left. At 6 p.m. The end.",
            ["At 5 p.m. Tom left.", "At 6 p.m.", "The end."],
        ),
        (
            "In the U.S. Army. In the U.S. They do.",
            ["In the U.S. Army.", "In the U.S.", "They do."],
        ),
        ("See ext. 5. Modern art. He came.", ["See ext. 5.", "Modern art.", "He came."]),
        ("See no. 5. No. Never.", ["See no. 5.", "No.", "Never."]),
        ('"Stop!" he said. "Why?" She ran.', ['"Stop!" he said.', '"Why?"', "She ran."]),
        ('He said "Go." Then he went.', ['He said "Go."', "Then he went."]),
        ("Well... maybe. Well... Maybe.", ["Well... maybe.", "Well...", "Maybe."]),
        ("She read e.g. Proust. Then slept.", ["She read e.g. Proust.", "Then slept."]),
        ("It was 1963. 1. First\n2. Second", ["It was 1963.", "1. First", "2. Second"]),
        ("1. First item\n2. Second item", ["1. First item", "2. Second item"]),
        ("A heading\n\nText of\ntwo lines", ["A heading", "Text of two lines"]),
        ("A Heading\nText begins here.", ["A Heading", "Text begins here."]),
        ("- one thing\n- another", ["- one thing", "- another"]),
        ("no end", ["no end"]),
        ("Me and I. You too.", ["Me and I.", "You too."]),
        ("", []),
        (" \n \n", []),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.text("ab. ,;!?\n\"'{}3-", max_size=200), st.integers(40, 90))
def test_no_word_is_lost_or_doubled(text: str, max_symbols: int) -> None:
    sentences = split_sentences(text, max_symbols=max_symbols)
    assert "".join("".join(sentences).split()) == "".join(text.split())
    assert all(sentence.strip() for sentence in sentences)


WORDS = ["hello", "extraordinarily", "x", "Dr. Smith,", "rhythm;", "{HH AH0 L OW1}", "end.", "A"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60), st.integers(40, 120))
def test_no_sentence_is_longer_than_the_limit(words: list[str], max_symbols: int) -> None:
    normalized = normalize(" ".join(words))
    sentences = split_sentences(normalized, max_symbols=max_symbols)
    assert " ".join(sentences).split() == normalized.split()
    assert all(len(encode(sentence)) <= max_symbols for sentence in sentences)


def test_long_sentences_are_cut_at_pauses_first() -> None:
    text = "one two three four five, six seven eight nine ten eleven twelve"
    assert split_sentences(text, max_symbols=40) == [
        *("one two three four five,", "six seven eight nine ten eleven twelve"),
    ]


def test_a_word_longer_than_the_limit_is_cut() -> None:
    pieces = split_sentences("a" * 1000, max_symbols=50)
    assert "".join(pieces) == "a" * 1000
    assert max(map(len, pieces)) <= 50


def test_a_limit_too_small_to_hold_a_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="40 at least"):
        split_sentences("text", max_symbols=5)


def test_paragraphs_end_at_blank_lines_and_headings() -> None:
    assert split_paragraphs("Title\nText that\nwraps.\n\n* a\n* b") == [
        *("Title", "Text that wraps.", "* a", "* b"),
    ]


def test_a_span_is_never_cut() -> None:
    span = "{" + " ".join(["AH0"] * 30) + "}"
    sentences = split_sentences(f"so so so so so so so so so so {span} so", max_symbols=40)
    assert span in " ".join(sentences)
    try:
        list(map(encode, sentences))
    except TextError as error:
        pytest.fail(str(error))
