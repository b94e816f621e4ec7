"""Pages for browsers: a live look at the traffic, and a listing of the endpoints; nothing comes from elsewhere."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response

_STATIC = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def page_routes(app: FastAPI) -> APIRouter:
    """``/``, ``/docs`` and what they load."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def index() -> HTMLResponse:
        return HTMLResponse(_read("index.html"))

    @router.get("/docs")
    def docs() -> HTMLResponse:
        return HTMLResponse(_read("docs.html").replace("<!-- endpoints -->", endpoint_listing(app.openapi())))

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        if name not in _STATIC:
            return Response(status_code=404)
        return Response(_read(name), media_type=_STATIC[name])

    return router


def endpoint_listing(openapi: dict[str, Any]) -> str:
    """HTML of the endpoints that an OpenAPI document describes."""
    parts = [
        _endpoint(path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join(parts)


def _endpoint(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        f"<li><code>{escape(item['name'])}</code> {escape(item.get('description', ''))}</li>"
        for item in operation.get("parameters", ())
    )
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    examples = "".join(
        f"<p>{escape(example['summary'])}:</p><pre>{escape(_curl(path, example['value']))}</pre>"
        for example in body.get("examples", {}).values()
    )
    return (
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        f"{f'<ul>{parameters}</ul>' if parameters else ''}{examples}</section>"
    )


def _curl(path: str, body: object) -> str:
    return f"curl --json '{json.dumps(body)}' http://127.0.0.1:8080{path}"


def _read(name: str) -> str:
    return (files("millrace.api") / "static" / name).read_text(encoding="utf-8")
