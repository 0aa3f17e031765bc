"""The HTTP API for programs: speech as the clients of OpenAI and of Kokoro-FastAPI ask for it.

Sources: OpenAI's API reference, "Create speech"; Kokoro-FastAPI.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from app.api_errors import status_of
from app.encoding import ENCODINGS
from app.speech_answers import (
    Piece,
    audio_bytes,
    audio_with_words,
    captioned,
    captioned_lines,
    encoded,
    events,
    joined,
)
from app.speech_body import CaptionedBody, SpeechBody
from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService, Waiting
from pipeline.speech import AudioPiece, as_piece


def speech_routes(service: SpeechService, *, exact_voices: bool = False) -> APIRouter:
    """Return the routes that speak.

    Args:
        service: What speaks.
        exact_voices: Refuse OpenAI's names of voices instead of speaking with the default voice.
    """
    router = APIRouter()

    async def begin(
        body: SpeechBody, http_request: Request
    ) -> tuple[SpeechRequest, AudioPiece, AsyncGenerator[AudioPiece]]:
        """Return the request with its first piece, where what is wrong shows, and the others."""
        request = body.request(service.store, exact_voices=exact_voices)
        pieces = _pieces(_events(service, request, body), http_request)
        try:
            return request, await anext(pieces), pieces
        except USER_ERRORS as error:
            raise HTTPException(status_of(error), str(error)) from error
        except StopAsyncIteration:
            raise HTTPException(499, "The client went away") from None  # nobody reads this

    async def whole(pieces: AsyncGenerator[Piece]) -> Piece:
        """Return all pieces as one, or say what was wrong with a later sentence."""
        try:
            return await joined(pieces)
        except USER_ERRORS as error:
            raise HTTPException(status_of(error), str(error)) from error

    @router.post("/v1/audio/speech")
    async def speech(body: SpeechBody, http_request: Request) -> Response:
        """Speak; the audio is sent as it is made, with timestamps sentence by sentence."""
        request, first, others = await begin(body, http_request)
        pieces = encoded(body.response_format, first, others, with_words=body.timestamps)
        headers = body.headers(request)
        if body.stream_format == "sse":
            return StreamingResponse(
                events(pieces, with_words=body.timestamps),
                media_type="text/event-stream",
                headers=headers | {"cache-control": "no-cache"},
            )
        if body.timestamps:
            content = audio_with_words(await whole(pieces), body.response_format)
            return JSONResponse(content, headers=headers)
        media_type = ENCODINGS[body.response_format].media_type
        if ENCODINGS[body.response_format].is_streamed:
            return StreamingResponse(audio_bytes(pieces), media_type=media_type, headers=headers)
        return Response((await whole(pieces)).data, media_type=media_type, headers=headers)

    @router.post("/dev/captioned_speech")
    async def captioned_speech(body: CaptionedBody, http_request: Request) -> Response:
        """Speak, with the times of words; a line of JSON a sentence, or one object in the end."""
        request, first, others = await begin(body, http_request)
        headers, has_timestamps = body.headers(request), body.return_timestamps
        pieces = encoded(body.response_format, first, others, with_words=has_timestamps)
        if body.stream:
            return StreamingResponse(
                captioned_lines(pieces, body.response_format, has_timestamps=has_timestamps),
                media_type="application/json",
                headers=headers,
            )
        piece = await whole(pieces)
        content = captioned(piece, body.response_format, has_timestamps=has_timestamps)
        return JSONResponse(content, headers=headers)

    return router


def _events(
    service: SpeechService, request: SpeechRequest, body: SpeechBody
) -> AsyncGenerator[Waiting | Part | AudioPiece]:
    """Speak in pieces where the client hears them early; words are timed by sentence.

    Pieces differ from sentences by rounding: wav, which people keep and compare, is exact.
    """
    is_timed = body.timestamps or isinstance(body, CaptionedBody)
    is_exact = body.response_format == "wav" or not ENCODINGS[body.response_format].is_streamed
    if is_timed or is_exact:
        return service.speak(request)
    return service.stream(request)


async def _pieces(
    events: AsyncGenerator[Waiting | Part | AudioPiece], http_request: Request
) -> AsyncGenerator[AudioPiece]:
    """Yield the audio until all is spoken or the client is gone."""
    try:
        async for event in events:
            if await http_request.is_disconnected():
                return
            if isinstance(event, Part):
                yield as_piece(event.speech)
            elif isinstance(event, AudioPiece):
                yield event
    finally:
        await events.aclose()
