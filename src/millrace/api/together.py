"""Work that is done once for all who ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from fastapi.concurrency import run_in_threadpool

from millrace.api.loops import PerLoop

Answer = TypeVar("Answer")


class Together(Generic[Answer]):
    """One run of `work` at a time; whoever asks while it is under way gets what it gives.

    Those who gave up waiting and ask again do not make the next one wait longer.

    Parameters
    ----------
    work : callable
        Called in a thread. Its errors are raised to all who waited for it.
    """

    def __init__(self, work: Callable[[], Answer]) -> None:
        self._work = work
        self._running: PerLoop[list[asyncio.Future[Answer]]] = PerLoop(list)

    async def answer(self) -> Answer:
        """What the work gives."""
        running = self._running.get()
        if not running or running[-1].done():
            work = asyncio.ensure_future(run_in_threadpool(self._work))
            # Its error is nobody's if all who waited have gone.
            work.add_done_callback(lambda done: done.cancelled() or done.exception())
            running[:] = [work]
        # Whoever goes away does not take it from the others.
        return await asyncio.shield(running[-1])
