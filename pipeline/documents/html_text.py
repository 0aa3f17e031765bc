"""Web pages and the pages of EPUB to blocks: what a reader sees, without scripts and notes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from pipeline.documents.document import Block, Document, heading_starts, make_document
from text.rules import words

_SILENT = words(
    "script style template svg math noscript nav iframe object audio video canvas button select"
    " textarea rp rt"
)
_BLOCKS = words(
    "address article aside blockquote body caption dd details div dl dt fieldset figcaption figure"
    " footer form h1 h2 h3 h4 h5 h6 header hr li main ol p pre section summary table tr ul"
)
_NOTES = frozenset(("noteref", "pagebreak", "doc-noteref", "doc-pagebreak"))
_PROLOG = re.compile(rb"\A\s*<\?xml[^>]{0,500}>")
# XHTML may close these at once; in HTML they would swallow all that follows.
_CLOSED = re.compile(rf"<(({'|'.join(sorted(_SILENT))}|title)\b[^<>]{{0,500}})/>".encode())
_CHARSET = re.compile(rb"(?i)(?:charset|encoding)\s*=\s*[\"']?([\w.:-]{1,40})")
_SPACE = re.compile(r"\s+")


class HtmlText(NamedTuple):
    """The text of one HTML file."""

    title: str
    author: str
    blocks: list[Block]


def read_html(path: Path) -> Document:
    """Return a web page; its headings make chapters."""
    page = parse_html(path.read_bytes())
    return make_document(
        page.blocks, heading_starts(page.blocks), title=page.title, author=page.author
    )


def parse_html(data: bytes) -> HtmlText:
    """Return the text of HTML or XHTML, however broken; nothing outside it is ever fetched."""
    from lxml import etree

    text = _CLOSED.sub(rb"<\1></\2>", _PROLOG.sub(b"", data)).decode(_encoding(data), "replace")
    collector = _Collector()
    if text.strip():
        parser = etree.HTMLParser(target=collector, no_network=True, encoding="utf-8")
        parser.feed(text.encode("utf-8", "replace"))
        parser.close()
    return collector.result()


def _encoding(data: bytes) -> str:
    """Return the encoding of a page: its mark, UTF-8 where it is valid, else what it declares."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        declared = _CHARSET.search(data[:2_048])
        name = declared.group(1).decode("ascii") if declared else "cp1252"
        try:
            "".encode(name)
        except LookupError:
            return "cp1252"
        return "cp1252" if name.lower() in ("utf-8", "utf8", "iso-8859-1", "latin1") else name
    return "utf-8-sig"


class _Collector:
    """Receives what the parser sees, in order, and keeps the text alone."""

    def __init__(self) -> None:
        self._title: list[str] = []
        self._author = ""
        self._blocks: list[Block] = []
        self._words: list[str] = []
        self._anchors: list[str] = []
        self._level = 0
        self._silent_depth = 0  # how many elements are open since one that is not read
        self._in_title = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].lower()
        if self._silent_depth or _is_silent(name, attributes):
            self._silent_depth += 1
            return
        if name in _BLOCKS:
            self._finish_block()
            self._level = int(name[1]) if name[0] == "h" and name[1:].isdigit() else self._level
        self._anchors += [attributes[key] for key in ("id", "name") if attributes.get(key)]
        if name == "br":
            self._words.append("\n")
        elif name in ("td", "th"):
            self._begin_cell()
        elif name == "title":
            self._in_title = True
        elif name == "meta" and attributes.get("name", "").lower() == "author":
            self._author = attributes.get("content", "")

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2].lower()
        if self._silent_depth:
            self._silent_depth -= 1
        elif name in _BLOCKS:
            self._finish_block()
            self._level = 0
        elif name == "title":
            self._in_title = False

    def data(self, data: str) -> None:
        if self._in_title:
            self._title.append(data)
        elif not self._silent_depth:
            self._words.append(_SPACE.sub(" ", data))

    def comment(self, _: str) -> None:
        """Comments are not read."""

    def close(self) -> None:
        self._finish_block()

    def result(self) -> HtmlText:
        return HtmlText(" ".join("".join(self._title).split()), self._author, self._blocks)

    def _begin_cell(self) -> None:
        while self._words and self._words[-1].isspace():
            self._words.pop()
        if self._words:
            self._words.append(", ")

    def _finish_block(self) -> None:
        lines = (" ".join(line.split()) for line in "".join(self._words).split("\n"))
        text = "\n".join(line for line in lines if line)
        self._words.clear()
        if text:
            self._blocks.append(Block(text, self._level, tuple(self._anchors)))
            self._anchors.clear()


def _is_silent(name: str, attributes: dict[str, str]) -> bool:
    kinds = f"{attributes.get('epub:type', '')} {attributes.get('role', '')}".split()
    return name in _SILENT or "hidden" in attributes or not _NOTES.isdisjoint(kinds)
