"""From data sets to flows: one layout at a time, from all datagrams at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64, U32, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows, spread, stable_order
from millrace.decode.netflow.column_kinds import first_nonzero
from millrace.decode.netflow.headers import PROTOCOL_CODES
from millrace.decode.netflow.names import Names
from millrace.decode.netflow.plan import DecodePlan
from millrace.decode.netflow.rates import element_rate
from millrace.decode.netflow.records import Records, find_records
from millrace.decode.netflow.sampling import Sampling
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.tally import count_noted
from millrace.decode.result import Counts
from millrace.schema import FLOW_PROTOCOLS, SAMPLING_SOURCES, Schema

_CODE_OF_VERSION = np.zeros(16, np.uint8)
for _version, _code in PROTOCOL_CODES.items():
    _CODE_OF_VERSION[_version] = _code
assert FLOW_PROTOCOLS[5] == "ipfix"

_BY_RECORD, _BY_OPTIONS = SAMPLING_SOURCES.index("record"), SAMPLING_SOURCES.index("options")


def by_layout(sets: Sets, layout: I64) -> Iterator[tuple[int, Sets, I64]]:
    """Sets of each layout, in the order of the layout numbers, and which rows of `sets` they are."""
    if not len(sets):
        return
    if (layout == layout[0]).all():
        yield int(layout[0]), sets, np.arange(len(sets))
        return
    order = stable_order(layout - layout.min())
    ordered = layout[order]
    edges = np.flatnonzero(np.diff(ordered)) + 1
    for which in np.split(order, edges):
        yield int(layout[which[0]]), sets.take(which), which


@dataclass(slots=True)
class Group:
    """Data sets of one layout with their records, which become rows `start` to `stop`.

    Attributes
    ----------
    boot_ms : ndarray of int64, shape (sets,)
        When the exporter started, from options; -1: unknown.
    """

    plan: DecodePlan
    sets: Sets
    records: Records
    boot_ms: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    start: int = 0

    @property
    def stop(self) -> int:
        """Row after the last."""
        return self.start + len(self.records)


class SpreadClock:
    """The clock of the records of a group, spread over them when asked for and kept."""

    def __init__(self, group: Group) -> None:
        self._group = group

    @cached_property
    def export_ms(self) -> I64:
        """Unix ms of the header, per record."""
        return spread(self._group.sets.export_ms, self._group.records.counts)

    @cached_property
    def uptime(self) -> U32:
        """Uptime of the header in ms, per record."""
        return spread(self._group.sets.uptime.astype(np.uint32), self._group.records.counts)

    @cached_property
    def boot_ms(self) -> I64:
        """Start of the exporter by its options, per record; -1: unknown."""
        return spread(self._group.boot_ms, self._group.records.counts)


def make_group(plan: DecodePlan, sets: Sets) -> Group:
    """Locate the records of sets of one layout."""
    return Group(plan, sets, find_records(sets, plan.shape))


def fill(groups: list[Group], scopes: BatchScopes, sampling: Sampling, names: Names, schema: Schema) -> Rows:
    """Fill the columns of all groups; gives every group its rows."""
    total = 0
    for group in groups:
        group.start = total
        group.boot_ms = names.boots_of(group.sets, scopes)
        total = group.stop
    rows = Rows(schema, total)
    for group in groups:
        clock = SpreadClock(group)
        for step in group.plan.steps:
            step.write(rows, group.start, group.stop, group.records, clock)
    _write_facts(rows, groups, scopes)
    _write_sampling(rows, groups, scopes, sampling)
    _write_applications(rows, groups, scopes, names)
    return rows


def count_all_noted(
    counts: Counts, scopes: BatchScopes, groups: list[Group], rows: Rows, which: Bool | None = None
) -> None:
    """Count what steps noted of the rows of the groups; `which`: of these rows only."""
    starts = {group.start: group for group in groups}
    for noted in rows.noted:
        group = starts[noted.start]
        some = noted if which is None else replace(noted, rows=noted.rows & which)
        count_noted(counts, scopes, some, spread(group.sets.scope, group.records.counts))


def finish(rows: Rows, groups: list[Group]) -> FlowBatch:
    """The flows, with the datagram of each."""
    datagram = np.concatenate([spread(g.sets.datagram.astype(np.int32), g.records.counts) for g in groups])
    return rows.finish(datagram)


def _write_facts(rows: Rows, groups: list[Group], scopes: BatchScopes) -> None:
    """Columns that are the same for all records of a set."""
    codes = np.empty(rows.rows, np.int32)
    exporter, domain = scopes.exporter.astype(np.int32), scopes.domain.astype(np.uint32)
    for group in groups:
        start, stop, sets, counts = group.start, group.stop, group.sets, group.records.counts
        rows.slot("TimeReceived", start, stop)[...] = spread(sets.received_ms, counts)
        rows.slot("FlowProtocol", start, stop)[...] = spread(_CODE_OF_VERSION[sets.version], counts)
        rows.slot("ObservationDomain", start, stop)[...] = spread(domain[sets.scope], counts)
        codes[start:stop] = spread(exporter[sets.scope], counts)
    rows.exporters(codes, scopes.addresses)


def _write_sampling(rows: Rows, groups: list[Group], scopes: BatchScopes, sampling: Sampling) -> None:
    swaps = scopes.having("swapped_sampling_rates")
    for group in groups:
        rate = _group_rate(group, scopes, sampling)
        source = rows.slot("SamplingRateSource", group.start, group.stop)
        known = rate > 0
        source[...] = np.where(known, np.uint8(_BY_OPTIONS), np.uint8(0))
        swapped = None if swaps is None else spread(swaps[group.sets.scope], group.records.counts)
        own = element_rate(group.records, group.plan.elements, swapped)
        if own is not None:
            told = own > 0
            _note_told(group, scopes, own, told)
            rate = np.where(told, own, rate)
            source[told] = _BY_RECORD
            known = known | told
        if known.all():
            rows.slot("SamplingRate", group.start, group.stop)[...] = rate
        elif known.any():
            rows.slot("SamplingRate", group.start, group.stop, known)[...] = np.where(known, rate, 0)


def _note_told(group: Group, scopes: BatchScopes, rate: I64, told: Bool) -> None:
    """Remember for people what the records of a domain said last."""
    latest = np.zeros(len(scopes), np.int64)
    latest[spread(group.sets.scope, group.records.counts)[told]] = rate[told]
    for at in np.flatnonzero(latest).tolist():
        scope = scopes.scopes[at]
        if scope is not None:
            scope.record_rate = int(latest[at])


def _group_rate(group: Group, scopes: BatchScopes, sampling: Sampling) -> I64:
    """Rate of each record of a group by options; not positive where it is unknown."""
    records, plan = group.records, group.plan
    rate = spread(sampling.of_sets(group.sets, scopes), records.counts)
    selectors = [records.number(field) for field in (plan.field(302), plan.field(48)) if field is not None]
    card = plan.field(141)
    found = sampling.of_records(
        group.sets, scopes, records.counts,
        None if not selectors else selectors[0] if len(selectors) == 1 else first_nonzero(selectors),
        None if card is None else records.number(card),
        _metered_at(group) if sampling.by_interface else [],
    )  # fmt: skip
    if found is None:
        return rate
    return np.where(found[1], found[0], rate)


def _metered_at(group: Group) -> list[AnyArray]:
    """Interfaces of each record, the one first where it was metered: that of egress if flowDirection (61) says so."""
    records, plan = group.records, group.plan
    interfaces = [records.number(field) for field in (plan.field(10), plan.field(14)) if field is not None]
    direction = plan.field(61)
    if direction is None or len(interfaces) < 2:
        return interfaces
    egress = records.number(direction) == 1
    ingress_if, egress_if = interfaces
    return [np.where(egress, egress_if, ingress_if), np.where(egress, ingress_if, egress_if)]


def _write_applications(rows: Rows, groups: list[Group], scopes: BatchScopes, names: Names) -> None:
    """ApplicationName of records that carry applicationId (95) only, by the names that options told."""
    for group in groups:
        ident = group.plan.field(95)
        if ident is None or group.plan.field(96) is not None:
            continue
        coded = names.code_applications(group.sets, scopes, group.records.counts, group.records.number(ident))
        if coded is not None:
            rows.put("ApplicationName", group.start, group.stop, *coded)
