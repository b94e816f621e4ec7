"""How large tables are and what range of time they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from millrace.store.ddl import TableSpec, literal
from millrace.store.engine import Engine
from millrace.store.resolutions import FLOW_TABLES, RAW_TABLE, shown_as
from millrace.store.store import TableStatus


def table_statuses(engine: Engine, tables: Sequence[TableSpec], flows: int) -> dict[str, TableStatus]:
    """Status of each table by the name it is shown as, from the engine's list of parts; one look at it for all.

    Parameters
    ----------
    engine : Engine
    tables : sequence of TableSpec
    flows : int
        How many flows are shown: the originals of those that were copied are there for a while.
    """
    names = {table.name for table in tables} | set(FLOW_TABLES)
    where = f"database = currentDatabase() AND table IN ({', '.join(map(literal, sorted(names)))}) GROUP BY table"
    parts = engine.rows(
        "SELECT table, sum(rows), sum(bytes_on_disk), count(), toUnixTimestamp(min(min_time)), "
        f"toUnixTimestamp(max(max_time)) FROM system.parts WHERE active AND rows > 0 AND {where}"
    )
    detached = engine.rows(f"SELECT table, count() FROM system.detached_parts WHERE {where}")
    found = {}
    for table in tables:
        shown = shown_as(table.name)
        own = [[int(value) for value in values] for name, *values in parts if shown_as(name) == shown]
        aside = sum(int(count) for name, count in detached if shown_as(name) == shown)
        found[shown] = _status(own, aside, table.keep_days)
    found[RAW_TABLE] = replace(found[RAW_TABLE], rows=flows)
    return found


def _status(parts: Sequence[Sequence[int]], detached: int, keep_days: int | None) -> TableStatus:
    if not parts:
        return TableStatus(0, 0, 0, detached, None, None, keep_days)
    rows, size, count, oldest, newest = zip(*parts, strict=True)
    return TableStatus(sum(rows), sum(size), sum(count), detached, min(oldest) * 1000, max(newest) * 1000, keep_days)
