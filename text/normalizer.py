"""Written text to words: the order of all rules, one screen."""

import re

_ABBREVIATIONS = {"mr": "mister", "mrs": "missis", "dr": "doctor", "st": "saint"}


def normalize(text: str) -> str:
    """Return text as it is spoken: words, punctuation of the symbol table, ARPAbet spans."""
    text = re.sub(r"\b(Mr|Mrs|Dr|St)\.", lambda match: _ABBREVIATIONS[match.group(1).lower()], text)
    text = re.sub(r"\s*(?:--+|[\u2013\u2014])\s*", ", ", text)
    text = text.replace("\u2019", "'")
    text = re.sub(r"[^\w\s{}'!(),.:;?-]", "", text)
    return " ".join(text.split())
