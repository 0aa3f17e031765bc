"""A text or an SSML document to segments: what to speak, how fast, and the pauses between."""

from dataclasses import dataclass, replace

from text.errors import TextError
from text.normalizer import normalize
from text.pauses import split_at_pauses
from text.phrasing import add_pauses, end_with_pause
from text.pronunciation import pronounce
from text.sentences import MAX_SYMBOLS, split_paragraphs, split_sentences
from text.ssml import PARAGRAPH_SECONDS, Stretch, is_ssml, read_ssml


@dataclass(frozen=True)
class Segment:
    """One sentence, or a part of a long one, as a model speaks it.

    Attributes:
        written: The sentence as it stands in the input, markup resolved.
        text: The sentence normalized, with pauses at its clauses, ready for `encode`.
        pause_seconds: Silence to add after it, 0 where the sentence's own end is enough.
        rate: Speed relative to the voice's own, above 0.
    """

    written: str
    text: str
    pause_seconds: float
    rate: float


@dataclass(frozen=True)
class Document:
    """What `read_document` returns.

    Attributes:
        segments: In the order they are spoken, at least one.
        notices: Sentences on what was in the input and is not heard.
    """

    segments: tuple[Segment, ...]
    notices: tuple[str, ...]


def read_document(text: str, *, max_symbols: int = MAX_SYMBOLS) -> Document:
    """Return what is to be spoken of plain text or of SSML, which begins with `<speak`.

    Args:
        text: Any string.
        max_symbols: Longest segment in symbols, as for `split_sentences`.

    Raises:
        TextError: The markup or a span of phones is wrong, or nothing can be spoken.
    """
    if is_ssml(text):
        stretches, notices = read_ssml(text)
    else:
        *parts, last = split_paragraphs(text) or [""]
        paragraphs = [*((part, PARAGRAPH_SECONDS) for part in parts), (last, 0.0)]
        stretches = [
            Stretch(part, pause_seconds, 1.0)
            for paragraph, end_seconds in paragraphs
            for part, pause_seconds in split_at_pauses(paragraph, end_seconds)
        ]
        notices = []
    segments: list[Segment] = []
    for stretch in stretches:
        segments += _speak(stretch, max_symbols)
        if segments and stretch.pause_seconds and not is_ssml(text):
            segments[-1] = replace(segments[-1], text=end_with_pause(segments[-1].text))
        if segments and segments[-1].pause_seconds < stretch.pause_seconds:
            segments[-1] = replace(segments[-1], pause_seconds=stretch.pause_seconds)
    if segments and not is_ssml(text) and segments[-1].pause_seconds == PARAGRAPH_SECONDS:
        # A pause stands between paragraphs, not after the last.
        segments[-1] = replace(segments[-1], pause_seconds=0.0)
    if not segments:
        raise TextError("There is nothing to speak, neither letters nor digits", 0)
    return Document(tuple(segments), tuple(notices))


def _speak(stretch: Stretch, max_symbols: int) -> list[Segment]:
    segments = []
    for written in split_sentences(stretch.text, max_symbols=max(len(stretch.text), max_symbols)):
        spoken = split_sentences(add_pauses(normalize(written)), max_symbols=max_symbols)
        segments += [
            Segment(written, text, 0.0, stretch.rate) for text in spoken if _is_audible(text)
        ]
    return segments


def _is_audible(text: str) -> bool:
    return any(token.source != "punctuation" and token.symbols for token in pronounce(text))
