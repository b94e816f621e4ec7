"""Answers of the store that are kept for a moment, and statements that run once for all who ask the same."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass, field

import pyarrow as pa

from millrace.errors import QueryCancelledError
from millrace.store import Cancel

MAX_BYTES = 64 * 1024 * 1024
_ENTRY_BYTES = 2048
"""What an answer costs apart from its columns: its statement, and Python's objects."""


@dataclass(slots=True)
class _Asker:
    """One who waits for an answer, and what for; `left` has cancelled."""

    woken: threading.Event = field(default_factory=threading.Event)
    flight: _Flight | None = None
    left: bool = False


@dataclass(slots=True)
class _Flight:
    """A statement that runs, and those who wait for it."""

    cancel: Cancel = field(default_factory=Cancel)
    askers: list[_Asker] = field(default_factory=list)
    abandoned: bool = False
    answer: pa.Table | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, when its statement began, and until when anybody may have it."""

    answer: pa.Table
    began: float
    until: float


class AnswerCache:
    """Keeps answers, the least recently used leave first; safe to use from several threads.

    Several who ask the same at the same time share one run of the statement.
    It is cancelled when the last of them has left.

    Parameters
    ----------
    max_bytes : int
        Size of the answers that are kept.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._guard = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0

    def get(
        self,
        key: Hashable,
        ask: Callable[[Cancel], pa.Table],
        seconds: float,
        cancel: Cancel | None = None,
        asked: float = math.inf,
    ) -> pa.Table:
        """The answer that is kept, or that of a run.

        Parameters
        ----------
        key : hashable
            Names the question: statement and values.
        ask : callable
            Runs the statement.
        seconds : float
            How long the answer may be kept.
        cancel : Cancel, optional
            Of who asks.
        asked : float
            When it was asked, by `clock`: an answer whose statement began since is taken however old it is.

        Raises
        ------
        QueryCancelledError
            If who asks has left.
        Exception
            Whatever `ask` raises, for all who wait for it.
        """
        asker = _Asker()
        with cancel.stopping(lambda: self._leave(asker)) if cancel else nullcontext():
            with self._guard:
                kept = self._look_up(key, asked)
                if kept is not None:
                    return kept
                first = self._join(asker, key)
            if first:
                self._fly(key, first, ask, seconds)
            else:
                asker.woken.wait()
        return self._landed(asker)

    def _join(self, asker: _Asker, key: Hashable) -> _Flight | None:
        """Wait for a statement that runs, or return a new one that the asker has to run."""
        if asker.left:
            return None
        flight = self._flights.get(key)
        new = flight is None or flight.abandoned
        if flight is None or flight.abandoned:
            flight = self._flights[key] = _Flight()
        asker.flight = flight
        flight.askers.append(asker)
        return flight if new else None

    def _leave(self, asker: _Asker) -> None:
        """The last one ends the statement."""
        with self._guard:
            asker.left = True
            flight = asker.flight
            if flight is not None:
                flight.abandoned = all(other.left for other in flight.askers)
        asker.woken.set()
        if flight is not None and flight.abandoned:
            flight.cancel.cancel()

    @staticmethod
    def _landed(asker: _Asker) -> pa.Table:
        flight = asker.flight
        if flight is not None and flight.answer is not None:
            return flight.answer
        if flight is not None and flight.error is not None and not asker.left:
            raise flight.error
        raise QueryCancelledError("the question was cancelled: nobody waits for the answer")

    def _fly(self, key: Hashable, flight: _Flight, ask: Callable[[Cancel], pa.Table], seconds: float) -> None:
        answer, error, began = None, None, self._clock()
        try:
            answer = ask(flight.cancel)
        except BaseException as raised:
            error = raised
        with self._guard:
            flight.answer, flight.error = answer, error
            if self._flights.get(key) is flight:
                del self._flights[key]
            if answer is not None:
                self._keep(key, _Kept(answer, began, self._clock() + seconds))
            for asker in flight.askers:
                asker.woken.set()

    def _look_up(self, key: Hashable, asked: float) -> pa.Table | None:
        found = self._kept.get(key)
        if found is None:
            return None
        if found.until <= self._clock() and found.began < asked:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return found.answer

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        if key in self._kept:
            self._forget(key)
        self._kept[key] = kept
        self._bytes += _size(kept.answer)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Hashable) -> None:
        self._bytes -= _size(self._kept.pop(key).answer)


def _size(answer: pa.Table) -> int:
    return int(answer.nbytes) + _ENTRY_BYTES
