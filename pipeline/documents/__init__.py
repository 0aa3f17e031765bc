"""Documents as people have them, text, Markdown, web pages, EPUB, PDF, subtitles, to chapters."""

from pipeline.documents.document import Chapter, Document
from pipeline.documents.reading import SUFFIXES, read_document

__all__ = ["SUFFIXES", "Chapter", "Document", "read_document"]
