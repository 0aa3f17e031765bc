"""The article a and the letter A, told apart by a rule; other homographs are learned."""

from text.dictionary import Phones


def letter_a(before: str, after: str) -> Phones | None:
    """Return the name of the letter A (vitamin A, U S A) or None for the article.

    Args:
        before: The word before a capital A, as it is written; "" at the beginning of a sentence or
            after a mark.
        after: The word after it, "" likewise.
    """
    # "Am I A" says nothing, "A I" is an initialism.
    is_spelled = any(len(word) == 1 and word.isupper() for word in (before.replace("I", ""), after))
    return ("EY1",) if is_spelled or after in ("", "at", "dot", "dash", "slash") else None
