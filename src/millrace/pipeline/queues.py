"""Queues bounded in bytes, between the threads of the pipeline."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something that knows how many bytes it keeps in memory, and how many rows it has."""

    @property
    def nbytes(self) -> int:
        """Bytes kept in memory."""
        ...

    def __len__(self) -> int: ...


T = TypeVar("T", bound=Sized)

_ASK_AGAIN_S = 0.1
"""How soon whoever waits for room notices that it should wait no longer."""


class ByteQueue(Generic[T]):
    """A first-in first-out queue that holds at most so many bytes, for any number of givers and one taker.

    What was taken counts until the taker comes again: it is in memory as long
    as somebody works on it, whether it is called waiting or not.

    Parameters
    ----------
    max_bytes : int
        Bound. A single item larger than it is accepted when nothing else is
        there, so that nothing can get stuck.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._in_hand = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def nbytes(self) -> int:
        """Bytes that wait or were taken last."""
        return self._bytes

    def __len__(self) -> int:
        """Items that wait."""
        return len(self._items)

    def offer(self, item: T, size: int | None = None) -> bool:
        """Add without waiting; False when there is no room or the queue is closed. `size`: its bytes, if known."""
        size = item.nbytes if size is None else size
        with self._changed:
            return self._append(item, size)

    def put(self, item: T, size: int | None = None, unless: Callable[[], bool] = lambda: False) -> bool:
        """Add, waiting for room; False when the queue is closed, or `unless` says so (asked every so often).

        `size`: its bytes, if known.
        """
        size = item.nbytes if size is None else size
        with self._changed:
            while not self._append(item, size):
                if self._closed or unless():
                    return False
                self._changed.wait(_ASK_AGAIN_S)
            return True

    def _append(self, item: T, size: int) -> bool:
        if self._closed or (self._bytes and self._bytes + size > self._max_bytes):
            return False
        self._items.append((item, size))
        self._bytes += size
        self._changed.notify_all()
        return True

    def take(self, timeout_s: float) -> T | None:
        """Remove the oldest item; None if none comes in time or the queue is closed and empty."""
        with self._changed:
            self._done()
            deadline = time.monotonic() + timeout_s
            while not self._items and not self._closed and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)
            return self._remove() if self._items else None

    def take_some(self, max_rows: int, max_bytes: int, max_items: int) -> list[T]:
        """Remove the oldest items up to these bounds, at least one if any waits; does not wait."""
        with self._changed:
            self._done()
            taken: list[T] = []
            rows = 0
            while self._items and len(taken) < max_items:
                item, size = self._items[0]
                if taken and (rows + len(item) > max_rows or self._in_hand + size > max_bytes):
                    break
                taken.append(self._remove())
                rows += len(item)
            return taken

    def drain(self) -> list[T]:
        """Remove everything that waits, to give it up."""
        with self._changed:
            self._done()
            items = [item for item, _ in self._items]
            self._items.clear()
            self._bytes = 0
            self._changed.notify_all()
            return items

    def _remove(self) -> T:
        item, size = self._items.popleft()
        self._in_hand += size
        return item

    def _done(self) -> None:
        """What was taken before is no longer in memory."""
        self._bytes -= self._in_hand
        self._in_hand = 0
        self._changed.notify_all()

    @property
    def drained(self) -> bool:
        """Closed and empty: nothing will come any more."""
        return self._closed and not self._items

    def close(self) -> None:
        """Refuse new items; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
