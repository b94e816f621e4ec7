"""How large a table is and what range of time it holds."""

from __future__ import annotations

from millrace.store.ddl import TableSpec, literal
from millrace.store.engine import Engine
from millrace.store.store import TableStatus


def table_status(engine: Engine, table: TableSpec) -> TableStatus:
    """Status of a table, from the engine's list of parts."""
    where = f"database = currentDatabase() AND table = {literal(table.name)}"
    row = engine.rows(
        "SELECT sum(rows), sum(bytes_on_disk), count(), toUnixTimestamp(min(min_time)), toUnixTimestamp(max(max_time)) "
        f"FROM system.parts WHERE active AND rows > 0 AND {where}"
    )[0]
    rows, size, parts, oldest_s, newest_s = (int(value) for value in row)
    detached = int(engine.rows(f"SELECT count() FROM system.detached_parts WHERE {where}")[0][0])
    oldest_ms, newest_ms = (oldest_s * 1000, newest_s * 1000) if rows else (None, None)
    return TableStatus(rows, size, parts, detached, oldest_ms, newest_ms, table.keep_days)
