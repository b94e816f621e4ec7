"""Routes of the web console: its page under every address that the console knows, and the files that it loads."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from importlib.resources.abc import Traversable

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from millrace.console import DIST

CONSOLE_PAGES = (
    "dashboards",
    "docs",
    "explore",
    "exporters",
    "flows",
    "live",
    "login",
    "s",
    "settings",
)
"""First part of the path of each page beside ``/``; `frontend/src/router/pages.ts` has the same."""

_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
    "woff2": "font/woff2",
}

_COMPRESSED = frozenset({"css", "html", "js", "json", "svg", "txt"})

_FILE_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}")
"""One file of one folder: a path that leaves it does not match."""

_PAGE = "index.html"

_REVALIDATE = "no-cache"

_FOR_EVER = "public, max-age=31536000, immutable"
"""Files in ``assets`` are named by their content."""


def console_routes(dist: Traversable = DIST) -> APIRouter:
    """``/``, the console's other pages, ``/assets/…`` and the files beside ``index.html``.

    Parameters
    ----------
    dist : Traversable, optional
        The built files; those of the package if absent.

    Returns
    -------
    APIRouter
        To be included without a prefix; no path of it is part of the OpenAPI document.
    """
    router = APIRouter(include_in_schema=False)
    files = _Files(dist)

    def page(request: Request) -> Response:
        return files.answer(request, "", _PAGE, _REVALIDATE)

    methods = ["GET", "HEAD"]
    router.add_api_route("/", page, methods=methods)
    for name in CONSOLE_PAGES:
        router.add_api_route(f"/{name}", page, methods=methods)
        router.add_api_route(f"/{name}/{{path:path}}", page, methods=methods)

    @router.api_route("/assets/{name}", methods=methods)
    def asset(request: Request, name: str) -> Response:
        return files.answer(request, "assets", name, _FOR_EVER)

    @router.api_route("/icon.svg", methods=methods)
    def icon(request: Request) -> Response:
        return files.answer(request, "", "icon.svg", _REVALIDATE)

    @router.api_route("/theme.js", methods=methods)
    def theme(request: Request) -> Response:
        return files.answer(request, "", "theme.js", _REVALIDATE)

    return router


class _Files:
    """The built files; read each time, so that a new build needs no restart, and compressed once."""

    def __init__(self, dist: Traversable) -> None:
        self._dist = dist

    def answer(self, request: Request, folder: str, name: str, caching: str) -> Response:
        """A file as the browser takes it; 404 if there is none of that name."""
        suffix = name.rpartition(".")[2]
        media_type = _MEDIA_TYPES.get(suffix)
        if media_type is None or not _FILE_NAME.fullmatch(name):
            raise HTTPException(404, "there is no such file")
        plain = self._read(folder, name)
        tag = f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"'
        headers = {"Cache-Control": caching, "ETag": tag, "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if suffix in _COMPRESSED and _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(_packed(plain), media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})
        return Response(plain, media_type=media_type, headers=headers)

    def _read(self, folder: str, name: str) -> bytes:
        parent = self._dist / folder if folder else self._dist
        try:
            return (parent / name).read_bytes()
        except OSError:
            if name == _PAGE:
                raise HTTPException(503, "the console is not built; run: make console") from None
            raise HTTPException(404, "there is no such file") from None


@lru_cache(maxsize=256)
def _packed(plain: bytes) -> bytes:
    return gzip.compress(plain, 9, mtime=0)


def _takes_gzip(accepted: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip (RFC 9110 §12.5.3)."""
    for part in accepted.lower().split(","):
        coding, _, parameters = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", parameters) is None
    return False
