"""Plain text, whose chapters are found by lines such as "Chapter 3", "PART TWO" or "Epilogue"."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.documents.document import Block, Document, make_document
from pipeline.errors import PipelineError
from text.ssml import is_ssml

_ONES = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = (
    "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    "|first|second|third|fourth|fifth|last"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_NUMBER = rf"(?:\d{{1,3}}|[ivxlc]{{1,8}}|(?:{_TENS})(?:[- ](?:{_ONES}))?|{_ONES}|{_TEENS})"
_NUMBERED = re.compile(
    rf"(?i:(?:the )?(?:chapter|part|book|volume|act|scene|canto|letter|section) (?:the )?{_NUMBER})"
    r"(?:[.:]?|(?:[.:]|\s?[-\u2013\u2014])?\s[^a-z].{0,60})"
)
_NAMED = re.compile(
    r"(?i:prologue|epilogue|preface|foreword|introduction|afterword|conclusion|acknowledge?ments"
    r"|appendix(?: [a-z0-9])?)\.?"
)
_MAX_LINES = 2  # the number on one, the title on the next
_MAX_LENGTH = 120  # characters of both
_EMPTY_LINES = re.compile(r"\n[^\S\n]*\n\s*")


def read_plain_text(path: Path) -> Document:
    """Return a UTF-8 text; SSML is one chapter."""
    text = decode(path.read_bytes())
    blocks = [Block(text)] if is_ssml(text) else mark_headings(split_blocks(text))
    return make_document(blocks, _starts(blocks))


def decode(data: bytes) -> str:
    """Return text in UTF-8, or in UTF-16 that begins with its mark.

    Raises:
        PipelineError: It is neither.
    """
    is_utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return data.decode("utf-16" if is_utf16 else "utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if is_utf16 else "UTF-8"
        raise PipelineError(f"it is not {encoding} at byte {error.start}; convert it") from error


def split_blocks(text: str) -> list[Block]:
    """Return what empty lines part."""
    return [Block(part) for part in _EMPTY_LINES.split(text.strip()) if part.strip()]


def mark_headings(blocks: list[Block]) -> list[Block]:
    """Return the blocks with what looks like the beginning of a chapter as headings."""
    return [block._replace(level=1) if _is_heading(block.text) else block for block in blocks]


def _is_heading(text: str) -> bool:
    lines = text.strip().splitlines()
    if len(lines) > _MAX_LINES or len(text) > _MAX_LENGTH:
        return False
    first = lines[0].strip()
    return bool(_NUMBERED.fullmatch(first) or _NAMED.fullmatch(first))


def _starts(blocks: list[Block]) -> dict[int, str]:
    return {index: block.text for index, block in enumerate(blocks) if block.level}
