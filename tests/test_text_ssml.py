"""SSML and plain text as documents of segments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text import Segment, TextError, encode, normalize, read_document
from text.document import open_document


def spoken(ssml: str) -> str:
    return " ".join(segment.text for segment in read_document(f"<speak>{ssml}</speak>").segments)


@pytest.mark.parametrize(
    ("ssml", "text"),
    [
        ("Hello <sub alias='World Wide Web'>WWW</sub>.", "Hello World Wide Web."),
        ("<say-as interpret-as='characters'>a1B?</say-as>", "A one B question mark"),
        (
            "<say-as interpret-as='cardinal'>12345</say-as>",
            "twelve thousand three hundred forty five",
        ),
        ("<say-as interpret-as='ordinal'>2</say-as>", "second"),
        ("<say-as interpret-as='digits'>120</say-as>", "one two zero"),
        (
            "<say-as interpret-as='date' format='dmy'>1/2/2003</say-as>",
            "February first two thousand three",
        ),
        (
            "<say-as interpret-as='date'>2003-02-01</say-as>",
            "the first of February two thousand three",
        ),
        ("<say-as interpret-as='time'>2:30pm</say-as>", "two thirty P M"),
        ("<say-as interpret-as='telephone'>+1 555</say-as>", "plus one, five five five"),
        ("<say-as interpret-as='currency'>$3</say-as>", "three dollars"),
        ("<phoneme alphabet='x-cmu-arpabet' ph='HH AY1'>x</phoneme>", "{HH AY1}"),
        (
            "<phoneme alphabet='ipa' ph='\u02c8t\u0283\u025c\u02d0t\u0283'>x</phoneme>",
            "{CH ER1 CH}",
        ),
        ("A &lt; B &amp; C", "A is less than B and C"),
        ("<s>One</s><s>two</s>", "One two"),
        ("<![CDATA[5 < 6]]>", "five is less than six"),
    ],
)
def test_elements_are_spoken_as_they_ask(ssml: str, text: str) -> None:
    assert spoken(ssml) == text


def test_pauses_and_rates_reach_their_segments() -> None:
    document = read_document(
        "<speak>A<break time='250ms'/>B <prosody rate='50%'>C <prosody rate='fast'>D</prosody>"
        "</prosody><p>E</p><break strength='x-strong'/>F</speak>"
    )
    assert document.segments == (
        Segment("A", "A", 0.25, 1.0),
        Segment("B", "B", 0.0, 1.0),
        Segment("C", "C", 0.0, 0.5),
        Segment("D", "D", 0.0, 0.65),
        Segment("E", "E", 1.0, 1.0),
        Segment("F", "F", 0.0, 1.0),
    )
    assert document.notices == ()


def test_what_is_not_supported_is_spoken_and_noticed() -> None:
    document = read_document(
        "<speak>Say\n<emphasis>this</emphasis> <prosody pitch='high'>now</prosody>"
        "<say-as interpret-as='vulgar'>5</say-as></speak>"
    )
    assert " ".join(segment.text for segment in document.segments) == "Say this now five"
    assert [notice.split(" is not")[0] for notice in document.notices] == [
        *("line 2: <emphasis>", "line 2: prosody pitch"),
        'line 2: say-as interpret-as="vulgar"',
    ]


@pytest.mark.parametrize(
    ("ssml", "place", "what"),
    [
        ("<speak>\n<b</speak>", "line 2, column 3", "not well-formed"),
        ("<speak>one", "line 1, column 11", "no element found"),
        ("<speak>\n <break time='soon'/></speak>", "line 2, column 2", "500ms"),
        ("<speak><say-as>5</say-as></speak>", "line 1, column 8", "interpret-as"),
        (
            "<speak><phoneme alphabet='ipa' ph='\u3042'/></speak>",
            "line 1, column 8",
            "no sound of English",
        ),
        ("<speak><phoneme alphabet='sampa' ph='a'/></speak>", "line 1, column 8", "ipa"),
        ("<speak><prosody rate='9'>x</prosody></speak>", "line 1, column 8", "0.25 to 4"),
        ("<speak><say-as interpret-as='cardinal'>x</say-as></speak>", "line 1", "expected digits"),
        ("<speak><sub>x</sub></speak>", "line 1", "no alias"),
    ],
)
def test_errors_name_line_and_column(ssml: str, place: str, what: str) -> None:
    with pytest.raises(TextError, match=what) as raised:
        read_document(ssml)
    assert place in str(raised.value)


def test_entities_and_document_types_are_refused() -> None:
    bomb = "<?xml version='1.0'?><speak><!DOCTYPE x [<!ENTITY a 'aa'>]>&a;</speak>"
    with pytest.raises(TextError):
        read_document(bomb)
    with pytest.raises(TextError, match="undefined entity"):
        read_document("<speak>&file;</speak>")


def test_pauses_of_plain_text_sound_as_breaks_do() -> None:
    written = "One. [pause:0.5s] Two, [pause:1500ms] three.\n\nFour [pause:99s]"
    segments = read_document(written).segments
    assert [segment.text for segment in segments] == ["One.", "Two,", "three.", "Four."]
    assert [segment.pause_seconds for segment in segments] == [0.5, 1.5, 0.4, 10.0]
    ssml = "<speak>One. <break time='0.5s'/> Two, <break time='1500ms'/> three.</speak>"
    pauses = [segment.pause_seconds for segment in read_document(ssml).segments]
    assert pauses == [0.5, 1.5, 0.0]


def test_what_only_looks_like_a_pause_is_read() -> None:
    segments = read_document("Wait [pause:long] here.").segments
    assert "pause" in segments[0].text


def test_a_long_text_is_read_as_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(f"This is sentence {i}." for i in range(50)) + "\n\nThe end [pause:1s]"
    whole = read_document(text).segments
    read: list[str] = []

    def watched(written: str) -> str:
        read.append(written)
        return normalize(written)

    monkeypatch.setattr("text.document.normalize", watched)
    segments = open_document(text).segments
    assert next(segments) == whole[0]
    assert len(read) == 2  # the pause after the first is known when the second is there
    assert (*whole[:1], *segments) == whole


@pytest.mark.parametrize("text", ["One. Two. {XX} three. Four.", "...", "<speak>One. </speak"])
def test_what_is_refused_is_refused_before_the_first_sentence(text: str) -> None:
    with pytest.raises(TextError):
        open_document(text)


def test_plain_text_has_the_same_shape() -> None:
    document = read_document("One. Two.\n\nThree costs $3.")
    assert [segment.text for segment in document.segments] == [
        *("One.", "Two.", "Three costs three dollars."),
    ]
    assert [segment.pause_seconds > 0 for segment in document.segments] == [False, True, False]
    assert document.segments[2].written == "Three costs $3."


@pytest.mark.parametrize(
    "text", ["", "  \n", "...", "<speak/>", "<speak><break/></speak>", "\u200b"]
)
def test_nothing_to_speak_is_an_error(text: str) -> None:
    with pytest.raises(TextError, match="nothing to speak"):
        read_document(text)


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.characters(categories=None), max_size=60),
    st.sampled_from(["{}", "<speak>{}</speak>"]),
)
def test_any_text_is_read_or_refused_in_one_way(text: str, frame: str) -> None:
    written = frame.replace("{}", text)
    try:
        document = read_document(written)
    except TextError as error:
        position = error.position
    else:
        position = 0
        assert all(encode(segment.text) for segment in document.segments)
    assert 0 <= position <= len(written)
