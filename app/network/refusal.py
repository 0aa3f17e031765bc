"""The answer to a request that is not let through."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse


def refusal(
    status: HTTPStatus, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    """Return an error as OpenAI's clients expect it."""
    kind = "rate_limit_error" if status == 429 else "invalid_request_error"
    return JSONResponse(
        {"error": {"message": message, "type": kind}}, status_code=status, headers=headers
    )
