"""Values for the filter editor: what is there in time, and what was asked for goes on for the next key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from millrace.errors import MillraceError
from millrace.query import ColumnValue
from millrace.query.pool import FairPool, FullError
from millrace.store import Cancel

log = structlog.get_logger(__name__)

WAIT_SECONDS = 0.1
"""Whoever types sees the options that are known without the store after so long."""

_END_SECONDS = 5.0
_RUNNING = 1
_WAITING = 32


class Suggestions:
    """Asks the store for values beside the questions, one at a time; the constructor starts nothing."""

    def __init__(self) -> None:
        self._pool = FairPool(_RUNNING, _WAITING)

    async def of(self, client: str, ask: Callable[[Cancel], list[ColumnValue]]) -> list[ColumnValue] | None:
        """What `ask` returns if it is there in time; else None, while it goes on and its answer is remembered.

        Parameters
        ----------
        client : str
            Whose places in the queue it takes.
        ask : callable
            Called in a thread.
        """
        cancel = Cancel()
        try:
            future = self._pool.submit(client, lambda: ask(cancel))
        except FullError:
            return None
        asyncio.get_running_loop().call_later(_END_SECONDS, cancel.cancel)
        answer = asyncio.wrap_future(future)
        done, _ = await asyncio.wait((answer,), timeout=WAIT_SECONDS)
        if not done:
            answer.add_done_callback(_forget)
            return None
        try:
            return answer.result()
        except MillraceError as error:
            log.debug("no values for the filter editor", error=str(error))
            return []


def _forget(answer: asyncio.Future[list[ColumnValue]]) -> None:
    """Take the error of an answer that nobody waits for."""
    if not answer.cancelled():
        answer.exception()
