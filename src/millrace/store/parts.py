"""Parts of tables: what the engine keeps on the device, and drops as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from millrace.store.audit import Act, AuditLog, Deletion, day
from millrace.store.ddl import literal, quote
from millrace.store.engine import Engine
from millrace.store.resolutions import held_in, shown_as


@dataclass(frozen=True, slots=True)
class Part:
    """An active part.

    Parameters
    ----------
    table, name : str
    rows, bytes : int
    oldest_ms, newest_ms : int
        Range of ``TimeReceived``, Unix milliseconds (to the second).
    first_block, last_block : int
        Oldest and newest insert whose rows it holds.
    """

    table: str
    name: str
    rows: int
    bytes: int
    oldest_ms: int
    newest_ms: int
    first_block: int
    last_block: int

    @property
    def shown(self) -> str:
        """Name of what the table holds (see `shown_as`)."""
        return shown_as(self.table)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much some parts are together, and of which time; `oldest_ms` is None if they are none."""

    rows: int
    bytes: int
    oldest_ms: int | None
    newest_ms: int | None

    def __str__(self) -> str:
        """Rows, size and days, for people."""
        if self.oldest_ms is None:
            return "no rows"
        return f"{self.rows} rows, {self.bytes / 2**20:.1f} MiB, of {day(self.oldest_ms)} to {day(self.newest_ms)} UTC"


def find_parts(engine: Engine, tables: Iterable[str]) -> list[Part]:
    """Active parts with rows of some tables, by table and the oldest first; ``flows`` stands for all its tables."""
    names = ", ".join(literal(name) for table in tables for name in held_in(table))
    rows = engine.rows(
        "SELECT table, name, rows, bytes_on_disk, toUnixTimestamp(min_time), toUnixTimestamp(max_time), "
        "min_block_number, max_block_number FROM system.parts WHERE active AND rows > 0 "
        f"AND database = currentDatabase() AND table IN ({names}) ORDER BY table, max_time, min_time, name"
    )
    return [
        Part(table, name, int(count), int(size), int(oldest) * 1000, int(newest) * 1000, int(first), int(last))
        for table, name, count, size, oldest, newest, first, last in rows
    ]


def extent(parts: Iterable[Part]) -> Extent:
    """Rows, bytes and range of time of some parts together."""
    parts = list(parts)
    return Extent(
        sum(part.rows for part in parts),
        sum(part.bytes for part in parts),
        min((part.oldest_ms for part in parts), default=None),
        max((part.newest_ms for part in parts), default=None),
    )


def drop_parts(engine: Engine, audit: AuditLog, parts: Sequence[Part], act: Act, reason: str) -> None:
    """Drop parts and write down what was dropped, a line for each table.

    Raises
    ------
    EngineError
        If a part was merged meanwhile (it goes next time), or cannot be dropped.
    """
    for shown, of_table in groupby(parts, key=lambda part: part.shown):
        dropped: list[Part] = []
        try:
            for part in of_table:
                engine.execute(f"ALTER TABLE {quote(part.table)} DROP PART {literal(part.name)}")
                dropped.append(part)
        finally:
            if dropped:
                gone = extent(dropped)
                audit.record(Deletion(act, shown, reason, gone.rows, gone.bytes, gone.oldest_ms, gone.newest_ms))
