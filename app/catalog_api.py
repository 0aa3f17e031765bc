"""The HTTP API for programs: which models and voices there are, and whether the server is well.

Sources: OpenAI's API reference, "List models"; what Open WebUI and Kokoro-FastAPI's clients ask.
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException

from app.speech_body import MODEL
from app.speech_service import SpeechService

_MODEL: dict[str, object] = {"id": MODEL, "object": "model", "created": 0, "owned_by": MODEL}


def catalog_routes(service: SpeechService) -> APIRouter:
    """Return the routes that list models and voices, and tell the server's health."""
    router = APIRouter()

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
