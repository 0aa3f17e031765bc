"""Pauses written into plain text: [pause:0.5s], [pause:500ms]."""

import re

from text.ssml import MAX_BREAK_SECONDS

_PAUSE = re.compile(r"(?i)\[pause:[ ]?([0-9]{1,5}(?:\.[0-9]{1,3})?|\.[0-9]{1,3})[ ]?(ms|s)\]")


def split_at_pauses(text: str, last_seconds: float) -> list[tuple[str, str, float]]:
    """Return the parts of a text, each with the pause written after it and its seconds of silence.

    Args:
        text: A paragraph. A pause of more than ten seconds is one of ten.
        last_seconds: Silence after the last part.
    """
    parts = []
    start = 0
    for match in _PAUSE.finditer(text):
        seconds = float(match.group(1)) / (1000 if match.group(2).lower() == "ms" else 1)
        part = text[start : match.start()].strip()
        parts.append((part, match.group(), min(seconds, MAX_BREAK_SECONDS)))
        start = match.end()
    return [*parts, (text[start:].strip(), "", last_seconds)]
