"""The tab for documents in a real browser: opened, counted, spoken, downloaded, mended."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.document_files import write_epub
from tests.test_app_browser import browser, page, server

pytestmark = pytest.mark.browser
__all__ = ["browser", "page", "server"]  # fixtures

PAGES = {
    "a.xhtml": "<h1>One</h1><p>First. And second.</p>",
    "b.xhtml": "<h1>Two</h1><p>Never asked for.</p>",
    "c.xhtml": "<h1>Three</h1><p>Last. Say {HH QQ}.</p>",
}


def test_a_book_is_opened_read_downloaded_and_mended(page: Any, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Documents").click()
    tab = page.get_by_role("tabpanel")
    tab.locator("input[type=file]").set_input_files(write_epub(tmp_path / "book.epub", PAGES))
    tab.get_by_text("3 of 3 chapters, 13 words").wait_for()
    tab.get_by_text("made in about").wait_for()
    tab.get_by_label("2. Two (4 words)").uncheck()
    tab.get_by_text("2 of 3 chapters, 9 words").wait_for()
    tab.get_by_role("button", name="Read aloud").click()
    tab.get_by_text("Done:").wait_for()
    assert tab.locator(".book-progress li").all_inner_texts() == ["100%\nOne", "100%\nThree"]
    assert "QQ" in tab.get_by_label("Not spoken").inner_text()
    tab.get_by_label("Format").click()
    page.get_by_role("option", name="zip", exact=True).click()
    tab.get_by_label("Captions").click()
    page.get_by_role("option", name="srt", exact=True).click()
    tab.get_by_role("button", name="Make the file").click()
    with page.expect_download() as download:
        tab.locator("a[download]").nth(1).click()  # the first is the document itself
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.namelist()[::2] == ["001 One.mp3", "002 Three.mp3"]
        assert archive.namelist()[1::2] == ["001 One.srt", "002 Three.srt"]
        with archive.open("001 One.mp3") as chapter:
            assert soundfile.info(chapter).duration > 0.5
    with page.expect_download() as download:
        tab.locator("a[download]").nth(2).click()
    assert "Three\nLast." in Path(download.value.path()).read_text()
    tab.get_by_text("Make one sentence anew").click()
    tab.get_by_label("New text of the sentence").fill("Something else.")
    tab.get_by_role("button", name="Speak this sentence").click()
    tab.get_by_text("Sentence 1:1 is made anew").wait_for()
    assert tab.get_by_label("This sentence").get_attribute("src").startswith("data:audio/flac")


def test_a_broken_document_is_a_message(page: Any, tmp_path: Path) -> None:
    (tmp_path / "book.epub").write_bytes(b"no zip")
    page.get_by_role("tab", name="Documents").click()
    tab = page.get_by_role("tabpanel")
    tab.locator("input[type=file]").set_input_files(tmp_path / "book.epub")
    tab.get_by_text("Cannot read book.epub: it is not an EPUB").wait_for()
