"""Health and metrics, for machines that watch."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from millrace.api.guard import unscoped
from millrace.api.problems import WHO
from millrace.api.services import Services
from millrace.api.together import Together
from millrace.telemetry import HealthReport


def watch_routes(services: Services) -> APIRouter:
    """``/health``, ``/healthz`` and ``/metrics``."""
    router = APIRouter(tags=["state"])
    rendered = Together(services.metrics.render)

    @router.get("/health", response_model=HealthReport, responses={503: {"model": HealthReport}})
    @router.get("/healthz", response_model=HealthReport, include_in_schema=False)
    def health() -> JSONResponse:
        """Whether it works: 200 for `ok` and `degraded`, 503 for `failed`, with reasons."""
        report = services.health.report()
        body = TypeAdapter(HealthReport).dump_python(report, mode="json")
        return JSONResponse(body, 503 if report.status == "failed" else 200)

    @router.get(
        "/metrics",
        response_class=Response,
        dependencies=[Depends(unscoped(services))],
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **WHO},
    )
    async def metrics() -> Response:
        """Metrics in Prometheus' text format."""
        body, kind = await rendered.answer()
        return Response(body, headers={"Content-Type": kind})

    return router
