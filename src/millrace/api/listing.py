"""The page ``/api/docs``: a listing of the endpoints, made from the OpenAPI document; nothing comes from elsewhere."""

from __future__ import annotations

import json
import shlex
from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'"
"""The page has its style in itself, and no script."""

_STYLE = """\
:root { color-scheme: light dark; --line: light-dark(#d7e0e4, #2a363c); --wash: light-dark(#eef4f6, #1a262c); }
body { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; font: 15px/1.5 system-ui, sans-serif;
  color: light-dark(#1b2429, #dde6ea); background: light-dark(#fff, #11181c); }
a { color: light-dark(#0b6e8a, #4cc0e0); }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; }
h2 { font-size: 1.05rem; }
pre { overflow-x: auto; padding: .6rem .8rem; background: var(--wash); border-radius: 4px; }"""


def listing_routes(app: FastAPI) -> APIRouter:
    """``/api/docs``."""
    router = APIRouter(include_in_schema=False)

    @router.get("/api/docs")
    def listing() -> HTMLResponse:
        return HTMLResponse(_page(app.openapi(), str(app.openapi_url)), headers={"Content-Security-Policy": _POLICY})

    return router


def _page(openapi: dict[str, Any], document_url: str) -> str:
    endpoints = "\n".join(
        _endpoint(path, method, operation)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    )
    about = "".join(f"<p>{escape(part)}</p>" for part in openapi["info"]["description"].split("\n\n"))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>Millrace API</title><link rel="icon" href="/icon.svg"><style>{_STYLE}</style></head>\n'
        f'<body><h1>Millrace API</h1><p><a href="/">Console</a> · <a href="{document_url}">OpenAPI document</a> '
        f"with every field, bound and error</p>{about}\n{endpoints}\n</body></html>\n"
    )


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
    return f"curl --json {shlex.quote(json.dumps(body))} http://127.0.0.1:8080{path}"
