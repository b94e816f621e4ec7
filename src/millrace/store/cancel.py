"""Ending a question that nobody waits for any more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from millrace.errors import QueryCancelledError


class Cancel:
    """Ends the statements of one question, now and later.

    Safe to use from several threads. A statement that runs is ended, one that
    waits for a connection leaves the queue, one that comes later does not
    begin: each raises `QueryCancelledError`.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._asked = False
        self._stops: dict[int, Callable[[], None]] = {}

    @property
    def asked(self) -> bool:
        """Whether `cancel` was called."""
        return self._asked

    def cancel(self) -> None:
        """End what runs and whatever comes later. May be called at any time and more than once; never raises."""
        with self._guard:
            self._asked = True
            stops, self._stops = list(self._stops.values()), {}
        for stop in stops:
            with contextlib.suppress(Exception):
                stop()

    def check(self) -> None:
        """Go on only if nobody called `cancel`.

        Raises
        ------
        QueryCancelledError
            If somebody did.
        """
        if self._asked:
            raise QueryCancelledError("the question was cancelled: nobody waits for the answer")

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Have `stop` called if `cancel` is called during the ``with`` block.

        Parameters
        ----------
        stop : callable
            Called once, from the thread that cancels; must return soon.

        Raises
        ------
        QueryCancelledError
            If it was called before.
        """
        key = id(stop)
        with self._guard:
            self.check()
            self._stops[key] = stop
        try:
            yield
        finally:
            with self._guard:
                self._stops.pop(key, None)
