"""The state of exporters, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millrace.api.services import Services
from millrace.batch import address_text
from millrace.decode import ExporterStatus
from millrace.errors import QueryError
from millrace.pipeline import Rate
from millrace.query import moment_ms, problems
from millrace.schema.elements import lookup


@dataclass(frozen=True, slots=True)
class RatesView:
    """Averages over the last seconds; packets and bits are estimates (scaled by the sampling rate)."""

    flows_per_second: float
    packets_per_second: float
    bits_per_second: float


@dataclass(frozen=True, slots=True)
class DomainView:
    """A stream of an exporter; `lost` and `reordered` in the protocol's unit."""

    protocol: str
    domain: int
    last_seen: str
    lost: int
    reordered: int
    clock_skew_seconds: float


@dataclass(frozen=True, slots=True)
class SamplingView:
    """A sampling rate (1 in `rate`), what it holds for, and how it is known."""

    protocol: str
    domain: int
    binding: str
    id: int
    rate: int
    source: str


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Data sets that wait for a template."""

    protocol: str
    domain: int
    template_id: int
    sets: int
    bytes: int
    since: str


@dataclass(frozen=True, slots=True)
class ExporterView:
    """State of one exporter since the collector started.

    Attributes
    ----------
    templates, options_templates, applications, interfaces : int
        How many it has announced.
    configured_sampling_rate : int or None
        N of 1-in-N that the configuration gives it.
    problems : list of str
        What an operator should look at; empty if all is well.
    """

    address: str
    name: str
    site: str
    protocols: list[str]
    last_seen: str
    age_seconds: float
    rates: RatesView
    domains: list[DomainView]
    templates: int
    options_templates: int
    sampling: list[SamplingView]
    configured_sampling_rate: int | None
    waiting: list[WaitingView]
    lost: int
    reordered: int
    clock_skew_seconds: float
    applications: int
    interfaces: int
    problems: list[str]


@dataclass(frozen=True, slots=True)
class TemplateField:
    """A field of a template; `length` 65535 means variable."""

    element: int
    enterprise: int
    name: str
    length: int
    scope: bool


@dataclass(frozen=True, slots=True)
class TemplateView:
    """A template that an exporter has announced."""

    protocol: str
    domain: int
    id: int
    options: bool
    announced: str
    fields: list[TemplateField]


def exporter_views(services: Services) -> list[ExporterView]:
    """Every exporter, those with problems first, then by address."""
    rates = services.rates()
    now = services.now()
    views = [_view(services, status, rates, now) for status in services.exporters()]
    return sorted(views, key=lambda view: (not view.problems, view.address))


def template_views(services: Services, address: str) -> list[TemplateView]:
    """Templates of one exporter; raises QueryError if there is no such exporter."""
    for status in services.exporters():
        if address_text(status.address) == address:
            return [
                TemplateView(
                    template.protocol,
                    template.domain,
                    template.id,
                    template.options,
                    moment_ms(template.announced_ns // 1_000_000),
                    [_field(*field, scope=place < template.scopes) for place, field in enumerate(template.fields)],
                )
                for template in status.templates
            ]
    raise QueryError(f"no exporter {address!r} has been seen since the start")


def _field(element: int, enterprise: int, length: int, *, scope: bool) -> TemplateField:
    known = lookup(enterprise, element)
    return TemplateField(element, enterprise, known.name if known else "", length, scope)


def _view(services: Services, status: ExporterStatus, rates: Mapping[bytes, Rate], now: float) -> ExporterView:
    configured = services.metadata.exporters[services.metadata.find(status.address)]
    rate = rates.get(status.address, Rate())
    options = sum(template.options for template in status.templates)
    address = address_text(status.address)
    return ExporterView(
        address=address,
        name=configured.name or address,
        site=configured.site,
        protocols=list(status.protocols),
        last_seen=moment_ms(status.last_seen_ns // 1_000_000),
        age_seconds=round(max(now - status.last_seen_ns / 1e9, 0.0), 1),
        rates=RatesView(rate.flows, rate.packets, rate.bits),
        domains=[
            DomainView(
                d.protocol, d.domain, moment_ms(d.last_seen_ns // 1_000_000), d.lost, d.reordered, d.clock_skew_s
            )
            for d in status.domains
        ],
        templates=len(status.templates) - options,
        options_templates=options,
        sampling=[SamplingView(s.protocol, s.domain, s.binding, s.id, s.rate, s.source) for s in status.sampling],
        configured_sampling_rate=configured.sampling_rate or configured.default_sampling_rate,
        waiting=[
            WaitingView(w.protocol, w.domain, w.template_id, w.sets, w.bytes, moment_ms(w.since_ns // 1_000_000))
            for w in status.waiting
        ],
        lost=status.lost,
        reordered=status.reordered,
        clock_skew_seconds=status.clock_skew_s,
        applications=status.applications,
        interfaces=status.interfaces,
        problems=problems(status, configured, now),
    )
