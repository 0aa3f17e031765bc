"""The HTTP API for programs: /v1/audio/speech as OpenAI's clients speak it, voices, health.

Source: OpenAI's API reference, "Create speech".
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from app.encoding import ENCODINGS, Encoder
from app.line import LineFullError
from app.studio import MISTAKES, Part, Studio, Wish


class SpeechRequest(BaseModel):
    """The body of POST /v1/audio/speech; what OpenAI does not have comes last."""

    model_config = ConfigDict(extra="forbid")

    model: Literal["tacoglow", "tts-1", "tts-1-hd"]  # all the same; clients ask for the last two
    input: str
    voice: str
    response_format: Literal["mp3", "opus", "flac", "wav", "pcm"] = "mp3"
    speed: Annotated[float, Field(ge=0.5, le=2.0)] = 1.0
    stream_format: Literal["audio"] = "audio"
    vocoder: str = ""
    sigma: float | None = None
    denoise: float | None = None
    seed: int = 0


def speech_routes(studio: Studio) -> APIRouter:
    """Return the routes of the API."""
    router = APIRouter()

    @router.post("/v1/audio/speech")
    async def speech(body: SpeechRequest, request: Request) -> Response:
        """Speak; the audio is sent sentence by sentence, as soon as each is ready."""
        wish = Wish(
            text=body.input,
            voice=body.voice,
            vocoder=body.vocoder,
            sigma=body.sigma,
            denoise=body.denoise,
            seed=body.seed,
            rate=body.speed,
        )
        parts = _parts(studio, wish, request)
        try:
            first = await anext(parts)  # what is wrong shows before the answer begins
        except MISTAKES as error:
            status = 429 if isinstance(error, LineFullError) else 400
            raise HTTPException(status, str(error)) from error
        except StopAsyncIteration:
            return Response(status_code=499)  # the client went away; nobody reads this
        encoding = ENCODINGS[body.response_format]
        encoder = Encoder(body.response_format, first.speech.sample_rate)
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
                    "is_default": name == studio.shelf.default,
                }
                for name, voice in studio.shelf.voices().items()
            ],
            "vocoders": studio.shelf.vocoders(),
        }

    @router.get("/health")
    async def health() -> dict[str, object]:
        """Say whether the default voice is in memory, and how many wait for the models."""
        is_ready = studio.shelf.is_loaded(studio.shelf.default)
        return {"status": "ok" if is_ready else "loading", "waiting": len(studio.line)}

    return router


async def _parts(studio: Studio, wish: Wish, request: Request) -> AsyncGenerator[Part]:
    """Yield the sentences until the last one is spoken or the client is gone."""
    spoken = studio.speak(wish)
    try:
        async for event in spoken:
            if await request.is_disconnected():
                return
            if isinstance(event, Part):
                yield event
    finally:
        await spoken.aclose()


async def _encoded(
    encoder: Encoder, first: Part, parts: AsyncGenerator[Part]
) -> AsyncGenerator[bytes]:
    yield encoder.add(first.speech.audio)
    async for part in parts:
        yield encoder.add(part.speech.audio)
    yield encoder.finish()
