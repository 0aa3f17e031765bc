"""A text or an SSML document to segments: what to speak, how fast, and the pauses between."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from text.errors import TextError
from text.normalizer import normalize
from text.pauses import split_at_pauses
from text.phrasing import add_pauses, end_with_pause
from text.pronunciation import pronounce
from text.sentences import MAX_SYMBOLS, each_sentence, split_paragraphs, split_sentences
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


@dataclass(frozen=True)
class OpenDocument:
    """What `open_document` returns.

    Attributes:
        segments: In the order they are spoken, each read when it is asked for.
        notices: As those of a `Document`.
    """

    segments: Iterator[Segment]
    notices: tuple[str, ...]


def read_document(text: str, *, max_symbols: int = MAX_SYMBOLS) -> Document:
    """Return what is to be spoken of plain text or of SSML, which begins with `<speak`.

    Args:
        text: Any string.
        max_symbols: Longest segment in symbols, as for `split_sentences`.

    Raises:
        TextError: The markup or a span of phones is wrong, or nothing can be spoken.
    """
    opened = open_document(text, max_symbols=max_symbols)
    return Document(tuple(opened.segments), opened.notices)


def open_document(text: str, *, max_symbols: int = MAX_SYMBOLS) -> OpenDocument:
    """Return what `read_document` does, with the first segments before the rest is read.

    Arguments and errors are those of `read_document`. Text with markup or spans of phones, which
    may be wrong, is read whole, so that whatever is refused is refused before it is spoken.
    """
    if is_ssml(text):
        stretches, notices = read_ssml(text)
        return OpenDocument(iter(list(_segments(stretches, max_symbols))), tuple(notices))
    segments = _segments(_paragraphs(text), max_symbols, ends_headings=True)
    if "{" in text:
        segments = iter(list(segments))
    first = next(segments)
    return OpenDocument(chain([first], segments), ())


def _segments(
    stretches: Iterable[Stretch], max_symbols: int, *, ends_headings: bool = False
) -> Iterator[Segment]:
    """Yield the segments of stretches, each with the pause that is written after it."""
    last: Segment | None = None  # it waits for the pauses after it
    for stretch in stretches:
        for segment in _speak(stretch, max_symbols):
            if last is not None:
                yield last
            last = segment
        if last is not None and stretch.pause_seconds:
            text = end_with_pause(last.text) if ends_headings else last.text
            seconds = max(last.pause_seconds, stretch.pause_seconds)
            last = replace(last, text=text, pause_seconds=seconds)
    if last is None:
        raise TextError("There is nothing to speak, neither letters nor digits", 0)
    if ends_headings and last.pause_seconds == PARAGRAPH_SECONDS:
        # A pause stands between paragraphs, not after the last.
        last = replace(last, pause_seconds=0.0)
    yield last


def _paragraphs(text: str) -> Iterator[Stretch]:
    origins = ((place, place + 1) for place, char in enumerate(text) if not char.isspace())
    *parts, last = split_paragraphs(text) or [""]
    for paragraph, end_seconds in [*((part, PARAGRAPH_SECONDS) for part in parts), (last, 0.0)]:
        for part, pause, seconds in split_at_pauses(paragraph, end_seconds):
            yield Stretch(part, seconds, 1.0, _take(origins, part))
            _take(origins, pause)


def _take(origins: Iterator[Span], text: str) -> tuple[Span, ...]:
    """Return the next origins: those of a text that follows on the last one."""
    return tuple(islice(origins, len("".join(text.split()))))


def _speak(stretch: Stretch, max_symbols: int) -> Iterator[Segment]:
    origins = iter(stretch.origins)
    for written in each_sentence(stretch.text, max_symbols=max(len(stretch.text), max_symbols)):
        of_sentence = _take(origins, written)
        spoken = add_pauses(normalize(written))
        end = 0
        for text in split_sentences(spoken, max_symbols=max_symbols):
            start = spoken.index(text, end)
            end = start + len(text)
            if _is_audible(text):
                yield Segment(written, text, 0.0, stretch.rate, of_sentence, start)


def _is_audible(text: str) -> bool:
    return any(token.source != "punctuation" and token.symbols for token in pronounce(text))
