"""Words as they were written, and what is said for each."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.test_text_trace import ANY_TEXT
from text import TextError, pronounce, read_document
from text.document import Segment
from text.written_words import WrittenWord, written_words


def words_of(text: str) -> list[tuple[str, str, str]]:
    """Return each word as written, as said, and what stands at its place in the input."""
    return [
        (
            segment.written[word.start : word.end],
            "".join(token.written for token in tokens[word.tokens.start : word.tokens.stop]),
            text[word.begin : word.stop],
        )
        for segment in read_document(text).segments
        for tokens in [pronounce(segment.text)]
        for word in written_words(segment, tokens)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $5.50.", {"$5.50": "five dollars, fifty cents", "costs": "costs"}),
        ("Dr.  Lee, no. 5", {"Dr.": "Doctor", "Lee": "Lee", "no.": "number", "5": "five"}),
        ("I ran 5 km today", {"5 km": "five kilometers", "ran": "ran", "today": "today"}),
        ("A well-known fact\u2014then", {"well-known": "well-known", "fact": "fact"}),
        ("\u201cNice,\u201d it\u2019s", {"Nice": "Nice", "it\u2019s": "it's"}),
        ("Say {HH AH0 L OW1} now", {"{HH AH0 L OW1}": "{HH AH0 L OW1}", "now": "now"}),
        ("**Bold words** [a link](http://x.org/y)", {"Bold": "Bold", "link": "link"}),
        ("# A heading\n\n- an item", {"heading": "heading", "item": "item"}),
    ],
)
def test_a_word_is_found_as_it_was_written(text: str, expected: dict[str, str]) -> None:
    words = words_of(text)
    assert expected.items() <= {written: spoken for written, spoken, _ in words}.items()
    assert all(written == found for written, _, found in words)


def test_what_an_element_of_ssml_says_is_one_word_where_it_stands() -> None:
    text = "<speak>An <sub alias='World Wide Web'>WWW</sub> of AT&amp;T,<break/> caf\u00e9</speak>"
    assert words_of(text) == [
        ("An", "An", "An"),
        ("World Wide Web", "World Wide Web", "WWW"),
        ("of", "of", "of"),
        ("AT&T", "A T and T", "AT&amp;T"),
        ("caf\u00e9", "caf\u00e9", "caf\u00e9"),
    ]


def test_the_parts_of_a_long_sentence_have_their_own_words() -> None:
    text = "one, two, three, four, five, six, seven, eight, nine, ten, " * 4
    assert len(read_document(text).segments) > 1
    assert [spoken for _, spoken, _ in words_of(text)] == text.replace(",", "").split()


def segments_of(text: str) -> list[tuple[Segment, list[WrittenWord], set[int]]]:
    """Return segments, their words, and the indices of their tokens that are heard."""
    found = []
    for segment in read_document(text, max_symbols=40).segments:
        tokens = pronounce(segment.text)
        heard = {index for index, token in enumerate(tokens) if token.source != "punctuation"}
        found.append((segment, written_words(segment, tokens), heard))
    return found


@settings(max_examples=40, deadline=None)
@given(ANY_TEXT)
def test_everything_heard_belongs_to_one_word_that_stands_in_the_text(text: str) -> None:
    try:
        segments = segments_of(text)
    except TextError:
        return
    for segment, words, heard in segments:
        said = [index for word in words for index in word.tokens]
        assert len(said) == len(set(said))
        assert heard <= set(said)
        for word in words:
            assert 0 <= word.begin <= word.stop <= len(text)
            written = segment.written[word.start : word.end]
            assert text[word.begin : word.stop].split() == written.split()


@settings(max_examples=30, deadline=None)
@given(st.text("ab &<'1$.,-\n", max_size=40))
def test_ssml_places_are_those_of_the_markup(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    document = f"<speak><p>{escaped}</p></speak>"
    try:
        segments = segments_of(document)
    except TextError:
        return
    for segment, words, _ in segments:
        for word in words:
            raw = document[word.begin : word.stop]
            unescaped = raw.replace("&lt;", "<").replace("&amp;", "&")
            written = segment.written[word.start : word.end]
            assert unescaped.split()[:1] == written.split()[:1] or raw[0] == "&"
