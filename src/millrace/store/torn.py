"""Torn parts: files that the engine could not write whole, on a full device.

Measured with chDB 4.0 to 4.4: when a write fails, the engine goes on and
commits the part; no statement fails, and a merge replaces whole parts by a
torn one. It counts failed writes, though. So whoever has written looks at that
count; where it has risen, the parts that came since are checked. A table with
a torn part is loaded anew: the engine finds that sizes of files are wrong, sets
the part aside and takes the parts that it was merged of, which stay for
``old_parts_lifetime``. What a statement had inserted is gone then, and the statement fails.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import structlog

from millrace.store.ddl import literal, quote
from millrace.store.faults import EngineError, TornError
from millrace.store.gate import Gate

log = structlog.get_logger(__name__)

_FAILED_WRITES = "SELECT sum(value) FROM system.events WHERE event = 'WriteBufferFromFileDescriptorWriteFailed'"
_MERGING = "SELECT table, result_part_name FROM system.merges WHERE database = currentDatabase()"
_PARTS = (
    "SELECT table, name, partition_id, min_block_number, max_block_number, rows, "
    "level = 0 AND data_version = min_block_number FROM system.parts WHERE active AND database = currentDatabase()"
)
_ONE_VERDICT = "SETTINGS check_query_single_value_result = 1"
_WITHOUT_ROWS = re.compile(r"\s*(CREATE|DROP)\s")
_INSERT = re.compile(r"\s*INSERT\s+INTO\s+`?(\w+)")

Run = Callable[[str], list[list[str]]]
"""Runs a statement past the gate; rows of texts, EngineError if it fails."""


class _Part(NamedTuple):
    table: str
    name: str
    partition: str
    first_block: int
    last_block: int
    rows: int
    inserted: bool
    """By one statement; otherwise a merge or a mutation made it of others."""


class TornParts:
    """Finds torn parts and has their tables loaded anew.

    Parameters
    ----------
    run : callable
    gate : Gate
        That every other statement passes.

    Attributes
    ----------
    found : int
        Torn parts since the start.
    """

    def __init__(self, run: Run, gate: Gate) -> None:
        self._run = run
        self._gate = gate
        self._looking = threading.Lock()
        self._writing: dict[str, threading.Lock] = {}
        self._failed_writes = 0
        self._sound: set[tuple[str, str]] = set()
        self._merging: set[tuple[str, str]] = set()
        self._suspected = False
        self._unloaded: set[str] = set()
        self._inserts: dict[str, list[str]] = {}
        self.found = 0

    def start(self) -> None:
        """Take what is there for sound: the engine looked at it when it opened."""
        self._failed_writes = self._count()
        self._sound = {(part.table, part.name) for part in self._parts()}
        self._merging, self._suspected = set(), False

    @contextmanager
    def writing(self, sql: str) -> Iterator[None]:
        """Around a statement that writes.

        Raises
        ------
        TornError
            Afterwards, if rows that it inserted were in a torn part.
        """
        found = _INSERT.match(sql)
        if found is None:
            seen = self._failed_writes
            with self._gate.passing():
                yield
            if _WITHOUT_ROWS.match(sql) is None:  # These make no part; the next look sees merges.
                self._look(seen)
            return
        table = found[1]
        with self._looking:
            one_at_a_time = self._writing.setdefault(table, threading.Lock())
            inserts = self._inserts.setdefault(table, [])
        with one_at_a_time:
            known, seen = len(inserts), self._failed_writes
            with self._gate.passing():
                yield
            failed: Exception | None = None
            try:
                self._look(seen)
            except Exception as error:  # noqa: BLE001, RUF100 - whatever the look ended of, what it found is said
                failed = error
            if torn := inserts[known:]:
                raise TornError(table, tuple(torn)) from failed
            if failed is not None:
                raise failed

    def look(self) -> None:
        """Look whether the engine failed to write since anybody looked: merges may have.

        Raises
        ------
        EngineError
            If a statement of it fails; the next look goes on.
        """
        self._look(None)

    def _look(self, seen: int | None) -> None:
        with self._looking:
            for table in tuple(self._unloaded):
                self._load(table)
            parts = self._parts() if seen is None else []  # before the count: what comes meanwhile is not sound
            failed_writes = self._count()
            if failed_writes != self._failed_writes or seen not in (None, failed_writes):
                self._suspected = True
                self._merging |= {(table, name) for table, name in self._run(_MERGING)}
            self._failed_writes = failed_writes
            if self._suspected or self._merging:
                self._check()
            elif seen is None:
                self._sound = {(part.table, part.name) for part in parts}

    def _check(self) -> None:
        """Check the parts that came since the last look; those that are merged now, when they are there."""
        merging = {(table, name) for table, name in self._run(_MERGING)} & self._merging
        parts = {(part.table, part.name): part for part in self._parts()}
        torn = [part for key, part in parts.items() if key not in self._sound and self._is_torn(part)]
        for part in torn:
            if part.inserted:
                self._inserts.setdefault(part.table, []).append(part.partition)
        for table in sorted({part.table for part in torn}):
            self._reload(table)
        for part in torn:
            self._note(part)
        # Numbers of blocks are given again where the newest part is gone: so are names of parts.
        self._sound = {*parts} - {(part.table, part.name) for part in torn}
        self._merging, self._suspected = merging, False

    def _count(self) -> int:
        return int(self._run(_FAILED_WRITES)[0][0])

    def _parts(self, condition: str = "") -> list[_Part]:
        return [
            _Part(table, name, partition, int(first), int(last), int(rows), inserted == "1")
            for table, name, partition, first, last, rows, inserted in self._run(_PARTS + condition)
        ]

    def _is_torn(self, part: _Part) -> bool:
        try:
            verdict = self._run(f"CHECK TABLE {quote(part.table)} PART {literal(part.name)} {_ONE_VERDICT}")
        except EngineError:
            if any(other.name == part.name for other in self._parts(f" AND table = {literal(part.table)}")):
                raise
            return False  # merged meanwhile, so it could be read
        return bool(verdict) and verdict[0][0] != "1"

    def _reload(self, table: str) -> None:
        with self._gate.closed():
            self._run(f"DETACH TABLE {quote(table)} SYNC")
            self._unloaded.add(table)
            self._load(table)

    def _load(self, table: str) -> None:
        self._run(f"ATTACH TABLE {quote(table)}")
        self._unloaded.discard(table)

    def _note(self, part: _Part) -> None:
        """Say what became of a torn part, and give its room back where all that it held is elsewhere."""
        self.found += 1
        blocks = f" AND table = {literal(part.table)} AND partition_id = {literal(part.partition)}"
        blocks += f" AND min_block_number >= {part.first_block} AND max_block_number <= {part.last_block}"
        restored = sum(other.rows for other in self._parts(blocks))
        log.warning(
            "the engine could not write a part whole", table=part.table, part=part.name, rows=part.rows,
            restored=restored, inserted=part.inserted,
        )  # fmt: skip
        if restored < part.rows and not part.inserted:
            return
        for (name,) in self._run(
            "SELECT name FROM system.detached_parts WHERE database = currentDatabase() "
            f"AND table = {literal(part.table)} AND endsWith(name, {literal('_' + part.name)})"
        ):
            self._run(
                f"ALTER TABLE {quote(part.table)} DROP DETACHED PART {literal(name)} SETTINGS allow_drop_detached = 1"
            )
