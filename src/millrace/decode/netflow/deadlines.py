"""What expires, in the order in which it does: found without looking at what does not."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Generic, TypeVar

STEP = 2048
"""What expires is given up in steps of so many per batch: about ten milliseconds, whatever a stranger piled up."""

_FEW = 1024
"""So many that are gone are not worth tidying up for."""

_Thing = TypeVar("_Thing")


class Deadlines(Generic[_Thing]):
    """Things by the time from which their age counts.

    That time may move on and things may go at any moment; it is looked at when
    it is a thing's turn, so that neither costs anything here.

    Parameters
    ----------
    since : callable
        Unix nanoseconds from which the age of a thing counts now; None: it is gone.
    """

    def __init__(self, since: Callable[[_Thing], int | None]) -> None:
        self._since = since
        self._heap: list[tuple[int, int, _Thing]] = []
        self._added = 0
        self._gone = 0

    def add(self, since_ns: int, thing: _Thing) -> None:
        """A thing whose age counts from `since_ns`."""
        self._added += 1
        heappush(self._heap, (since_ns, self._added, thing))

    def gone(self) -> None:
        """A thing is gone. Once most are, they are dropped."""
        self._gone += 1
        if self._gone > _FEW and 2 * self._gone > len(self._heap):
            self._heap = [entry for entry in self._heap if self._since(entry[2]) is not None]
            heapify(self._heap)
            self._gone = 0

    def due(self, before_ns: int, most: int = STEP) -> list[_Thing]:
        """Things whose age counts from a time before `before_ns`, the oldest first; they are not held any more.

        Parameters
        ----------
        most : int
            Things looked at; the others are due at the next call.
        """
        found: list[_Thing] = []
        heap = self._heap
        while heap and heap[0][0] < before_ns and most:
            most -= 1
            _, _, thing = heappop(heap)
            since_ns = self._since(thing)
            if since_ns is None:
                self._gone = max(0, self._gone - 1)
            elif since_ns >= before_ns:
                self.add(since_ns, thing)
            else:
                found.append(thing)
        return found
