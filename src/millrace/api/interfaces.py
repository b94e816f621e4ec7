"""The interfaces of an exporter: their names, and what passes them."""

from __future__ import annotations

from dataclasses import dataclass

from millrace.api.services import Services
from millrace.api.words import Boundary
from millrace.batch import address_text
from millrace.enrich import Interface
from millrace.query import Asking, QueryEngine, Question, SeenInterface

LISTED_SECONDS = 3600
RATE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """An interface of an exporter.

    Attributes
    ----------
    speed_mbps : int
        0: unknown.
    boundary : str
        ``external``, ``internal`` or ``undefined``.
    seen : bool
        Whether flows of it came in the last hour.
    last_seen : str or None
        To the length of the interval of the table that knows it.
    in_bits_per_second, out_bits_per_second : float
        Averages over the last five minutes, as far as there are data, scaled by the sampling rate.
    """

    index: int
    name: str
    description: str
    speed_mbps: int
    boundary: Boundary
    seen: bool
    last_seen: str | None
    in_bits_per_second: float
    out_bits_per_second: float


def interface_views(services: Services, exporter: bytes, asking: Asking) -> list[InterfaceView]:
    """Interfaces of which flows came in the last hour, and those that have a name, by number.

    Asks the store. Raises QueryError and StoreError.
    """
    lately = _seen(services.query, exporter, LISTED_SECONDS, asking)
    now = _seen(services.query, exporter, RATE_SECONDS, asking)
    named = _named(services, exporter)
    numbers = sorted({*lately, *now, *named} - {0})
    return [_view(number, lately.get(number), now.get(number), named.get(number, Interface())) for number in numbers]


def _named(services: Services, exporter: bytes) -> dict[int, Interface]:
    """What the configuration and the exporter itself say of interfaces."""
    metadata = services.metadata
    announced = {
        number: names for (address, number), names in services.interface_names().items() if address == exporter
    }
    return metadata.exporters[metadata.find(exporter)].interfaces_with(announced)


def _seen(query: QueryEngine, exporter: bytes, seconds: int, asking: Asking) -> dict[int, SeenInterface]:
    question = Question(last_seconds=seconds, filter=f"ExporterAddress = {address_text(exporter)}")
    found = query.seen(question, asking)
    return {interface.index: interface for exporter in found for interface in exporter.interfaces}


def _view(number: int, lately: SeenInterface | None, now: SeenInterface | None, named: Interface) -> InterfaceView:
    # What flows carry comes first: it is configured, announced or looked up.
    seen = now or lately
    if seen is None:
        return InterfaceView(
            number, named.name, named.description, named.speed_mbps, named.boundary, seen=False, last_seen=None,
            in_bits_per_second=0.0, out_bits_per_second=0.0,
        )  # fmt: skip
    return InterfaceView(
        index=number,
        name=seen.name or named.name,
        description=seen.description or named.description,
        speed_mbps=seen.speed_mbps or named.speed_mbps,
        boundary=seen.boundary,
        seen=True,
        last_seen=seen.last_seen,
        in_bits_per_second=now.in_bits_per_second if now else 0.0,
        out_bits_per_second=now.out_bits_per_second if now else 0.0,
    )
