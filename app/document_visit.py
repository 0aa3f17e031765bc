"""What a visitor of the page has open: a document, how fast it is spoken, and its recording."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.audiobook.recording import Recording
from pipeline.documents import Document


@dataclass
class DocumentVisit:
    """A document that is open."""

    document: Document
    name: str  # of the file, without its suffix
    work_seconds: float = 0.0  # what a character takes to speak; 0 where nothing is measured yet
    audio_seconds: float = 0.0  # how long a character sounds
    recording: Recording | None = None
