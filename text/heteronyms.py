"""Words written alike that a rule tells apart: by their accent, and the letter A by its neighbours.

The rest is for `text.homographs`.
"""

from text.dictionary import Phones

_ACCENTED = {
    "expos\u00e9": "EH2 K S P OW0 Z EY1",
    "mat\u00e9": "M AA1 T EY2",
    "nestl\u00e9": "N EH1 S L IY0",
    "p\u00e2t\u00e9": "P AA0 T EY1",
    "resum\u00e9": "R EH1 Z AH0 M EY2",
    "ros\u00e9": "R OW0 Z EY1",
    "r\u00e9sum\u00e9": "R EH1 Z AH0 M EY2",
    "sak\u00e9": "S AA1 K EY0",
}


def accented(word: str) -> Phones | None:
    """Return the phones of a word in lower case that only its accents tell from another word."""
    phones = _ACCENTED.get(word)
    return tuple(phones.split()) if phones is not None else None


def letter_a(before: str, after: str) -> Phones | None:
    """Return the name of the letter A (vitamin A, U S A) or None for the article.

    Args:
        before: The word before a capital A, as it is written; "" at the beginning of a sentence or
            after a mark.
        after: The word after it, "" likewise.
    """
    is_spelled = any(len(word) == 1 and word.isupper() and word != "I" for word in (before, after))
    return ("EY1",) if is_spelled or after in ("", "at", "dot", "dash", "slash") else None
