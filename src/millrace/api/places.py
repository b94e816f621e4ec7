"""Long answers: a bounded number at the same time, of which nobody has all, and only while their reader may read."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import AsyncIterable, Mapping
from types import TracebackType
from typing import Self

from anyio import to_thread
from fastapi import HTTPException, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from millrace.api.askers import Asker, Authenticator

RECHECK_SECONDS = 10.0
"""How often it is asked whether a reader may still read: sessions end, rights change, tokens are revoked."""

PROXY_SECONDS = 900.0
"""How long what a proxy said of a reader holds for a stream without an end: only a request that goes through the proxy
shows whether it would say so once more."""


class Turnstile:
    """Lets a bounded number through at the same time, and refuses the rest with 503.

    Parameters
    ----------
    limit : int
    what : str
        They are and do, for a sentence.
    """

    def __init__(self, limit: int, what: str) -> None:
        self._limit = limit
        self._share = limit - limit // 2
        self._what = what
        self._held: Counter[str] = Counter()
        self._guard = threading.Lock()

    def enter(self, client: str) -> Place:
        """Take a place; it is given back by ``Place.leave``, or at the end of a ``with`` block.

        Parameters
        ----------
        client : str
            Whose it is: one client has half of them at most, rounded up.

        Raises
        ------
        HTTPException
            503 if there is none.
        """
        with self._guard:
            if self._held.total() >= self._limit:
                raise _refused(f"{self._limit} {self._what} at the same time already; try again later")
            if self._held[client] >= self._share:
                raise _refused(f"{self._share} {self._what} at the same time already in your name; end one of them")
            self._held[client] += 1
        return Place(self, client)

    def leave(self, client: str) -> None:
        """Take a place of a client back."""
        with self._guard:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client]


class Place:
    """A place behind a `Turnstile`, given back once."""

    def __init__(self, turnstile: Turnstile, client: str) -> None:
        self._turnstile: Turnstile | None = turnstile
        self._client = client

    def leave(self) -> None:
        """Give it back; again does nothing."""
        turnstile, self._turnstile = self._turnstile, None
        if turnstile is not None:
            turnstile.leave(self._client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()


class PlacedResponse(StreamingResponse):
    """A stream that gives its place back when it is over, also if its client left before it began.

    Parameters
    ----------
    place : Place
        Already taken.
    content : async iterable
    media_type : str
    headers : mapping
    """

    def __init__(
        self, place: Place, content: AsyncIterable[str | bytes], media_type: str, headers: Mapping[str, str]
    ) -> None:
        super().__init__(content, media_type=media_type, headers=headers)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self._place:
            await super().__call__(scope, receive, send)


class Reader:
    """Who reads a long answer.

    Parameters
    ----------
    authenticator : Authenticator
    request : Request
        That the answer was begun with.
    asker : Asker
        Who sent it then.
    """

    def __init__(self, authenticator: Authenticator, request: Request, asker: Asker) -> None:
        self._authenticator = authenticator
        self._request = request
        self._asker = asker
        self._began = time.monotonic()
        self._due = self._began + RECHECK_SECONDS

    def must_ask_anew(self) -> bool:
        """Whether it is too long ago that a proxy said who reads a stream without an end."""
        return self._asker.via == "proxy" and time.monotonic() - self._began >= PROXY_SECONDS

    async def may_go_on(self) -> bool:
        """Whether the same request would come from the same asker with the same rights; looked up now and then."""
        if time.monotonic() < self._due:
            return True
        self._due = time.monotonic() + RECHECK_SECONDS
        return await to_thread.run_sync(self._authenticator.still, self._request, self._asker)


def _refused(detail: str) -> HTTPException:
    return HTTPException(503, detail, {"Retry-After": "1"})
