"""The files that captions are written to: SubRip, WebVTT and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from pipeline.json_text import json_pieces

Words = Iterable[Mapping[str, Any]]  # for JSON


@dataclass(frozen=True)
class Cue:
    """What is shown at one time."""

    start: float  # seconds
    end: float
    lines: tuple[str, ...]


def _srt(cues: Iterable[Cue], _: Words) -> Iterator[str]:
    for number, cue in enumerate(cues, 1):
        yield f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        yield "\n".join(cue.lines) + "\n\n"


def _vtt(cues: Iterable[Cue], _: Words) -> Iterator[str]:
    yield "WEBVTT\n\n"
    for cue in cues:
        yield f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        yield "\n".join(escape(line, quote=False) for line in cue.lines) + "\n\n"


def _json(cues: Iterable[Cue], words: Words) -> Iterator[str]:
    shown = (
        {"start": round(cue.start, 3), "end": round(cue.end, 3), "lines": cue.lines} for cue in cues
    )
    return json_pieces({"cues": shown, "words": iter(words)})


def _clock(seconds: float, separator: str) -> str:
    """Return hours, minutes, seconds and milliseconds."""
    minutes, milliseconds = divmod(round(seconds * 1_000), 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1_000)
    return f"{hours:02}:{minutes:02}:{whole:02}{separator}{milliseconds:03}"


CAPTION_FORMATS: dict[str, Callable[[Iterable[Cue], Words], Iterator[str]]] = {
    ".srt": _srt,
    ".vtt": _vtt,
    ".json": _json,
}
"""Sources: the SubRip format as players read it; W3C, WebVTT: The Web Video Text Tracks Format."""
