"""What is kept about each request: figures for Prometheus, and a line in the log."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.metrics import Metrics

logger = logging.getLogger("tacoglow.requests")
FACTS = ("client", "method", "route", "path", "status", "seconds", "bytes")
LOGGING = {  # of the whole server, one JSON object a line
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "app.network.record.JsonLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "WARNING", "handlers": ["stderr"]},
    "loggers": {"tacoglow": {"level": "INFO"}},
}


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger and message, the facts of a request, a traceback."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class RecordRequests:
    """Counts and logs each request when its answer has ended; texts are in neither."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status, n_bytes = 0, 0  # 0: the client left before there was an answer

        async def send_and_count(message: Message) -> None:
            nonlocal status, n_bytes
            status = message.get("status", status)
            n_bytes += len(message.get("body", b""))
            await send(message)

        path = scope["path"]  # a mounted application changes it
        try:
            await self._app(scope, receive, send_and_count)
        except BaseException:
            status = status or 500
            raise
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "other")  # few, whatever is asked
            self._metrics.requests.labels(route, str(status)).inc()
            self._metrics.request_seconds.labels(route).observe(seconds)
            client = (scope.get("client") or ("",))[0]
            values = (client, scope["method"], route, path, status, round(seconds, 4), n_bytes)
            logger.info("request", extra=dict(zip(FACTS, values, strict=True)))
