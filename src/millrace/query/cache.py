"""Answers of the store that are kept for a moment, and statements that run once for all who ask the same."""

from __future__ import annotations

import hashlib
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
_ENTRY_BYTES = 512
"""What an answer costs apart from its bytes: the digest of its question, and Python's objects (measured: 0.4 KB)."""

_WAITED_SECONDS = 60.0
"""So long after its time an answer may still be wanted by who asked before its statement began, and waited since."""

_SWEEP_SECONDS = 10.0
"""How often answers are looked for whose time is over."""


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
    """An answer, when its statement began, and until when anybody may have it.

    It is kept as a stream of Arrow, whose length is what it takes: a table of one row and eight columns takes 8 KB in
    a hundred objects, of which it counts a hundred bytes.
    """

    stream: bytes
    began: float
    until: float


class AnswerCache:
    """Keeps answers, the least recently used leave first; safe to use from several threads.

    Several who ask the same at the same time share one run of the statement.
    It is cancelled when the last of them has left.

    Parameters
    ----------
    max_bytes : int
        What the answers that are kept take in memory, their keys included.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self._guard = threading.Lock()
        self._flights: dict[bytes, _Flight] = {}
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0
        self._sweep_due = 0.0

    @property
    def bytes_kept(self) -> int:
        """What the answers that are kept take in memory."""
        return self._bytes

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
            Names the question: statement and values, of which a digest is kept. Equal keys are written equally.
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
        asker, key = _Asker(), digest(key)
        with cancel.stopping(lambda: self._leave(asker)) if cancel else nullcontext():
            with self._guard:
                self._sweep()
                kept = self._look_up(key, asked)
                if kept is not None:
                    return _table(kept)
                first = self._join(asker, key)
            if first:
                self._fly(key, first, ask, seconds)
            else:
                asker.woken.wait()
        return self._landed(asker)

    def _join(self, asker: _Asker, key: bytes) -> _Flight | None:
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

    def _fly(self, key: bytes, flight: _Flight, ask: Callable[[Cancel], pa.Table], seconds: float) -> None:
        answer, error, stream, began = None, None, b"", self._clock()
        try:
            answer = ask(flight.cancel)
            stream = self._stream(answer)
        except BaseException as raised:
            error = raised
        with self._guard:
            flight.answer, flight.error = answer, error
            if self._flights.get(key) is flight:
                del self._flights[key]
            if stream:
                self._keep(key, _Kept(stream, began, self._clock() + seconds))
            for asker in flight.askers:
                asker.woken.set()

    def _look_up(self, key: bytes, asked: float) -> bytes | None:
        found = self._kept.get(key)
        if found is None:
            return None
        if found.until <= self._clock() and found.began < asked:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return found.stream

    def _stream(self, answer: pa.Table) -> bytes:
        """What is kept of an answer; nothing if it is too large."""
        if answer.nbytes > self._max_bytes:
            return b""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, answer.schema) as writer:
            writer.write_table(answer)
        return bytes(sink.getvalue())

    def _sweep(self) -> None:
        """Forget what nobody may have any more."""
        now = self._clock()
        if now < self._sweep_due:
            return
        self._sweep_due = now + _SWEEP_SECONDS
        for key in [key for key, kept in self._kept.items() if kept.until + _WAITED_SECONDS <= now]:
            self._forget(key)

    def _keep(self, key: bytes, kept: _Kept) -> None:
        if key in self._kept:
            self._forget(key)
        self._kept[key] = kept
        self._bytes += _size(kept.stream)
        while self._bytes > self._max_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: bytes) -> None:
        self._bytes -= _size(self._kept.pop(key).stream)


def digest(key: Hashable) -> bytes:
    """What stands for a key in a cache: statements have hundreds of kilobytes, and whoever asks chooses them."""
    return hashlib.blake2b(repr(key).encode("utf-8", "surrogatepass"), digest_size=32).digest()


def _size(stream: bytes) -> int:
    return len(stream) + _ENTRY_BYTES


def _table(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all()
