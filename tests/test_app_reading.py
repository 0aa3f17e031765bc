"""What the page tells of how a text is read: the trace of the text front end, escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest

from app.reading import SOURCES, reading
from pipeline import Synthesizer
from text import pronounce
from text.document import read_document
from text.tokens import Source

TEXT = "Dr. Lee paid $5, and they lead a band called Zwarbler. I read it yesterday."


def rows(page: str) -> list[list[str]]:
    """Return the cells of all rows of a page's tables."""
    return [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]


def marked(page: str) -> dict[str, str]:
    """Return the marked stretches, each with its explanation."""
    found = re.findall(r'<mark title="(.*?)">(.*?)</mark>', page)
    return {re.sub("<.*?>", "", words): why for why, words in found}


def words(page: str) -> list[tuple[int, str]]:
    """Return the words of the text that can be chosen, each with its number."""
    found = re.findall(r'<span class="word[^>]*data-word="(\d+)"[^>]*>(.*?)</span>', page)
    return [(int(number), word) for number, word in found]


class Plain(HTMLParser):
    """Collects tags, names of attributes, and the text as it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._is_in_text = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("p", "details"):
            self._is_in_text = ("class", "reading") in attrs

    def handle_data(self, data: str) -> None:
        self.text += data if self._is_in_text else ""


def plain(page: str) -> Plain:
    parser = Plain()
    parser.feed(page)
    return parser


def test_what_rules_changed_is_marked_with_the_rule() -> None:
    assert marked(reading(TEXT)) == {
        "Doctor": "Written: Dr. (title at the beginning)",
        "five dollars": "Written: $5 (money)",
    }
    assert ["$5", "money", "five dollars"] in rows(reading(TEXT))


def test_guessed_words_are_marked() -> None:
    (word,) = (token for token in pronounce("Zwarbler") if token.source == "guess")
    phones = " ".join(word.phones or ())
    assert f'<span class="word guess" title="Guessed: {phones}"' in reading(TEXT)
    assert ["Zwarbler", phones, "Guessed from its letters", ""] in rows(reading(TEXT))
    assert reading(TEXT).count('class="word guess"') == 1


def test_guessed_words_come_first_each_once() -> None:
    page = reading("Zwarbler met Zwarbler and Kuberniss.")
    before, _, _ = page.partition('<p class="reading">')
    buttons = re.findall(r"<button[^>]*>(.*?)</button>", before)
    assert buttons == ["Zwarbler", "Kuberniss"]
    assert "<button" not in reading("Hello.")


def test_words_have_the_numbers_of_the_words_of_a_speech(tiny_voice: Path) -> None:
    text = "<speak>Dr. Lee paid <sub alias='nine euros'>X</sub>, $5.</speak>"
    speech = Synthesizer.load(tiny_voice, device="cpu").speak(text)
    shown = words(reading(text))
    assert [word for _, word in shown] == [
        "Doctor",
        "Lee",
        "paid",
        "nine",
        "euros",
        "five",
        "dollars",
    ]
    for number, word in enumerate(speech.words):
        assert " ".join(w for n, w in shown if n == number) == word.spoken.strip(" ,")


def test_a_lexicon_goes_before_the_dictionary() -> None:
    page = reading("Zwarbler.", "zwarbler  Z W EY1 B\n")
    assert ["Zwarbler", "Z W EY1 B", "Lexicon", ""] in rows(page)
    assert "guess" not in page.partition("<details>")[0]


def test_each_word_has_its_source_and_homographs_their_reading() -> None:
    told = {row[0]: row[1:] for row in rows(reading(TEXT)) if len(row) == 4}
    tokens = [t for s in read_document(TEXT).segments for t in pronounce(s.text)]
    words = [token for token in tokens if token.source != "punctuation"]
    assert told.keys() == {word.written for word in words}
    for word in words:
        reading_of = f"{word.reading} ({word.probability:.0%})" if word.reading else ""
        assert told[word.written] == [" ".join(word.phones or ()), SOURCES[word.source], reading_of]
    assert told["lead"][2].startswith("lead_nou-vrb (")


def test_every_source_has_its_words() -> None:
    assert SOURCES.keys() == set(get_args(Source)) - {"punctuation"}


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "Go on. Go on. Dr. Lee. Dr. Lee.",
        "# A heading\n\n- 3 kg of it\n- more\n\nThe end",
        "<speak>Dr. Lee<break time='1s'/> paid $5.</speak>",
        "The rain went on for days, and 3 kg of it fell on Dr. Lee. " * 30,
        "and the man saw the dog " * 60,
    ],
)
def test_what_is_shown_is_what_is_spoken(text: str) -> None:
    spoken = " ".join(segment.text for segment in read_document(text).segments)
    assert plain(reading(text)).text == spoken
    assert all(words in spoken for words in marked(reading(text)))


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "5 < 6 & 7 > 'a\"b' {HH IY1}"]
)
def test_whatever_a_visitor_writes_is_escaped(text: str) -> None:
    ours = {"h3", "p", "button", "mark", "span", "details", "summary", "div"} | {
        *("table", "caption", "thead", "tbody", "tr", "th", "td")
    }
    assert plain(reading(text)).tags <= ours
    assert {name for name in plain(reading(text)).attributes if not name.startswith("data-")} <= {
        *("class", "title", "tabindex", "role", "aria-label", "type")
    }


def test_a_text_that_cannot_be_read_shows_nothing() -> None:
    assert reading("Say {HH QQ}.") == reading("\u200b") == ""
