"""What a start would lose: compared with what the store promised when it was last run.

Kept in the state are, as ``schema``, the version and the columns of the newest
program and how rollups treat each; as ``retention``, for how many days the rows
of each table are kept; and the `millrace.store.retention.RetentionClock`.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace.errors import StoreLossError
from millrace.schema import COLUMNS, Schema
from millrace.schema.column import Rollup
from millrace.store.audit import AuditLog, Deletion
from millrace.store.boundary import shown_parts
from millrace.store.ddl import SCHEMA_VERSION, TableSpec
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.faults import EngineError
from millrace.store.parts import Extent, extent, find_parts
from millrace.store.retention import DAY_MS, expired, keep_days

SCHEMA_KEY, RETENTION_KEY, CLOCK_KEY = "schema", "retention", "retention-clock"

RETIRED_COLUMNS: frozenset[str] = frozenset()
"""Built-in columns of earlier versions: a store that has them is not newer than this program."""

_BUILT_IN = frozenset(column.name for column in COLUMNS) | RETIRED_COLUMNS


@dataclass(frozen=True, slots=True)
class Shortening:
    """A table whose rows would be kept for fewer days than they were.

    Parameters
    ----------
    table : str
    old, new : int
        Days.
    lost : Extent
        What would expire at once.
    """

    table: str
    old: int
    new: int
    lost: Extent

    def __str__(self) -> str:
        """What would be lost, as a sentence."""
        lost = str(self.lost) if self.lost.rows else f"nothing yet, but all that gets older than {self.new} days"
        return f"table {self.table} was kept for {self.old} days and would be for {self.new}, losing {lost}"


class Guard:
    """Refuses a start that would lose something, and remembers what was promised.

    Parameters
    ----------
    engine : Engine
    state : Facts
    schema : Schema
    tables : sequence of TableSpec
        As this program and its configuration want them.
    audit : AuditLog
    """

    def __init__(
        self, engine: Engine, state: Facts, schema: Schema, tables: Sequence[TableSpec], audit: AuditLog
    ) -> None:
        self._engine = engine
        self._state = state
        self._schema = schema
        self._tables = tuple(tables)
        self._audit = audit
        self._days: dict[str, int] = {}
        self._widened_ms: dict[str, int] = {}

    def refuse_newer(self, folder: Path, *, allow: bool) -> None:
        """Refuse a store that a newer program wrote.

        Raises
        ------
        StoreLossError
            Unless `allow`.
        """
        recorded = self._state.get(SCHEMA_KEY)
        version = int(recorded.get("version", 0))
        unknown = self._unknown(recorded)
        if allow or (version <= SCHEMA_VERSION and not unknown):
            return
        lost = f"no flow stored now would have the columns {', '.join(unknown)}" if unknown else (
            f"it has version {version} of the tables and this program knows {SCHEMA_VERSION}"
        )  # fmt: skip
        raise StoreLossError(
            f"the data folder {folder} was written by a newer version of millrace: {lost}. Nothing was changed. "
            "Start the newer version; or set store.allow_newer_store: true to go on with this one, "
            "which keeps what it does not know, unseen"
        )

    def refuse_shorter(self, folder: Path, now_ms: int, *, allow: bool) -> None:
        """Refuse to keep rows for fewer days than the store did when it was last run.

        Raises
        ------
        StoreLossError
            Unless `allow`.
        """
        shorter = self.shortened(now_ms)
        if not shorter or allow:
            return
        raise StoreLossError(
            f"the data folder {folder} was last run with longer retention than this configuration has: "
            f"{'; '.join(map(str, shorter))}. Nothing was changed. Is it the right configuration (-c)? "
            "If so, 'millrace store prune --expired' with it deletes that on purpose, "
            "or set store.allow_shorter_retention: true"
        )

    def shortened(self, now_ms: int) -> list[Shortening]:
        """Tables with rows that would be kept for fewer days than they were."""
        wanted = keep_days(self._tables)
        parts = shown_parts(find_parts(self._engine, wanted), self._state)
        # Where the retention clock lags behind, what it holds back would be lost all the same, only later.
        reference_ms = min(now_ms, max((part.newest_ms for part in parts), default=now_ms) + DAY_MS)
        kept: Mapping[str, int] = self._state.get(RETENTION_KEY)
        found = []
        for table, days in wanted.items():
            own = [part for part in parts if part.shown == table]
            lost = extent(expired(own, wanted, reference_ms))
            # A store of an earlier version does not say: it kept what is there.
            inferred = days if lost.oldest_ms is None else -(-(reference_ms - lost.oldest_ms) // DAY_MS)
            old = kept.get(table, inferred)
            if own and days < old:
                found.append(Shortening(table, old, days, lost))
        return found

    def promise(self) -> None:
        """Remember the columns and the retention with which the store is run from now on.

        A longer retention counts once there is a row that only it keeps (see `note`): until then
        going back to the shorter one loses nothing.
        """
        self._remember_schema()
        wanted = keep_days(self._tables)
        kept: Mapping[str, int] = self._state.get(RETENTION_KEY)
        filled = {part.shown for part in find_parts(self._engine, wanted)}
        self._days = {}
        self._widened_ms = {}
        for table, days in wanted.items():
            old = kept.get(table)
            widened = old is not None and old < days and table in filled
            self._days[table] = old if widened and old is not None else days
            if widened and old is not None:
                self._widened_ms[table] = old * DAY_MS
            if old is not None and days < old:
                reason = f"its rows were kept for {old} days and are for {days} now, as was allowed"
                self._audit.record(Deletion("keep", table, reason))
        if self._days != kept:
            self._state.put(RETENTION_KEY, self._days)

    def note(self, table: str, oldest_ms: int, reference_ms: int) -> None:
        """Note that a table has rows as old as `oldest_ms`: a longer retention that keeps them counts from now on.

        Where that cannot be written down it is tried again the next time: the rows are stored all the same.
        """
        widened_ms = self._widened_ms.get(table)
        if widened_ms is None or reference_ms - oldest_ms <= widened_ms:
            return
        days = {**self._days, table: keep_days(self._tables)[table]}
        with contextlib.suppress(EngineError):
            self._state.put(RETENTION_KEY, days)
            self._days = days
            self._widened_ms.pop(table, None)

    def roles(self) -> dict[str, Rollup | None]:
        """How rollups treat, or treated, every column that was ever in the schema."""
        return {name: facts.get("rollup") for name, facts in _columns(self._state.get(SCHEMA_KEY)).items()}

    def forget(self, names: Iterable[str]) -> None:
        """Forget columns that were dropped on purpose."""
        recorded = self._state.get(SCHEMA_KEY)
        columns = _columns(recorded)
        for name in names:
            columns.pop(name, None)
        self._state.put(SCHEMA_KEY, {**recorded, "columns": columns})

    def _remember_schema(self) -> None:
        recorded = self._state.get(SCHEMA_KEY)
        own = {column.name: {"rollup": column.rollup, "own": column.name not in _BUILT_IN} for column in self._schema}
        text = "\n".join(table.create for table in self._tables)
        wanted = {
            "version": max(SCHEMA_VERSION, int(recorded.get("version", 0))),
            "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
            "columns": {**_columns(recorded), **own},
        }
        if recorded != wanted:
            self._state.put(SCHEMA_KEY, wanted)

    def _unknown(self, recorded: Mapping[str, Any]) -> list[str]:
        """Built-in columns of another version that this one does not have."""
        return sorted(
            name
            for name, facts in _columns(recorded).items()
            if not facts.get("own") and name not in _BUILT_IN and name not in self._schema
        )


def _columns(recorded: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(recorded.get("columns", {}))
