"""Written text to words: the order of all rules, one screen."""

from text import (
    abbreviations,
    addresses,
    citations,
    dates,
    electronic,
    fractions,
    initialisms,
    lengths,
    markdown,
    mathematics,
    measures,
    money,
    numerals,
    ordinals,
    romans,
    serials,
    spelling,
    telephones,
    times,
    years,
)
from text.characters import SYMBOL, TIDY
from text.cleaning import clean
from text.rules import Rule, apply_rules, characters_of
from text.spans import split_spans

# What a tokenizer took apart comes together again, and doubled quotes become one mark.
_JOINED = (
    Rule("doubled quotation marks", r"``|''", '"', trigger="`'"),
    Rule("contraction apart", r"(?<=\w) (?='(?:s|re|ve|ll|d|m|t)\b)", "", trigger="'"),
    Rule("currency apart", r"([$£€¥#]) (?=[\d.])", r"\1", trigger="$£€¥#"),
    Rule("percent apart", r"(?<=\d) (?=%)", "", trigger="%"),
    # Marks of emphasis and smileys are seen, not said.
    Rule(
        "underscores of emphasis",
        r"(?<!\w)_{1,3}(?=[^\W_])|(?<=[^\W_])_{1,3}(?!\w)",
        "",
        trigger="_",
    ),
    Rule("smiley", r"(?<!\S)[:;]-?[()DP](?!\S)", "", trigger=":;"),
    Rule("heart of less than three", r"(?<=\bI )<3(?!\S)", "heart", trigger="<"),
)

# Before a rule stand those that read its characters in a narrower sense: the slash of a URL before
# that of a fraction, a date before a measure, everything before plain numbers.
RULES = (
    *_JOINED,
    *mathematics.COMPARISONS,
    *electronic.RULES,
    *abbreviations.LABELS,
    *times.SECONDS,
    *citations.RULES,
    *dates.RULES,
    *years.RULES,
    *times.RULES,
    *telephones.RULES,
    *numerals.GROUPS,
    *money.RULES,
    *lengths.RULES,
    *measures.RULES,
    *addresses.RULES,
    *romans.RULES,
    *abbreviations.RULES,
    *fractions.RULES,
    *mathematics.RULES,
    *ordinals.RULES,
    *serials.RULES,
    *numerals.RULES,
    *initialisms.RULES,
    *spelling.RULES,
    SYMBOL,
)


def normalize(text: str) -> str:
    """Return text as it is spoken.

    Args:
        text: Any string; `{HH AH0 L OW1}` spans of ARPAbet pass through.

    Returns:
        Words in letters, the punctuation of the symbol table, spans; "" where nothing is to say.

    Raises:
        TextError: A span of phones is not ARPAbet; the position is that of the wrong phone.
    """
    pieces = [piece.span or _speak(text[piece.start : piece.end]) for piece in split_spans(text)]
    return tidy(" ".join(pieces))


def _speak(piece: str) -> str:
    return apply_rules(RULES, clean(apply_rules(markdown.RULES, piece)))


def tidy(text: str) -> str:
    """Return text with single spaces and single punctuation marks."""
    text = " ".join(text.split())
    characters = characters_of(text)
    for rule in TIDY:
        if not rule.trigger.isdisjoint(characters):
            tidied = rule.apply(text)
            if tidied != text:
                text = " ".join(tidied.split())
                characters = characters_of(text)
    return text
