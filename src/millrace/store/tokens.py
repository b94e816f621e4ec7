"""Tokens of inserts of which a part was torn: what is missing goes in under another one.

The engine may remember the token of a part that is gone, and would pass over
the same rows as a repetition.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from millrace.batch import FlowBatch
from millrace.store.faults import TornError


@dataclass(slots=True)
class _Rest:
    times: int
    partitions: frozenset[str]


class Tokens:
    """What is left of inserts that are tried again."""

    def __init__(self) -> None:
        self._rests: dict[str, _Rest] = {}
        self._guard = threading.Lock()

    def rest(self, token: str | None, flows: FlowBatch) -> tuple[str | None, FlowBatch]:
        """The token to use, and the rows that are not stored yet."""
        with self._guard:
            rest = None if token is None else self._rests.get(token)
        if rest is None:
            return token, flows
        missing = np.isin(_days(flows), sorted(rest.partitions))
        return f"{token}/{rest.times}", flows if missing.all() else flows.take(np.flatnonzero(missing))

    def torn(self, token: str | None, error: TornError) -> None:
        """Remember which rows are still missing, if they can be told from others."""
        if token is not None:
            with self._guard:
                rest = self._rests.setdefault(token, _Rest(0, frozenset()))
                rest.times += 1
                rest.partitions = frozenset(error.partitions)

    def done(self, token: str | None) -> None:
        """All is stored: nothing is left of it."""
        if token is not None:
            with self._guard:
                self._rests.pop(token, None)


def _days(flows: FlowBatch) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Partition of every row, as the engine names it: the day."""
    times = flows.columns["TimeReceived"]
    assert isinstance(times, np.ndarray)
    days = np.datetime_as_string(times.astype("datetime64[ms]"), unit="D")
    return np.char.replace(days, "-", "")
