"""Errors of access and state as problem documents."""

from __future__ import annotations

import math
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from millrace.api.problems import MEDIA_TYPE, RESPONSES, WHO, Problem, problem
from millrace.errors import (
    AccessError,
    ConflictError,
    DeniedError,
    InvalidError,
    LoginError,
    MissingError,
    StateError,
    ThrottledError,
)
from millrace.telemetry import Brake

log = structlog.get_logger(__name__)
_brake = Brake()

_STATUS: dict[type[Exception], int] = {
    LoginError: 401,
    DeniedError: 403,
    ThrottledError: 429,
    InvalidError: 422,
    MissingError: 404,
    ConflictError: 409,
}

KNOWN: dict[int | str, dict[str, Any]] = {**WHO, **{code: RESPONSES[code] for code in (408, 413, 422, 503)}}
"""Documentation of the errors of every endpoint here."""

THROTTLED: dict[int | str, dict[str, Any]] = {
    429: {"model": Problem, "description": "Too many attempts; `Retry-After` says when to try again."},
}
"""Documentation of the errors of endpoints that check passwords."""

CHANGE: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is no JSON, or a filter is wrong."},
    409: {"model": Problem, "description": "A name is taken, a bound is reached, or nobody would administer."},
}
"""Documentation of the errors of endpoints that change something."""

NOT_JSON: dict[str, Any] = {
    "description": "The body is not JSON.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
"""Documentation of the answer to bodies of other kinds, as it stands in the OpenAPI document."""


def handle_access_errors(app: FastAPI) -> None:
    """Answer errors of access and state with problem documents."""
    app.add_exception_handler(AccessError, _handle)
    app.add_exception_handler(StateError, _handle)


def access_problem(error: AccessError | StateError) -> JSONResponse:
    """The answer to a request that met an error."""
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    headers: dict[str, str] = {}
    if isinstance(error, ThrottledError):
        headers["Retry-After"] = str(math.ceil(error.retry_seconds))
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="millrace"'
    if status == 503:
        # Why tells of hosts and users, and whoever asks is a stranger as long as nobody can be looked up.
        _brake.write(log.warning, "a request met an error of the state database", error=str(error))
        return problem(503, "the state database does not answer; the log says why", headers={"Retry-After": "5"})
    return problem(status, str(error), headers=headers)


async def _handle(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AccessError | StateError)
    return access_problem(error)
