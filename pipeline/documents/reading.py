"""Reads a document in a process of its own, where a hostile file can do no harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from pipeline.documents.document import Chapter, Document
from pipeline.documents.epub import read_epub
from pipeline.documents.html_text import read_html
from pipeline.documents.markdown_text import read_markdown
from pipeline.documents.pdf import read_pdf
from pipeline.documents.plain_text import read_plain_text
from pipeline.documents.subtitles import read_subtitles
from pipeline.errors import PipelineError

MAX_FILE_BYTES = 1024**3
MAX_TEXT_FILE_BYTES = 64 * 1024**2  # of a file that is text throughout
MAX_MEMORY_BYTES = 3 * 1024**3  # of addresses, on Linux
MAX_SECONDS = 300.0
ROOT = Path(__file__).parents[2]

READERS: dict[str, Callable[[Path], Document]] = {
    ".txt": read_plain_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".xhtml": read_html,
    ".epub": read_epub,
    ".pdf": read_pdf,
    ".srt": read_subtitles,
    ".vtt": read_subtitles,
}
SUFFIXES = tuple(READERS)
_MAY_BE_LARGE = (".epub", ".pdf")  # for their pictures
_PLAIN = (read_plain_text, read_subtitles)  # nothing in them can take long


def read_document(path: Path | str) -> Document:
    """Return a document as chapters; its suffix chooses the reader, plain text where unknown.

    What is more than plain text is read in a process of its own, which is stopped when it takes
    too much memory or time.

    Raises:
        PipelineError: The file is missing, too large, broken, encrypted or without a text.
    """
    path = Path(path)
    _check_file(path)
    if READERS.get(path.suffix.lower(), read_plain_text) in _PLAIN:
        return read_here(path)
    command = [sys.executable, "-m", "pipeline.documents", "--json", str(path.absolute())]
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        answer = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            capture_output=True,
            timeout=MAX_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PipelineError(
            f"Cannot read {path}: it takes longer than {MAX_SECONDS:g} s"
        ) from error
    try:
        return document_from_json(answer.stdout.decode())
    except ValueError:
        raise PipelineError(_problem(answer, path)) from None


def read_here(path: Path) -> Document:
    """Return a document as `read_document` does, in this process.

    Raises:
        PipelineError: As there.
    """
    reader = READERS.get(path.suffix.lower(), read_plain_text)
    try:
        return reader(path)
    except PipelineError as error:
        raise PipelineError(f"Cannot read {path}: {error}") from error
    except MemoryError as error:
        raise PipelineError(
            f"Cannot read {path}: it takes more than {MAX_MEMORY_BYTES // 1024**3} GB of memory"
        ) from error
    except ModuleNotFoundError:
        raise
    except Exception as error:  # a broken file breaks its reader in ways that nobody can list
        raise PipelineError(f"Cannot read {path}: it is broken ({error!r:.200})") from error


def document_from_json(content: str) -> Document:
    """Return the document that `document_to_json` wrote; ValueError for anything else."""
    facts = json.loads(content)
    chapters = tuple(Chapter(**chapter) for chapter in facts.pop("chapters"))
    return Document(**{**facts, "notices": tuple(facts["notices"]), "chapters": chapters})


def document_to_json(document: Document) -> str:
    """Return all of a document in one line of ASCII."""
    return json.dumps(asdict(document))


def _check_file(path: Path) -> None:
    may_be_large = path.suffix.lower() in _MAY_BE_LARGE
    max_bytes = MAX_FILE_BYTES if may_be_large else MAX_TEXT_FILE_BYTES
    try:
        with path.open("rb"):
            size_bytes = path.stat().st_size
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}") from error
    if size_bytes > max_bytes:
        raise PipelineError(
            f"Cannot read {path}: it has {size_bytes:,} bytes; expected at most {max_bytes:,}"
        )


def _problem(answer: subprocess.CompletedProcess[bytes], path: Path) -> str:
    """Return what the process said is wrong, or else how it ended."""
    *_, last = ["", *answer.stderr.decode(errors="replace").strip().splitlines()]
    if last.startswith("error: "):
        return last.removeprefix("error: ")
    return f"Cannot read {path}: its reader broke off with status {answer.returncode}"
