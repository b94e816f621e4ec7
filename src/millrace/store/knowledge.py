"""Which flows of a table do not tell a column: those stored before it came, or while the schema lacked it.

A column that is added to a table has its default in the rows that are there.
That is no value of theirs: what nobody knew must not pass for "unknown" in a
filter, least of all in one that says what somebody may see. So each table
remembers, for each column, the times of such flows (its *gaps*), and questions
go to the finest table that has none in their range.

A column that comes leaves a gap up to the newest row. One that the schema lacks
for a while leaves a gap over the rows that are inserted meanwhile: the last
block is remembered when it goes. Gaps end with their rows: a time of which
nothing older is stored has none, and may be stored anew. Numbers of blocks start
again where the newest are gone, so the last one is looked at every time. A rollup lacks what its source lacked, in
whole intervals; and a column that rollups carried along before version 2 of
this record, without telling rows apart by it, came only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from millrace.store import migrations
from millrace.store.ddl import TableSpec, quote
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.resolutions import BEFORE_TABLE, CLOSED_TABLE, OPEN_TABLE, RAW_TABLE, RESOLUTIONS, shown_as
from millrace.store.rollups import last_block_statement, newer_than

Gap: TypeAlias = "tuple[int, int]"
"""Unix seconds, the end excluded."""

Gaps: TypeAlias = "Mapping[str, tuple[Gap, ...]]"
"""By column; those without a gap are left out."""

CARRIED = frozenset(
    (
        *(f"Exporter{name}" for name in ("Name", "Group", "Role", "Site", "Region", "Tenant")),
        *(f"{side}ASName" for side in ("Src", "Dst")),
        *(
            f"{side}If{name}"
            for side in ("In", "Out")
            for name in ("Name", "Description", "Connectivity", "Provider", "Speed", "Boundary")
        ),
    )
)
"""Columns that rollups took from one row of each group as long as nobody kept this record."""

_SECONDS = {RAW_TABLE: 1} | {resolution.table: resolution.seconds for resolution in RESOLUTIONS}
_SOURCES = {resolution.table: shown_as(resolution.source) for resolution in RESOLUTIONS}

_LAST = {OPEN_TABLE: "block", CLOSED_TABLE: "closed_block"}
"""Where the last block is kept that a column was in, by table; in all others, as ``block``.

Flows are copied from the one to the other after they came, so a gap may reach back further than it has to.
"""


class Knowledge:
    """Keeps the gaps of every table of flows.

    Parameters
    ----------
    engine, state
    tables : sequence of TableSpec
        What the schema wants; sources before what is computed from them.
    """

    def __init__(self, engine: Engine, state: Facts, tables: Sequence[TableSpec]) -> None:
        self._engine = engine
        self._state = state
        self._tables = [table for table in tables if table.name == OPEN_TABLE or table.name in _SECONDS]
        self.gaps: dict[str, Gaps] = {}

    def update(self) -> None:
        """Compare what is known with what the schema wants, and remember the result; before tables are changed.

        Should changing them fail, the next start finds what is true then.
        """
        changed: dict[str, dict[str, Any]] = {}
        for table in self._tables:
            name = shown_as(table.name)
            key = f"columns:{name}"
            stored = self._state.get(key).get("columns")
            record = self._record(table, stored)
            if record != stored:
                changed[key] = {"columns": record}
            found = {column.name: _joined(record[column.name]["gaps"]) for column in table.columns}
            self.gaps[name] = {column: gaps for column, gaps in found.items() if gaps}
        self._state.put_all(changed)

    def count_anew(self) -> None:
        """Heed that inserts into the open table are counted from the beginning, for it is to be another one."""
        key = f"columns:{RAW_TABLE}"
        stored = self._state.get(key).get("columns", {})
        rows = _Rows(self._engine, [OPEN_TABLE])
        away = {
            name: {**known, "gaps": [*known["gaps"], *map(list, rows.after(known))], "block": 0}
            for name, known in stored.items()
            if "block" in known
        }
        if away:
            self._state.put(key, {"columns": {**stored, **away}})

    def _record(self, table: TableSpec, stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """Gaps of each column that the table has or had; of those that the schema lacks, the last block with them."""
        shown = shown_as(table.name)
        found = migrations.describe(self._engine, table.name)
        there = {} if found is None else found.columns
        if stored is None:
            carried = CARRIED if shown in _SOURCES else frozenset[str]()
            stored = {name: {"gaps": []} for name in there if name not in carried}
        names = (OPEN_TABLE, CLOSED_TABLE, BEFORE_TABLE) if shown == RAW_TABLE else (shown,)
        rows = _Rows(self._engine, [name for name in names if migrations.describe(self._engine, name) is not None])
        lacking = self.gaps.get(_SOURCES.get(shown, ""), {})
        record: dict[str, Any] = {}
        for column in table.columns:
            old = stored.get(column.name)
            if old is None or column.name not in there:
                gaps = rows.until_the_last()
            else:
                gaps = [*old["gaps"], *(rows.after(old) if "block" in old else ())]
            gaps = rows.reaching_into(gaps)
            # What waits in the source comes in yet.
            gaps += [_widened(gap, _SECONDS[shown]) for gap in lacking.get(column.name, ())]
            record[column.name] = {"gaps": [list(gap) for gap in _joined(gaps)]}
        for name in there:
            if name in stored and name not in record:
                record[name] = {**stored[name], **rows.last_blocks(stored[name])}
        return record


class _Rows:
    """The times of the rows of a table, or of several that hold one thing together.

    Parameters
    ----------
    engine : Engine
    tables : sequence of str
        Those that there are.
    """

    def __init__(self, engine: Engine, tables: Sequence[str]) -> None:
        self._engine = engine
        self._tables = tables
        self._known: dict[tuple[str, int], list[Gap]] = {}

    def until_the_last(self) -> list[Sequence[int]]:
        """All time up to the newest row; nothing if there are no rows."""
        return [(0, end) for _, end in self._all()]

    def after(self, known: Mapping[str, Any]) -> list[Sequence[int]]:
        """The times of the rows that were inserted after the blocks that `last_blocks` gave."""
        blocks = {table: known.get(_LAST.get(table, "block")) for table in self._tables if table != BEFORE_TABLE}
        return [gap for table, block in blocks.items() if block is not None for gap in self._inserted(table, block)]

    def reaching_into(self, gaps: Iterable[Sequence[int]]) -> list[Sequence[int]]:
        """Gaps that rows may lie in: those that end after the oldest one."""
        return [gap for gap in gaps if any(gap[1] > start for start, _ in self._all())]

    def last_blocks(self, known: Mapping[str, Any]) -> dict[str, int]:
        """The last block that is there, of each table, or the one that is known, if that is earlier."""
        found = {}
        for table in self._tables:
            if table != BEFORE_TABLE:
                last = int(self._engine.rows(last_block_statement(table))[0][0])
                key = _LAST.get(table, "block")
                found[key] = min(last, int(known.get(key, last)))
        return found

    def _all(self) -> list[Gap]:
        return [gap for table in self._tables for gap in self._inserted(table, 0)]

    def _inserted(self, table: str, block: int) -> list[Gap]:
        if (table, block) not in self._known:
            # Without a condition the engine answers from what it knows of each part.
            where = f" WHERE {newer_than(block)}" if block else ""
            row = self._engine.rows(
                "SELECT count(), toUnixTimestamp(min(TimeReceived)), toUnixTimestamp(max(TimeReceived)) "
                f"FROM {quote(table)}{where}"
            )[0]
            seconds = _SECONDS[shown_as(table)]
            self._known[table, block] = [(int(row[1]), int(row[2]) + seconds)] if int(row[0]) else []
        return self._known[table, block]


def _widened(gap: Gap, seconds: int) -> Gap:
    """The whole intervals that a gap touches."""
    start, end = gap
    return start // seconds * seconds, -(-end // seconds) * seconds


def _joined(gaps: Iterable[Sequence[int]]) -> tuple[Gap, ...]:
    """The same times, in order, each once."""
    found: list[Gap] = []
    for start, end in sorted((int(gap[0]), int(gap[1])) for gap in gaps):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return tuple(found)
