"""Keeps the process within its memory: what allocators hold of freed memory is given back when it comes close."""

from __future__ import annotations

import time
from collections.abc import Callable

from millrace.app.process import give_back_freed_memory, resident_bytes

_CLOSE = 0.7
"""Part of the memory that the process may take from which on freed memory is given back."""

_PAUSE_S = 1.0
_TRIM_PAUSE_S = 10.0
"""What malloc gives back, the next batches take again, which slows them down: seldom."""


class MemoryKeeper:
    """Gives freed memory back while the process is close to its bound.

    Allocators keep what was freed, since it is mostly needed again: after a few
    large questions that is half a gigabyte that nobody uses.

    Parameters
    ----------
    limit_bytes : int
        What the process may take.
    of_store : callable
        Has the store give back what its engine keeps.
    resident : callable
        Memory that the process takes.
    of_process : callable
        Has malloc give back what it keeps.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        limit_bytes: int,
        of_store: Callable[[], None],
        resident: Callable[[], int] = resident_bytes,
        of_process: Callable[[], None] = give_back_freed_memory,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._close_bytes = _CLOSE * limit_bytes
        self._of_store = of_store
        self._of_process = of_process
        self._resident = resident
        self._clock = clock
        self._again = self._trim_again = clock()

    def look(self) -> None:
        """See how much there is, and give back what can be if it is much. Raises what `of_store` raises."""
        now = self._clock()
        if now < self._again or self._resident() < self._close_bytes:
            return
        self._again = now + _PAUSE_S
        if now >= self._trim_again:
            self._trim_again = now + _TRIM_PAUSE_S
            self._of_process()
        self._of_store()
