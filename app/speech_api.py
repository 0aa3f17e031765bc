"""The HTTP API for programs: speech as OpenAI's and Kokoro-FastAPI's clients ask, voices, health.

Sources: OpenAI's API reference, "Create speech" and "List models"; Kokoro-FastAPI.
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
from app.speech_body import MODEL, CaptionedBody, SpeechBody
from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService, Waiting
from pipeline.speech import AudioPiece, as_piece

_MODEL: dict[str, object] = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def speech_routes(service: SpeechService, *, exact_voices: bool = False) -> APIRouter:
    """Return the routes of the API.

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

    @router.get("/v1/models")
    async def models() -> dict[str, object]:
        """List the one model that there is."""
        return {"object": "list", "data": [_MODEL]}

    @router.get("/v1/models/{name}")
    async def model(name: str) -> dict[str, object]:
        """Describe the model."""
        if name != MODEL:
            raise HTTPException(404, f"There is no model {name!r}; expected {MODEL!r}")
        return _MODEL

    @router.get("/v1/audio/models", include_in_schema=False)
    async def audio_models() -> dict[str, object]:
        """List the model as Open WebUI asks for it."""
        return {"models": [{"id": MODEL}]}

    @router.get("/v1/audio/voices", include_in_schema=False)
    async def audio_voices() -> dict[str, object]:
        """List the voices as Open WebUI and Kokoro-FastAPI's clients ask for them."""
        return {"voices": [{"id": name, "name": name} for name in service.store.voices()]}

    @router.get("/v1/voices")
    async def voices() -> dict[str, object]:
        """List the voices that requests may name."""
        return {
            "voices": [
                {
                    "id": name,
                    "language": voice.language,
                    "sample_rate": voice.audio.sample_rate,
                    "sigma": voice.sigma,
                    "denoise": voice.denoise,
                    "is_default": name == service.store.default,
                }
                for name, voice in service.store.voices().items()
            ],
            "vocoders": service.store.vocoders(),
        }

    @router.get("/health")
    async def health() -> dict[str, object]:
        """Say whether the default voice is in memory, and how many wait for the models."""
        is_ready = service.store.is_loaded(service.store.default)
        return {"status": "ok" if is_ready else "loading", "waiting": len(service.queue)}

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
