"""Work that is done once for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from anyio import CapacityLimiter, to_thread

from millrace.api.loops import PerLoop

Answer = TypeVar("Answer")


class Together(Generic[Answer]):
    """One run of `work` at a time; whoever asks while it is under way gets what it gives.

    Those who gave up waiting and ask again do not make the next one wait longer.

    Parameters
    ----------
    work : callable
        Called in a thread of its own: endpoints that fill the usual ones keep nobody from its answer. Its errors are
        raised to all who waited for it.
    """

    def __init__(self, work: Callable[[], Answer]) -> None:
        self._work = work
        self._thread = PerLoop(lambda: CapacityLimiter(1))
        self._running: PerLoop[list[asyncio.Future[Answer]]] = PerLoop(list)

    async def answer(self) -> Answer:
        """What the work gives."""
        running = self._running.get()
        if not running or running[-1].done():
            work = asyncio.ensure_future(to_thread.run_sync(self._work, limiter=self._thread.get()))
            # Its error is nobody's if all who waited have gone.
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            running[:] = [work]
        # Whoever goes away does not take it from the others.
        return await asyncio.shield(running[-1])
