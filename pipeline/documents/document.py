"""What readers return: a document as chapters, made of the blocks that a format consists of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pipeline.errors import PipelineError

MAX_CHARACTERS = 20_000_000  # of a document: six times War and Peace
_TITLE_WORDS = 6  # of the text, where a chapter has no title


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A part of a document; its title is spoken only where it stands in the text too."""

    title: str
    text: str  # paragraphs, an empty line between them; or SSML

    @property
    def n_words(self) -> int:
        """How many words are to be spoken, as they are written."""
        return len(self.text.split())


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text with chapters, at least one."""

    title: str  # "" where the document has none
    author: str
    chapters: tuple[Chapter, ...]
    notices: tuple[str, ...] = ()  # sentences on what was in the file and is not in the chapters

    @property
    def n_characters(self) -> int:
        """Length of all chapters."""
        return sum(len(chapter.text) for chapter in self.chapters)


class Block(NamedTuple):
    """A paragraph or a heading."""

    text: str
    level: int = 0  # 1 to 6 of a heading, 0 of a paragraph
    anchors: tuple[str, ...] = ()  # names that links and tables of contents lead to


def make_document(
    blocks: Sequence[Block],
    starts: Mapping[int, str],
    *,
    title: str = "",
    author: str = "",
    notices: Sequence[str] = (),
) -> Document:
    """Return a document of blocks.

    Args:
        blocks: All blocks, in the order of reading.
        starts: Titles of chapters by the index of the block that each begins with. What would be
            headings without a text is the beginning of the next chapter.
        title: Of the document.
        author: Of the document.
        notices: On what is missing.

    Raises:
        PipelineError: There is no text, or too much.
    """
    chapters: list[Chapter] = []
    body: list[Block] = []
    chapter_title = ""
    for index, block in enumerate(blocks):
        if index in starts:
            if any(one.level == 0 for one in body):
                chapters.append(_chapter(chapter_title, body))
                body = []
            chapter_title = starts[index]
        body.append(block)
    if body:
        chapters.append(_chapter(chapter_title, body))
    document = Document(
        title=" ".join(title.split()),
        author=" ".join(author.split()),
        chapters=tuple(chapters),
        notices=tuple(notices),
    )
    if not document.n_characters:
        raise PipelineError("it holds no text")
    if document.n_characters > MAX_CHARACTERS:
        raise PipelineError(
            f"it has {document.n_characters:,} characters; expected at most {MAX_CHARACTERS:,}"
        )
    return document


def heading_starts(blocks: Sequence[Block]) -> dict[int, str]:
    """Return where chapters begin by headings alone: at the highest level that has several."""
    for level in range(1, 7):
        starts = {i: block.text for i, block in enumerate(blocks) if block.level == level}
        if len(starts) > 1:
            return {i: block.text for i, block in enumerate(blocks) if 1 <= block.level <= level}
    return {}


def _chapter(title: str, body: Sequence[Block]) -> Chapter:
    headings = (block.text for block in body if block.level)
    return Chapter(
        title=" ".join((title or next(headings, "") or _beginning(body[0].text)).split()),
        text="\n\n".join(block.text for block in body),
    )


def _beginning(text: str) -> str:
    words = text.split()
    return " ".join(words[:_TITLE_WORDS]) + (" …" if len(words) > _TITLE_WORDS else "")
