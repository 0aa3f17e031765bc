"""Audio to a pipe while it is being made."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from pipeline.audio import to_pcm

if TYPE_CHECKING:
    from pipeline.speech import Speech

STREAM_FORMATS = ("wav", "pcm")
UNKNOWN_LENGTH = 0xFFFFFFFF  # in a wav header, of a stream whose end is not made yet


def wav_header(sample_rate: int) -> bytes:
    """Return the header of 16-bit mono audio of unknown length."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", UNKNOWN_LENGTH, b"WAVE", b"fmt ", 16),
        *(1, 1, sample_rate, 2 * sample_rate, 2, 16),
        *(b"data", UNKNOWN_LENGTH),
    )


def write_through(parts: Iterable[Speech], sink: BinaryIO, *, name: str) -> Iterator[Speech]:
    """Write each part as soon as it is there, and then yield it.

    Args:
        parts: Of one speech.
        sink: A pipe, most likely to a player.
        name: One of `STREAM_FORMATS`; "pcm" is the samples alone, 16-bit little-endian mono.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """
    for index, part in enumerate(parts):
        if index == 0 and name == "wav":
            sink.write(wav_header(part.sample_rate))
        sink.write(to_pcm(part.audio).astype("<i2").tobytes())
        sink.flush()
        yield part
