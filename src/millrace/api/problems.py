"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from millrace.api.askers import IDENTITY
from millrace.errors import QueryCancelledError, QueryError, QueryTimeoutError, StoreError
from millrace.telemetry import Brake

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20

CLIENT_LEFT = 499
"""Status of a response that nobody gets; not in the registry, but known from web servers' logs."""

log = structlog.get_logger(__name__)
_brake = Brake()


class ClientLeftError(Exception):
    """Who asked has closed the connection."""


class FieldError(BaseModel):
    """What is wrong with one part of a request."""

    path: str = Field(examples=["body.filter.value"])
    message: str = Field(examples=["Field required"])


class Problem(BaseModel):
    """Why a request was not answered (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["unknown column 'SrcAsn'; did you mean 'SrcAS'?"])
    errors: list[FieldError] | None = None


def _documented(description: str) -> dict[str, Any]:
    """A response that is a problem document."""
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


WHO: dict[int | str, dict[str, Any]] = {
    401: _documented("Nobody known asks: log in, or send a token."),
    403: _documented("Who asks may not."),
    421: _documented("The server does not answer to that host name."),
}
"""Documentation of the errors of every endpoint that wants to know who asks."""

MISSING: dict[int | str, dict[str, Any]] = {404: _documented("There is none.")}
"""Documentation of the error of endpoints whose path names something."""

RESPONSES: dict[int | str, dict[str, Any]] = {
    400: _documented("The question names something unknown or exceeds a bound."),
    **WHO,
    408: _documented("The request body took too long."),
    413: _documented("The request body is too long."),
    422: _documented("The request is malformed."),
    503: _documented("The store cannot answer now, or too many questions wait."),
    504: _documented("The question took longer than it may, and was ended."),
}
"""Documentation of the errors of endpoints that ask the store."""


def problem(
    status: int,
    detail: str,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Response that says why a request was not answered."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=errors)
    return JSONResponse(body.model_dump(exclude_none=True), status, dict(headers or {}), MEDIA_TYPE)


def document_problems(openapi: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI document with the schemas of problems; validation errors are problems, too."""
    schemas = openapi.setdefault("components", {}).setdefault("schemas", {})
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= {**made.pop("$defs", {}), "Problem": made}
    for methods in openapi["paths"].values():
        for operation in methods.values():
            _document_operation(operation["responses"], with_body="requestBody" in operation)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return openapi


def _document_operation(responses: dict[str, Any], *, with_body: bool) -> None:
    """Add what the guards before every endpoint answer, and say how problems look."""
    for status in (400, 408, 413, 421) if with_body else (421,):
        responses.setdefault(str(status), RESPONSES[status])
    if responses.get("422", {}).get("description") == "Validation Error":
        responses["422"] = RESPONSES[422]
    for response in responses.values():
        content = response.get("content", {})
        plain = content.get("application/json", {})
        if str(plain.get("schema", {}).get("$ref", "")).endswith("/Problem"):
            # What FastAPI makes of a model.
            content[MEDIA_TYPE] = content.pop("application/json")


def handle_errors(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    # In the event loop: threads for endpoints may all be taken, which must not keep anybody from being told so.
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(QueryError, _question)
    app.add_exception_handler(QueryCancelledError, _cancelled)
    app.add_exception_handler(QueryTimeoutError, _late)
    app.add_exception_handler(ClientLeftError, _left)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(Exception, _defect)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        FieldError(
            path=".".join(str(part) for part in detail["loc"]), message=detail["msg"].removeprefix("Value error, ")
        )
        for detail in error.errors()[:MAX_ERRORS]
    ]
    detail = "; ".join(f"{item.path}: {item.message}" for item in found[:3])
    return problem(422, detail, found)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


async def _question(_request: Request, error: Exception) -> JSONResponse:
    return problem(400, str(error))


async def _cancelled(_request: Request, error: Exception) -> JSONResponse:
    return problem(503, str(error), headers={"Retry-After": "1"})


async def _late(_request: Request, error: Exception) -> JSONResponse:
    return problem(504, str(error))


async def _left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_LEFT)


async def _store(request: Request, error: Exception) -> JSONResponse:
    log.warning("the store could not answer", error=str(error))
    asker = request.scope.get(IDENTITY)
    # What went wrong tells of the collector: nothing for those who may see a part of the flows.
    why = "" if asker is not None and asker.scope_filter else f": {str(error)[:500]}"
    return problem(503, f"the store cannot answer{why}", headers={"Retry-After": "5"})


async def _defect(request: Request, error: Exception) -> JSONResponse:
    _brake.write(log.error, "a request met a defect", path=request.url.path, exc_info=error)
    return problem(500, "a defect of Millrace; its log says more")
