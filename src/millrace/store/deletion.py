"""Deletes chosen flows, on purpose, from the flows and from what was added up of them.

Everything stored is rolled up first, so that every flow is in every rollup that
still reaches back to it. Then the flows that match are added up by the keys of
each rollup, in a table of their own, and the rows that they are part of are
written anew without them; at last the flows go. Where the condition only reads
keys of the rollups, rows of whole intervals are removed as they are, also of
flows that expired long ago.

Flows that do not tell a column (its gaps, see `millrace.store.knowledge`) are not
matched by a condition that reads it. A rollup that lacks a column for a while adds
up flows that differ in it: there they are matched by the other keys.

A journal in the state says what was begun. Each step can be run again: after a
crash the next start finishes what it finds, before anything else is rolled up.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from millrace.errors import StoreError
from millrace.schema import Schema
from millrace.store import faults, migrations, rollups
from millrace.store import parameters as binding
from millrace.store.audit import AuditLog, Deletion, day
from millrace.store.closing import Closer
from millrace.store.ddl import literal, quote
from millrace.store.doomed import FOREVER_MS, Doomed, Forecast
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.faults import EngineError
from millrace.store.knowledge import Gap, Gaps
from millrace.store.resolutions import FLOW_TABLES, OPEN_TABLE, RAW_TABLE, RESOLUTIONS, Resolution

DELETION_KEY = "deletion"
_MATCHED = "millrace_deletion"
"""What is to be subtracted from each rollup."""

_PIECE = 1 << 62
"""What a sum of one row is at most."""

_PIECE_FLOWS = 1_000_000
"""Flows that are taken out of the rollups in one go, unless one hour has more."""

_INSERTING: dict[str, int | str] = {
    "insert_deduplicate": 0,
    "max_partitions_per_insert_block": 0,
    "max_bytes_before_external_group_by": 256 * 2**20,
}


class Deleter:
    """Deletes flows on purpose.

    Parameters
    ----------
    engine, state, audit
    schema : Schema
        Columns of the tables, those that the configuration lacks included.
    audit : AuditLog
    gaps : mapping
        What the rows of each table do not tell, by table.
    flows : Closer
        Knows where the flows are; it must not run meanwhile.
    """

    def __init__(
        self, engine: Engine, state: Facts, schema: Schema, audit: AuditLog, gaps: Mapping[str, Gaps], flows: Closer
    ) -> None:
        self._engine = engine
        self._state = state
        self._schema = schema
        self._audit = audit
        self._gaps = gaps
        self._flows = flows

    def forecast(self, doomed: Doomed) -> Forecast:
        """Count what would go. What is stored should be rolled up before.

        Raises
        ------
        StoreError
            If stored data cannot be read.
        """
        doomed = self._told(doomed)
        with faults.refusing("counting the flows to be deleted"):
            flows, oldest, newest = self._rows(
                f"SELECT count(), toUnixTimestamp64Milli(min(TimeReceived)), toUnixTimestamp64Milli(max(TimeReceived)) "
                f"FROM {RAW_TABLE} WHERE {_matching(doomed)}",
                doomed,
            )[0]
            rolled = {resolution.table: self._rolled(doomed, resolution) for resolution in RESOLUTIONS}
            first = self._rows(f"SELECT count(), toUnixTimestamp64Milli(min(TimeReceived)) FROM {RAW_TABLE}")[0]
        oldest_ms = int(first[1]) if int(first[0]) else FOREVER_MS
        return Forecast(
            int(flows),
            int(oldest) if int(flows) else None,
            int(newest) if int(flows) else None,
            rolled,
            tuple(self._notes(doomed, oldest_ms)),
        )

    def begin(self, doomed: Doomed, forecast: Forecast) -> None:
        """Write down what is to be deleted, in the audit log and in the journal.

        Raises
        ------
        StoreError
            If it cannot be written down; nothing is deleted then.
        """
        act = uuid.uuid4().hex[:12]
        doomed = self._told(doomed)
        keys = [column.name for column in self._schema if column.rollup == "key"]
        with faults.refusing("counting the flows to be deleted"):
            pieces = self._pieces(doomed)
        oldest_ms, newest_ms = forecast.oldest_ms, forecast.newest_ms
        reason = f"asked for: {doomed.text or 'all flows'}, {_span(doomed)}"
        self._audit.require(
            Deletion("delete-begun", RAW_TABLE, reason, forecast.flows, 0, oldest_ms, newest_ms, doomed.text, act)
        )
        self._state.put(
            DELETION_KEY,
            {
                "id": act,
                "text": doomed.text,
                "condition": doomed.condition,
                "parameters": dict(doomed.parameters),
                "columns": list(doomed.columns),
                "start_ms": doomed.start_ms,
                "end_ms": doomed.end_ms,
                "direct": {resolution.name: self._direct_ms(doomed, resolution) for resolution in RESOLUTIONS},
                "keys": keys,
                "gaps": {
                    resolution.name: {name: self._gaps_of(resolution.table, name) for name in keys}
                    for resolution in RESOLUTIONS
                },
                "sums": [column.name for column in self._schema if column.rollup == "sum"],
                "pieces": pieces,
                "upto": self._last_block(OPEN_TABLE),
                "flows": forecast.flows,
                "rolled": forecast.rolled,
                "oldest_ms": forecast.oldest_ms,
                "newest_ms": forecast.newest_ms,
                "step": "collect",
            },
        )

    def finish(self) -> bool:
        """Carry out what the journal says, from where it stopped; False if it says nothing.

        The roller must not run meanwhile, and looks at its state anew afterwards.

        Raises
        ------
        StoreError
            If a step fails; the journal keeps it, and it is run again at the next start.
        """
        journal = self._state.get(DELETION_KEY)
        if not journal:
            return False
        try:
            self._run(journal)
        except EngineError as error:
            failed = faults.of_write(error, f"deleting flows ({journal['text'] or 'all'})")
            raise type(failed)(
                f"{failed}; what was begun is finished at the next start, and until then nothing else is done"
            ) from error
        return True

    def _run(self, journal: dict[str, Any]) -> None:
        while journal["pieces"]:
            if journal["step"] == "collect":
                self._collect(journal)
                self._next(journal, RESOLUTIONS[0].name)
            for resolution, following in zip(RESOLUTIONS, [*(r.name for r in RESOLUTIONS[1:]), "over"], strict=True):
                if journal["step"] == resolution.name:
                    self._correct(journal, resolution)
                    if following == "over":
                        journal["pieces"] = journal["pieces"][1:]
                        following = "collect" if journal["pieces"] else "flows"
                    self._next(journal, following)
        if journal["step"] == "flows":
            doomed = _doomed(journal)
            # The newest blocks only came after the flows were counted.
            for table in FLOW_TABLES:
                if migrations.describe(self._engine, table) is not None:
                    newest = f" AND _block_number <= {journal['upto']}" if table == OPEN_TABLE else ""
                    self._delete(table, f"{_matching(doomed)}{newest}", doomed)
            self._next(journal, "record")
        self._record(journal)
        self._engine.execute(f"DROP TABLE IF EXISTS {_MATCHED}")
        self._state.put(DELETION_KEY, {})

    def _next(self, journal: dict[str, Any], step: str) -> None:
        journal.pop("target", None)
        journal.pop("written", None)
        journal["step"] = step
        self._state.put(DELETION_KEY, journal)

    def _pieces(self, doomed: Doomed) -> list[list[int]]:
        """The range in pieces of whole hours with about `_PIECE_FLOWS` flows: what bounds the memory of a step."""
        hours = self._rows(
            f"SELECT toUnixTimestamp(toStartOfHour(TimeReceived)) AS Hour, count() FROM {RAW_TABLE} "
            f"WHERE {_matching(doomed)} GROUP BY Hour ORDER BY Hour",
            doomed,
        )
        pieces = [[doomed.start_ms, doomed.end_ms]]
        flows = 0
        for hour, count in hours:
            begin_ms = int(hour) * 1000
            if flows and flows + int(count) > _PIECE_FLOWS and pieces[-1][0] < begin_ms < doomed.end_ms:
                pieces[-1][1] = begin_ms
                pieces.append([begin_ms, doomed.end_ms])
                flows = 0
            flows += int(count)
        return pieces

    def _collect(self, journal: dict[str, Any]) -> None:
        """Add up the flows that match by the keys of each rollup."""
        doomed = _piece_of(journal)
        sums = journal["sums"]
        columns = ", ".join(f"{quote(name)} UInt128" for name in (*sums, "Flows"))
        self._engine.execute(f"DROP TABLE IF EXISTS {_MATCHED}")
        self._engine.execute(
            f"CREATE TABLE {_MATCHED} (Resolution String, Hash UInt64, {columns}) "
            "ENGINE = MergeTree ORDER BY (Resolution, Hash)"
        )
        added = "".join(f"sum(toUInt128({quote(name)})), " for name in sums)
        for resolution in RESOLUTIONS:
            where = _matching(doomed)
            # Whole intervals are removed as they are.
            where += f" AND NOT ({_between(*_inner(doomed, resolution, journal['direct'][resolution.name]))})"
            hashed = _hash(f"{resolution.start_of}(TimeReceived)", journal["gaps"][resolution.name])
            self._execute(
                f"INSERT INTO {_MATCHED} SELECT {literal(resolution.name)}, {hashed} AS Hash, {added}count() "
                f"FROM ({self._flows.select(journal['upto'])}) WHERE {where} GROUP BY Hash",
                doomed,
            )

    def _correct(self, journal: dict[str, Any], resolution: Resolution) -> None:
        """Write rows anew without the flows that match, then remove the old ones."""
        table = resolution.table
        if "target" in journal:
            # Begun before a crash: whatever of it arrived goes again. Nobody else writes meanwhile.
            if not journal.get("written"):
                self._engine.execute(rollups.undo_statement(resolution, journal["target"]))
        else:
            journal["target"] = self._last_block(table)
            self._state.put(DELETION_KEY, journal)
        doomed = _piece_of(journal)
        hashes = f"SELECT Hash FROM {_MATCHED} WHERE Resolution = {literal(resolution.name)}"
        old = f"_block_number <= {journal['target']}"
        near = _between(doomed.start_ms - resolution.seconds * 1000, doomed.end_ms)
        changed = f"{old} AND {near} AND {_hash('TimeReceived', journal['gaps'][resolution.name])} IN ({hashes})"
        if not journal.get("written"):
            self._engine.execute(self._corrected(journal, resolution, changed), _INSERTING)
            journal["written"] = True
            self._state.put(DELETION_KEY, journal)
        self._delete(table, changed, doomed)
        start_ms, end_ms = _inner(doomed, resolution, journal["direct"][resolution.name])
        if start_ms < end_ms:
            inner = _between(start_ms, end_ms)
            self._delete(table, f"{old} AND {inner} AND ({doomed.condition})", doomed)
        for reader in RESOLUTIONS:
            if reader.source == table:
                # What was written anew is in the coarser rollup already: it is corrected by itself.
                self._state.put(f"rollup:{reader.name}", {"done": self._last_block(table)})

    def _corrected(self, journal: dict[str, Any], resolution: Resolution, changed: str) -> str:
        """INSERT … SELECT of the rows that are left of those that change.

        Sums of forged flows may be beyond 64 bits: such a rest goes into several rows.
        """
        summed = [*journal["sums"], "Flows"]
        names = list(self._columns(resolution.table))
        listed = ", ".join(map(quote, names))
        hashed = _hash("TimeReceived", journal["gaps"][resolution.name])
        rest = ", ".join(f"sum(toUInt128(o.{quote(name)})) - any(d.{quote(name)}) AS {_rest(name)}" for name in summed)
        same = ", ".join(f"any(o.{quote(name)}) AS {_rest(name)}" for name in names if name not in summed)
        pieces = f"range(toUInt64(1 + intDiv(greatest({', '.join(map(_rest, summed))}) - 1, {_PIECE})))"
        shown = ", ".join(_piece(name) if name in summed else _rest(name) for name in names)
        return (
            f"INSERT INTO {resolution.table} ({listed}) SELECT {shown} "
            f"FROM (SELECT {same}, {rest} "
            f"FROM (SELECT {listed}, {hashed} AS _hash FROM {resolution.table} WHERE {changed}) AS o "
            f"INNER JOIN (SELECT * FROM {_MATCHED} WHERE Resolution = {literal(resolution.name)}) AS d "
            "ON o._hash = d.Hash GROUP BY o._hash HAVING sum(toUInt128(o.Flows)) > any(d.Flows)) "
            f"ARRAY JOIN {pieces} AS _piece"
        )

    def _record(self, journal: dict[str, Any]) -> None:
        doomed = _doomed(journal)
        for table, count in {RAW_TABLE: journal["flows"], **journal["rolled"]}.items():
            reason = f"asked for: {doomed.text or 'all flows'}, {_span(doomed)}"
            oldest_ms, newest_ms = (journal["oldest_ms"], journal["newest_ms"]) if table == RAW_TABLE else (None, None)
            self._audit.record(
                Deletion("delete", table, reason, count, 0, oldest_ms, newest_ms, doomed.text, journal["id"])
            )

    def _rolled(self, doomed: Doomed, resolution: Resolution) -> int:
        """Flows that a rollup would no longer count."""
        where, oldest = _matching(doomed), self._oldest(resolution.table)
        whole = 0
        start_ms, end_ms = _inner(doomed, resolution, self._direct_ms(doomed, resolution))
        if start_ms < end_ms:
            inner = _between(start_ms, end_ms)
            where += f" AND NOT ({inner})"
            found = self._rows(
                f"SELECT sum(Flows) FROM {resolution.table} WHERE {inner} AND ({doomed.condition})", doomed
            )
            whole = int(found[0][0])
        where += f" AND TimeReceived >= {_moment(oldest)}"
        return whole + int(self._rows(f"SELECT count() FROM {RAW_TABLE} WHERE {where}", doomed)[0][0])

    def _notes(self, doomed: Doomed, oldest_flow_ms: int) -> Iterator[str]:
        """What a deletion would leave in the rollups, since single flows of that time are gone."""
        for name in doomed.columns:
            for start, stop in self._gaps_of(RAW_TABLE, name):
                if doomed.start_ms < stop * 1000 and start * 1000 < doomed.end_ms:
                    since = f"between {day(start * 1000)} and" if start else "before"
                    yield f"flows {since} {day(stop * 1000)} UTC do not tell {name}: none of them matches"
        for resolution in RESOLUTIONS:
            oldest_ms = self._oldest(resolution.table)
            start_ms = max(doomed.start_ms, oldest_ms)
            end_ms = min(doomed.end_ms, resolution.floor_ms(oldest_flow_ms))
            if start_ms >= end_ms:
                continue
            unknown = ", ".join(
                name
                for name in doomed.columns
                if name not in self._schema
                or self._schema[name].rollup != "key"
                or self._lacking_ms(resolution.table, name, start_ms, end_ms)
            )
            if unknown:
                yield (
                    f"{resolution.table} keeps what it counted of such flows before {day(end_ms)} UTC: the flows "
                    f"themselves have expired, and it does not know {unknown}"
                )
            elif doomed.start_ms % (resolution.seconds * 1000) and doomed.start_ms >= oldest_ms:
                yield (
                    f"{resolution.table} keeps its interval of {resolution.seconds} s in which "
                    f"{day(doomed.start_ms)} UTC lies: it can be removed as a whole only"
                )

    def _told(self, doomed: Doomed) -> Doomed:
        """Without flows that do not tell what the condition reads: the default they hold is no value of theirs."""
        gaps = {gap for name in doomed.columns for gap in self._gaps_of(RAW_TABLE, name)}
        unknown = "".join(f" AND NOT {_between(start * 1000, end * 1000)}" for start, end in sorted(gaps))
        return replace(doomed, condition=f"({doomed.condition}){unknown}") if gaps else doomed

    def _direct_ms(self, doomed: Doomed, resolution: Resolution) -> int:
        """Moment from which on a rollup knows all that the condition reads."""
        if not doomed.reads_keys(self._schema):
            return FOREVER_MS
        start_ms, end_ms = doomed.start_ms, doomed.end_ms
        return max((self._lacking_ms(resolution.table, name, start_ms, end_ms) for name in doomed.columns), default=0)

    def _lacking_ms(self, table: str, name: str, start_ms: int, end_ms: int) -> int:
        """End of the last time in a range whose rows do not tell a column; 0: all of them do."""
        gaps = self._gaps_of(table, name)
        return max((stop * 1000 for start, stop in gaps if start_ms < stop * 1000 and start * 1000 < end_ms), default=0)

    def _gaps_of(self, table: str, name: str) -> tuple[Gap, ...]:
        return self._gaps.get(table, {}).get(name, ())

    def _oldest(self, table: str) -> int:
        count, oldest = self._rows(f"SELECT count(), toUnixTimestamp(min(TimeReceived)) FROM {table}")[0]
        return int(oldest) * 1000 if int(count) else FOREVER_MS

    def _columns(self, table: str) -> dict[str, str]:
        found = migrations.describe(self._engine, table)
        if found is None:
            raise StoreError(f"there is no table {table}")
        return {name: column.type for name, column in found.columns.items()}

    def _last_block(self, table: str) -> int:
        return int(self._rows(rollups.last_block_statement(table))[0][0])

    def _delete(self, table: str, condition: str, doomed: Doomed) -> None:
        # Parts with such rows are written anew: nothing of them is left on the device.
        self._execute(f"ALTER TABLE {table} DELETE WHERE {condition} SETTINGS mutations_sync = 1", doomed)

    def _execute(self, sql: str, doomed: Doomed) -> None:
        self._engine.execute(sql, parameters=_bound(doomed))

    def _rows(self, sql: str, doomed: Doomed | None = None) -> list[list[str]]:
        return self._engine.rows(sql, _bound(doomed) if doomed else None)


def _bound(doomed: Doomed) -> dict[str, str]:
    return {name: binding.bind(value) for name, value in doomed.parameters.items()}


def _doomed(journal: Mapping[str, Any]) -> Doomed:
    return Doomed(
        journal["text"],
        journal["condition"],
        journal["parameters"],
        tuple(journal["columns"]),
        journal["start_ms"],
        journal["end_ms"],
    )


def _piece_of(journal: Mapping[str, Any]) -> Doomed:
    start_ms, end_ms = journal["pieces"][0]
    return replace(_doomed(journal), start_ms=start_ms, end_ms=end_ms)


def _matching(doomed: Doomed) -> str:
    return f"{_between(doomed.start_ms, doomed.end_ms)} AND ({doomed.condition})"


def _between(start_ms: int, end_ms: int) -> str:
    return f"(TimeReceived >= {_moment(start_ms)} AND TimeReceived < {_moment(end_ms)})"


def _moment(time_ms: int) -> str:
    return f"fromUnixTimestamp64Milli({max(time_ms, 0)}, 'UTC')"


def _inner(doomed: Doomed, resolution: Resolution, direct_ms: int) -> tuple[int, int]:
    """Range of the whole intervals inside the range, from a moment on."""
    step = resolution.seconds * 1000
    start = min(-(-max(doomed.start_ms, direct_ms) // step) * step, doomed.end_ms)
    return start, max(start, doomed.end_ms // step * step)


def _hash(interval: str, keys: Mapping[str, Sequence[Gap]]) -> str:
    """Expression of what tells rows of a rollup apart: its keys, each where it is told."""
    second = f"toUnixTimestamp({interval})"

    def told(name: str, gaps: Sequence[Gap]) -> str:
        if not gaps:
            return quote(name)
        lacking = " OR ".join(f"({second} >= {start} AND {second} < {end})" for start, end in gaps)
        return f"if({lacking}, 0, cityHash64({quote(name)}))"

    return f"cityHash64({second}, {', '.join(told(name, gaps) for name, gaps in keys.items())})"


def _rest(name: str) -> str:
    return quote(f"_rest_{name}")


def _piece(name: str) -> str:
    """The part of a sum that goes into a row: all of it, unless it is beyond `_PIECE`."""
    begun = f"_piece * toUInt128({_PIECE})"
    return f"toUInt64(if({_rest(name)} > {begun}, least({_rest(name)} - {begun}, {_PIECE}), 0))"


def _span(doomed: Doomed) -> str:
    start = f"from {day(doomed.start_ms)}" if doomed.start_ms else "from the beginning"
    return f"{start} to {day(doomed.end_ms)} UTC" if doomed.end_ms < FOREVER_MS else start
