"""Endpoints: questions about flows, and the state of the collector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter

from millrace.api.columns import ColumnView, column_view
from millrace.api.config import ApiSettings
from millrace.api.exporters import ExporterView, TemplateView, exporter_views, template_views
from millrace.api.guard import Turnstile
from millrace.api.live import LiveStream, stream
from millrace.api.problems import RESPONSES
from millrace.api.services import Services
from millrace.query import (
    USUAL_COLUMNS,
    Page,
    Question,
    SearchQuestion,
    SeenExporter,
    Series,
    SeriesQuestion,
    Top,
    TopQuestion,
    known_column,
)

Answer = TypeVar("Answer")

_SERIES_EXAMPLES = {
    "total": {"summary": "All traffic of the last hour", "value": {"last_seconds": 3600}},
    "by AS": {
        "summary": "TCP by source AS, last day, in packets",
        "value": {
            "last_seconds": 86_400,
            "dimensions": ["SrcAS"],
            "unit": "packets/s",
            "limit": 5,
            "filter": {"column": "Proto", "operator": "=", "value": "tcp"},
        },
    },
}
_TOP_EXAMPLES = {
    "talkers": {"summary": "Top talkers", "value": {"last_seconds": 300, "dimensions": ["SrcAddr", "DstAddr"]}},
    "transit": {
        "summary": "What enters by transit, by source AS, except one network",
        "value": {
            "last_seconds": 86_400,
            "dimensions": ["SrcAS"],
            "filter": {
                "and": [
                    {"column": "InIfConnectivity", "operator": "=", "value": "transit"},
                    {"not": {"column": "SrcAS", "operator": "in", "value": ["AS64500", 64501]}},
                ]
            },
        },
    },
}
_SEARCH_EXAMPLES = {
    "prefix": {
        "summary": "Flows to a prefix",
        "value": {
            "last_seconds": 600,
            "limit": 50,
            "filter": {"column": "DstAddr", "operator": "<<", "value": "192.0.2.0/24"},
        },
    },
}


def question_routes(services: Services, settings: ApiSettings) -> APIRouter:
    """Endpoints that ask the store."""
    router = APIRouter(tags=["flows"], responses=RESPONSES)
    questions = Turnstile(settings.max_questions, "questions are answered")

    def answer(kind: type[Answer], ask: Callable[[], Answer]) -> Response:
        with questions.enter():
            # Straight to bytes: a series may have 10⁵ points, which need no second check.
            return Response(TypeAdapter(kind).dump_json(ask()), media_type="application/json")

    @router.post("/flows/series", response_model=Series)
    def series(question: Annotated[SeriesQuestion, Body(openapi_examples=_SERIES_EXAMPLES)]) -> Response:
        """Flows per time: one series per combination of dimensions, the rest as "other"."""
        return answer(Series, lambda: services.query.series(question, services.now()))

    @router.post("/flows/top", response_model=Top)
    def top(question: Annotated[TopQuestion, Body(openapi_examples=_TOP_EXAMPLES)]) -> Response:
        """Combinations of dimensions with the largest rate."""
        return answer(Top, lambda: services.query.top(question, services.now()))

    @router.post("/flows/search", response_model=Page)
    def search(question: Annotated[SearchQuestion, Body(openapi_examples=_SEARCH_EXAMPLES)]) -> Response:
        """Flows as they were stored, the latest first, page by page."""
        return answer(Page, lambda: services.query.search(question, services.now()))

    @router.post("/flows/exporters", response_model=list[SeenExporter])
    def seen(question: Question) -> Response:
        """Exporters and interfaces of which flows are stored."""
        return answer(list[SeenExporter], lambda: services.query.seen(question, services.now()))

    return router


def live_routes(services: Services, settings: ApiSettings, stopping: Callable[[], bool]) -> APIRouter:
    """The live stream."""
    router = APIRouter(tags=["flows"], responses={503: RESPONSES[503], 400: RESPONSES[400]})
    places = Turnstile(settings.max_live_clients, "clients watch flows")

    # Values, because an annotation cannot name a local variable.
    rates = Query(min(20, settings.max_live_flows), ge=1, le=settings.max_live_flows, description="Flows per second.")
    shown = Query(None, max_length=200, description="Column to show; repeatable.")

    @router.get("/flows/live", response_class=StreamingResponse)
    def live(
        request: Request,
        rate: int = rates,
        column: list[str] | None = shown,
    ) -> StreamingResponse:
        """Flows as they pass, as server-sent events; of more than `rate` a sample. Slow clients miss some."""
        names = column or [name for name in USUAL_COLUMNS if name in services.schema]
        columns = [known_column(services.schema, name) for name in dict.fromkeys(names)]

        async def gone() -> bool:
            return stopping() or await request.is_disconnected()

        events = stream(
            services.live,
            places.enter(),
            lambda subscription: LiveStream(subscription, services.schema, columns, rate),
            gone,
        )
        return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})

    return router


def state_routes(services: Services) -> APIRouter:
    """Endpoints that tell the state of the collector."""
    router = APIRouter(tags=["state"])

    @router.get("/exporters")
    def exporters(limit: Annotated[int, Query(ge=1, le=10_000)] = 1000) -> list[ExporterView]:
        """Exporters seen since the start: protocols, templates, sampling, rates, and what is wrong, in words."""
        return exporter_views(services)[:limit]

    @router.get("/exporters/{address}/templates", responses={400: RESPONSES[400]})
    def templates(address: str) -> list[TemplateView]:
        """Templates that an exporter has announced, field by field."""
        return template_views(services, address)

    @router.get("/columns")
    def columns() -> list[ColumnView]:
        """Columns of flows, and what may be asked of each."""
        return [column_view(column) for column in services.schema]

    @router.get("/store", responses={503: RESPONSES[503]})
    def store() -> dict[str, Any]:
        """What the store holds: tables, rows, bytes on disk, oldest and newest flow."""
        return dict(services.store())

    @router.get("/status")
    def status() -> dict[str, Any]:
        """Version, health and totals since the start."""
        return {"version": services.version, "health": services.health.report().status, **services.status()}

    return router
