"""Fuzzed text, SSML, lexicons and links: each gives a result or our own error, and soon."""

from __future__ import annotations

import contextlib
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.permalink import read_permalink, write_permalink
from app.voice_store import VoiceStore
from pipeline.options import OPTIONS
from tests.fuzzing import altered, fuzz, texts
from text import TextError, encode, read_document
from text.lexicon import parse_lexicon, write_lexicon

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("own_files_only")]

WRITTEN = texts(
    *("Dr. Lee paid $5.50 ", "on 3/4/2021 ", "at 10:30 p.m. ", "1,000,000 ", "XIV ", "3 1/2 "),
    *("{HH AH0 L OW1}", "{", "}", "[pause:0.5s]", "http://a.b/c?d=e ", "**bold** ", "| a | b |\n"),
    *("-", "...", ",", "\n\n", "'", '"', "5'11\"", "x^2 + y = 3 ", "\U0001f600", "é", "½", "٣"),
    *("1-800-555-0199 ", "#tag ", "10 km/h ", "$3-4 million ", "I ", "read ", "St. ", "10:", "//"),
)
ELEMENTS = (
    *('<break time="{}"/>', '<break strength="{}"/>', '<prosody rate="{}">', '<sub alias="{}">'),
    *(
        '<say-as interpret-as="{}">',
        '<say-as interpret-as="date" format="{}">',
        '<voice name="{}">',
    ),
    *('<phoneme alphabet="ipa" ph="{}">', '<phoneme alphabet="{}" ph="AH0">', "<p>", "<s>"),
)
VALUES = st.sampled_from(
    (
        *("1s", "500ms", "99999s", "strong", "slow", "90%", "0.3", "date", "time", "cardinal"),
        *(
            "ordinal",
            "digits",
            "telephone",
            "currency",
            "characters",
            "mdy",
            "x-cmu-arpabet",
            "ymd",
        ),
        *("h\u0259\u02c8lo\u028a", "AH0 T", "t\u0361\u0283", "", "}", "1" * 5_000, "\u0661"),
    )
)
SPOKEN = WRITTEN.map(lambda text: "".join(char for char in escape(text) if char.isprintable()))


@st.composite
def elements(draw: st.DrawFn, inside: st.SearchStrategy[str]) -> str:
    """Return an element around others."""
    tag = draw(st.sampled_from(ELEMENTS)).format(draw(VALUES))
    name = tag[1:-1].split()[0]
    end = "" if tag.endswith("/>") else f"</{name}>"
    return draw(SPOKEN) + tag + (draw(inside) + end if end else draw(inside))


WELL_FORMED = st.recursive(SPOKEN | VALUES, elements, max_leaves=6)
BROKEN = texts(
    *(
        "<p>",
        "</p>",
        "<!-- - -->",
        "</speak>",
        "<![CDATA[",
        "]]>",
        "<?xml?>",
        "<!DOCTYPE a [",
        "&x;",
    ),
    *('<sub alias="b">', "</sub>", '<prosody rate="2">', "</prosody>", "<speak>", "&amp;", "Hi. "),
)
MARKUP = (WELL_FORMED | BROKEN).map(lambda inside: f"<speak>{inside}</speak>")
LINES = texts(
    *("lead:noun  L EH1 D\n", "lead:verb  L IY1 D\n", "tacotron  T AE1 K OW0\n", "# note\n"),
    *("word ", "AH0 ", "AH ", ":noun ", ":", "\n", "\r", "\x0b", "\u2028", "İ ", "ß K\n"),
)


def check_document(written: str) -> None:
    """Read a text as the synthesizer does."""
    with contextlib.suppress(TextError):
        for segment in read_document(written).segments:
            assert encode(segment.text)
            places = [place for span in segment.origins for place in span]
            assert all(0 <= place <= len(written) for place in places)


@fuzz
@given(written=WRITTEN)
def test_any_text_is_spoken_or_refused(written: str) -> None:
    check_document(written)


@fuzz
@given(written=MARKUP)
def test_any_markup_is_spoken_or_refused(written: str) -> None:
    check_document(written)


@fuzz
@given(written=LINES)
def test_any_lexicon_is_read_or_refused(written: str) -> None:
    with contextlib.suppress(TextError):
        lexicon = parse_lexicon(written)
        assert parse_lexicon(write_lexicon(lexicon)) == lexicon


@pytest.fixture(scope="module")
def store(tiny_voice: Path) -> VoiceStore:
    return VoiceStore(tiny_voice, places=[], device="cpu")


@fuzz
@given(data=st.data())
def test_any_link_fills_the_page_with_what_can_be_asked(store: VoiceStore, data) -> None:
    good = dict.fromkeys(("text", "voice", "vocoder", "lexicon", *OPTIONS), "1")
    query = data.draw(altered(good))
    query = {str(k): str(v) for k, v in query.items()} if isinstance(query, dict) else {}
    request = read_permalink(query, store)
    assert request.voice in store.voices()
    assert request.vocoder in ("", *store.vocoders())
    assert read_permalink(write_permalink(request), store) == request
