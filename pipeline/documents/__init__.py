"""Documents as people have them, text, Markdown, web pages, EPUB, PDF, subtitles, to chapters."""

from typing import TYPE_CHECKING, Any

from pipeline.documents.document import Chapter, Document

if TYPE_CHECKING:
    from pipeline.documents.reading import SUFFIXES, read_document

__all__ = ["SUFFIXES", "Chapter", "Document", "read_document"]


def __getattr__(name: str) -> Any:
    """Import the readers only when a file is read: a text has no use for them."""
    if name in ("SUFFIXES", "read_document"):
        from pipeline.documents import reading

        return getattr(reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
