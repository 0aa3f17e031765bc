"""Audio to a pipe while it is being made."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from pipeline.audio import to_pcm

if TYPE_CHECKING:
    from pipeline.speech import AudioPiece, Speech

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


def write_through(pieces: Iterable[AudioPiece], sink: BinaryIO, *, name: str) -> Iterator[Speech]:
    """Write each piece as soon as it is there; yield each sentence once all of it is written.

    Args:
        pieces: Of one speech.
        sink: A pipe, most likely to a player.
        name: One of `STREAM_FORMATS`; "pcm" is the samples alone, 16-bit little-endian mono.

    Raises:
        BrokenPipeError: Nobody reads any more.
    """
    for index, piece in enumerate(pieces):
        if index == 0 and name == "wav":
            sink.write(wav_header(piece.sample_rate))
        sink.write(to_pcm(piece.audio).astype("<i2").tobytes())
        sink.flush()
        if piece.speech is not None:
            yield piece.speech
