"""Health and metrics, for machines that watch."""

from __future__ import annotations

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from millrace.api.askers import Asker
from millrace.api.guard import unscoped
from millrace.api.loops import PerLoop
from millrace.api.problems import WHO
from millrace.api.services import Services
from millrace.api.together import Together
from millrace.telemetry import HealthReport

_LOOKS = 4
"""Look-ups of who asks at the same time, in threads of their own."""

_REPORT = TypeAdapter(HealthReport)


def watch_routes(services: Services) -> APIRouter:
    """``/health``, ``/healthz`` and ``/metrics``."""
    router = APIRouter(tags=["state"])
    rendered = Together(services.metrics.render)
    # Anybody may ask, and a part that does not answer takes a while to say so.
    reported = Together(services.health.report)
    limiter = PerLoop(lambda: CapacityLimiter(_LOOKS))

    @router.get("/health", response_model=HealthReport, responses={503: {"model": HealthReport}})
    @router.get("/healthz", response_model=HealthReport, include_in_schema=False)
    async def health(request: Request) -> JSONResponse:
        """Whether it works: 200 for `ok` and `degraded`, 503 for `failed`.

        Components and reasons tell of paths, hosts and users: they are for those who may see the state of the
        collector (log in, or send a token). Strangers are told `ok` or `failed` alone.
        """
        authenticator = services.authenticator
        if authenticator.recognised_at_sight(request):
            asker = authenticator.recognised(request)
        else:
            asker = await to_thread.run_sync(authenticator.recognised, request, limiter=limiter.get())
        report = _shown(await reported.answer(), asker)
        return JSONResponse(_REPORT.dump_python(report, mode="json"), 503 if report.status == "failed" else 200)

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


def _shown(report: HealthReport, asker: Asker | None) -> HealthReport:
    """What who asks may know of a report."""
    if asker is not None and not asker.scope_filter:
        return report
    return HealthReport("failed" if report.status == "failed" else "ok", {})
