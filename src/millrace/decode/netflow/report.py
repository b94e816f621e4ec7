"""The state of all exporters as `ExporterStatus`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from millrace.decode.netflow.headers import LEGACY, PROTOCOLS, SAMPLING_INTERVAL, V1, V5
from millrace.decode.netflow.layout import Layout
from millrace.decode.netflow.manners import ALL
from millrace.decode.netflow.remembered import Remembered
from millrace.decode.netflow.scopes import ExporterState, Scope
from millrace.decode.netflow.status import (
    DomainStatus,
    ExporterStatus,
    FieldStatus,
    SamplingStatus,
    TemplateFields,
    TemplateStatus,
    WaitingStatus,
)
from millrace.decode.netflow.waiting import WaitingSet

_PART = 2000
"""Templates that a part looks at, or as much of other things: some milliseconds."""

_EXPORTER_COST = 10
_SCOPE_COST = 3
"""What an exporter and a stream cost, in templates."""


def exporter_parts(state: Remembered) -> Iterator[list[ExporterStatus]]:
    """A status per exporter of NetFlow and IPFIX, in the order in which they were first seen, in parts.

    Each part looks at some thousand things at most (a single exporter apart); between two of them `state` may change:
    tens of thousands of exporters and templates must not hold up decoding while somebody looks at them.
    """
    waiting: dict[int, dict[tuple[int, int], list[WaitingSet]]] = {}
    for at, kept in enumerate(list(state.waiting)):
        of_exporter = waiting.setdefault(kept.scope.exporter.number, {})
        of_exporter.setdefault((kept.scope.number, kept.id), []).append(kept)
        if at % _PART == _PART - 1:
            yield []
    part: list[ExporterStatus] = []
    looked_at = 0
    for exporter in list(state.scopes):
        # Gone since the part before: its number may be another's.
        if state.scopes.get(exporter.address) is not exporter:
            continue
        templates = _templates(exporter, state)
        part.append(
            _status(
                exporter,
                state,
                templates,
                tuple(_waiting(sets) for sets in waiting.get(exporter.number, {}).values()),
            )
        )
        looked_at += _EXPORTER_COST + len(templates) + _SCOPE_COST * len(exporter.scopes)
        if looked_at >= _PART:
            yield part
            part, looked_at = [], 0
    yield part


def _templates(exporter: ExporterState, state: Remembered) -> tuple[TemplateStatus, ...]:
    """Templates of an exporter; of ports that announce the same, the one that did so last counts."""
    known = [template for scope in exporter.scopes.values() for template in state.templates.of(scope)]
    found: dict[tuple[int, int, int, int], TemplateStatus] = {}
    for template in sorted(known, key=lambda template: template.announced_ns):
        scope, layout = template.scope, template.layout
        age_s = max(0, scope.last_seen_ns - template.announced_ns) / 1e9
        found[scope.version, scope.domain, template.id, layout.number] = TemplateStatus(
            PROTOCOLS[scope.version],
            scope.domain,
            template.id,
            layout.options,
            layout.scopes,
            TemplateFields(partial(_fields, layout)),
            template.announced_ns,
            age_s,
        )
    return tuple(found.values())


def _fields(layout: Layout) -> Iterator[FieldStatus]:
    return ((field.id, field.pen, field.length) for field in layout.fields())


def _status(
    exporter: ExporterState,
    state: Remembered,
    templates: tuple[TemplateStatus, ...],
    waiting: tuple[WaitingStatus, ...],
) -> ExporterStatus:
    scopes = list(exporter.scopes.values())
    latest = max(scopes, key=lambda scope: scope.last_seen_ns, default=None)
    domains = tuple(_domain(list(ports.scopes.values())) for ports in exporter.domains.values() if ports.scopes)
    return ExporterStatus(
        address=exporter.address,
        protocols=tuple(dict.fromkeys(PROTOCOLS[scope.version] for scope in scopes)),
        domains=domains,
        templates=templates,
        sampling=tuple(dict.fromkeys(rate for scope in scopes for rate in _sampling(scope, state))),
        last_seen_ns=exporter.last_seen_ns,
        lost=sum(domain.lost for domain in domains),
        reordered=sum(domain.reordered for domain in domains),
        clock_skew_s=latest.clock_skew_ms / 1000 if latest else 0.0,
        waiting=waiting,
        applications=len({ident for port in exporter.ports.values() for ident in state.names.applications(port)}),
        interfaces=len({index for port in exporter.ports.values() for index in state.names.interfaces(port)}),
        last_issue=exporter.last_issue,
        last_issue_ns=exporter.last_issue_ns,
    )


def _domain(scopes: list[Scope]) -> DomainStatus:
    """The scopes of a domain as one: nobody wants to know from which port a router sent what."""
    latest = max(scopes, key=lambda scope: scope.last_seen_ns)
    proven = [scope for scope in scopes if scope.followed and scope.counting.proven]
    counted = proven or scopes
    lost, reordered, received = (sum(getattr(s, name) for s in counted) for name in ("lost", "reordered", "received"))
    unit = ALL[max(counted, key=lambda scope: scope.last_seen_ns).counting.manner].word
    return DomainStatus(
        PROTOCOLS[latest.version], latest.domain, latest.last_seen_ns, lost, reordered, latest.clock_skew_ms / 1000,
        received, bool(proven), "" if latest.version == V1 else unit,
    )  # fmt: skip


def _sampling(scope: Scope, state: Remembered) -> list[SamplingStatus]:
    protocol = PROTOCOLS[scope.version]
    if scope.version in LEGACY:
        rate = scope.sampling_word & SAMPLING_INTERVAL if scope.version == V5 else 0
        return [SamplingStatus(protocol, scope.domain, "domain", 0, rate, "header")] if rate else []
    told = [
        SamplingStatus(protocol, scope.domain, binding, ident, rate, "options")
        for binding, ident, rate in state.sampling.facts(scope)
    ]
    if scope.record_rate:
        told.append(SamplingStatus(protocol, scope.domain, "record", 0, scope.record_rate, "record"))
    return told


def _waiting(sets: list[WaitingSet]) -> WaitingStatus:
    first = sets[0]
    return WaitingStatus(
        PROTOCOLS[first.scope.version], first.scope.domain, first.id, len(sets),
        sum(len(kept.wire) for kept in sets), min(kept.received_ns for kept in sets),
    )  # fmt: skip
