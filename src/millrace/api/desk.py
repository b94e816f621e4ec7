"""Threads for requests of strangers that wait for somebody else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from millrace.access.throttle import neighbourhood
from millrace.api.loops import PerLoop
from millrace.errors import ThrottledError

T = TypeVar("T")

_RETRY_SECONDS = 5.0


class Desk:
    """A few threads of their own, so that waiting there takes none from other requests.

    One address never has all threads, and nobody waits in an endless queue.

    Parameters
    ----------
    threads : int
    most : int
        Requests at the same time, waiting ones included.
    most_per_address : int
        Of one address (IPv6: one /64).
    """

    def __init__(self, threads: int = 8, most: int = 64, most_per_address: int = 4) -> None:
        self._most = most
        self._most_per_address = most_per_address
        self._limiter = PerLoop(lambda: CapacityLimiter(threads))
        self._present: PerLoop[Counter[str]] = PerLoop(Counter)

    async def run(self, address: str, work: Callable[[], T]) -> T:
        """Do something in one of the threads.

        Raises
        ------
        ThrottledError
            If there are too many requests already, of everybody or of the address.
        """
        place, present = neighbourhood(address), self._present.get()
        if present.total() >= self._most or present[place] >= self._most_per_address:
            raise ThrottledError("too many logins at the same time; try again in a moment", _RETRY_SECONDS)
        present[place] += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter.get())
        finally:
            present[place] -= 1
            if not present[place]:
                del present[place]
