"""Gives every data set its layout, after the template sets of the batch were read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from millrace.batch.arrays import I64, U8
from millrace.decode.netflow.fitting import fitting
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.remembered import Remembered, give_up
from millrace.decode.netflow.scopes import BatchScopes, Scope
from millrace.decode.netflow.sets import FIRST_DATA_SET, Sets
from millrace.decode.netflow.template_records import OPTIONS_SETS, TEMPLATE_SETS
from millrace.decode.netflow.timeline import MISSING
from millrace.decode.netflow.waiting import Release, WaitingSet, released_sets
from millrace.decode.result import Counts

_ID_BITS = 16
_MOST_PUT_OFF = 4096
"""Exporters of which something is remembered that was put off."""


@dataclass(frozen=True, slots=True)
class Part:
    """Data sets of one arena and the layout number of each."""

    sets: Sets
    layout: I64


@dataclass(frozen=True, slots=True)
class Resolved:
    """Data sets that can be decoded.

    Attributes
    ----------
    parts : list of Part
        Sets of the batch, and sets of earlier batches that waited.
    scopes : BatchScopes
        Those of the batch, and of sets that waited.
    arena : ndarray of uint8
        Of the batch.
    unknown_rows : ndarray of int64
        Messages whose number of records is not known, as a template was missing.
    special_rows, announced : ndarray of int64
        Messages of the sets that are not data, and how many templates each of these announces or withdraws.
    """

    parts: list[Part]
    scopes: BatchScopes
    arena: U8
    unknown_rows: I64
    special_rows: I64
    announced: I64


class Resolver:
    """Reads template sets, and finds the layout of every data set at its position."""

    def __init__(self, state: Remembered) -> None:
        self._state = state
        self._put_off: dict[int, dict[int, None]] = {}
        """Keys of templates for which more is to be released in the next batch of their exporter, by its number."""

    def resolve(self, sets: Sets, headers: Headers, scopes: BatchScopes, counts: Counts) -> Resolved:
        """Read the template sets in wire order, then look all data sets up."""
        state = self._state
        if not len(sets):
            self.put_off()
            return Resolved([], scopes, sets.arena, *(np.zeros(0, np.int64) for _ in range(3)))
        time_ns = headers.time_ns[sets.row]
        latest_ns = int(time_ns.max())
        state.templates.begin(lambda after: int(np.argmax(time_ns > after)), latest_ns)
        special = np.flatnonzero(sets.id < FIRST_DATA_SET)
        announced = [self._read_special(sets, at, int(time_ns[at]), scopes, counts) for at in special.tolist()]
        state.templates.expire()
        # What waits from earlier batches first, so that nothing is released by a template that came before it.
        waited, with_waited = self._release(sets, time_ns, scopes, counts)
        data = sets.take(sets.id >= FIRST_DATA_SET) if len(special) else sets
        layout = self._look_up(data, scopes)
        parts = [Part(data, layout)]
        unknown = np.zeros(0, np.int64)
        missing = layout == MISSING
        if missing.any():
            unknown = np.unique(data.row[missing])
            parts = [self._settle_missing(data, layout, sets, headers, scopes, counts)]
        state.waiting.expire(latest_ns, lambda waiting, reason: give_up(counts, waiting, reason))
        return Resolved(
            parts + waited, with_waited, sets.arena, unknown, sets.row[special], np.array(announced, np.int64)
        )

    def _look_up(self, sets: Sets, scopes: BatchScopes) -> I64:
        timeline = self._state.templates.timeline
        found = timeline.look_up((scopes.numbers[sets.scope] << _ID_BITS) | sets.id, sets.position)
        if scopes.shared:
            missing = np.flatnonzero(found == MISSING)
            number = scopes.domain_numbers[sets.scope[missing]]
            agreed = timeline.look_up((number << _ID_BITS) | sets.id[missing], sets.position[missing])
            start, stop = sets.start[missing], sets.stop[missing]
            found[missing] = fitting(self._state.layouts.__getitem__, sets.arena, start, stop, agreed)
        return found

    def _read_special(self, sets: Sets, at: int, time_ns: int, scopes: BatchScopes, counts: Counts) -> int:
        """Read a set that is not data; how many templates it announces or withdraws."""
        scope, key = scopes.scopes[int(sets.scope[at])], scopes.keys[int(sets.scope[at])]
        set_id, version = int(sets.id[at]), int(sets.version[at])
        if set_id not in (TEMPLATE_SETS[version], OPTIONS_SETS[version]):
            counts.drop(*key, "set", "reserved-id", 1, f"set ID {set_id} is reserved")
            return 0
        if scope is None:
            counts.drop(*key, "set", "exporter-limit", 1, "too many exporters or domains; template set ignored")
            return 0
        if not scope.exporter.announces_from(scope.port.port):
            counts.drop(*key, "set", "untrusted-port", 1, f"templates from port {scope.port.port}, not one of its own")
            return 0
        wire = sets.arena[sets.start[at] : sets.stop[at]].tobytes()
        announced, withdrawn = self._state.templates.read_set(
            scope, set_id, wire, int(sets.position[at]), time_ns, int(sets.export_ms[at]),
            lambda reason, detail: counts.drop(*key, "template", reason, 1, f"domain {scope.domain}: {detail}"),
        )  # fmt: skip
        options = set_id == OPTIONS_SETS[version]
        counts.event(*key, "options_templates" if options else "templates", announced)
        counts.event(*key, "withdrawals", withdrawn)
        return announced + withdrawn

    def _settle_missing(
        self, data: Sets, layout: I64, sets: Sets, headers: Headers, scopes: BatchScopes, counts: Counts
    ) -> Part:
        """Let sets without a template wait, unless it comes later in this very batch."""
        state = self._state
        rows = np.flatnonzero(layout == MISSING)
        arrivals = self._arrivals(data, rows, scopes)
        data = replace(data, position=data.position.copy(), datagram=data.datagram.copy())
        for at, position in zip(rows.tolist(), arrivals.tolist(), strict=True):
            of = int(data.scope[at])
            scope, key = scopes.scopes[of], scopes.keys[of]
            if scope is None:
                counts.drop(*key, "set", "exporter-limit", 1, "too many exporters or domains; data set ignored")
                continue
            counts.event(*key, "sets_waiting")
            if position == MISSING:
                waiting = self._waiting_set(data, at, scope, headers)
                state.waiting.keep(waiting, lambda refused, reason: give_up(counts, refused, reason))
                continue
            if state.waiting.too_old(int(headers.time_ns[data.row[at]]), int(headers.time_ns[sets.row[position]])):
                give_up(counts, self._waiting_set(data, at, scope, headers), "template-never-came")
                continue
            counts.event(*key, "sets_released")
            data.position[at], data.datagram[at] = position, sets.datagram[position]
        layout = self._look_up(data, scopes)
        known = layout != MISSING
        return Part(data.take(known), layout[known])

    def _arrivals(self, data: Sets, rows: I64, scopes: BatchScopes) -> I64:
        """Position after each of some sets at which its template comes, from its own port or, if it fits, from others.

        `MISSING` where it does not come in this batch.
        """
        timeline = self._state.templates.timeline
        later = timeline.arrivals()
        ident, here, scope = data.id[rows], data.position[rows], data.scope[rows]

        def after(numbers: I64) -> I64:
            keys = (numbers[scope] << _ID_BITS) | ident
            found = [later.after(key, at) for key, at in zip(keys.tolist(), here.tolist(), strict=True)]
            return np.array(found, np.int64)

        found = after(scopes.numbers)
        if scopes.shared:
            shared = after(scopes.domain_numbers)
            sooner = np.flatnonzero((shared != MISSING) & ((found == MISSING) | (shared < found)))
            if len(sooner):
                keys, at = (scopes.domain_numbers[scope[sooner]] << _ID_BITS) | ident[sooner], rows[sooner]
                agreed = timeline.look_up(keys, shared[sooner])
                of = fitting(self._state.layouts.__getitem__, data.arena, data.start[at], data.stop[at], agreed)
                found[sooner] = np.where(of != MISSING, shared[sooner], found[sooner])
        return found

    def _waiting_set(self, data: Sets, at: int, scope: Scope, headers: Headers) -> WaitingSet:
        wire = data.arena[data.start[at] : data.stop[at]].tobytes()
        received_ns = int(headers.time_ns[data.row[at]])
        return WaitingSet(scope, int(data.id[at]), wire, received_ns, int(data.export_ms[at]), int(data.uptime[at]))

    def put_off(self) -> None:
        """The batch has no sets: what waits for templates that came to serve other ports is released in a later one."""
        waiting = self._state.waiting
        if waiting:
            for arrived, *_ in self._state.templates.timeline.arrivals().first():
                for key in waiting.keys_of(arrived):
                    if key in waiting:
                        self._remember(arrived, waiting.scope_of(key))

    def _remember(self, arrived: int, scope: Scope) -> None:
        if len(self._put_off) > _MOST_PUT_OFF:
            # They wait for their time, then: nobody is so many exporters whose templates are shared just now.
            self._put_off.clear()
        self._put_off.setdefault(scope.exporter.number, {})[arrived] = None

    def _arrived(self, sets: Sets, scopes: BatchScopes) -> tuple[list[tuple[int, int, int]], dict[int, int]]:
        """Keys for which sets may wait, with position and layout; and the first position of each exporter."""
        timeline = self._state.templates.timeline
        arrived = timeline.arrivals().first()
        numbers, first = np.unique(scopes.exporter_numbers[sets.scope], return_index=True)
        position_of = dict(zip(numbers.tolist(), first.tolist(), strict=True))
        if self._put_off:
            now = {key for key, *_ in arrived}
            for exporter, position in position_of.items():
                for key in self._put_off.pop(exporter, ()):
                    if key not in now and timeline.get(key) != MISSING:
                        arrived.append((key, position, timeline.get(key)))
        return arrived, position_of

    def _release(self, sets: Sets, time_ns: I64, scopes: BatchScopes, counts: Counts) -> tuple[list[Part], BatchScopes]:
        """Sets of earlier batches whose template came in this one; and the scopes with those of these sets."""
        released: list[Release] = []
        waiting = self._state.waiting
        if not waiting:
            return [], scopes
        rows = {scope.number: row for row, scope in enumerate(scopes.scopes) if scope is not None}
        more: list[Scope] = []
        arrived_here, position_of = self._arrived(sets, scopes)
        for arrived, position, number in arrived_here:
            layout = self._state.layouts[number]
            has_more = waiting.has_more(arrived)
            for key in waiting.keys_of(arrived):
                if key not in waiting:
                    continue
                scope = waiting.scope_of(key)
                if has_more:
                    # The others have their turn in the next batch of the exporter.
                    self._remember(arrived, scope)
                at = position
                if scopes.exporter_numbers[sets.scope[at]] != scope.exporter.number:
                    # It came to serve this port by no set of the batch: flows are of a datagram of their exporter.
                    first = position_of.get(scope.exporter.number)
                    if first is None:
                        self._remember(arrived, scope)
                        continue
                    at = first
                waited = waiting.release(
                    key, int(time_ns[at]), lambda kept, why: give_up(counts, kept, why),
                    None if key == arrived else layout,
                )  # fmt: skip
                if waited and scope.number not in rows:
                    rows[scope.number] = len(scopes) + len(more)
                    more.append(scope)
                released += [Release(kept, at, rows[scope.number]) for kept in waited]
        if not released:
            return [], scopes
        scopes = scopes.extended(more)
        found = released_sets(released, sets)
        layouts = self._look_up(found, scopes)
        known = layouts != MISSING
        for at in np.flatnonzero(~known).tolist():
            give_up(counts, released[at].waiting, "template-never-came")
        for of in found.scope[known].tolist():
            exporter, protocol = scopes.keys[of]
            counts.event(exporter, protocol, "sets_released")
        return [Part(found.take(known), layouts[known])], scopes
