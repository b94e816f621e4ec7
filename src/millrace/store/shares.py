"""Memory that questions may take, so that all of them together leave the engine room for inserts.

The engine refuses memory to whichever statement asks next when all that there
is for statements is taken: that may be the insert of flows that wait. So
questions have places. One of them has the memory of a large question, the
others so little that they may all take theirs at once. A question takes the
large place if it is free, or else a small one; what turns out to need more is
ended and waits for its turn, and is known by its statement from then on.
Questions that need much are thus answered one after the other, which on few
cores takes no longer, and those that need little pass them by.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from millrace.errors import QueryTimeoutError
from millrace.store import faults
from millrace.store.cancel import Cancel
from millrace.store.config import StoreSettings
from millrace.store.faults import EngineError

_MIB = 1 << 20
_OTHERS_BYTES = 256 * _MIB
"""What is left to inserts, rollups and merges at least: an insert of a large block takes 170 MiB, a merge 200."""

_SMALL_BYTES = 32 * _MIB
"""Questions that rollups answer mostly need less."""

_POLL_S = 0.05
"""How soon a question that waits notices that it was cancelled."""

_KNOWN = 512
"""Statements that are remembered for needing much."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Share:
    """Memory of a question.

    Attributes
    ----------
    limit : int
        Bytes at which it is ended.
    on_disk : int
        Bytes from which on grouping and sorting use the disk; 0: never.
    """

    limit: int
    on_disk: int


class _Wait:
    """How long a question waits for its places."""

    def __init__(self, cancel: Cancel | None, seconds: float) -> None:
        self._cancel = cancel
        self._end = time.monotonic() + seconds

    def until(self, ready: Callable[[], bool], changed: threading.Condition) -> None:
        """Wait with `changed` held."""
        while not ready():
            if self._cancel is not None:
                self._cancel.check()
            if time.monotonic() > self._end:
                raise QueryTimeoutError("it waited too long for memory that other questions need; ask again")
            changed.wait(_POLL_S)


class Shares:
    """Places of questions.

    Parameters
    ----------
    settings : StoreSettings

    Attributes
    ----------
    large, small : Share
    """

    def __init__(self, settings: StoreSettings) -> None:
        budget = settings.engine_bytes - max(_OTHERS_BYTES, settings.engine_bytes * 3 // 8)
        large = min(settings.query_memory_bytes, budget * 3 // 4)
        small = min(_SMALL_BYTES, (budget - large) // 4)
        self.large = Share(large, large // 2)
        # It rather ends soon than uses the disk.
        self.small = Share(small, 0)
        self._max_seconds = settings.query_max_seconds
        self._free = (budget - large) // small
        self._large_is_free = True
        self._waiting = 0
        self._changed = threading.Condition()
        self._needs_much: OrderedDict[bytes, None] = OrderedDict()

    def run(
        self,
        statement: str,
        ask: Callable[[Share], Answer],
        cancel: Cancel | None = None,
        max_seconds: float | None = None,
    ) -> Answer:
        """Put a statement when there is a place for it.

        Parameters
        ----------
        statement : str
            Its text, without values.
        ask : callable
            Puts it; may be called a second time if memory did not suffice.
        cancel : Cancel, optional
        max_seconds : float, optional
            How long it waits for a place at most; by default as long as a query may take.

        Raises
        ------
        QueryCancelledError
            If it is cancelled while it waits.
        QueryTimeoutError
            If it waits for too long.
        EngineError
            Of `ask`, where more memory would not have helped.
        """
        seconds = max_seconds or self._max_seconds
        key = hashlib.blake2b(statement.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._changed:
            needs_much = key in self._needs_much
        if not needs_much:
            with self._any(_Wait(cancel, seconds)) as share:
                try:
                    return ask(share)
                except EngineError as error:
                    if share is self.large or not faults.is_out_of_memory(error) or faults.is_of_all(error):
                        raise
            self._remember(key)
        with self._turn(_Wait(cancel, seconds)) as share:
            return ask(share)

    def _remember(self, key: bytes) -> None:
        with self._changed:
            self._needs_much[key] = None
            while len(self._needs_much) > _KNOWN:
                self._needs_much.popitem(last=False)

    @contextmanager
    def _any(self, wait: _Wait) -> Iterator[Share]:
        """The large place, if nobody has it or waits for it; or else a small one."""
        with self._changed:
            wait.until(lambda: self._free > 0 or self._may_have_large(), self._changed)
            share = self.large if self._may_have_large() else self.small
            if share is self.large:
                self._large_is_free = False
            else:
                self._free -= 1
        try:
            yield share
        finally:
            self._give_back(share)

    @contextmanager
    def _turn(self, wait: _Wait) -> Iterator[Share]:
        """The large place."""
        with self._changed:
            self._waiting += 1
            try:
                wait.until(lambda: self._large_is_free, self._changed)
                self._large_is_free = False
            finally:
                self._waiting -= 1
        try:
            yield self.large
        finally:
            self._give_back(self.large)

    def _may_have_large(self) -> bool:
        return self._large_is_free and not self._waiting

    def _give_back(self, share: Share) -> None:
        with self._changed:
            if share is self.large:
                self._large_is_free = True
            else:
                self._free += 1
            self._changed.notify_all()
