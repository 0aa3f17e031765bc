"""The HTTP API for programs: /v1/audio/speech as OpenAI's clients speak it, voices, health.

Source: OpenAI's API reference, "Create speech".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from app.encoding import ENCODINGS, AudioEncoder
from app.job_queue import QueueFullError
from app.speech_service import USER_ERRORS, Part, SpeechRequest, SpeechService
from pipeline.options import OPTIONS, SpeechOptions


@dataclass(config=ConfigDict(extra="forbid"), frozen=True, kw_only=True)
class SpeechBody(SpeechOptions):
    """The body of POST /v1/audio/speech: what OpenAI has, and the options of speech."""

    model: Literal["tacoglow", "tts-1", "tts-1-hd"]  # all the same; clients ask for the last two
    input: str
    voice: str
    response_format: Literal["mp3", "opus", "flac", "wav", "pcm"] = "mp3"
    rate: Annotated[
        float, Field(alias="speed", ge=OPTIONS["rate"].low, le=OPTIONS["rate"].high)
    ] = 1.0
    stream_format: Literal["audio"] = "audio"
    vocoder: str = ""


def speech_routes(service: SpeechService) -> APIRouter:
    """Return the routes of the API."""
    router = APIRouter()

    @router.post("/v1/audio/speech")
    async def speech(body: SpeechBody, http_request: Request) -> Response:
        """Speak; the audio is sent sentence by sentence, as soon as each is ready."""
        request = SpeechRequest(
            text=body.input,
            voice=body.voice,
            vocoder=body.vocoder,
            options=SpeechOptions.from_mapping(asdict(body)),
        )
        parts = _parts(service, request, http_request)
        try:
            first = await anext(parts)  # what is wrong shows before the answer begins
        except USER_ERRORS as error:
            status = 429 if isinstance(error, QueueFullError) else 400
            raise HTTPException(status, str(error)) from error
        except StopAsyncIteration:
            return Response(status_code=499)  # the client went away; nobody reads this
        encoding = ENCODINGS[body.response_format]
        encoder = AudioEncoder(body.response_format, first.speech.sample_rate)
        pieces = _encoded(encoder, first, parts)
        if encoding.is_streamed:
            return StreamingResponse(pieces, media_type=encoding.media_type)
        async for _ in pieces:
            pass
        return Response(encoder.whole(), media_type=encoding.media_type)

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


async def _parts(
    service: SpeechService, request: SpeechRequest, http_request: Request
) -> AsyncGenerator[Part]:
    """Yield the sentences until the last one is spoken or the client is gone."""
    spoken = service.speak(request)
    try:
        async for event in spoken:
            if await http_request.is_disconnected():
                return
            if isinstance(event, Part):
                yield event
    finally:
        await spoken.aclose()


async def _encoded(
    encoder: AudioEncoder, first: Part, parts: AsyncGenerator[Part]
) -> AsyncGenerator[bytes]:
    yield encoder.add(first.speech.audio)
    async for part in parts:
        yield encoder.add(part.speech.audio)
    yield encoder.finish()
