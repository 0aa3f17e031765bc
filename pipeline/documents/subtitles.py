"""Subtitles, SubRip and WebVTT, as running text: a paragraph where nobody speaks for a while."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.documents.document import Block, Document, make_document
from pipeline.documents.plain_text import decode
from pipeline.errors import PipelineError

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_TIMES = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}.*")
_MARKUP = re.compile(r"<[^<>]{0,100}>|\{\\[^{}]{0,100}\}")
PARAGRAPH_SECONDS = 2.0


def read_subtitles(path: Path) -> Document:
    """Return the words of all cues.

    Raises:
        PipelineError: There is no cue.
    """
    paragraphs: list[list[str]] = []
    last_end = float("-inf")
    for start, end, words in _cues(decode(path.read_bytes())):
        if start - last_end > PARAGRAPH_SECONDS:
            paragraphs.append([])
        last_end = end
        paragraphs[-1].append(words)
    blocks = [Block(text) for cues in paragraphs if (text := " ".join(filter(None, cues)))]
    return make_document(blocks, {})


def _cues(text: str) -> list[tuple[float, float, str]]:
    """Return start and end in seconds, and words, of each cue."""
    cues: list[tuple[float, float, list[str]]] = []
    is_open = False
    for line in text.splitlines():
        times = _TIMES.fullmatch(line)
        if times:
            cues.append((_seconds(*times.groups()[:4]), _seconds(*times.groups()[4:]), []))
            is_open = True
        elif not line.strip():
            is_open = False
        elif is_open:
            cues[-1][2].append(_MARKUP.sub("", line))
    if not cues:
        raise PipelineError(
            "it has no subtitle; expected lines such as 00:00:01,000 --> 00:00:02,000"
        )
    return [(start, end, " ".join(" ".join(lines).split())) for start, end, lines in cues]


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return 3_600 * int(hours or 0) + 60 * int(minutes) + int(seconds) + float(f"0.{fraction}")
