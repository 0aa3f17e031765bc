"""A text or an SSML document to segments: what to speak, how fast, and the pauses between."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from text.errors import TextError
from text.normalizer import normalize
from text.phrasing import add_pauses, end_with_pause
from text.pronunciation import pronounce
from text.sentences import MAX_SYMBOLS, split_paragraphs, split_sentences
from text.ssml import PARAGRAPH_SECONDS, Span, Stretch, is_ssml, read_ssml


@dataclass(frozen=True)
class Segment:
    """One sentence, or a part of a long one, as a model speaks it.

    Attributes:
        written: The sentence as it stands in the input, markup resolved.
        text: The sentence normalized, with pauses at its clauses, ready for `encode`.
        pause_seconds: Silence to add after it, 0 where the sentence's own end is enough.
        rate: Speed relative to the voice's own, above 0.
        origins: For each character of `written` but white space, where it stands in the input.
        start: Offset of `text` in all that is spoken of `written`.
    """

    written: str
    text: str
    pause_seconds: float
    rate: float
    origins: tuple[Span, ...] = field(default=(), compare=False, repr=False)
    start: int = field(default=0, compare=False, repr=False)


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
        stretches, notices = _paragraphs(text), []
    segments: list[Segment] = []
    for stretch in stretches:
        segments += _speak(stretch, max_symbols)
        if segments and stretch.pause_seconds and not is_ssml(text):
            segments[-1] = replace(segments[-1], text=end_with_pause(segments[-1].text))
        if segments and segments[-1].pause_seconds < stretch.pause_seconds:
            segments[-1] = replace(segments[-1], pause_seconds=stretch.pause_seconds)
    if segments and not is_ssml(text):  # a pause stands between paragraphs, not after the last
        segments[-1] = replace(segments[-1], pause_seconds=0.0)
    if not segments:
        raise TextError("There is nothing to speak, neither letters nor digits", 0)
    return Document(tuple(segments), tuple(notices))


def _paragraphs(text: str) -> list[Stretch]:
    origins = ((place, place + 1) for place, char in enumerate(text) if not char.isspace())
    *parts, last = split_paragraphs(text) or [""]
    return [
        *(Stretch(part, PARAGRAPH_SECONDS, 1.0, _take(origins, part)) for part in parts),
        Stretch(last, 0.0, 1.0, _take(origins, last)),
    ]


def _take(origins: Iterator[Span], text: str) -> tuple[Span, ...]:
    """Return the next origins: those of a text that follows on the last one."""
    return tuple(islice(origins, len("".join(text.split()))))


def _speak(stretch: Stretch, max_symbols: int) -> list[Segment]:
    segments = []
    origins = iter(stretch.origins)
    for written in split_sentences(stretch.text, max_symbols=max(len(stretch.text), max_symbols)):
        of_sentence = _take(origins, written)
        spoken = add_pauses(normalize(written))
        end = 0
        for text in split_sentences(spoken, max_symbols=max_symbols):
            start = spoken.index(text, end)
            end = start + len(text)
            if _is_audible(text):
                segments.append(Segment(written, text, 0.0, stretch.rate, of_sentence, start))
    return segments


def _is_audible(text: str) -> bool:
    return any(token.source != "punctuation" and token.symbols for token in pronounce(text))
