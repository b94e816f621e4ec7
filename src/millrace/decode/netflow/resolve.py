"""Gives every data set its layout, after the template sets of the batch were read."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from millrace.batch.arrays import I64, U8
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.scopes import BatchScopes, Scope
from millrace.decode.netflow.sets import FIRST_DATA_SET, Sets
from millrace.decode.netflow.state import State, give_up
from millrace.decode.netflow.templates import OPTIONS_SETS, TEMPLATE_SETS, template_key
from millrace.decode.netflow.timeline import MISSING
from millrace.decode.netflow.waiting import Release, WaitingSet, released_sets
from millrace.decode.result import Counts

_ID_BITS = 16


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
    arena : ndarray of uint8
        Of the batch.
    unknown_rows : ndarray of int64
        Messages whose number of records is not known, as a template was missing.
    """

    parts: list[Part]
    special_rows, announced : ndarray of int64
        Messages of the sets that are not data, and how many templates each of these announces or withdraws.
    arena: U8
    unknown_rows: I64


class Resolver:
    special_rows: I64
    announced: I64
    """Reads template sets, and finds the layout of every data set at its position."""

    def __init__(self, state: State) -> None:
        self._state = state

    def resolve(self, sets: Sets, headers: Headers, scopes: BatchScopes, counts: Counts) -> Resolved:
        """Read the template sets in wire order, then look all data sets up."""
        state = self._state
        if not len(sets):
            return Resolved([], sets.arena, *(np.zeros(0, np.int64) for _ in range(3)))
        time_ns = headers.time_ns[sets.row]
        latest_ns = int(time_ns.max())
        state.templates.begin(lambda after: int(np.argmax(time_ns > after)), latest_ns)
        special = np.flatnonzero(sets.id < FIRST_DATA_SET)
        announced = [self._read_special(sets, at, int(time_ns[at]), scopes, counts) for at in special.tolist()]
        state.templates.expire()
        # What waits from earlier batches first, so that nothing is released by a template that came before it.
        waited = self._release(sets, time_ns, scopes, counts)
        data = sets.take(sets.id >= FIRST_DATA_SET) if len(special) else sets
        layout = self._look_up(data, scopes)
        parts = [Part(data, layout)]
        unknown = np.zeros(0, np.int64)
        missing = layout == MISSING
        if missing.any():
            unknown = np.unique(data.row[missing])
            parts = [self._settle_missing(data, layout, sets, headers, scopes, counts)]
        state.waiting.expire(latest_ns, lambda waiting, reason: give_up(counts, waiting, reason))
        return Resolved(parts + waited, sets.arena, unknown)

    def _look_up(self, sets: Sets, scopes: BatchScopes) -> I64:
        timeline = self._state.templates.timeline
        found = timeline.look_up((scopes.numbers[sets.scope] << _ID_BITS) | sets.id, sets.position)
        if scopes.shared:
            missing = np.flatnonzero(found == MISSING)
            number = scopes.domain_numbers[sets.scope[missing]]
            found[missing] = timeline.look_up((number << _ID_BITS) | sets.id[missing], sets.position[missing])
        return found

    def _read_special(self, sets: Sets, at: int, time_ns: int, scopes: BatchScopes, counts: Counts) -> None:
        scope, key = scopes.scopes[int(sets.scope[at])], scopes.keys[int(sets.scope[at])]
        set_id, version = int(sets.id[at]), int(sets.version[at])
        if set_id not in (TEMPLATE_SETS[version], OPTIONS_SETS[version]):
            counts.drop(*key, "set", "reserved-id", 1, f"set ID {set_id} is reserved")
            return 0
        if scope is None:
            counts.drop(*key, "set", "exporter-limit", 1, "too many exporters or domains; template set ignored")
            return 0
        wire = sets.arena[sets.start[at] : sets.stop[at]].tobytes()
        announced, withdrawn = self._state.templates.read_set(
            scope, set_id, wire, int(sets.position[at]), time_ns, int(sets.export_ms[at]),
            lambda reason, detail: counts.drop(*key, "template", reason, 1, f"domain {scope.domain}: {detail}"),
        )  # fmt: skip
        options = set_id == OPTIONS_SETS[version]
        counts.event(*key, "options_templates" if options else "templates", announced)
        counts.event(*key, "withdrawals", withdrawn)

    def _settle_missing(
        self, data: Sets, layout: I64, sets: Sets, headers: Headers, scopes: BatchScopes, counts: Counts
    ) -> Part:
        """Let sets without a template wait, unless it comes later in this very batch."""
        state = self._state
        later = state.templates.timeline.arrivals()
        data = replace(data, position=data.position.copy(), datagram=data.datagram.copy())
        for at in np.flatnonzero(layout == MISSING).tolist():
            of = int(data.scope[at])
            scope, key = scopes.scopes[of], scopes.keys[of]
            if scope is None:
                counts.drop(*key, "set", "exporter-limit", 1, "too many exporters or domains; data set ignored")
                continue
            counts.event(*key, "sets_waiting")
            ident, here = int(data.id[at]), int(data.position[at])
            arrives = [later.after(template_key(number, ident), here) for number in (scope.number, scope.ports.number)]
            position = min((place for place in arrives if place != MISSING), default=MISSING)
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
        return announced + withdrawn
        known = layout != MISSING
        return Part(data.take(known), layout[known])

    def _waiting_set(self, data: Sets, at: int, scope: Scope, headers: Headers) -> WaitingSet:
        wire = data.arena[data.start[at] : data.stop[at]].tobytes()
        received_ns = int(headers.time_ns[data.row[at]])
        return WaitingSet(scope, int(data.id[at]), wire, received_ns, int(data.export_ms[at]), int(data.uptime[at]))

    def _release(self, sets: Sets, time_ns: I64, scopes: BatchScopes, counts: Counts) -> list[Part]:
        """Sets of earlier batches whose template came in this one."""
        released: list[Release] = []
        waiting = self._state.waiting
        rows = {scope.number: row for row, scope in enumerate(scopes.scopes) if scope is not None} if waiting else {}
        for arrived, position in self._state.templates.timeline.arrivals().first():
            for key in waiting.keys_of(arrived):
                if key in waiting:
                    waited = waiting.release(key, int(time_ns[position]), lambda kept, why: give_up(counts, kept, why))
                    released += [
                        Release(kept, position, rows.get(kept.scope.number, int(sets.scope[position])))
                        for kept in waited
                    ]
        if not released:
            return []
        found = released_sets(released, sets)
        for of in found.scope.tolist():
            exporter, protocol = scopes.keys[of]
            counts.event(exporter, protocol, "sets_released")
        return [Part(found, self._look_up(found, scopes))]
