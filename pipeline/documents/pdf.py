"""PDF by its text layer: lines become paragraphs again, running heads and page numbers go."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.documents.document import Block, Document, make_document
from pipeline.documents.plain_text import mark_headings
from pipeline.errors import PipelineError

if TYPE_CHECKING:
    from pypdf import PdfReader

MAX_PAGES = 10_000
_RUNNING_PAGES = 3  # a first or last line on so many pages is a running head
_FULL = 0.8  # of the usual length: a shorter line that ends a sentence ends a paragraph too
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")
_END = re.compile(r"[.!?:\u2026][\"')\]\u201d\u2019]*$")
_HYPHEN = re.compile(r"(?<=[a-z])[-\u00ad\u2010]$")


def read_pdf(path: Path) -> Document:
    """Return the text layer; the outline, or else lines such as "Chapter 3", make chapters.

    Raises:
        PipelineError: It is encrypted, has too many pages, or has no text layer.
    """
    from pypdf import PdfReader

    reader = PdfReader(path)
    if reader.is_encrypted:
        raise PipelineError("it is encrypted; save it without a password and open that")
    n_pages = len(reader.pages)
    if n_pages > MAX_PAGES:
        raise PipelineError(f"it has {n_pages:,} pages; expected at most {MAX_PAGES:,}")
    pages = [page.extract_text().splitlines() for page in reader.pages]
    silent = [number for number, lines in enumerate(pages, 1) if not any(map(str.strip, lines))]
    if len(silent) == n_pages:
        raise PipelineError(
            "it has no text layer: its pages are pictures; a program that recognizes text, "
            "such as ocrmypdf, adds one"
        )
    outline = _outline(reader)
    blocks, first_blocks = _blocks(_without_running_heads(pages), outline)
    blocks = blocks if outline else mark_headings(blocks)
    starts = {first_blocks[page]: title for page, title in outline.items()} or {
        index: block.text for index, block in enumerate(blocks) if block.level
    }
    facts = reader.metadata
    return make_document(
        blocks,
        starts,
        title=(facts.title or "") if facts else "",
        author=(facts.author or "") if facts else "",
        notices=[f"Page {number} has no text." for number in silent],
    )


def _outline(reader: PdfReader) -> dict[int, str]:
    """Return the titles of the outline's first level by the index of their page."""
    titles: dict[int, str] = {}
    for entry in reader.outline:
        if not isinstance(entry, list):
            page = reader.get_destination_page_number(entry)
            if page is not None and page >= 0:
                titles.setdefault(page, str(entry.title or ""))
    return titles


def _without_running_heads(pages: list[list[str]]) -> list[list[str]]:
    """Return the lines of each page without those that stand at the edge of several pages."""
    kept = [[line.strip() for line in lines if line.strip()] for lines in pages]
    for edge in (0, -1, 0, -1):  # twice: a page number may stand below a title
        heads = Counter(_DIGITS.sub("#", lines[edge].lower()) for lines in kept if lines)
        running = {head for head, n_pages in heads.items() if n_pages >= _RUNNING_PAGES}
        for lines in kept:
            if lines and _DIGITS.sub("#", lines[edge].lower()) in running:
                del lines[edge]
    return kept


def _blocks(pages: list[list[str]], outline: dict[int, str]) -> tuple[list[Block], dict[int, int]]:
    """Return the paragraphs, and the index of the first one of each page that begins a chapter."""
    lengths = sorted(len(line) for lines in pages for line in lines)
    full_length = _FULL * lengths[len(lengths) * 9 // 10] if lengths else 0.0
    blocks: list[Block] = []
    first_blocks: dict[int, int] = {}
    paragraph = ""
    for number, lines in enumerate(pages):
        if number in outline:
            if paragraph:
                blocks.append(Block(paragraph))
            paragraph = ""
            first_blocks[number] = len(blocks)
        for line in lines:
            paragraph = _joined(paragraph, line)
            if len(line) < full_length and (_END.search(line) or len(paragraph) == len(line)):
                blocks.append(Block(paragraph))
                paragraph = ""
    if paragraph:
        blocks.append(Block(paragraph))
    return blocks, first_blocks


def _joined(paragraph: str, line: str) -> str:
    """Return a paragraph with one more line; a word that was parted is whole again."""
    if not paragraph:
        return line
    if line[0].islower() and _HYPHEN.search(paragraph):
        return paragraph[:-1] + line
    return f"{paragraph} {line}"
