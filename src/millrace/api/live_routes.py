"""Endpoint of flows as they pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from millrace.api.askers import Asker, client_of
from millrace.api.config import ApiSettings
from millrace.api.guard import identify
from millrace.api.live import LiveStream, stream
from millrace.api.places import Place, PlacedResponse, Reader, Turnstile
from millrace.api.problems import RESPONSES
from millrace.api.services import Services
from millrace.lang import conjunction, parse, zone
from millrace.query import MAX_FILTER, USUAL_COLUMNS, known_column

_RESPONSES: dict[int | str, dict[str, Any]] = {status: RESPONSES[status] for status in (400, 401, 403, 422, 503)}


def live_routes(services: Services, settings: ApiSettings, stopping: Callable[[], bool]) -> APIRouter:
    """The live stream."""
    router = APIRouter(tags=["flows"], responses=_RESPONSES)
    asks = Depends(identify(services))
    circumstances = services.circumstances
    places = Turnstile(settings.max_live_clients, "clients watch flows")

    # Values, because an annotation cannot name a local variable.
    rates = Query(min(20, settings.max_live_flows), ge=1, le=settings.max_live_flows, description="Flows per second.")
    shown = Query(None, max_length=200, description="Column to show; repeatable.")

    @router.get("/flows/live", response_class=StreamingResponse)
    def live(
        request: Request,
        rate: int = rates,
        column: list[str] | None = shown,
        text: Annotated[
            str, Query(alias="filter", max_length=MAX_FILTER, description="Which flows, in the filter language.")
        ] = "",
        timezone: Annotated[
            str, Query(max_length=64, description="Time zone, by its IANA name, of times in it that name no offset.")
        ] = "UTC",
        asker: Asker = asks,
    ) -> StreamingResponse:
        """Flows as they pass, as server-sent events `flows`, twice a second.

        Each is a JSON object: `flows` (of more than `rate` a sample), `seen` (how many passed since the event
        before), `rates` since then, and `missed` (slow clients miss some).
        """
        # First: reading filters takes time, and a client has no more of it than it has places.
        place = places.enter(client_of(request, asker))
        try:
            return begun(request, asker, rate, column, text, timezone, place)
        except BaseException:
            place.leave()
            raise

    def begun(
        request: Request, asker: Asker, rate: int, column: list[str] | None, text: str, timezone: str, place: Place
    ) -> PlacedResponse:
        asking = circumstances.asking(asker, text)
        wanted = conjunction(asking.scope, parse(text, services.schema, services.names, asking.saved, zone(timezone)))
        names = column or [name for name in USUAL_COLUMNS if name in services.schema]
        columns = [known_column(services.schema, name) for name in dict.fromkeys(names)]

        reader = Reader(services.authenticator, request, asker)

        async def gone() -> bool:
            over = stopping() or reader.must_ask_anew()
            return over or await request.is_disconnected() or not await reader.may_go_on()

        events = stream(
            services.live,
            lambda subscription: LiveStream(subscription, services.schema, columns, rate, wanted),
            gone,
        )
        return PlacedResponse(place, events, "text/event-stream", {"X-Accel-Buffering": "no"})

    return router
