"""The FastAPI application."""

from __future__ import annotations

from fastapi import FastAPI

from millrace.api.config import ApiSettings
from millrace.api.guard import BodyGuard, HostGuard
from millrace.api.health import watch_routes
from millrace.api.pages import page_routes
from millrace.api.problems import handle_errors
from millrace.api.routes import live_routes, question_routes, state_routes
from millrace.api.services import Services

PREFIX = "/api/v1"

_DESCRIPTION = """\
Questions about network flows and the state of the collector.

A range of time is `start` and `end` (ISO 8601), or `last_seconds` before `end`. A filter is a tree of typed
conditions: `{"column": "SrcAS", "operator": "in", "value": [64500]}`, `{"and": […]}`, `{"or": […]}`, `{"not": …}`.
Errors are problem documents (RFC 9457)."""


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
    app = FastAPI(
        title="Millrace",
        version=services.version,
        description=_DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        # FastAPI's own pages load scripts from another host.
        docs_url=None,
        redoc_url=None,
    )
    app.state.stopping = False
    handle_errors(app)
    app.include_router(page_routes(app))
    app.include_router(watch_routes(services))
    app.include_router(question_routes(services, settings), prefix=PREFIX)
    app.include_router(live_routes(services, settings, lambda: bool(app.state.stopping)), prefix=PREFIX)
    app.include_router(state_routes(services), prefix=PREFIX)
    app.add_middleware(HostGuard, hosts=settings.hosts())
    app.add_middleware(BodyGuard, max_bytes=settings.max_body_bytes, timeout_seconds=settings.body_timeout_seconds)
    return app
