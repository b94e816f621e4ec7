"""Copies the flows of hours that are over to the table of closed hours, a bounded number at a time.

They are sorted by five minutes, exporter and interfaces there, which compresses
them to less than half, and skipping indices say where an address occurs.

A pass writes down how far the table of closed hours counts, copies, compares
what arrived with what was to be copied, and then moves the `Boundary`, with which
the view ``flows`` shows the copies instead of the originals. Only afterwards
do the originals go, part by part, when a rollup has taken them and no question
of before can need them. After a crash in between, the start removes what the
pass had copied: the originals are there.

While flows come, no hour is over before flows of a later time have come, so that
a history that is loaded is closed as it comes, too, however fast that is. Flows
whose time is closed when they come (of an older capture that is loaded, or after
the clock was set back) stay in the table of open hours until there are many of
them, or another hour is over.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from millrace.errors import StoreError
from millrace.store import migrations, rollups
from millrace.store.boundary import ALL, BOUNDARY_KEY, NEVER_MS, Boundary, every_flow, install_view, is_copied, moment
from millrace.store.config import StoreSettings
from millrace.store.ddl import CLOSED_ORDER, literal, quote
from millrace.store.engine import Engine
from millrace.store.facts import Facts
from millrace.store.parts import Part, find_parts
from millrace.store.resolutions import BEFORE_TABLE, CLOSED_TABLE, FLOW_TABLES, OPEN_TABLE
from millrace.store.retention import taken

PASS_ROWS = 250_000
"""Flows that are copied in one go, about: some hundred mebibytes of memory."""

_MANY_LATE = 1_000_000
"""So many flows that came late are closed at once."""

_HOUR_MS = 3_600_000
_WINDOWS_MS = (1_000, 6 * _HOUR_MS)
"""The time within which flows are counted to find out how much a pass takes: as dense as they are, from … to …"""

_SLOTS = 1_000
"""A window is counted in so many pieces, and cut between them."""

_PAUSE_S = 30.0
"""When no flow has come for so long, the clock alone says which hours are over."""

_SETTLE_S = 60.0
"""A question that began before the boundary moved has the parts it reads by then."""


class Closer:
    """Closes hours.

    Parameters
    ----------
    engine, state, settings

    Attributes
    ----------
    boundary : Boundary
        What is closed.
    """

    def __init__(self, engine: Engine, state: Facts, settings: StoreSettings) -> None:
        self._engine = engine
        self._state = state
        self._settings = settings
        self._columns: list[str] = []
        self._before = False
        self._moved: deque[tuple[float, Boundary]] = deque()
        self._window_ms = _HOUR_MS
        self._newest_insert = (0, 0.0)
        self.boundary = Boundary()

    def start(self) -> None:
        """Undo what a crash left of a pass, and show every flow once.

        Raises
        ------
        StoreError, EngineError
            If that is not possible.
        """
        stored = self._state.get(BOUNDARY_KEY)
        self.boundary = Boundary.restored(stored)
        if not stored:
            self._state.put(BOUNDARY_KEY, self.boundary.stored)
        self._columns = self._columns_of(OPEN_TABLE)
        self._before = bool(self._columns_of(BEFORE_TABLE))
        if self._before and self.boundary.before_ms == NEVER_MS:
            self._engine.execute(f"DROP TABLE {BEFORE_TABLE} SYNC")
            self._before = False
        # Numbers of inserts start again where the newest part is gone: what comes then comes late.
        last = self._last_block(OPEN_TABLE)
        if last < self.boundary.block:
            self._move(replace(self.boundary, block=last))
        self._window_ms = _HOUR_MS
        self._newest_insert = (last, -_PAUSE_S)
        self._undo()
        install_view(self._engine, self._columns, before=self._before)
        # No question of before is left.
        self._moved = deque([(-_SETTLE_S, self.boundary)])

    def expect_before(self) -> None:
        """Let all flows of the table of an earlier version count, which the table of open hours is about to become."""
        self._state.put(BOUNDARY_KEY, replace(self.boundary, before_ms=0).stored)

    def step(self, now_ms: int, seconds: float) -> int:
        """Close what is over at a moment, for about so many seconds.

        Parameters
        ----------
        now_ms : int
            Unix milliseconds.
        seconds : float

        Returns
        -------
        int
            Flows that were closed.

        Raises
        ------
        StoreError, EngineError
            If something fails; it is tried again the next time.
        """
        end = time.monotonic() + seconds
        closed = 0
        self._undo()
        while (target := self._next(now_ms)) is not None:
            closed += self._pass(target)
            if time.monotonic() >= end:
                break
        return closed

    def drop_originals(self, last_taken: int, *, at_once: bool = False) -> None:
        """Drop the parts of the open table that hold nothing but copied flows, when no question can need them.

        With a part the engine forgets which inserts it knew: none may be on its way that is repeated then.

        Parameters
        ----------
        last_taken : int
            Insert of the open table up to which the rollups have taken all.
        at_once : bool
            Do not wait for questions that are just beginning: room is needed.
        """
        now = time.monotonic()
        while len(self._moved) > 1 and (at_once or self._moved[1][0] <= now - _SETTLE_S):
            self._moved.popleft()
        since, settled = self._moved[0]
        if since > now - _SETTLE_S and not at_once:
            return
        parts = find_parts(self._engine, [OPEN_TABLE])
        # The newest part keeps the numbers of inserts going on.
        newest = max((part.last_block for part in parts), default=0)
        parts = [part for part in taken(parts, {OPEN_TABLE: last_taken}) if part.last_block < newest]
        if self._before:
            # The table itself goes at the next start: the view reads it.
            parts += find_parts(self._engine, [BEFORE_TABLE])
        for part in parts:
            if is_copied(part, settled):
                self._engine.execute(f"ALTER TABLE {quote(part.table)} DROP PART {literal(part.name)}")

    def count(self) -> int:
        """How many flows the view shows; by what is known of parts, where that is enough."""
        at = self.boundary
        rows = 0
        unclear: dict[str, list[str]] = {}
        for part in find_parts(self._engine, FLOW_TABLES):
            shown = _shown(part, at)
            if shown is None:
                unclear.setdefault(part.table, []).append(part.name)
            elif shown:
                rows += part.rows
        conditions = {
            OPEN_TABLE: f"TimeReceived >= {moment(at.until_ms)} OR _block_number > {at.block}",
            CLOSED_TABLE: f"_block_number <= {at.closing}",
            BEFORE_TABLE: f"TimeReceived >= {moment(at.before_ms)}",
        }
        for table, names in unclear.items():
            listed = ", ".join(map(literal, names))
            where = f"_part IN ({listed}) AND ({conditions[table]})"
            rows += int(self._engine.rows(f"SELECT count() FROM {quote(table)} WHERE {where}")[0][0])
        return rows

    def select(self, upto: int) -> str:
        """SELECT of every flow once, without those that the open table got after an insert."""
        return every_flow(self._columns, before=self._before, upto=upto)

    def _next(self, now_ms: int) -> Boundary | None:
        """How far the next pass goes; None if nothing is to be closed."""
        at = self.boundary
        parts = find_parts(self._engine, [OPEN_TABLE, BEFORE_TABLE])
        if self._before and at.before_ms < NEVER_MS:
            before = [part for part in parts if part.table == BEFORE_TABLE]
            return replace(at, before_ms=self._upto(before, at.before_ms, NEVER_MS) or NEVER_MS)
        parts = [part for part in parts if part.table == OPEN_TABLE]
        late = [part for part in parts if part.last_block > at.block and part.oldest_ms < at.until_ms]
        if sum(part.rows for part in late) >= _MANY_LATE:
            blocks = sorted((part.last_block, part.first_block, part.rows) for part in late)
            upto = rollups.choose_upto([(first, last, rows) for last, first, rows in blocks], at.block, PASS_ROWS)
            return replace(at, block=upto)
        over_ms = self._come_ms(parts, now_ms) - int(self._settings.close_after_seconds * 1000)
        upto_ms = self._upto(parts, at.until_ms, over_ms - over_ms % _HOUR_MS)
        return None if upto_ms is None else replace(at, until_ms=upto_ms, block=self._last_block(OPEN_TABLE))

    def _come_ms(self, parts: Sequence[Part], now_ms: int) -> int:
        """The moment up to which flows have come: now, or that of the newest one while they come."""
        last, now = max((part.last_block for part in parts), default=0), time.monotonic()
        if last != self._newest_insert[0]:
            self._newest_insert = last, now
        if now - self._newest_insert[1] >= min(_PAUSE_S, self._settings.close_after_seconds):
            return now_ms
        return min(now_ms, max((part.newest_ms for part in parts), default=0))

    def _upto(self, parts: Sequence[Part], from_ms: int, end_ms: int) -> int | None:
        """A moment up to which there are about as many flows as one pass copies; None if there are none.

        Not the whole range is counted, but windows from its first flow on, which follow how dense they are.
        """
        start_ms, window_ms = from_ms, self._window_ms
        while (first_ms := _first(parts, start_ms, end_ms)) is not None:
            slot_ms = window_ms // _SLOTS
            stop_ms = min(end_ms, first_ms + window_ms)
            slots = self._engine.rows(
                f"SELECT intDiv(toUnixTimestamp64Milli(TimeReceived), {slot_ms}) * {slot_ms} AS Slot, count() "
                f"FROM {quote(parts[0].table)} WHERE TimeReceived >= {moment(first_ms)} "
                f"AND TimeReceived < {moment(stop_ms)} GROUP BY Slot ORDER BY Slot"
            )
            if slots:
                return self._cut([(int(slot), int(count)) for slot, count in slots], stop_ms)
            start_ms, window_ms = stop_ms, 2 * window_ms
        return None

    def _cut(self, slots: Sequence[tuple[int, int]], stop_ms: int) -> int:
        """Where a window that holds flows is cut, so that a pass does not copy too many.

        The moment is not before the end of its first slot with flows: each pass goes on.
        """
        rows = 0
        for slot, count in slots:
            if rows and rows + count > PASS_ROWS:
                self._window_ms = max(self._window_ms // 2, _WINDOWS_MS[0])
                return slot
            rows += count
        self._window_ms = min(2 * self._window_ms, _WINDOWS_MS[1])
        return stop_ms

    def _pass(self, target: Boundary) -> int:
        """Copy the flows between the boundary and another one, and move it there; how many they were."""
        at = self.boundary
        self._move(replace(at, closing=self._last_block(CLOSED_TABLE)))
        rows = " UNION ALL ".join(self._between(at, target))
        wanted = self._sums(f"({rows})")
        if wanted[0] != "0":
            columns = ", ".join(map(quote, self._columns))
            self._engine.execute(
                f"INSERT INTO {CLOSED_TABLE} ({columns}) SELECT {columns} FROM ({rows}) "
                f"ORDER BY {', '.join(CLOSED_ORDER)}",
                self._statement_settings(),
            )
            arrived = self._sums(f"{CLOSED_TABLE} WHERE {rollups.newer_than(self.boundary.closing)}")
            if arrived != wanted:
                self._undo()
                raise StoreError(f"closing hours: of {wanted[0]} flows {arrived[0]} arrived; it is done again")
        self._move(replace(target, closing=ALL))
        return int(wanted[0])

    def _between(self, at: Boundary, target: Boundary) -> list[str]:
        """SELECTs of the flows that a boundary has closed and an earlier one has not."""
        columns = ", ".join(map(quote, self._columns))
        chosen = []
        if target.before_ms > at.before_ms:
            time_range = f"TimeReceived >= {moment(at.before_ms)} AND TimeReceived < {moment(target.before_ms)}"
            chosen.append((BEFORE_TABLE, time_range))
        known = f"_block_number <= {target.block}"
        if target.until_ms > at.until_ms:
            time_range = f"TimeReceived >= {moment(at.until_ms)} AND TimeReceived < {moment(target.until_ms)}"
            chosen.append((OPEN_TABLE, f"{time_range} AND {known}"))
        if target.block > at.block and at.until_ms:
            chosen.append((OPEN_TABLE, f"{at.late} AND {known}"))
        return [f"SELECT {columns} FROM {quote(table)} WHERE {condition}" for table, condition in chosen]

    def _move(self, boundary: Boundary) -> None:
        """Let another boundary count: durable, and heeded by every question that begins, when it returns."""
        self._state.put(BOUNDARY_KEY, boundary.stored)
        self.boundary = boundary
        self._moved.append((time.monotonic(), boundary))

    def _undo(self) -> None:
        """Remove what a pass that did not come to its end has copied."""
        closing = self.boundary.closing
        if closing == ALL:
            return
        self._engine.execute(
            f"ALTER TABLE {CLOSED_TABLE} DELETE WHERE {rollups.newer_than(closing)} SETTINGS mutations_sync = 1"
        )
        self._move(replace(self.boundary, closing=ALL))

    def _sums(self, source: str) -> list[str]:
        return self._engine.rows(f"SELECT count(), sum(Bytes), sum(Packets) FROM {source}")[0]

    def _last_block(self, table: str) -> int:
        return int(self._engine.rows(rollups.last_block_statement(table))[0][0])

    def _columns_of(self, table: str) -> list[str]:
        found = migrations.describe(self._engine, table)
        return [] if found is None else list(found.columns)

    def _statement_settings(self) -> dict[str, int | str]:
        return {
            "max_threads": 1,
            "max_insert_threads": 1,
            "insert_deduplicate": 0,
            "max_partitions_per_insert_block": 0,
            "max_memory_usage": self._settings.query_memory_bytes,
            "max_bytes_before_external_sort": self._settings.query_memory_bytes // 2,
            "min_insert_block_size_rows": 2 * PASS_ROWS,
            "min_insert_block_size_bytes": 0,
        }


def _shown(part: Part, boundary: Boundary) -> bool | None:
    """Whether the flows of a part are shown where they are; None: some of them, perhaps."""
    if part.table == CLOSED_TABLE:
        inside, outside = part.last_block <= boundary.closing, part.first_block > boundary.closing
    elif part.table == BEFORE_TABLE:
        inside, outside = part.oldest_ms >= boundary.before_ms, is_copied(part, boundary)
    else:
        inside = part.oldest_ms >= boundary.until_ms or part.first_block > boundary.block
        outside = is_copied(part, boundary)
    if inside or outside:
        return inside
    return None


def _first(parts: Sequence[Part], from_ms: int, end_ms: int) -> int | None:
    """A moment of a range before which no flow of it was received; None if none was at all."""
    touching = [part.oldest_ms for part in parts if part.newest_ms + 999 >= from_ms and part.oldest_ms < end_ms]
    return max(from_ms, min(touching)) if touching and from_ms < end_ms else None
