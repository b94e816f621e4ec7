"""Errors as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from millrace.errors import QueryError, StoreError
from millrace.telemetry import get_logger

MEDIA_TYPE = "application/problem+json"
MAX_ERRORS = 20

log = get_logger("api")


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


RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The question names something unknown or exceeds a bound."},
    422: {"model": Problem, "description": "The request is malformed."},
    503: {"model": Problem, "description": "The store cannot answer now, or too many questions are asked."},
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


def handle_errors(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(QueryError, _question)
    app.add_exception_handler(StoreError, _store)
    app.add_exception_handler(Exception, _defect)


def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        FieldError(
            path=".".join(str(part) for part in detail["loc"]), message=detail["msg"].removeprefix("Value error, ")
        )
        for detail in error.errors()[:MAX_ERRORS]
    ]
    detail = "; ".join(f"{item.path}: {item.message}" for item in found[:3])
    return problem(422, detail, found)


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), headers=error.headers)


def _question(_request: Request, error: Exception) -> JSONResponse:
    return problem(400, str(error))


def _store(_request: Request, error: Exception) -> JSONResponse:
    log.warning("the store could not answer", error=str(error))
    return problem(503, f"the store cannot answer: {str(error)[:500]}", headers={"Retry-After": "5"})


def _defect(request: Request, error: Exception) -> JSONResponse:
    log.error("a request met a defect", path=request.url.path, exc_info=error)
    return problem(500, "a defect of Millrace; its log says more")
