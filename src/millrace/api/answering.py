"""Answers questions: in threads, bounded, and only while somebody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import HTTPException, Request, Response
from pydantic import TypeAdapter

from millrace.api.askers import Asker, client_of
from millrace.api.config import ApiSettings
from millrace.api.problems import ClientLeftError
from millrace.api.services import Services
from millrace.query.asking import Asking
from millrace.query.pool import FairPool, FullError
from millrace.store import Cancel

Result = TypeVar("Result")

_BUSY_RETRY_S = 2


class Questions:
    """Answers the questions of all clients; the constructor starts nothing.

    Parameters
    ----------
    services : Services
    settings : ApiSettings
    """

    def __init__(self, services: Services, settings: ApiSettings) -> None:
        self._circumstances = services.circumstances
        self._pool = FairPool(settings.max_questions, settings.max_waiting_questions)
        self._timeout = settings.question_timeout_seconds

    async def answer(
        self, request: Request, asker: Asker, text: str, adapter: TypeAdapter[Result], ask: Callable[[Asking], Result]
    ) -> Response:
        """The answer as JSON.

        Parameters
        ----------
        request : Request
        asker : Asker
        text : str
            Filter of the question, in the language.
        adapter : TypeAdapter
            Of the answer's type.
        ask : callable
            Called in a thread.

        Raises
        ------
        HTTPException, QueryError, StoreError, ClientLeftError
            As `run`.
        """
        # Straight to bytes, and in the thread: a series may have 10⁵ points.
        body = await self.run(request, asker, text, lambda asking: adapter.dump_json(ask(asking)))
        return Response(body, media_type="application/json")

    async def run(self, request: Request, asker: Asker, text: str, work: Callable[[Asking], Result]) -> Result:
        """What `work` returns, once it is its turn.

        Parameters
        ----------
        request : Request
            Its connection is watched: when it closes, the work is cancelled.
        asker : Asker
        text : str
            Filter of the question, in the language.
        work : callable
            Called in a thread; hands `Asking.cancel` to the store.

        Raises
        ------
        HTTPException
            503 if too many questions wait, 504 if it takes too long.
        ClientLeftError
            If the client went away.
        QueryError, StoreError
            Of the work.
        """
        cancel = Cancel()
        # Not when its turn comes: those who ask together are answered together.
        moment = self._circumstances.moment()

        def do() -> Result:
            cancel.check()
            return work(self._circumstances.asking(asker, text, cancel, moment))

        try:
            future = self._pool.submit(client_of(request, asker), do)
        except FullError as error:
            raise HTTPException(503, f"{error}; try again later", {"Retry-After": str(_BUSY_RETRY_S)}) from None
        answer = asyncio.wrap_future(future)
        left = asyncio.ensure_future(_left(request))
        try:
            await asyncio.wait((answer, left), timeout=self._timeout, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            if left.done():
                raise ClientLeftError
            raise HTTPException(504, f"the question was not answered within {self._timeout:g} seconds and was ended")
        finally:
            left.cancel()
            if not answer.done():
                cancel.cancel()
                answer.cancel()


async def _left(request: Request) -> None:
    """Return when the client closes the connection."""
    message: Any = {}
    while message.get("type") != "http.disconnect":
        message = await request.receive()
