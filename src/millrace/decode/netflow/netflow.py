"""The NetFlow and IPFIX decoder: state of all exporters, and the steps of a batch in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from millrace.batch import DatagramBatch, FlowBatch
from millrace.batch.arrays import I32, I64, Bool
from millrace.decode.limits import Limits
from millrace.decode.netflow.biflow import reverse_flows
from millrace.decode.netflow.common_numbers import watch_ports
from millrace.decode.netflow.flows import Group, by_layout, count_all_noted, fill, finish, make_group
from millrace.decode.netflow.frames import has_frames, overlay_frames
from millrace.decode.netflow.header_rates import note_header_rates
from millrace.decode.netflow.headers import LEGACY, V9, Headers, read_headers
from millrace.decode.netflow.layout import Compiled, Layout
from millrace.decode.netflow.legacy import decode_legacy
from millrace.decode.netflow.manners import UNITS
from millrace.decode.netflow.options import Told, compile_options, read_options
from millrace.decode.netflow.plan import compile_plan
from millrace.decode.netflow.remembered import Remembered
from millrace.decode.netflow.report import exporter_parts
from millrace.decode.netflow.resolve import Part, Resolved, Resolver
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.netflow.sequence import follow
from millrace.decode.netflow.sets import Sets, find_sets
from millrace.decode.netflow.shares import KNOWN, note_flows, proven
from millrace.decode.netflow.snapshot import Restorer, SnapshotPart, snapshot_parts
from millrace.decode.netflow.status import ExporterStatus
from millrace.decode.netflow.tally import count_by_scope, count_costly, count_leftovers
from millrace.decode.netflow.work import Allowance, Cost
from millrace.decode.quirks import QuirksOf
from millrace.decode.result import Counts, Event
from millrace.decode.trust import TrustOf, no_trust
from millrace.schema import Schema

_FLOWS_NOTED_NS = 10**9
"""When flows came is noted as exactly as this: standing is a matter of minutes."""
InterfaceName: TypeAlias = tuple[tuple[bytes, int], tuple[str, str]]
"""Exporter and ifIndex, and the name and description of that interface."""

_PART_NAMES = 5000
_PART_EXPORTERS = 500
"""Names, and exporters, that a part looks at: some milliseconds."""


def _units(headers: Headers, octets: I64) -> I32:
    """What each datagram has of `UNITS`, as far as headers tell, shape (units, datagrams)."""
    units = np.zeros((len(UNITS), len(headers)), np.int32)
    units[UNITS.index("datagrams")] = 1
    units[UNITS.index("bytes")], units[UNITS.index("count")] = octets, headers.count
    return units


_RECORDS, _DATA, _ALL_RECORDS, _FLOWS, _SETS, _DATA_SETS, _FLOW_SETS = (
    UNITS.index(name) for name in ("records", "data", "all-records", "flows", "sets", "data-sets", "flow-sets")
)


class NetflowDecoder:
    """Decodes NetFlow v1, v5, v7, v9 and IPFIX; see `Decoder`."""

    def __init__(self, schema: Schema, limits: Limits, quirks: QuirksOf, trust: TrustOf = no_trust) -> None:
        self._schema = schema
        self._state = Remembered.empty(limits, quirks, trust)
        self._resolver = Resolver(self._state)
        kept = limits.compiled_layouts, limits.compiled_bytes
        self._plans = Compiled(lambda layout: compile_plan(layout, schema, limits), *kept)
        self._turning_plans = Compiled(lambda layout: compile_plan(layout, schema, limits, reverse_out=True), *kept)
        self._options = Compiled(compile_options, *kept)
        self._allowance = Allowance(limits.layout_share, limits.layout_burst_s)
        self._changed = False

    def decode(self, batch: DatagramBatch, which: I64, version: I64, counts: Counts) -> FlowBatch:
        """Decode some datagrams of a batch.

        Parameters
        ----------
        batch : DatagramBatch
        which : ndarray of int64, shape (n,)
            Datagrams that are NetFlow or IPFIX and hold a whole header; at least one.
        version : ndarray of int64, shape (n,)
            Their version words.
        counts : Counts
            Is added to.
        """
        headers = read_headers(batch, which, version)
        scopes = self._state.scopes.of_batch(headers)
        self._state.follow(counts)
        swapped = scopes.having("swapped_sampling_rates")
        if swapped is not None:
            word = headers.sampling
            headers.sampling = np.where(swapped[scopes.index], word >> 8 | (word & 0xFF) << 8, word)
        count_by_scope(counts, scopes, "datagrams", scopes.index)
        count_by_scope(counts, scopes, "bytes", scopes.index, (batch.stop - batch.start)[which])
        parts = self._decode_legacy(batch, headers, scopes, counts)
        units = _units(headers, (batch.stop - batch.start)[which])
        messages = np.flatnonzero(headers.version >= V9)
        if len(messages):
            sets = find_sets(batch.arena, headers, scopes, messages, counts)
            count_by_scope(counts, scopes, "sets", sets.scope)
            units[_SETS : _FLOW_SETS + 1] += np.bincount(sets.row, minlength=len(headers))
            parts += self._decode_sets(sets, headers, scopes, units, counts)
        else:
            self._resolver.put_off()
        flows = FlowBatch.concat(parts, self._schema)
        sent: I64 | None = None
        if flows.datagram is not None:
            sent = np.bincount(flows.datagram, minlength=len(batch))
            if len(which) < len(batch):
                sent = sent[which]
            count_by_scope(counts, scopes, "flows", scopes.index, sent)
            units[_FLOWS] = sent
        units[_FLOWS, units[_RECORDS] < 0] = -1
        watch_ports(headers, scopes, units)
        follow(headers, scopes, units, self._state.scopes.ledger, counts)
        self._note_datagrams(headers, scopes, sent, counts)
        self._state.learner.expire(int(headers.time_ns[-1]))
        self._state.shrink(counts)
        self._state.count_changes(counts)
        self._commit(counts)
        return flows

    def _decode_legacy(
        self, batch: DatagramBatch, headers: Headers, scopes: BatchScopes, counts: Counts
    ) -> list[FlowBatch]:
        parts: list[FlowBatch] = []
        for version in LEGACY:
            rows = np.flatnonzero(headers.version == version)
            if len(rows) == len(headers):
                parts.append(decode_legacy(batch.arena, headers, scopes, version, self._schema, counts))
            elif len(rows):
                some, their_scopes = headers.take(rows), scopes.of_datagrams(rows)
                parts.append(decode_legacy(batch.arena, some, their_scopes, version, self._schema, counts))
        return parts

    def _decode_sets(
        self, sets: Sets, headers: Headers, scopes: BatchScopes, units: I32, counts: Counts
    ) -> list[FlowBatch]:
        """Decode the sets of NetFlow v9 and IPFIX; the records of each message are added to `units`."""
        resolved = self._affordable(self._resolver.resolve(sets, headers, scopes, counts), headers, counts)
        scopes = resolved.scopes
        swapped = scopes.having("swapped_sampling_rates")
        groups: list[Group] = []
        told: list[Told] = []
        turning = scopes.having("reverse_in_23_24")
        for part in resolved.parts:
            for number, some, _ in by_layout(part.sets, part.layout):
                layout = self._state.layouts[number]
                if layout.options:
                    told.append(
                        read_options(self._options.of(layout), some, None if swapped is None else swapped[some.scope])
                    )
                else:
                    groups += self._groups(layout, some, turning)
        self._state.learner.learn(told, scopes, counts)
        self._count_records(resolved, groups, told, scopes, units, counts)
        return self._flows([group for group in groups if len(group.records)], scopes, counts)

    def _affordable(self, resolved: Resolved, headers: Headers, counts: Counts) -> Resolved:
        """Leave out the data sets whose layouts there is no time for."""
        parts, scopes = resolved.parts, resolved.scopes
        if not parts:
            return resolved
        layout, nbytes, scope = (
            found[0] if len(found) == 1 else np.concatenate(found)
            for found in (
                [part.layout for part in parts],
                [part.sets.stop - part.sets.start for part in parts],
                [part.sets.scope for part in parts],
            )
        )
        chosen = self._allowance.choose(
            layout, nbytes, scopes.exporter[scope], self._cost_of, int(headers.time_ns[-1]),
            lambda: proven(self._state.scopes.ledger, scopes.exporter_rows)[scope],
        )  # fmt: skip
        if chosen is None:
            return resolved
        count_costly(counts, scopes, scope[~chosen], layout[~chosen])
        kept, unknown, first = [], [resolved.unknown_rows], 0
        for part in parts:
            here = chosen[first : first + len(part.layout)]
            first += len(part.layout)
            kept.append(Part(part.sets.take(here), part.layout[here]))
            if part.sets.arena is resolved.arena:
                unknown.append(part.sets.row[~here])
        return replace(resolved, parts=kept, unknown_rows=np.unique(np.concatenate(unknown)))

    def _cost_of(self, number: int) -> Cost:
        layout = self._state.layouts[number]
        compiled = self._options if layout.options else self._plans
        return Cost.of(layout, compiled=number in compiled)

    def _groups(self, layout: Layout, sets: Sets, turning: Bool | None) -> list[Group]:
        """Groups of the sets of one layout: exporters that count the other direction in 23 and 24 apart."""
        if turning is None or layout.version != V9:
            return [make_group(self._plans.of(layout), sets)]
        mask = turning[sets.scope]
        parts = ((self._turning_plans, np.flatnonzero(mask)), (self._plans, np.flatnonzero(~mask)))
        return [make_group(plans.of(layout), sets.take(which)) for plans, which in parts if len(which)]

    def _flows(self, groups: list[Group], scopes: BatchScopes, counts: Counts) -> list[FlowBatch]:
        if not groups:
            return []
        rows = fill(groups, scopes, self._state.sampling, self._state.names, self._schema)
        count_all_noted(counts, scopes, groups, rows)
        flows = finish(rows, groups)
        for group in groups:
            if has_frames(group):
                overlay_frames(flows, group, self._schema)
        return [flows, *reverse_flows(flows, groups, self._schema, counts, scopes)]

    def _count_records(
        self,
        resolved: Resolved,
        groups: list[Group],
        told: list[Told],
        scopes: BatchScopes,
        units: I32,
        counts: Counts,
    ) -> None:
        kinds: tuple[int, ...]
        event: Event
        for event, part, kinds in (
            ("data_records", groups, (_RECORDS, _DATA, _ALL_RECORDS)),
            ("options_records", told, (_RECORDS, _ALL_RECORDS)),
        ):
            if part:
                scope = np.concatenate([one.sets.scope for one in part])
                count_by_scope(counts, scopes, event, scope, np.concatenate([one.records.counts for one in part]))
            for one in part:
                count_leftovers(counts, scopes, one.sets, one.records)
                if one.sets.arena is resolved.arena:
                    here = np.bincount(one.sets.row, one.records.counts, units.shape[1]).astype(np.int64)
                    for kind in kinds:
                        units[kind] += here
        for one in told:
            if one.sets.arena is resolved.arena:
                units[_FLOW_SETS] -= np.bincount(one.sets.row, minlength=units.shape[1])
        if len(resolved.special_rows):
            special = np.bincount(resolved.special_rows, minlength=units.shape[1])
            units[_DATA_SETS] -= special
            units[_FLOW_SETS] -= special
            units[_ALL_RECORDS] += np.bincount(resolved.special_rows, resolved.announced, units.shape[1]).astype(
                np.int64
            )
        for kind in (_RECORDS, _DATA, _ALL_RECORDS):
            units[kind, resolved.unknown_rows] = -1

    def _note_datagrams(self, headers: Headers, scopes: BatchScopes, flows: I64 | None, counts: Counts) -> None:
        last = np.zeros(len(scopes), np.int64)
        last[scopes.index] = np.arange(len(headers))
        seen = headers.time_ns[last]
        ledger = self._state.scopes.ledger
        ledger.column("last_seen_ns")[scopes.rows] = seen
        ledger.column("clock_skew_ms")[scopes.rows] = headers.export_ms[last] - seen // 1_000_000
        ledger.column("sampling_word")[scopes.rows] = headers.sampling[last]
        note_header_rates(headers, scopes, ledger, counts)
        # What was before may be later, if the clock was set back.
        last_seen = ledger.column("last_seen_ns")
        last_seen[scopes.exporter_rows] = seen
        np.maximum.at(last_seen, scopes.exporter_rows, seen)
        until = ledger.column("flows_until_ns")[scopes.rows]
        if flows is not None and (not until.all() or int(np.abs(seen - until).max()) >= _FLOWS_NOTED_NS):
            sent = np.bincount(scopes.index, flows, len(scopes)) > 0
            rows = np.concatenate([scopes.rows[sent], scopes.exporter_rows[sent]])
            self._changed |= note_flows(ledger, rows, np.tile(seen[sent], 2))

    def _commit(self, counts: Counts) -> None:
        self._changed |= self._state.changed
        gone = self._state.commit()
        self._plans.forget(gone)
        self._turning_plans.forget(gone)
        self._options.forget(gone)
        for issue in counts.issues:
            exporter = self._state.scopes.get(issue.exporter)
            if exporter is not None:
                exporter.last_issue = f"{issue.reason}: {issue.detail}"
                exporter.last_issue_ns = exporter.last_seen_ns

    def take_changed(self) -> bool:
        """Whether templates, rates or names changed since the last call."""
        changed, self._changed = self._changed, False
        return changed

    def snapshot_parts(self) -> Iterator[list[SnapshotPart]]:
        """See `Decoder.snapshot_parts`."""
        return snapshot_parts(self._state)

    def restore(self, state: Mapping[str, Any]) -> bool:
        """See `Decoder.restore`."""
        return Restorer(self._state).restore(state)

    def exporter_parts(self) -> Iterator[list[ExporterStatus]]:
        """See `Decoder.exporter_parts`."""
        return exporter_parts(self._state)

    def knows(self, address: bytes) -> bool:
        """Whether an exporter is configured, or sent flows for ten minutes and more."""
        scopes = self._state.scopes
        exporter = scopes.get(address)
        return exporter is not None and scopes.standing(exporter, exporter.last_seen_ns) >= KNOWN

    def interface_parts(self) -> Iterator[list[InterfaceName]]:
        """See `Decoder.interface_parts`."""
        names = self._state.names
        part: list[InterfaceName] = []
        for at, exporter in enumerate(list(self._state.scopes)):
            # One that is gone since the part before has no names: its number may be another's.
            if self._state.scopes.get(exporter.address) is exporter:
                part += (((exporter.address, index), texts) for index, texts in names.interfaces_of(exporter).items())
            if len(part) >= _PART_NAMES or at % _PART_EXPORTERS == _PART_EXPORTERS - 1:
                yield part
                part = []
        yield part
