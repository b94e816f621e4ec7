"""Drops what is older than its retention.

Not by TTL clauses: the engine would drop an expired part at any moment, also
one whose flows (a history, a capture file) are not in the coarser rollups yet.
Whole parts are dropped, so that nothing is rewritten.
"""

from __future__ import annotations

from collections.abc import Iterable

from millrace.store.ddl import TableSpec, literal, quote
from millrace.store.engine import Engine

_DAY_S = 86_400


def expired_parts(engine: Engine, table: TableSpec, now_ms: int, rolled_up_to_block: int | None) -> list[str]:
    """Names of the parts of a table that hold expired rows only.

    Parameters
    ----------
    engine : Engine
    table : TableSpec
    now_ms : int
        Unix milliseconds.
    rolled_up_to_block : int, optional
        Newer parts are kept, since a rollup still needs them. None: no rollup reads the table.
    """
    if table.keep_days is None:
        return []
    bound = "" if rolled_up_to_block is None else f" AND max_block_number <= {rolled_up_to_block}"
    rows = engine.rows(
        "SELECT name FROM system.parts WHERE active AND database = currentDatabase() "
        f"AND table = {literal(table.name)} AND rows > 0 "
        f"AND toUnixTimestamp(max_time) < {now_ms // 1000 - table.keep_days * _DAY_S}{bound}"
    )
    return [row[0] for row in rows]


def drop_parts(engine: Engine, table: TableSpec, names: Iterable[str]) -> None:
    """Drop parts; one that was merged meanwhile raises the engine's RuntimeError and goes next time."""
    for name in names:
        engine.execute(f"ALTER TABLE {quote(table.name)} DROP PART {literal(name)}")
