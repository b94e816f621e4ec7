"""Drops expired rows and unseen columns on purpose: what no start does by itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from millrace.errors import StoreError
from millrace.store import faults
from millrace.store.audit import AuditLog, Deletion
from millrace.store.boundary import shown_parts
from millrace.store.ddl import TableSpec, quote
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.guard import CLOCK_KEY, Guard, Shortening
from millrace.store.parts import Extent, Part, drop_parts, extent, find_parts
from millrace.store.retention import RetentionClock, expired, keep_days
from millrace.store.unseen import Unseen, find_unseen


@dataclass(frozen=True, slots=True)
class Prunable:
    """What could be dropped.

    Attributes
    ----------
    expired : dict
        Rows that are older than their retention by the wall clock, by table.
    shortened : tuple of Shortening
        Tables that were kept for longer until now.
    unseen : tuple of Unseen
        Columns that the configuration lacks.
    """

    expired: dict[str, Extent]
    shortened: tuple[Shortening, ...]
    unseen: tuple[Unseen, ...]


class Pruner:
    """Drops on purpose.

    Parameters
    ----------
    engine, state, tables, guard, audit
    """

    def __init__(
        self, engine: Engine, state: Facts, tables: Sequence[TableSpec], guard: Guard, audit: AuditLog
    ) -> None:
        self._engine = engine
        self._state = state
        self._tables = tuple(tables)
        self._guard = guard
        self._audit = audit

    def look(self, now_ms: int) -> Prunable:
        """What could be dropped at a time (Unix milliseconds)."""
        tables = {table: extent(parts) for table, parts in groupby(self._expired(now_ms), key=lambda part: part.shown)}
        return Prunable(tables, tuple(self._guard.shortened(now_ms)), tuple(find_unseen(self._engine, self._tables)))

    def drop_expired(self, now_ms: int) -> None:
        """Drop what expired by the wall clock, and keep rows for as long as the configuration says from now on.

        All that is stored must have been rolled up before.

        Raises
        ------
        StoreError
            If something cannot be dropped.
        """
        days = keep_days(self._tables)
        with faults.refusing("dropping expired rows; run it again"):
            for table, parts in groupby(self._expired(now_ms), key=lambda part: part.shown):
                drop_parts(self._engine, self._audit, list(parts), "prune", f"asked for: older than {days[table]} days")
        # Whoever asked has seen what the wall clock makes of it.
        self._state.put(CLOCK_KEY, RetentionClock(now_ms, now_ms).stored)
        self._guard.promise()

    def drop_unseen(self, columns: Iterable[Unseen]) -> None:
        """Drop columns with all their values.

        Raises
        ------
        StoreError
            If one cannot be dropped, or written down.
        """
        names = set()
        for column in columns:
            self._audit.require(
                Deletion(
                    "drop-column", column.table, f"asked for: column {column.name} ({column.type})", 0, column.bytes
                )
            )
            with faults.refusing(f"dropping column {column.name} of {column.table}"):
                self._engine.execute(f"ALTER TABLE {quote(column.table)} DROP COLUMN {quote(column.name)}")
            names.add(column.name)
        self._guard.forget(names)

    def _expired(self, now_ms: int) -> list[Part]:
        days = keep_days(self._tables)
        return expired(shown_parts(find_parts(self._engine, days), self._state), days, now_ms)


def named(unseen: Iterable[Unseen], names: Sequence[str]) -> list[Unseen]:
    """Those of some names; all if no name is given.

    Raises
    ------
    StoreError
        If there is no such column.
    """
    found = list(unseen)
    missing = sorted(set(names) - {column.name for column in found})
    if missing:
        known = ", ".join(sorted({column.name for column in found})) or "none"
        raise StoreError(f"no column that the configuration lacks is called {', '.join(missing)} (there are: {known})")
    return [column for column in found if not names or column.name in names]
