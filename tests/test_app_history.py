"""History and lexicon as a browser keeps them: whatever comes back is read or left out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import gradio as gr
import pytest

from app import html
from app.history import MAX_ENTRIES, add_entry, read_entries
from app.lexicon_editor import LexiconEditor, merge, pronunciations
from app.permalink import read_permalink, write_permalink
from app.results import Result, Results
from app.speech_service import Part, SpeechRequest, SpeechService
from app.status import status_line
from app.voice_store import VoiceStore
from pipeline import SpeechOptions, Synthesizer

LEXICON = "zwarbler  Z W EY1 B\n"
WORDS = {
    "Tomato": ["T AH0 M EY1 T OW2", "T AH0 M AA1 T OW2"],
    "lead": ["L EH1 D", "L IY1 D"],
    "zwarbler": [],
}


@pytest.fixture(scope="module")
def store(tiny_voice: Path) -> VoiceStore:
    return VoiceStore(tiny_voice, places=[], device="cpu")


@pytest.fixture(scope="module")
def tts(tiny_voice: Path) -> Synthesizer:
    return Synthesizer.load(tiny_voice, device="cpu")


def request(store: VoiceStore, text: str = "Dr. Lee & co. <b>") -> SpeechRequest:
    options = SpeechOptions(sigma=0.4, denoise=0.1, rate=1.25, seed=7)
    return SpeechRequest(text=text, voice=store.default, options=options, lexicon=LEXICON)


def spoken(results: Results, tts: Synthesizer, asked: SpeechRequest) -> Result:
    result = results.new(asked)
    result.add(Part(tts.speak(asked.text), tts))
    result.finish()
    return result


def test_a_link_gives_a_request_back(store: VoiceStore) -> None:
    asked = request(store)
    assert read_permalink(write_permalink(asked), store) == asked


def test_a_link_with_a_wrong_lexicon_has_none(store: VoiceStore) -> None:
    asked = write_permalink(request(store)) | {"lexicon": "zwarbler QQ"}
    assert read_permalink(asked, store).lexicon == ""


def test_history_gives_text_and_settings_back_with_downloads_while_they_last(
    store: VoiceStore, tts: Synthesizer
) -> None:
    results = Results()
    result = spoken(results, tts, request(store))
    kept = add_entry([], result)
    (entry,) = read_entries(kept, store)
    assert entry.request == result.request
    page = html.history([entry], results)
    assert f'href="results/{result.id}/speech.mp3" download="dr-lee-co-b.mp3"' in page
    assert "Dr. Lee &amp; co. &lt;b&gt;" in page
    assert "speaking rate 1.25" in page
    gone = html.history([entry], Results())
    assert "No longer kept as sound" in gone
    assert 'data-entry="0"' in gone


def test_history_is_short_and_has_each_result_once(store: VoiceStore, tts: Synthesizer) -> None:
    results = Results()
    first = spoken(results, tts, request(store))
    kept = add_entry(add_entry([], first), first)
    assert len(kept) == 1
    for _ in range(MAX_ENTRIES + 3):
        kept = add_entry(kept, results.new(request(store)))
    assert len(kept) == MAX_ENTRIES
    assert first.id not in [entry["result"] for entry in kept]


@pytest.mark.parametrize("kept", [None, "x", [1], [{"result": 1, "text": "a"}], [{"text": "a"}]])
def test_what_a_browser_cannot_have_kept_is_left_out(store: VoiceStore, kept: object) -> None:
    assert read_entries(kept, store) == []


def test_files_are_named_after_the_text(store: VoiceStore, tts: Synthesizer) -> None:
    names = {
        "The quick brown fox jumps over the lazy dog.": "the-quick-brown-fox-jumps-over-the-lazy",
        "Caf\u00e9 au lait!": "cafe-au-lait",
        "<speak>One<break time='1s'/> two</speak>": "one",
        "\u20ac 5": "eur-5",
    }
    for text, name in names.items():
        assert spoken(Results(), tts, request(store, text)).file_name == name


def test_words_of_a_link_go_before_those_of_the_browser() -> None:
    kept = "lee  L EY1\nzwarbler  Z AH1\n"
    assert merge(kept, LEXICON) == "lee  L EY1\n" + LEXICON
    assert merge(kept, "") == kept
    assert merge("zwarbler QQ", "") == merge(None, "") == ""


def test_a_request_is_spoken_with_its_lexicon(store: VoiceStore) -> None:
    async def phones(lexicon: str) -> str:
        events = SpeechService(store).speak(SpeechRequest(text="Zwarbler.", lexicon=lexicon))
        parts = [event.speech async for event in events if isinstance(event, Part)]
        return " ".join(symbol.strip("@") for symbol in parts[0].sentences[0].symbols)

    assert "Z W EY1 B" in asyncio.run(phones(LEXICON))
    assert "Z W EY1 B" not in asyncio.run(phones(""))


def test_a_word_has_all_its_known_pronunciations_once() -> None:
    spoken = {word: [" ".join(phones) for phones in pronunciations(word)] for word in WORDS}
    assert spoken == WORDS


def test_words_are_kept_forgotten_and_taken_from_a_file(store: VoiceStore, tmp_path: Path) -> None:
    with gr.Blocks():
        editor = LexiconEditor(SpeechService(store), Results(), status_line())
        editor.build_form()
        editor.build_list()
    kept = editor.keep("Zwarbler", "ZWAYB", "")[editor.kept]
    assert kept == LEXICON
    assert editor.forget("Zwarbler", kept)[editor.kept] == ""
    (tmp_path / "words.txt").write_text("# mine\nLee  L EY1\n")
    assert editor.take(str(tmp_path / "words.txt"), kept)[editor.kept] == "lee  L EY1\n" + LEXICON
    (tmp_path / "words.txt").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in editor.take(str(tmp_path / "words.txt"), kept)[editor._status]["words"]
    assert "line 1: 'QQ'" in editor.rewrite("lee QQ", kept)[editor._status]["words"]
