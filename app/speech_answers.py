"""Speech as an answer of the API: a file, events, or audio in JSON with the times of its words."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, NamedTuple

from app.api_errors import error_object, status_of
from app.encoding import ENCODINGS, AudioEncoder
from app.speech_service import USER_ERRORS
from pipeline.speech import AudioPiece, Speech
from pipeline.words import Word


class Piece(NamedTuple):
    """Encoded audio, and the words that are heard in it."""

    data: bytes
    words: list[Word]
    n_symbols: int  # that were read for it
    n_frames: int  # of mel that were made of them


async def encoded(
    response_format: str,
    first: AudioPiece,
    others: AsyncGenerator[AudioPiece],
    *,
    with_words: bool,
) -> AsyncGenerator[Piece]:
    """Yield speech as it is made; in one piece, where the header must know the length."""
    is_streamed = ENCODINGS[response_format].is_streamed
    seconds = 0.0
    total = Piece(b"", [], 0, 0)
    with contextlib.closing(AudioEncoder(response_format, first.sample_rate)) as encoder:
        async for heard in _chained(first, others):
            data = encoder.add(heard.audio)
            seconds += heard.seconds
            piece = _piece(heard.speech, data, seconds, with_words=with_words)
            if is_streamed:
                yield piece
            else:
                total = Piece(
                    b"",
                    total.words + piece.words,
                    total.n_symbols + piece.n_symbols,
                    total.n_frames + piece.n_frames,
                )
        end = encoder.finish()
        yield Piece(end, [], 0, 0) if is_streamed else total._replace(data=encoder.whole())


async def _chained(
    first: AudioPiece, others: AsyncGenerator[AudioPiece]
) -> AsyncGenerator[AudioPiece]:
    yield first
    async for piece in others:
        yield piece


def _piece(speech: Speech | None, data: bytes, end: float, *, with_words: bool) -> Piece:
    """Return a piece with what is told of the sentence that ends in it, if one does."""
    if speech is None:
        return Piece(data, [], 0, 0)
    n_symbols = sum(len(sentence.symbols) for sentence in speech.sentences)
    n_frames = sum(sentence.mel.shape[1] for sentence in speech.sentences)
    words = _words(speech, end - speech.seconds) if with_words else []
    return Piece(data, words, n_symbols, n_frames)


def _words(speech: Speech, start: float) -> list[Word]:
    return [replace(word, start=word.start + start, end=word.end + start) for word in speech.words]


async def joined(pieces: AsyncGenerator[Piece]) -> Piece:
    """Return all pieces as one."""
    every = [piece async for piece in pieces]
    return Piece(
        b"".join(piece.data for piece in every),
        [word for piece in every for word in piece.words],
        sum(piece.n_symbols for piece in every),
        sum(piece.n_frames for piece in every),
    )


async def audio_bytes(pieces: AsyncGenerator[Piece]) -> AsyncGenerator[bytes]:
    """Yield the audio alone."""
    async for piece in pieces:
        if piece.data:
            yield piece.data


async def events(pieces: AsyncGenerator[Piece], *, with_words: bool) -> AsyncGenerator[str]:
    """Yield server-sent events as OpenAI names them; usage counts symbols read and mel frames."""
    n_symbols = n_frames = 0
    try:
        async for piece in pieces:
            n_symbols, n_frames = n_symbols + piece.n_symbols, n_frames + piece.n_frames
            if not piece.data and not piece.words:
                continue
            delta: dict[str, Any] = {"type": "speech.audio.delta", "audio": _base64(piece.data)}
            if with_words:
                delta["words"] = [word.as_json() for word in piece.words]
            yield _event(delta)
    except USER_ERRORS as error:  # later than the first sentence, where a status could say it
        yield _event({"type": "error", **error_object(status_of(error), str(error))})
        return
    counts = {"input_tokens": n_symbols, "output_tokens": n_frames}
    usage = counts | {"total_tokens": n_symbols + n_frames}
    yield _event({"type": "speech.audio.done", "usage": usage})


def audio_with_words(piece: Piece, response_format: str) -> dict[str, Any]:
    """Return audio and the times of its words for JSON."""
    return {
        "audio": _base64(piece.data),
        "audio_format": ENCODINGS[response_format].media_type,
        "words": [word.as_json() for word in piece.words],
    }


def captioned(piece: Piece, response_format: str, *, has_timestamps: bool) -> dict[str, Any]:
    """Return the same with the names that Kokoro-FastAPI has for them."""
    timestamps = [
        {"word": word.written, "start_time": round(word.start, 3), "end_time": round(word.end, 3)}
        for word in piece.words
    ]
    return {
        "audio": _base64(piece.data),
        "audio_format": ENCODINGS[response_format].media_type,
        "timestamps": timestamps if has_timestamps else None,
    }


async def captioned_lines(
    pieces: AsyncGenerator[Piece], response_format: str, *, has_timestamps: bool
) -> AsyncGenerator[str]:
    """Yield a line of JSON for each piece."""
    async for piece in pieces:
        content = captioned(piece, response_format, has_timestamps=has_timestamps)
        yield json.dumps(content) + "\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content)}\n\n"
