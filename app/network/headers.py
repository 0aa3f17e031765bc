"""Headers that tell browsers what not to do with the answers."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": "frame-ancestors 'self'",  # no page of others shows this one inside
    "x-content-type-options": "nosniff",  # a text that looks like a script stays a text
    "referrer-policy": "same-origin",  # a link to a speech holds its text
}


class SecureHeaders:
    """Adds the headers to every answer; one that an answer brings along stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
