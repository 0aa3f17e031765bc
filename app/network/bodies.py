"""Limits on what a request brings: its size, before anything parses it, and its time."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.network.refusal import refusal
from app.network.uploads import Uploads

DISK_IS_FULL = "The server's disk is full. Try again later, or tell its operator."
UPLOAD_PATH = "/gradio_api/upload"  # the one route that takes files
LINGER_SECONDS = 3.0  # how long a client may go on sending what has been refused


@dataclass(frozen=True, kw_only=True)
class BodyLimits:
    """How much a request may bring, and how long it may take."""

    max_bytes: int = 4 * 2**20  # of all but uploads: a book of 100,000 words is 0.6 MB
    patience_seconds: float = 20.0  # that all the waiting for a body may take,
    min_bytes_per_second: float = 16_000.0  # and a second more for so much that has come


class RefusedError(Exception):
    """A body was refused while the application read it."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class LimitBodies:
    """Answers 413 to bodies that are too large, 408 to those that do not come, 507 to no room."""

    def __init__(self, app: ASGIApp, *, limits: BodyLimits, uploads: Uploads) -> None:
        self._app = app
        self._limits = limits
        self._uploads = uploads
        self._uploaded = 0  # bytes, over all uploads since the start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, unless its body is refused first."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == UPLOAD_PATH:
            before = self._uploaded
            max_bytes = await asyncio.to_thread(self._uploads.free_bytes)
            body = _Body(receive, self._limits, max_bytes, lambda n: self._uploads_since(before, n))
        else:
            body = _Body(receive, self._limits, self._limits.max_bytes)
        try:
            body.check(int(Headers(scope=scope).get("content-length") or 0))
            await self._app(scope, body.receive, body.answer_by(send))
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                body.refused = RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, DISK_IS_FULL)
            if body.refused is None or body.is_answered:
                await body.release(send)
                raise
        if body.refused is not None and not body.is_answered:
            answer = refusal(body.refused.status, body.refused.message, {"connection": "close"})
            if body.refused.status != HTTPStatus.REQUEST_TIMEOUT:  # more of the body is coming
                send = _drain_first(receive, send)
            await answer(scope, receive, send)
        else:
            await body.release(send)

    def _uploads_since(self, before: int, n_bytes: int) -> int:
        """Count bytes of an upload; return what all uploads brought since `before`."""
        self._uploaded += n_bytes
        return self._uploaded - before


class _Body:
    """The body of one request while it comes in."""

    def __init__(
        self,
        receive: Receive,
        limits: BodyLimits,
        max_bytes: int,
        count_upload: Callable[[int], int] | None = None,
    ) -> None:
        self._receive = receive
        self._limits = limits
        self._max_bytes = max_bytes
        self._count_upload = count_upload
        self._n_bytes = 0
        self._waited_seconds = 0.0
        self._is_whole = False
        self.refused: RefusedError | None = None
        self.is_answered = False
        self._failure: list[Message] = []

    def check(self, n_bytes: int) -> None:
        """Refuse a body of so many bytes if they are too many."""
        if n_bytes > self._max_bytes:
            self._refuse(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body has {n_bytes:,} bytes or more; at most {self._max_bytes:,} are taken "
                "here now. Send less, or wait until older uploads are deleted.",
            )

    async def receive(self) -> Message:
        """Return the next message, as long as it is within the limits."""
        if self._is_whole:
            return await self._receive()  # the end of the connection: there is no hurry
        started = time.monotonic()
        patience = self._limits.patience_seconds + self._n_bytes / self._limits.min_bytes_per_second
        try:
            async with asyncio.timeout(max(0.0, patience - self._waited_seconds)):
                message = await self._receive()
        except TimeoutError:
            self._refuse(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The body did not come within {patience:.0f} seconds. Send it again.",
            )
        self._waited_seconds += time.monotonic() - started
        if message["type"] == "http.request":
            n_bytes = len(message.get("body", b""))
            self._n_bytes += n_bytes
            self._is_whole = not message.get("more_body", False)
            self.check(self._count_upload(n_bytes) if self._count_upload else self._n_bytes)
        return message

    def answer_by(self, send: Send) -> Send:
        """Return a `send` that drops what the application makes of a refused body.

        A status of 500 is held back: Gradio sends it before it raises what tells why.
        """

        async def send_unless_refused(message: Message) -> None:
            if self._failure or message.get("status") == HTTPStatus.INTERNAL_SERVER_ERROR:
                self._failure.append(message)
            elif self.refused is None or self.is_answered:
                self.is_answered = True
                await send(message)

        return send_unless_refused

    async def release(self, send: Send) -> None:
        """Send what was held back."""
        for message in self._failure:
            self.is_answered = True
            await send(message)
        self._failure = []

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self.refused = RefusedError(status, message)
        raise self.refused


def _drain_first(receive: Receive, send: Send) -> Send:
    """Return a `send` that ends the answer, and with it the connection, when the body has come.

    A socket that is closed while bytes wait in it resets the connection, and the client never
    reads why it was refused (RFC 9112, section 9.6).
    """

    async def send_and_drain(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        await send({**message, "more_body": True})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while (await receive()).get("more_body", False):
                    pass
        await send({"type": "http.response.body"})

    return send_and_drain
