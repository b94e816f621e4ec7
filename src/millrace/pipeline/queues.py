"""Queues bounded in bytes, between the threads of the pipeline."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    """Something that knows how many bytes it keeps in memory."""

    @property
    def nbytes(self) -> int:
        """Bytes kept in memory."""
        ...


T = TypeVar("T", bound=Sized)


class ByteQueue(Generic[T]):
    """A first-in first-out queue that holds at most so many bytes.

    Parameters
    ----------
    max_bytes : int
        Bound. A single item larger than it is taken when the queue is empty,
        so that nothing can get stuck.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._items: deque[tuple[T, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def nbytes(self) -> int:
        """Bytes waiting."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, item: T) -> bool:
        """Add without waiting; False when there is no room or the queue is closed."""
        with self._changed:
            return self._append(item)

    def put(self, item: T) -> bool:
        """Add, waiting for room; False only when the queue is closed."""
        with self._changed:
            while not self._append(item):
                if self._closed:
                    return False
                self._changed.wait()
            return True

    def _append(self, item: T) -> bool:
        size = item.nbytes
        if self._closed or (self._items and self._bytes + size > self._max_bytes):
            return False
        self._items.append((item, size))
        self._bytes += size
        self._changed.notify_all()
        return True

    def take(self, timeout_s: float) -> T | None:
        """Remove the oldest item; None if none comes in time or the queue is closed and empty."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout_s)
            if not self._items:
                return None
            item, size = self._items.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return item

    def take_all(self) -> list[T]:
        """Remove everything that waits."""
        with self._changed:
            items = [item for item, _ in self._items]
            self._items.clear()
            self._bytes = 0
            self._changed.notify_all()
            return items

    @property
    def drained(self) -> bool:
        """Closed and empty: nothing will come any more."""
        return self._closed and not self._items

    def close(self) -> None:
        """Refuse new items; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
