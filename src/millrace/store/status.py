"""How large tables are and what range of time they hold."""

from __future__ import annotations

from collections.abc import Sequence

from millrace.store.ddl import TableSpec, literal
from millrace.store.engine import Engine
from millrace.store.store import TableStatus


def table_statuses(engine: Engine, tables: Sequence[TableSpec]) -> dict[str, TableStatus]:
    """Status of each table by its name, from the engine's list of parts; one look at it for all of them."""
    names = ", ".join(literal(table.name) for table in tables)
    where = f"database = currentDatabase() AND table IN ({names}) GROUP BY table"
    parts = engine.rows(
        "SELECT table, sum(rows), sum(bytes_on_disk), count(), toUnixTimestamp(min(min_time)), "
        f"toUnixTimestamp(max(max_time)) FROM system.parts WHERE active AND rows > 0 AND {where}"
    )
    found = {name: [int(value) for value in values] for name, *values in parts}
    detached = {
        name: int(count)
        for name, count in engine.rows(f"SELECT table, count() FROM system.detached_parts WHERE {where}")
    }
    return {table.name: _status(table, found.get(table.name), detached.get(table.name, 0)) for table in tables}


def _status(table: TableSpec, found: Sequence[int] | None, detached: int) -> TableStatus:
    if found is None:
        return TableStatus(0, 0, 0, detached, None, None, table.keep_days)
    rows, size, parts, oldest_s, newest_s = found
    return TableStatus(rows, size, parts, detached, oldest_s * 1000, newest_s * 1000, table.keep_days)
