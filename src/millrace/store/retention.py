"""Which rows have been kept for as long as they are to be kept.

Not by TTL clauses: the engine would drop an expired part at any moment, also
one whose flows (a history, a capture file) are not in the coarser rollups yet.
Whole parts are dropped, so that nothing is rewritten.

The age of a row is not taken from the wall clock, which may be set wrong: a
clock that steps a year forward would expire everything at once, and the flows
that come then carry its wrong time too. See `RetentionClock`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace.store.audit import day
from millrace.store.ddl import TableSpec
from millrace.store.parts import Part, extent
from millrace.store.resolutions import shown_as

DAY_MS = 86_400_000

_CATCH_UP = 2
"""How many times faster than time passes the retention clock may go when it is behind."""


@dataclass(slots=True)
class RetentionClock:
    """The moment from which ages are counted back.

    It is never later than the wall clock, never more than a day after the
    newest stored row, and goes on at most twice as fast as time is seen to
    pass: a step of the wall clock by more than a day counts as no time at all.
    After a long pause, or a step, it therefore lags behind, and catches up a
    day in a day; it catches up at once where nothing stored would expire.

    Attributes
    ----------
    reference_ms : int, optional
        The moment, Unix milliseconds; None before anything was stored.
    wall_ms : int, optional
        What the wall clock said the last time.
    """

    reference_ms: int | None = None
    wall_ms: int | None = None

    def advance(self, now_ms: int, newest_ms: int) -> int:
        """Go on to `now_ms`; the moment to count back from.

        Parameters
        ----------
        now_ms : int
            Wall clock, Unix milliseconds.
        newest_ms : int
            ``TimeReceived`` of the newest stored row.
        """
        passed = self._passed(now_ms)
        self.wall_ms = now_ms
        latest = newest_ms + DAY_MS
        target = min(now_ms, latest)
        if self.reference_ms is None:
            self.reference_ms = target
        elif self.reference_ms < target:
            self.reference_ms = min(target, self.reference_ms + _CATCH_UP * passed)
        # A wall clock that goes back is likely to come forward again: the moment waits for it.
        self.reference_ms = min(self.reference_ms, latest)
        return min(self.reference_ms, target)

    def catch_up(self, now_ms: int, newest_ms: int) -> None:
        """Go on to the present, since nothing depends on it."""
        target = min(now_ms, newest_ms + DAY_MS)
        self.reference_ms = max(self.reference_ms or target, target)

    def steady(self, now_ms: int) -> bool:
        """Whether the wall clock goes as it should since the last time."""
        return self.wall_ms is None or 0 <= now_ms - self.wall_ms <= DAY_MS

    def _passed(self, now_ms: int) -> int:
        return now_ms - self.wall_ms if self.wall_ms is not None and self.steady(now_ms) else 0

    @property
    def stored(self) -> dict[str, Any]:
        """As the state keeps it."""
        return {"reference_ms": self.reference_ms, "wall_ms": self.wall_ms}

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> RetentionClock:
        """What `stored` gave; at the beginning where there is nothing."""
        return cls(stored.get("reference_ms"), stored.get("wall_ms"))


def keep_days(tables: Iterable[TableSpec]) -> dict[str, int]:
    """Days for which the rows of each table are kept, of those that expire."""
    return {shown_as(table.name): table.keep_days for table in tables if table.keep_days is not None}


def expired(parts: Iterable[Part], days: Mapping[str, int], reference_ms: int) -> list[Part]:
    """Parts that hold expired rows only.

    Parameters
    ----------
    parts : iterable of Part
    days : mapping
        Days for which rows are kept, by table; of other tables nothing expires.
    reference_ms : int
        Moment from which ages are counted back, Unix milliseconds.
    """
    return [part for part in parts if part.shown in days and part.newest_ms < reference_ms - days[part.shown] * DAY_MS]


def taken(parts: Iterable[Part], last_blocks: Mapping[str, int]) -> list[Part]:
    """Parts that no rollup still needs: it took their last block, or none reads the table."""
    return [part for part in parts if part.table not in last_blocks or part.last_block <= last_blocks[part.table]]


def doubts(parts: Sequence[Part], days: Mapping[str, int], reference_ms: int, now_ms: int) -> list[str]:
    """Sentences about a wall clock that disagrees with what is stored; empty if it does not.

    Parameters
    ----------
    parts, days
        As for `expired`.
    reference_ms : int
        Moment from which ages are counted back.
    now_ms : int
        What the wall clock says.
    """
    newest_ms = max((part.newest_ms for part in parts), default=now_ms)
    found = []
    if newest_ms > now_ms + DAY_MS:
        found.append(
            f"rows of {day(newest_ms)} are stored, but the clock says {day(now_ms)} UTC: one of them is wrong; "
            "set the clock right, or delete what it stamped with 'millrace store delete --from …'"
        )
    if now_ms > reference_ms + DAY_MS:
        held = expired(parts, days, now_ms)
        still = {(part.table, part.name) for part in expired(held, days, reference_ms)}
        held = [part for part in held if (part.table, part.name) not in still]
        if held:
            found.append(
                f"the clock says {day(now_ms)} UTC, but ages are counted from {day(reference_ms)}: at most a day "
                f"beyond what is stored, and not much faster than time was seen to pass. {extent(held)}, are expired "
                "if the clock is right and are kept for now; 'millrace store prune --expired' deletes them at once"
            )
    return found
