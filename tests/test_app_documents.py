"""The tab for documents without a browser: opened, counted, spoken, downloaded, mended."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile

from app.document_tab import DocumentTab
from app.document_visit import DocumentVisit
from app.page import build_page
from app.results import Results
from app.speech_service import SpeechRequest, SpeechService
from app.voice_store import VoiceStore
from pipeline.data.transcripts import read_cues
from pipeline.errors import PipelineError
from tests.document_files import write_epub

PAGES = {"a.xhtml": "<h1>One</h1><p>First. And {HH QQ}.</p>", "b.xhtml": "<h1>Two</h1><p>Last.</p>"}


@pytest.fixture(scope="module")
def service(tiny_voice: Path) -> SpeechService:
    store = VoiceStore(tiny_voice, places=[], device="cpu")
    return SpeechService(store, max_document_characters=None)


@pytest.fixture(scope="module")
def tab(service: SpeechService) -> DocumentTab:
    with gr.Blocks():
        return DocumentTab(service)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return write_epub(tmp_path / "book.epub", PAGES)


def last(events: Any) -> dict[Any, Any]:
    """Run a handler and return the last value of each component."""

    async def gather() -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        async for change in events:
            values |= change
        return values

    return asyncio.run(gather())


def opened(tab: DocumentTab, path: Path, service: SpeechService) -> DocumentVisit:
    return last(tab.open(str(path), service.store.default))[tab._visit]


def test_an_opened_document_says_how_long_it_will_take(
    tab: DocumentTab, service: SpeechService, book: Path
) -> None:
    values = last(tab.open(str(book), service.store.default))
    choices = values[tab._chapters].choices
    assert choices == [("1. One (5 words)", 1), ("2. Two (2 words)", 2)]
    assert values[tab._chapters].value == [1, 2]
    assert "2 of 2 chapters, 7 words" in values[tab._count]
    assert "of audio, made in about" in values[tab._count]
    assert "1 of 2 chapters, 2 words" in tab.count(values[tab._visit], [2])


def test_a_document_is_spoken_and_downloaded(
    tab: DocumentTab, service: SpeechService, book: Path
) -> None:
    visit = opened(tab, book, service)
    values = last(tab.speak(visit, [1, 2], service.store.default))
    assert values[tab._status]["words"].startswith("Done: ")
    assert values[tab._progress].count("100%") == 2
    assert "QQ" in values[tab._count]
    assert visit.recording is not None
    audio_path, captions_path = files_of(last(tab.make(visit, "flac", "srt"))[tab._download])
    assert (audio_path.name, captions_path.name) == ("book.flac", "book.srt")
    audio, rate = soundfile.read(audio_path, dtype="int16")
    assert len(audio) / rate == pytest.approx(visit.recording.book.seconds)
    assert [cue.text for cue in read_cues(captions_path)] == ["One First.", "Two Last."]
    (alone,) = files_of(last(tab.make(visit, "opus", "none"))[tab._download])
    assert alone.name == "book.opus"


def files_of(download: gr.File) -> list[Path]:
    return [Path(file["path"] if isinstance(file, dict) else file) for file in download.value]


def test_one_sentence_is_made_anew_on_the_page(
    tab: DocumentTab, service: SpeechService, book: Path
) -> None:
    visit = opened(tab, book, service)
    last(tab.speak(visit, [1, 2], service.store.default))
    assert visit.recording is not None
    before = [one.pcm() for one in visit.recording.book.chapters[1].sentences]
    places = [value for _, value in tab._redo.list_sentences(visit, 2).choices]
    assert places == ["2:1", "2:2"]
    assert tab._redo.show_sentence(visit, "2:2")[0] == "Last."
    values = last(tab._redo.redo(visit, "2:2", "Last, and least.", 3, None))
    assert "anew" in values[tab._status]["words"]
    after = visit.recording.book.chapters[1].sentences
    assert np.array_equal(after[0].pcm(), before[0])
    assert after[1].written == "Last, and least."
    last(tab.speak(visit, [2], service.store.default))  # it stays so
    assert visit.recording.book.chapters[1].sentences[1].written == "Last, and least."


@pytest.mark.parametrize("name", ["broken.epub", "long.txt"])
def test_what_cannot_be_opened_is_a_message(tiny_voice: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.epub").write_bytes(b"no")
    (tmp_path / "long.txt").write_text("Word. " * 40)
    service = SpeechService(
        VoiceStore(tiny_voice, places=[], device="cpu"), max_document_characters=100
    )
    with gr.Blocks():
        tab = DocumentTab(service)
    status = last(tab.open(str(tmp_path / name), ""))[tab._status]
    assert status["is_problem"]
    assert status["words"].startswith(
        "Cannot read broken.epub: it is not an EPUB"
        if name == "broken.epub"
        else "The document has 239 characters; this server reads at most 100."
    )


def test_the_limit_of_a_text_is_the_servers(service: SpeechService) -> None:
    small = SpeechService(service.store, max_characters=10)
    with pytest.raises(PipelineError, match="has 11 characters; at most 10 are read at once"):
        last({} async for _ in small.speak(SpeechRequest(text="a" * 11)))


def test_the_page_has_the_tab(service: SpeechService) -> None:
    page = build_page(service, Results(), None)
    labels = [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)]
    assert "Documents" in labels


def test_a_document_is_spoken_with_the_visitors_lexicon(
    tab: DocumentTab, service: SpeechService, book: Path
) -> None:
    visit = opened(tab, book, service)
    last(tab.speak(visit, [2], service.store.default, "last  F ER1 S T\n"))
    assert visit.recording is not None
    (facts,) = visit.recording.book.chapters[1].sentences[1].facts()
    assert facts["symbols"].startswith("@F @ER1 @S @T")
