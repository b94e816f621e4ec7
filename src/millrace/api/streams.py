"""Files that are made while they are sent: each part is a question of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import structlog
from fastapi import HTTPException, Request

from millrace.api.answering import Questions
from millrace.api.askers import Asker, Authenticator
from millrace.api.places import Reader
from millrace.api.problems import ClientLeftError
from millrace.errors import DeniedError, MillraceError
from millrace.formats import FileFormat, PartWriter, writer
from millrace.query import Asking, Export
from millrace.store import Cancel

log = structlog.get_logger(__name__)

BUSY_SECONDS = 60.0
"""How long a file that is being sent waits for a place in the queue of questions."""

_RETRY_SECONDS = 0.5


class ExportStream:
    """A file of flows in the making.

    A part takes a place in the queue of questions and gives it back, so that a
    long export holds nobody up. What goes wrong after the beginning breaks the
    connection: a file is whole or visibly cut off, never short.

    Parameters
    ----------
    questions : Questions
    authenticator : Authenticator
        Asked now and then whether who asks may go on.
    request : Request
    asker : Asker
    text : str
        Filter of the question, in the language.
    file_format : str
    """

    def __init__(
        self,
        questions: Questions,
        authenticator: Authenticator,
        request: Request,
        asker: Asker,
        text: str,
        file_format: FileFormat,
    ) -> None:
        self._reader = Reader(authenticator, request, asker)
        self._questions = questions
        self._request = request
        self._asker = asker
        self._text = text
        self._format = file_format
        self._cancel = Cancel()
        self._export: Export | None = None
        self._writer: PartWriter | None = None
        self._part = b""
        self._over = False

    async def begin(self, make: Callable[[Asking], Export]) -> Export:
        """Make the first part; what is wrong with the question is raised here, as by `Questions.run`.

        Parameters
        ----------
        make : callable
            Asks for the flows.
        """

        def first(asking: Asking) -> Export:
            # Later parts are other questions: ending one of them ends the statement, which knows this one.
            self._cancel = asking.cancel or self._cancel
            self._export = make(asking)
            self._writer = writer(self._format, self._export.schema)
            self._part = self._next()
            return self._export

        return await self._questions.run(self._request, self._asker, self._text, first)

    async def parts(self) -> AsyncIterator[bytes]:
        """The file, part by part."""
        part = self._part
        try:
            while True:
                if part:
                    yield part
                if self._over:
                    return
                if not await self._reader.may_go_on():
                    raise DeniedError("whoever asked for the file may not have the rest of it (any more)")
                part = await self._ask()
        except ClientLeftError:
            return
        except (MillraceError, HTTPException) as error:
            log.warning("an export was cut off", error=str(error))
            raise

    async def _ask(self) -> bytes:
        """The next part, as soon as there is a place in the queue."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return await self._questions.run(self._request, self._asker, self._text, self._go_on)
            except HTTPException as error:
                if error.status_code != 503 or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)

    def _go_on(self, asking: Asking) -> bytes:
        if asking.cancel is None:
            return self._next()
        with asking.cancel.stopping(self._cancel.cancel):
            return self._next()

    def _next(self) -> bytes:
        assert self._export is not None
        assert self._writer is not None
        table = next(self._export.tables, None)
        if table is not None:
            return self._writer.write(table)
        self._over = True
        return self._writer.close()
