"""The files that captions are written to: SubRip, WebVTT and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.words import Word


@dataclass(frozen=True)
class Cue:
    """What is shown at one time."""

    start: float  # seconds
    end: float
    lines: tuple[str, ...]


def _srt(cues: Sequence[Cue], _: Sequence[Word]) -> str:
    return "".join(
        f"{number}\n{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}\n"
        + "\n".join(cue.lines)
        + "\n\n"
        for number, cue in enumerate(cues, 1)
    )


def _vtt(cues: Sequence[Cue], _: Sequence[Word]) -> str:
    return "WEBVTT\n\n" + "".join(
        f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}\n"
        + "\n".join(escape(line, quote=False) for line in cue.lines)
        + "\n\n"
        for cue in cues
    )


def _json(cues: Sequence[Cue], words: Sequence[Word]) -> str:
    facts = {
        "cues": [
            {"start": round(cue.start, 3), "end": round(cue.end, 3), "lines": list(cue.lines)}
            for cue in cues
        ],
        "words": [word.as_json() for word in words],
    }
    return json.dumps(facts, indent=2, ensure_ascii=False) + "\n"


def _clock(seconds: float, separator: str) -> str:
    """Return hours, minutes, seconds and milliseconds."""
    minutes, milliseconds = divmod(round(seconds * 1_000), 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, milliseconds = divmod(milliseconds, 1_000)
    return f"{hours:02}:{minutes:02}:{whole:02}{separator}{milliseconds:03}"


CAPTION_FORMATS: dict[str, Callable[[Sequence[Cue], Sequence[Word]], str]] = {
    ".srt": _srt,
    ".vtt": _vtt,
    ".json": _json,
}
"""Sources: the SubRip format as players read it; W3C, WebVTT: The Web Video Text Tracks Format."""
