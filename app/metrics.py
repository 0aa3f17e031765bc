"""What Prometheus reads: requests, the queue, latencies, seconds of audio, failures."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import TypeVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from app.speech_service import (
    USER_ERRORS,
    Part,
    SpeechRequest,
    SpeechService,
    Waiting,
)
from pipeline.speech import AudioPiece

Heard = TypeVar("Heard", Part, AudioPiece)

SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)  # bounds of histograms


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tacoglow_requests", "HTTP requests", ["route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "tacoglow_request_seconds",
            "From the head of a request to the end of its answer",
            ["route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.waiting = Gauge(
            "tacoglow_waiting_jobs", "Jobs in the queue of the models", registry=self.registry
        )
        self.speaking = Gauge(
            "tacoglow_speaking", "Texts that are being spoken", registry=self.registry
        )
        self.first_sound_seconds = Histogram(
            "tacoglow_first_sound_seconds",
            "From the asking to the first audio",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.audio_seconds = Counter(
            "tacoglow_audio_seconds", "Audio that was made", registry=self.registry
        )
        self.worker_restarts = Gauge(
            "tacoglow_worker_restarts",
            "Worker processes that were killed and replaced",
            registry=self.registry,
        )
        self.failures = Counter(
            "tacoglow_failures", "Texts that were not spoken", ["reason"], registry=self.registry
        )


class MeasuredSpeechService(SpeechService):
    """A speech service that counts what it does."""

    n_speaking = 0

    @cached_property
    def metrics(self) -> Metrics:
        """What was counted."""
        metrics = Metrics()
        metrics.waiting.set_function(lambda: len(self.queue))
        metrics.speaking.set_function(lambda: self.n_speaking)
        metrics.worker_restarts.set_function(lambda: self.store.n_worker_restarts)
        return metrics

    async def speak(self, request: SpeechRequest) -> AsyncGenerator[Waiting | Part]:
        """Speak as `SpeechService.speak` does."""
        async with contextlib.aclosing(self._counted(super().speak(request))) as events:
            async for event in events:
                yield event

    async def stream(self, request: SpeechRequest) -> AsyncGenerator[Waiting | AudioPiece]:
        """Speak as `SpeechService.stream` does."""
        async with contextlib.aclosing(self._counted(super().stream(request))) as events:
            async for event in events:
                yield event

    async def _counted(
        self, spoken: AsyncGenerator[Waiting | Heard]
    ) -> AsyncGenerator[Waiting | Heard]:
        """Yield what is spoken, and count it."""
        started = time.perf_counter()
        is_first = True
        self.n_speaking += 1
        try:
            async with contextlib.aclosing(spoken) as events:
                async for event in events:
                    if not isinstance(event, Waiting):
                        self.metrics.audio_seconds.inc(event.seconds)
                    if not isinstance(event, Waiting) and is_first:
                        self.metrics.first_sound_seconds.observe(time.perf_counter() - started)
                        is_first = False
                    yield event
        except Exception as error:
            reason = type(error).__name__ if isinstance(error, USER_ERRORS) else "bug"
            self.metrics.failures.labels(reason).inc()
            raise
        finally:
            self.n_speaking -= 1


def monitoring_routes(service: MeasuredSpeechService) -> APIRouter:
    """Return the routes that monitoring asks."""
    router = APIRouter()

    @router.get("/metrics")
    async def metrics() -> Response:
        """Return the figures in Prometheus' text format."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/ready")
    async def ready() -> JSONResponse:
        """Answer 200 where a request would be served, 503 with the reason where not."""
        reason = ""
        if not service.store.is_loaded(service.store.default):
            reason = "The default voice is being loaded."
        elif service.queue.is_full:
            reason = "The queue is full."
        return JSONResponse(
            {"ready": not reason, "reason": reason}, status_code=503 if reason else 200
        )

    return router
