"""The FastAPI application."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from millrace.api.answering import Questions
from millrace.api.config import ApiSettings
from millrace.api.console import console_routes
from millrace.api.filter_routes import filter_routes
from millrace.api.gate import Gate
from millrace.api.graphs import graph_routes
from millrace.api.guard import BodyGuard, HostGuard
from millrace.api.health import watch_routes
from millrace.api.help_routes import help_routes
from millrace.api.listing import listing_routes
from millrace.api.live_routes import live_routes
from millrace.api.problems import document_problems, handle_errors
from millrace.api.routes import state_routes
from millrace.api.search_routes import search_routes
from millrace.api.security import install_security
from millrace.api.services import Services

PREFIX = "/api/v1"

_DESCRIPTION = """\
Questions about network flows, and the state of the collector.

A range of time is `start` and `end` (ISO 8601), or `last_seconds` before `end`. `timezone` (an IANA name; UTC if
absent) is that of times without an offset, also in the filter, and of days, weeks, months and years. A filter is a
text of the filter language:
`InIfBoundary = external AND SrcAS IN (AS15169, AS36040) AND NOT DstPort IN (80, 443)`. Errors are problem documents
(RFC 9457).

Where users must log in, requests carry a session's cookie or an API token: `Authorization: Bearer mlr_…`."""

_TAGS = [
    {"name": "flows", "description": "Questions about stored flows, and flows as they pass."},
    {"name": "filters", "description": "The filter language: check, complete, combine."},
    {"name": "help", "description": "The documentation, as the console shows it."},
    {"name": "state", "description": "The collector itself: exporters, store, health, metrics."},
]

_COMPRESS_BYTES = 4096
"""Shorter answers are sent as they are: one packet or two."""

_COMPRESS_LEVEL = 1
"""Series shrink to a fifth with the fastest level already."""


def create_app(services: Services, settings: ApiSettings | None = None) -> FastAPI:
    """Make the application.

    Parameters
    ----------
    services : Services
        What it asks.
    settings : ApiSettings, optional
        Bounds; the defaults if absent.

    Returns
    -------
    FastAPI
        Set ``app.state.stopping`` to True to end its streams.
    """
    settings = settings or ApiSettings()
    app = _Application(
        title="Millrace",
        version=services.version,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        openapi_url=f"{PREFIX}/openapi.json",
        # FastAPI's own pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    app.state.stopping = False
    handle_errors(app)
    questions = Questions(services, settings)
    app.include_router(watch_routes(services))
    for router in (
        graph_routes(services, questions),
        search_routes(services, questions, settings),
        live_routes(services, settings, lambda: bool(app.state.stopping)),
        filter_routes(services),
        state_routes(services, questions),
        help_routes(services, PREFIX),
    ):
        app.include_router(router, prefix=PREFIX)
    app.include_router(listing_routes(app))
    # Of these, the later stands before the earlier.
    app.add_middleware(GZipMiddleware, minimum_size=_COMPRESS_BYTES, compresslevel=_COMPRESS_LEVEL)
    if isinstance(services.authenticator, Gate):
        install_security(app, services.authenticator, PREFIX)
    app.add_middleware(HostGuard, hosts=settings.hosts())
    app.add_middleware(BodyGuard, max_bytes=settings.max_body_bytes, timeout_seconds=settings.body_timeout_seconds)
    # Last: its pages are addresses that nothing else answers.
    app.include_router(console_routes())
    return app


class _Application(FastAPI):
    """FastAPI, whose document says how errors look here."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document; made once."""
        if self.openapi_schema is None:
            self.openapi_schema = document_problems(super().openapi())
        return self.openapi_schema
