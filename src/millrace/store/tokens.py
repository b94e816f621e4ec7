"""Tokens of inserts of which a part was torn: what is missing goes in under another one.

The engine may remember the token of a part that is gone, and would pass over
the same rows as a repetition.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import Bool
from millrace.store.faults import TornError

_HOUR_MS = 3_600_000


_GIVEN_UP_S = 600.0
"""After so long without a try an insert is not tried again."""


@dataclass(slots=True)
class _Rest:
    times: int
    partitions: frozenset[str]


class Tokens:
    """What is left of inserts that are tried again."""

    def __init__(self) -> None:
        self._failed: dict[str, float] = {}
        self._rests: dict[str, _Rest] = {}
        self._guard = threading.Lock()

    def rest(self, token: str | None, flows: FlowBatch) -> tuple[str | None, FlowBatch]:
        """The token to use, and the rows that are not stored yet."""
        with self._guard:
            rest = None if token is None else self._rests.get(token)
        if rest is None:
            return token, flows
        missing = _lie_in(flows, rest.partitions)
        return f"{token}/{rest.times}", flows if missing.all() else flows.take(np.flatnonzero(missing))

    def failed(self, token: str | None) -> None:
        """Remember that an insert failed: some of it may be stored, and it may be tried again."""
        if token is not None:
            with self._guard:
                self._failed[token] = time.monotonic()

    def may_come_again(self) -> bool:
        """Whether an insert that failed may be tried again: the engine must still know what is stored of it."""
        with self._guard:
            oldest = time.monotonic() - _GIVEN_UP_S
            self._failed = {token: moment for token, moment in self._failed.items() if moment > oldest}
            return bool(self._failed)

    def torn(self, token: str | None, error: TornError) -> None:
        """Remember which rows are still missing, if they can be told from others."""
        if token is not None:
            with self._guard:
                rest = self._rests.setdefault(token, _Rest(0, frozenset()))
                rest.times += 1
                rest.partitions = frozenset(error.partitions)
                self._failed[token] = time.monotonic()

    def done(self, token: str | None) -> None:
        """All is stored: nothing is left of it."""
        if token is not None:
            with self._guard:
                self._rests.pop(token, None)
                self._failed.pop(token, None)


def _lie_in(flows: FlowBatch, partitions: frozenset[str]) -> Bool:
    """Whether each row lies in one of some partitions, named as the engine does: by the second at which an hour begins.

    Where a store of an earlier version is still as it was, by the day.
    """
    times = flows.columns["TimeReceived"]
    assert isinstance(times, np.ndarray)
    hours = times // _HOUR_MS * (_HOUR_MS // 1000)
    days = np.char.replace(np.datetime_as_string(times.astype("datetime64[ms]"), unit="D"), "-", "")
    names = sorted(partitions)
    found: Bool = np.isin(hours.astype(str), names) | np.isin(days, names)
    return found
