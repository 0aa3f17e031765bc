"""Markdown by way of HTML, with the title and author that may stand before it between lines."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.documents.document import Document, heading_starts, make_document
from pipeline.documents.html_text import parse_html
from pipeline.documents.plain_text import decode

_FRONT_MATTER = re.compile(r"\A---\n(.{0,10000}?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_FACT = re.compile(r"(?m)^(title|author):[ \t]*[\"']?(.*?)[\"']?[ \t]*$")


def read_markdown(path: Path) -> Document:
    """Return a text in CommonMark with tables; its headings make chapters."""
    from markdown_it import MarkdownIt

    text = decode(path.read_bytes())
    front = _FRONT_MATTER.match(text)
    facts = dict(_FACT.findall(front.group(1))) if front else {}
    body = text[front.end() :] if front else text
    page = parse_html(MarkdownIt("commonmark").enable("table").render(body).encode())
    only_top = [block.text for block in page.blocks if block.level == 1]
    title = facts.get("title") or (only_top[0] if len(only_top) == 1 else "")
    return make_document(
        page.blocks, heading_starts(page.blocks), title=title, author=facts.get("author", "")
    )
