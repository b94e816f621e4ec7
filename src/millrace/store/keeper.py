"""What a running store deletes by itself: expired rows, and the oldest where there is no room.

Nothing else of it goes without being asked for (see `pruning` and `deletion`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from millrace.errors import StoreError
from millrace.store.audit import AuditLog
from millrace.store.boundary import shown_parts
from millrace.store.closing import Closer
from millrace.store.ddl import TableSpec
from millrace.store.disk import Room
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.faults import EngineError
from millrace.store.guard import CLOCK_KEY, Guard
from millrace.store.parts import drop_parts, find_parts
from millrace.store.resolutions import OPEN_TABLE, RAW_TABLE
from millrace.store.retention import RetentionClock, doubts, expired, keep_days, taken
from millrace.store.roller import Roller
from millrace.store.store import Maintenance

_EVERY_MS = 600_000
"""How often expired rows are looked for."""

_AGAIN_MS = 60_000
"""How soon it is tried again when that failed."""

_ATTEMPTS = 3
"""A part that is to be dropped may have been merged meanwhile; then the parts are looked at again."""


class Keeper:
    """Drops what expired, and the oldest where that is wanted.

    Parameters
    ----------
    engine, state, tables, audit, guard, room, roller, closer

    Attributes
    ----------
    warnings : tuple of str
        Sentences about a clock that disagrees with what is stored.
    """

    def __init__(
        self,
        engine: Engine,
        state: Facts,
        tables: Sequence[TableSpec],
        audit: AuditLog,
        guard: Guard,
        room: Room,
        roller: Roller,
        closer: Closer,
    ) -> None:
        self._engine = engine
        self._state = state
        self._days = keep_days(tables)
        self._audit = audit
        self._guard = guard
        self._room = room
        self._roller = roller
        self._closer = closer
        self._clock = RetentionClock()
        self._looked_ms: int | None = None
        self._error = ""
        self.warnings: tuple[str, ...] = ()

    def start(self) -> None:
        """Go on from where ages were counted the last time."""
        self._clock = RetentionClock.restored(self._state.get(CLOCK_KEY))
        self._looked_ms = None
        self._error = ""
        self.warnings = ()

    def note(self, oldest_ms: int) -> None:
        """Note flows that were stored: they may be the first that only a longer retention keeps."""
        self._guard.note(RAW_TABLE, oldest_ms, self._clock.reference_ms or time.time_ns() // 1_000_000)

    def expire(self, now_ms: int, done: Maintenance) -> None:
        """Drop what expired, every ten minutes; a trouble is noted in `done` until it is over."""
        every_ms = _AGAIN_MS if self._error else _EVERY_MS
        if self._looked_ms is None or abs(now_ms - self._looked_ms) >= every_ms:
            self._looked_ms = now_ms
            try:
                self._expire(now_ms)
                self._error = ""
            except (EngineError, StoreError) as error:
                self._error = f"retention: {' '.join(str(error).split())[:400]}"
        if self._error:
            done.errors.append(self._error)

    def _expire(self, now_ms: int) -> None:
        # Of what was copied to closed hours the copy expires.
        parts = shown_parts(find_parts(self._engine, self._days), self._state)
        if not parts:
            self.warnings = ()
            return
        newest_ms = max(part.newest_ms for part in parts)
        steady = self._clock.steady(now_ms)
        reference_ms = self._clock.advance(now_ms, newest_ms)
        gone = expired(parts, self._days, reference_ms)
        if steady and expired(parts, self._days, now_ms) == gone:
            self._clock.catch_up(now_ms, newest_ms)
        self._state.put(CLOCK_KEY, self._clock.stored)
        for part in parts:
            self._guard.note(part.shown, part.oldest_ms, reference_ms)
        self.warnings = tuple(doubts(parts, self._days, reference_ms, now_ms))
        for table, days in self._days.items():
            own = taken((part for part in gone if part.shown == table), self._roller.taken_blocks())
            drop_parts(self._engine, self._audit, own, "retention", f"older than {days} days")

    def make_room(self, done: Maintenance, at_least: int = 0) -> bool:
        """Drop the oldest parts where that is wanted and needed; whether something was dropped.

        Where nothing that may go is rolled up, everything is rolled up first.
        """
        if not self._room.makes_room:
            return False
        dropped = self._drop_oldest(at_least)
        if dropped == 0 and self._room.needed(at_least) and self._roller.drain(done):
            dropped = self._drop_oldest(at_least)
        return dropped > 0

    def _drop_oldest(self, at_least: int) -> int:
        for _ in range(_ATTEMPTS):
            with contextlib.suppress(EngineError):
                if self._room.needed(at_least):
                    # Nothing is said to be deleted whose copy is there.
                    self._closer.drop_originals(self._roller.taken_blocks()[OPEN_TABLE], at_once=True)
                return self._room.make(self._roller.taken_blocks(), at_least)
        return 0
