"""Errors as OpenAI's clients expect them: an object with message, type, param and code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.job_queue import QueueFullError
from pipeline.worker_pool import WorkerLostError


def explain_errors(server: FastAPI) -> None:
    """Have a server answer errors in OpenAI's shape; its routes under /v1 are all there by now."""
    server.add_exception_handler(RequestValidationError, _explain_body)
    server.add_exception_handler(HTTPException, _explain)
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    server.add_api_route("/v1/{path:path}", _nothing, methods=methods, include_in_schema=False)


def error_object(status: int, message: str, param: str | None = None) -> dict[str, Any]:
    """Return what the body of an error holds."""
    kind = "rate_limit_error" if status == HTTPStatus.TOO_MANY_REQUESTS else "invalid_request_error"
    shown = message.encode("utf-8", "replace").decode()  # lone surrogates of the request
    return {"error": {"message": shown, "type": kind, "param": param, "code": None}}


def status_of(error: Exception) -> int:
    """Return the status of one of the errors that are shown to users."""
    if isinstance(error, WorkerLostError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    is_full = isinstance(error, QueueFullError)
    return HTTPStatus.TOO_MANY_REQUESTS if is_full else HTTPStatus.BAD_REQUEST


async def _explain_body(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    params = [".".join(str(part) for part in line["loc"][1:]) for line in error.errors()]
    message = "; ".join(
        f"{param or 'body'}: {line['msg'].removeprefix('Value error, ')}"
        for param, line in zip(params, error.errors(), strict=True)
    )
    param = params[0].encode("utf-8", "replace").decode() or None
    return JSONResponse(error_object(400, message, param), status_code=400)


async def _explain(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    content = error_object(error.status_code, str(error.detail))
    return JSONResponse(content, status_code=error.status_code, headers=error.headers)


async def _nothing(path: str, request: Request) -> None:
    """Answer for a route that is not there, before the page does with its own 404."""
    raise HTTPException(404, f"There is no {request.method} /v1/{path}")
