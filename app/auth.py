"""A password before everything that the server does: the page, its files and the API."""

from __future__ import annotations

import base64
import secrets

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class RequirePassword:
    """Answers requests that carry the password, and all others with 401.

    Browsers ask for it (HTTP Basic); programs send Basic too, or the password as bearer token,
    which is what OpenAI's clients make of their `api_key`.
    """

    def __init__(self, app: ASGIApp, *, user: str, password: str) -> None:
        self._app = app
        basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._accepted = (f"Basic {basic}".encode(), f"Bearer {password}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 to a request without the password."""
        if scope["type"] == "lifespan" or self._is_let_in(scope):
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse(
            {"error": {"message": "User and password are needed, or the password as API key."}},
            status_code=401,
            headers={"www-authenticate": 'Basic realm="tacoglow", charset="UTF-8"'},
        )
        await refusal(scope, receive, send)

    def _is_let_in(self, scope: Scope) -> bool:
        if scope["path"] == "/health":
            return True  # monitoring has no password
        given = Headers(scope=scope).get("authorization", "").encode()
        return any(secrets.compare_digest(given, accepted) for accepted in self._accepted)
