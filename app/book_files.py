"""Where the page keeps spoken sentences of documents, and the files that visitors download."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from gradio.utils import get_upload_folder

from pipeline.audiobook.captions import write_book_captions
from pipeline.audiobook.export import write_book
from pipeline.audiobook.spoken import SpokenBook
from pipeline.audiobook.work_folder import WorkFolder, key_of
from pipeline.documents import Document

KEPT_SECONDS = 86_400.0  # a document that nobody came back to is forgotten after a day


def work_folder(document: Document) -> WorkFolder:
    """Return the folder of a document; whoever opens the same text again finds what is spoken."""
    folder = _books_dir()
    for other in folder.iterdir():
        if time.time() - _last_used(other) > KEPT_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
    return WorkFolder(folder / key_of([chapter.text for chapter in document.chapters]))


def export_book(book: SpokenBook, name: str, suffix: str, captions: str = "none") -> list[str]:
    """Write a book, and its captions unless they are "none"; return the paths of the files."""
    path = export_path(name, suffix)
    if captions == "none":
        write_book(path, book)
        return [str(path)]
    captions_path = path.with_name(f"{name}.{captions}")
    write_book(path, book, captions=captions_path.suffix)
    write_book_captions(captions_path, book)
    return [str(path), str(captions_path)]


def export_path(name: str, suffix: str) -> Path:
    """Return a path among the files that Gradio serves and deletes after a while."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=folder)) / f"{name}.{suffix}"


@cache
def _books_dir() -> Path:
    """Return a folder of this process, which only its user can read; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="tacoglow-books-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _last_used(folder: Path) -> float:
    places = (folder, folder / "sentences")
    return max((place.stat().st_mtime for place in places if place.exists()), default=0.0)
