"""SSML, the useful subset: break, say-as, sub, phoneme, p, s, prosody rate.

Source: W3C Speech Synthesis Markup Language 1.1.
"""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple
from xml.parsers import expat

from text.errors import TextError
from text.ipa import ipa_to_phones
from text.say_as import SAY_AS, say_as
from text.spans import parse_span

PARAGRAPH_SECONDS = 0.4
MAX_BREAK_SECONDS = 10.0

_STRENGTHS = {
    **{"none": 0.0, "x-weak": 0.1, "weak": 0.2, "medium": 0.4, "strong": 0.7, "x-strong": 1.0},
}
_RATES = {
    **{"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "default": 1.0, "fast": 1.3, "x-fast": 1.7},
}
_MIN_RATE, _MAX_RATE = 0.25, 4.0
_TIME = re.compile(r"\+?([0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(ms|s)")
_FACTOR = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)(%?)")
_ALPHABETS = ("x-cmu-arpabet", "ipa")
_KNOWN = ("speak", "break", "p", "s", "prosody", "say-as", "sub", "phoneme")


Span = tuple[int, int]
"""Where something begins and ends in the input, in characters."""


class Stretch(NamedTuple):
    """Text between two pauses or changes of speed, not yet normalized."""

    text: str
    pause_seconds: float
    rate: float
    origins: tuple[Span, ...]  # of each character but white space


def is_ssml(text: str) -> bool:
    """Tell whether a text is an SSML document."""
    return re.match(r"\s*(?:<\?xml[^>]{0,200}\?>\s*)?<speak[\s>/]", text) is not None


def read_ssml(text: str) -> tuple[list[Stretch], list[str]]:
    """Return the stretches of an SSML document and notices of what is not supported.

    Entities and document types are errors, so that no input can make the parser read a file or
    grow without bound.

    Raises:
        TextError: The document is not well-formed, or an element cannot be spoken as it asks; the
            message has line and column.
    """
    return _Reader(text).read()


class _Reader:
    """Walks through one document; expat calls it for each tag and text."""

    def __init__(self, text: str) -> None:
        # Lone surrogates have no UTF-8; they are silent anyway.
        self._text = text.encode("utf-8", "replace")
        self._stretches: list[Stretch] = []
        self._notices: list[str] = []
        self._place = (0, 0)  # of the parser when it was last asked for: byte, character
        self._written: list[tuple[str, Span]] = []  # each character with its origin
        # Where text goes: to the stretch, or to the element that replaces it by something else.
        self._sinks = [self._written]
        self._rates = [1.0]
        self._open: list[Callable[[str], str] | None] = []
        self._parser = expat.ParserCreate(encoding="utf-8")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.StartDoctypeDeclHandler = self._doctype

    def read(self) -> tuple[list[Stretch], list[str]]:
        try:
            self._parser.Parse(self._text, True)
        except expat.ExpatError as error:
            raise self._error(expat.ErrorString(error.code)) from error
        self._finish(0.0)
        return self._stretches, self._notices

    def _error(self, message: str) -> TextError:
        parser = self._parser
        line, column = parser.ErrorLineNumber, parser.ErrorColumnNumber + 1
        position = len(self._text[: max(parser.ErrorByteIndex, 0)].decode("utf-8", "ignore"))
        return TextError(f"SSML, line {line}, column {column}: {message}", position)

    def _doctype(self, *_: object) -> None:
        raise self._error("a document type is not allowed")

    def _finish(self, pause_seconds: float) -> None:
        """End the stretch that is being written."""
        text = " ".join("".join(char for char, _ in self._written).split())
        origins = tuple(span for char, span in self._written if not char.isspace())
        self._written.clear()
        if text:
            self._stretches.append(Stretch(text, pause_seconds, self._rates[-1], origins))
        elif self._stretches and pause_seconds > self._stretches[-1].pause_seconds:
            self._stretches[-1] = self._stretches[-1]._replace(pause_seconds=pause_seconds)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._open and name != "speak":
            raise self._error(f"the document begins with <{name}>, expected <speak>")
        if name not in _KNOWN:
            self._notice(f"<{name}> is not supported; what is in it is spoken without it")
        self._open.append(self._replacement(name, attributes))
        if self._open[-1]:
            self._sinks.append([])
        elif name == "break":
            self._finish(self._pause(attributes))
        elif name in ("p", "s"):
            self._finish(0.0)
        elif name == "prosody":
            self._finish(0.0)
            self._rates.append(self._rate(attributes))

    def _end(self, name: str) -> None:
        replace = self._open.pop()
        if replace:
            content = self._sinks.pop()
            replaced = replace("".join(char for char, _ in content).strip())
            spans = [span for char, span in content if not char.isspace()]
            here = self._character_index()
            span = (spans[0][0], spans[-1][1]) if spans else (here, here)
            self._sinks[-1] += [(char, span) for char in f" {replaced} "]
        elif name == "p":
            self._finish(PARAGRAPH_SECONDS)
        elif name == "s":
            self._finish(0.0)
        elif name == "prosody":
            self._finish(0.0)
            self._rates.pop()

    def _characters(self, data: str) -> None:
        start = self._character_index()
        self._sinks[-1] += [(char, (at, at + 1)) for at, char in enumerate(data, start)]

    def _character_index(self) -> int:
        """Return where the parser is in the input."""
        last_byte, last_character = self._place
        byte = self._parser.CurrentByteIndex
        passed = self._text[last_byte:byte].decode("utf-8")
        self._place = (byte, last_character + len(passed))
        return self._place[1]

    def _replacement(self, name: str, attributes: dict[str, str]) -> Callable[[str], str] | None:
        """Return what an element makes of its content, None where it leaves it as it is."""
        if name == "sub":
            alias = self._required("sub", "alias", attributes)
            return lambda _: alias
        if name == "phoneme":
            span = self._span(attributes)
            return lambda _: span
        if name == "say-as":
            kind = self._required("say-as", "interpret-as", attributes)
            if kind in SAY_AS:
                return lambda content: self._say_as(content, kind, attributes.get("format", ""))
            self._notice(f'say-as interpret-as="{kind}" is not supported; expected {_list(SAY_AS)}')
        return None

    def _say_as(self, content: str, kind: str, format_: str) -> str:
        try:
            return say_as(content, kind, format_)
        except TextError as error:
            raise self._error(error.reason) from error

    def _span(self, attributes: dict[str, str]) -> str:
        alphabet = attributes.get("alphabet", "ipa")
        written = self._required("phoneme", "ph", attributes)
        if alphabet not in _ALPHABETS:
            raise self._error(f"alphabet {alphabet!r} is not known, expected {_list(_ALPHABETS)}")
        try:
            phones = (
                ipa_to_phones(written) if alphabet == "ipa" else parse_span(f"{{{written}}}", 0)
            )
        except TextError as error:
            raise self._error(error.reason) from error
        if not phones:
            raise self._error(f"phoneme ph={written!r} has no sound")
        return f"{{{' '.join(phones)}}}"

    def _required(self, element: str, attribute: str, attributes: dict[str, str]) -> str:
        if attribute not in attributes:
            raise self._error(f"<{element}> has no {attribute}")
        return attributes[attribute].strip()

    def _pause(self, attributes: dict[str, str]) -> float:
        if "time" not in attributes:
            strength = attributes.get("strength", "medium")
            if strength not in _STRENGTHS:
                raise self._error(f"break strength {strength!r}, expected {_list(_STRENGTHS)}")
            return _STRENGTHS[strength]
        match = _TIME.fullmatch(attributes["time"].strip())
        if match is None:
            raise self._error(f"break time {attributes['time']!r}, expected such as 500ms or 1.5s")
        seconds = float(match.group(1)) / (1000 if match.group(2) == "ms" else 1)
        if seconds > MAX_BREAK_SECONDS:
            self._notice(f"a break of {seconds:g} s is cut to {MAX_BREAK_SECONDS:g} s")
        return min(seconds, MAX_BREAK_SECONDS)

    def _rate(self, attributes: dict[str, str]) -> float:
        for attribute in sorted(attributes.keys() - {"rate"}):
            self._notice(f"prosody {attribute} is not supported and has no effect")
        written = attributes.get("rate", "medium").strip()
        match = _FACTOR.fullmatch(written)
        if match is None and written not in _RATES:
            raise self._error(f"prosody rate {written!r}, expected such as slow, 90% or 1.2")
        factor = (
            _RATES[written]
            if match is None
            else float(match.group(1)) / (100 if match.group(2) else 1)
        )
        rate = self._rates[-1] * factor
        if not _MIN_RATE <= rate <= _MAX_RATE:
            raise self._error(f"prosody rate {rate:g}, expected {_MIN_RATE:g} to {_MAX_RATE:g}")
        return rate

    def _notice(self, message: str) -> None:
        self._notices.append(f"line {self._parser.CurrentLineNumber}: {message}")


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)
