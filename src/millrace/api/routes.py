"""Endpoints of the state of the collector."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from pydantic import TypeAdapter

from millrace.api.answering import Questions
from millrace.api.askers import Asker
from millrace.api.column_table import ColumnView, column_view
from millrace.api.exporters import (
    ExporterDetail,
    ExporterView,
    ExporterViews,
    TemplateView,
    exporter_detail,
    find_exporter,
    template_views,
)
from millrace.api.guard import identify, unscoped
from millrace.api.problems import MISSING, RESPONSES, WHO
from millrace.api.services import Services
from millrace.decode import ExporterStatus

Address = Annotated[str, Path(description="Of an exporter.", examples=["192.0.2.1"])]

_LIST = TypeAdapter(list[ExporterView])
_DETAIL = TypeAdapter(ExporterDetail)
_TEMPLATES = TypeAdapter(list[TemplateView])
_FOR_ALL = ("storing", "activity")
"""Of the status: what also those may know who see only a part of the flows."""
_ONE_EXPORTER = {**RESPONSES, **MISSING}


def state_routes(services: Services, questions: Questions) -> APIRouter:
    """Endpoints that tell the state of the collector."""
    router = APIRouter(tags=["state"], responses=WHO)
    views = ExporterViews(services)
    busy: dict[int | str, dict[str, Any]] = {status: RESPONSES[status] for status in (422, 503, 504)}
    # Values, because an annotation cannot name a local variable.
    asks = Depends(identify(services))
    operates = Depends(unscoped(services))

    @router.get("/exporters", responses=busy, response_model=list[ExporterView])
    async def exporters(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=10_000, description="At most.")] = 1000,
        asker: Asker = operates,
    ) -> Response:
        """Exporters seen since the start: protocols, templates, sampling, rates, and what is wrong, in words."""
        return await questions.answer(request, asker, "", _LIST, lambda _: views.all()[:limit])

    @router.get("/exporters/{address}", responses=_ONE_EXPORTER, response_model=ExporterDetail)
    async def exporter(request: Request, address: Address, asker: Asker = operates) -> Response:
        """One exporter with its templates, field by field, and its interfaces with what passes them."""
        return await questions.answer(
            request, asker, "", _DETAIL, lambda asking: exporter_detail(services, _known(services, address), asking)
        )

    @router.get("/exporters/{address}/templates", responses=_ONE_EXPORTER, response_model=list[TemplateView])
    async def templates(request: Request, address: Address, asker: Asker = operates) -> Response:
        """Templates that an exporter has announced, field by field."""
        return await questions.answer(
            request, asker, "", _TEMPLATES, lambda _: template_views(_known(services, address))
        )

    @router.get("/columns", dependencies=[asks])
    def columns() -> list[ColumnView]:
        """Columns of flows, and what may be asked of each."""
        return [column_view(column) for column in services.schema]

    @router.get("/store", responses=busy)
    async def store(request: Request, asker: Asker = operates) -> dict[str, Any]:
        """What the store holds: tables, rows, bytes on disk, oldest and newest flow."""
        return await questions.run(request, asker, "", lambda _: dict(services.store()))

    @router.get("/status")
    def status(asker: Asker = asks) -> dict[str, Any]:
        """Version, health and totals since the start (these not for those who may see only a part of the flows)."""
        told = {"version": services.version, "health": services.health.report().status}
        status = services.status()
        if asker.scope_filter:
            return told | {name: status[name] for name in _FOR_ALL if name in status}
        return {**told, **status}

    return router


def _known(services: Services, address: str) -> ExporterStatus:
    found = find_exporter(services, address)
    if found is None:
        raise HTTPException(404, f"no exporter {address[:64]!r} has been seen since the start")
    return found
