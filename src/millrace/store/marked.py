"""The hours in which flows with implausible figures are stored: mostly none.

An answer says how many of its flows are marked (`Implausible`). To read that
column takes a twentieth of a question about a day, for a number that is nearly
always zero. So the store remembers the hours of marked flows: what comes is
noted before it is inserted, and what was there at the start is looked through
once, a partition at a time. Until that is over any hour may have some, and
hours stay although their flows go: nobody is told of fewer than there are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import numpy as np
import structlog

from millrace.batch import FlowBatch
from millrace.schema import IMPLAUSIBLE
from millrace.store.damage import Damage
from millrace.store.ddl import literal, quote
from millrace.store.engine import Engine
from millrace.store.faults import EngineError
from millrace.store.resolutions import FLOW_TABLES, RESOLUTIONS

log = structlog.get_logger(__name__)

_HOUR_S = 3600
_HOUR_MS = 3_600_000
_TRIES = 3


class MarkedHours:
    """Hours that have marked flows, or may have.

    Parameters
    ----------
    engine : Engine
    damage : Damage
        Told of parts that cannot be read.
    """

    def __init__(self, engine: Engine, damage: Damage) -> None:
        self._engine = engine
        self._damage = damage
        self._guard = threading.Lock()
        self._hours: set[int] = set()
        self._left: list[tuple[str, str]] | None = None
        self._known = False
        self._tries = _TRIES

    def start(self) -> None:
        """Forget what was known: the store is opened."""
        with self._guard:
            self._hours, self._left, self._known, self._tries = set(), None, False, _TRIES

    def note(self, flows: FlowBatch) -> None:
        """Remember the hours of the marked flows of a batch that is about to be inserted."""
        marks = flows.columns.get("Implausible")
        if not isinstance(marks, np.ndarray) or not marks.any():
            return
        hours = np.unique(np.asarray(flows.columns["TimeReceived"])[marks != 0] // _HOUR_MS)
        with self._guard:
            self._hours.update(hours.tolist())

    def may_be(self, start_s: int, end_s: int) -> bool:
        """Whether marked flows may be stored of a range, Unix seconds, `end_s` excluded."""
        with self._guard:
            if not self._known:
                return True
            asked = range(start_s // _HOUR_S, -(-end_s // _HOUR_S))
            return any(hour in asked for hour in self._hours)

    def look(self, seconds: float) -> None:
        """Look through what was stored before, for about so many seconds; called again until all is known."""
        end = time.monotonic() + seconds
        try:
            while not self._known and self._tries and time.monotonic() < end:
                self._step()
        except EngineError as error:
            # A part that is damaged is set aside before the next try.
            self._damage.note(error)
            self._tries -= 1
            if not self._tries:
                log.warning("it stays unknown which flows are implausible: every question looks", error=str(error))

    def _step(self) -> None:
        if self._left is None:
            self._left = self._partitions()
        if self._left:
            table, partition = self._left[-1]
            found = self._engine.rows(
                f"SELECT DISTINCT intDiv(toUnixTimestamp(TimeReceived), {_HOUR_S}) FROM {quote(table)} "
                f"WHERE _partition_id = {literal(partition)} AND Implausible != {literal(IMPLAUSIBLE[0])} "
                "SETTINGS max_threads = 1"
            )
            with self._guard:
                self._hours.update(int(hour) for (hour,) in found)
            self._left.pop()
        self._known = not self._left

    def _partitions(self) -> list[tuple[str, str]]:
        """Tables and partitions; what comes later is noted."""
        tables: Sequence[str] = (*FLOW_TABLES, *(resolution.table for resolution in RESOLUTIONS))
        rows = self._engine.rows(
            "SELECT DISTINCT table, partition_id FROM system.parts WHERE database = currentDatabase() AND active "
            f"AND table IN ({', '.join(map(literal, tables))})"
        )
        return [(table, partition) for table, partition in rows]
