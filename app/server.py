"""The server: one FastAPI application that carries the API, the results and the page."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import AsyncGenerator
from typing import Literal

from fastapi import FastAPI

from app.api_errors import explain_errors
from app.catalog_api import catalog_routes
from app.finetune_jobs import FinetuneJobs
from app.media import media_routes, training_routes
from app.metrics import MeasuredSpeechService, monitoring_routes
from app.network.connection import HastyProtocol
from app.network.graceful import GracefulServer
from app.network.guard import NetworkOptions, guard
from app.network.record import LOGGING, RecordRequests
from app.page import mount_page
from app.results import Results
from app.speech_api import speech_routes
from pipeline.errors import PipelineError

CLOSING_SECONDS = 3  # for connections that are open still when all is spoken


def build_server(
    service: MeasuredSpeechService,
    *,
    finetune_jobs: FinetuneJobs | None,
    network: NetworkOptions,
    wyoming_listener: socket.socket | None = None,
    exact_voices: bool = False,
) -> FastAPI:
    """Return the application.

    Args:
        service: What speaks; its default voice is loaded as soon as the server runs.
        finetune_jobs: What fine-tunes; None where visitors may not.
        network: Who may use the server, and how much of it.
        wyoming_listener: Where Wyoming is spoken too.
        exact_voices: See `speech_routes`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        service.queue.submit(lambda: service.store.get(service.store.default))
        async with contextlib.AsyncExitStack() as stack:
            if wyoming_listener is not None:
                from app.wyoming_server import wyoming_server

                await stack.enter_async_context(wyoming_server(service, wyoming_listener))
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
    server.include_router(catalog_routes(service))
    server.include_router(monitoring_routes(service))
    server.include_router(media_routes(results))
    if finetune_jobs is not None:
        server.include_router(training_routes(finetune_jobs))
    explain_errors(server)
    guard(server, network)
    server.add_middleware(RecordRequests, metrics=service.metrics)
    mount_page(server, service, results, finetune_jobs)
    return server


def prepare(
    server: FastAPI,
    service: MeasuredSpeechService,
    *,
    grace_seconds: float,
    log_format: Literal["plain", "json"] = "plain",
) -> GracefulServer:
    """Return what serves until interrupted, once it is run.

    Args:
        server: The application of `build_server`.
        service: What it speaks with.
        grace_seconds: How long what is being spoken may go on after the signal to stop.
        log_format: "plain" logs what goes wrong, "json" each request too.
    """
    import uvicorn

    config = uvicorn.Config(
        server,
        http=HastyProtocol,
        log_config=LOGGING if log_format == "json" else uvicorn.config.LOGGING_CONFIG,
        log_level="warning",
        timeout_graceful_shutdown=CLOSING_SECONDS,
    )
    return GracefulServer(
        config, n_speaking=lambda: service.n_speaking, grace_seconds=grace_seconds
    )


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
