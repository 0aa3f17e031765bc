"""The server: one FastAPI application that carries the API, the results and the page."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import AsyncGenerator

from fastapi import FastAPI

from app.api_errors import explain_errors
from app.auth import RequirePassword
from app.finetune_jobs import FinetuneJobs
from app.media import media_routes, training_routes
from app.page import mount_page
from app.results import Results
from app.speech_api import speech_routes
from app.speech_service import SpeechService
from pipeline.errors import PipelineError


def build_server(
    service: SpeechService,
    *,
    finetune_jobs: FinetuneJobs | None,
    auth: tuple[str, str] | None = None,
    exact_voices: bool = False,
) -> FastAPI:
    """Return the application.

    Args:
        service: What speaks; its default voice is loaded as soon as the server runs.
        finetune_jobs: What fine-tunes; None where visitors may not.
        auth: User and password, asked of everybody.
        exact_voices: See `speech_routes`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        service.queue.submit(lambda: service.store.get(service.store.default))
        yield
        service.queue.close()
        if finetune_jobs is not None:
            finetune_jobs.close()

    results = Results()
    server = FastAPI(
        title="Tacoglow",
        lifespan=lifespan,
        docs_url=None,  # FastAPI's pages ask for scripts from elsewhere
        redoc_url=None,
    )
    server.include_router(speech_routes(service, exact_voices=exact_voices))
    server.include_router(media_routes(results))
    if finetune_jobs is not None:
        server.include_router(training_routes(finetune_jobs))
    explain_errors(server)
    if auth is not None:
        server.add_middleware(RequirePassword, user=auth[0], password=auth[1])
    mount_page(server, service, results, finetune_jobs)
    return server


def serve(server: FastAPI, listener: socket.socket) -> None:
    """Serve until interrupted."""
    import uvicorn

    config = uvicorn.Config(server, log_level="warning", timeout_graceful_shutdown=2)
    uvicorn.Server(config).run(sockets=[listener])


def share(port: int) -> str:
    """Return a public address that leads here, by way of Gradio's tunnel.

    Raises:
        PipelineError: There is no way out to it.
    """
    from gradio import networking

    try:
        return networking.setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None)
    except Exception as error:  # whatever the tunnel raises, the reason is that there is none
        raise PipelineError(f"--share found no tunnel to gradio.live: {error}") from error
