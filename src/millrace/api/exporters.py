"""The state of exporters, for people."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from millrace.api.interfaces import InterfaceView, interface_views
from millrace.api.services import Services
from millrace.api.words import ProtocolName, SamplingBinding, SamplingSource
from millrace.batch import address_bytes, address_text
from millrace.decode import ExporterStatus
from millrace.pipeline import Marked, Rate
from millrace.query import (
    RECENT_SECONDS,
    Asking,
    ExporterProblem,
    lost_share,
    moment_ms,
    problems,
    unnamed_interfaces,
)
from millrace.schema.elements import lookup


@dataclass(frozen=True, slots=True)
class RatesView:
    """Averages over the last seconds; packets and bits are estimates (scaled by the sampling rate)."""

    flows_per_second: float
    packets_per_second: float
    bits_per_second: float


@dataclass(frozen=True, slots=True)
class DomainView:
    """A stream of an exporter.

    Attributes
    ----------
    received, lost, reordered : int
        In what the exporter numbers: flows, records or datagrams. Nothing is
        said to be lost before a hundred datagrams came.
    lost_share : float
        Part of what was sent that never came, 0 to 1.
    """

    protocol: ProtocolName
    domain: int
    last_seen: str
    received: int
    lost: int
    reordered: int
    lost_share: float
    clock_skew_seconds: float


@dataclass(frozen=True, slots=True)
class SamplingView:
    """A sampling rate (1 in `rate`), what it holds for, and how it is known."""

    protocol: ProtocolName
    domain: int
    binding: SamplingBinding
    id: int
    rate: int
    source: SamplingSource


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Data sets that wait for a template."""

    protocol: ProtocolName
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
    lost_share : float
        Part of what was sent that never came, 0 to 1.
    implausible : dict
        Flows whose figures cannot be right, by reason (values of the column ``Implausible``).
    last_issue : str
        The last thing that was wrong with its datagrams; empty: nothing.
    last_issue_time : str or None
    problems : list of ExporterProblem
        What an operator should look at, the worst first; empty if all is well.
    """

    address: str
    name: str
    site: str
    protocols: list[ProtocolName]
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
    lost_share: float
    clock_skew_seconds: float
    applications: int
    interfaces: int
    implausible: dict[str, int]
    last_issue: str
    last_issue_time: str | None
    problems: list[ExporterProblem]


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

    protocol: ProtocolName
    domain: int
    id: int
    options: bool
    announced: str
    fields: list[TemplateField]


@dataclass(frozen=True, slots=True)
class ExporterDetail:
    """All that is known of one exporter."""

    exporter: ExporterView
    templates: list[TemplateView]
    interfaces: list[InterfaceView]


class ExporterViews:
    """Views of every exporter, made once for each state of them.

    What is said of ten thousand takes most of a second of the interpreter, which decoding shares, and every open page
    asks again and again.

    Parameters
    ----------
    services : Services
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._making = threading.Lock()
        self._made: tuple[Sequence[ExporterStatus], list[ExporterView]] | None = None

    def all(self) -> list[ExporterView]:
        """Those with the worst problems first, then by address."""
        with self._making:
            statuses = self._services.exporters()
            if self._made is None or self._made[0] is not statuses:
                self._made = statuses, exporter_views(self._services, statuses)
            return self._made[1]


def exporter_views(services: Services, statuses: Sequence[ExporterStatus]) -> list[ExporterView]:
    """Exporters, those with the worst problems first, then by address."""
    rates = services.rates()
    now = services.now()
    views = [_view(services, status, rates, now) for status in statuses]
    return sorted(views, key=lambda view: (_rank(view), view.address))


def _rank(view: ExporterView) -> int:
    """0: it has an error, 1: a warning, 2: neither."""
    severities = [problem.severity for problem in view.problems]
    return 0 if "error" in severities else 1 if "warning" in severities else 2


def template_views(status: ExporterStatus) -> list[TemplateView]:
    """Templates of one exporter."""
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


def find_exporter(services: Services, address: str) -> ExporterStatus | None:
    """The exporter of an address; None if it was not seen since the start."""
    try:
        wanted = address_bytes(str(ip_address(address)))
    except ValueError:
        return None
    return next((status for status in services.exporters() if status.address == wanted), None)


def exporter_detail(services: Services, status: ExporterStatus, asking: Asking) -> ExporterDetail:
    """One exporter with its templates and interfaces; asks the store. Raises QueryError and StoreError."""
    view = _view(services, status, services.rates(), services.now())
    interfaces = interface_views(services, status.address, asking)
    unnamed = [interface.index for interface in interfaces if interface.seen and not interface.name]
    view = replace(view, problems=[*view.problems, *unnamed_interfaces(unnamed)])
    return ExporterDetail(view, template_views(status), interfaces)


def _field(element: int, enterprise: int, length: int, *, scope: bool) -> TemplateField:
    known = lookup(enterprise, element)
    return TemplateField(element, enterprise, known.name if known else "", length, scope)


def _view(services: Services, status: ExporterStatus, rates: Mapping[bytes, Rate], now: float) -> ExporterView:
    configured = services.metadata.exporters[services.metadata.find(status.address)]
    rate = rates.get(status.address, Rate())
    options = sum(template.options for template in status.templates)
    marked = services.implausible().get(status.address, Marked())
    recent = marked.flows if now - marked.last_ns / 1e9 < RECENT_SECONDS else {}
    address = address_text(status.address)
    proven = any(domain.proven for domain in status.domains)
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
                protocol=domain.protocol,
                domain=domain.domain,
                last_seen=moment_ms(domain.last_seen_ns // 1_000_000),
                received=domain.received,
                lost=domain.lost if domain.proven else 0,
                reordered=domain.reordered if domain.proven else 0,
                lost_share=lost_share([domain]),
                clock_skew_seconds=domain.clock_skew_s,
            )
            for domain in status.domains
        ],
        templates=len(status.templates) - options,
        options_templates=options,
        sampling=[SamplingView(s.protocol, s.domain, s.binding, s.id, s.rate, s.source) for s in status.sampling],
        configured_sampling_rate=configured.sampling_rate or configured.default_sampling_rate,
        waiting=[
            WaitingView(w.protocol, w.domain, w.template_id, w.sets, w.bytes, moment_ms(w.since_ns // 1_000_000))
            for w in status.waiting
        ],
        lost=status.lost if proven else 0,
        reordered=status.reordered if proven else 0,
        lost_share=lost_share(status.domains),
        clock_skew_seconds=status.clock_skew_s,
        applications=status.applications,
        interfaces=status.interfaces,
        implausible=dict(marked.flows),
        last_issue=status.last_issue,
        last_issue_time=moment_ms(status.last_issue_ns // 1_000_000) if status.last_issue_ns else None,
        problems=problems(status, configured, now, recent),
    )
