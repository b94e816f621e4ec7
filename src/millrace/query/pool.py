"""Threads that answer questions: so many at a time, the rest in a bounded queue, fair among clients."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")

_IDLE_SECONDS = 10.0
"""How long a thread without work stays."""


class FullError(Exception):
    """The queue is full; the message says of what."""


@dataclass(slots=True)
class _Client:
    """What one client has asked for."""

    waiting: deque[tuple[Future[Any], Callable[[], Any]]] = field(default_factory=deque)
    running: int = 0


class FairPool:
    """Runs work of several clients; threads are made when there is work.

    The next to run is work of the client that has the fewest running, in the
    order of coming. A client never has all places, and never all of the queue,
    so that who comes later need not wait for the end of another's long work.

    Parameters
    ----------
    running : int
        Work done at the same time.
    waiting : int
        Work that waits, at most.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self._running = running
        self._waiting = waiting
        self._per_client_running = max(1, running - 1)
        self._per_client_waiting = max(1, waiting - waiting // 4)
        self._changed = threading.Condition()
        self._clients: dict[str, _Client] = {}
        self._threads = 0
        self._idle = 0
        self._queued = 0

    def submit(self, client: str, work: Callable[[], Result]) -> Future[Result]:
        """Have work done by a thread; it is given up with ``Future.cancel`` while it waits.

        Parameters
        ----------
        client : str
            Whose work it is.
        work : callable

        Raises
        ------
        FullError
            If too much waits already.
        """
        future: Future[Result] = Future()
        with self._changed:
            asked = self._clients.get(client)
            own = len(asked.waiting) if asked is not None else 0
            if self._queued >= self._waiting:
                raise FullError(f"{self._queued} questions wait already")
            if own >= self._per_client_waiting:
                raise FullError(f"{own} questions of yours wait already")
            self._clients.setdefault(client, _Client()).waiting.append((future, work))
            self._queued += 1
            # An idle thread that was woken counts until it runs: so do the entries it is woken for.
            if self._queued <= self._idle or self._threads >= self._running:
                self._changed.notify()
            elif not self._begin() and not self._threads:
                self._clients[client].waiting.pop()
                self._queued -= 1
                self._forget(client)
                raise FullError("no thread can be begun now")
        future.add_done_callback(lambda done: self._withdraw(client, done))
        return future

    def _begin(self) -> bool:
        """One thread more, if there can be; otherwise those that run take the work."""
        self._threads += 1
        try:
            threading.Thread(target=self._serve, name="millrace-question", daemon=True).start()
        except RuntimeError:
            self._threads -= 1
            return False
        return True

    def _withdraw(self, client: str, future: Future[Any]) -> None:
        """Give the place in the queue free of work that was given up."""
        if not future.cancelled():
            return
        with self._changed:
            asked = self._clients.get(client)
            if asked is None:
                return
            for entry in asked.waiting:
                if entry[0] is future:
                    asked.waiting.remove(entry)
                    self._queued -= 1
                    break
            self._forget(client)

    def _serve(self) -> None:
        while True:
            with self._changed:
                taken = self._take()
            if taken is None:
                return
            client, future, work = taken
            _run(future, work)
            # An answer must not stay in memory until the next question.
            del future, work, taken
            with self._changed:
                self._clients[client].running -= 1
                self._forget(client)

    def _take(self) -> tuple[str, Future[Any], Callable[[], Any]] | None:
        """The next work, when there is some; None when the thread may end."""
        while (client := self._next()) is None:
            self._idle += 1
            woken = self._changed.wait(_IDLE_SECONDS)
            self._idle -= 1
            if not woken and self._next() is None:
                self._threads -= 1
                return None
        asked = self._clients.pop(client)
        # To the end: others come first the next time.
        self._clients[client] = asked
        future, work = asked.waiting.popleft()
        asked.running += 1
        self._queued -= 1
        return client, future, work

    def _next(self) -> str | None:
        """The client whose turn it is."""
        ready = (
            (asked.running, place, name)
            for place, (name, asked) in enumerate(self._clients.items())
            if asked.waiting and asked.running < self._per_client_running
        )
        return min(ready, default=(0, 0, None))[2]

    def _forget(self, client: str) -> None:
        asked = self._clients.get(client)
        if asked is not None and not asked.waiting and not asked.running:
            del self._clients[client]


def _run(future: Future[Result], work: Callable[[], Result]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
