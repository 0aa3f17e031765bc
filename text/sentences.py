"""Text to sentences that a model can speak in one breath."""

import re

MAX_SYMBOLS = 200
_END = re.compile(r"(?<=[.!?])\s+")


def split_sentences(text: str, *, max_symbols: int = MAX_SYMBOLS) -> list[str]:
    """Return the sentences of a text, none longer than `max_symbols`, no word lost."""
    sentences = []
    for sentence in _END.split(text.strip()):
        line = ""
        for word in sentence.split():
            if line and len(line) + 1 + len(word) > max_symbols:
                sentences.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        if line:
            sentences.append(line)
    return sentences
