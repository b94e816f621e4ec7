"""A client's requests take turns, so that none of them has every thread in which endpoints work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from anyio import Semaphore

from millrace.api.loops import PerLoop

AT_ONCE = 4
"""Of one client. Threads share one interpreter with the decoder: with more at once no client would be answered sooner,
and the decoder would wait longer for each."""

PRESENT = 200
"""Of one client, those that wait included: each holds one of the connections that all share."""

WITH_QUEUES = ("/api/v1/flows/", "/api/v1/exporters", "/api/v1/store")
"""Beginnings of addresses whose answers wait in bounded queues of their own, or last."""


@dataclass(slots=True)
class _Client:
    """Requests of one client: how many there are, and places for those that are answered."""

    places: Semaphore = field(default_factory=lambda: Semaphore(AT_ONCE))
    present: int = 0


class CrowdedError(Exception):
    """Too many requests of a client wait already."""


class Turns:
    """Lets a few requests of each client through at the same time; its others wait, and nobody else does."""

    def __init__(self) -> None:
        self._clients: PerLoop[dict[str, _Client]] = PerLoop(dict)

    def __len__(self) -> int:
        """Clients that have requests now."""
        return len(self._clients.get())

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a place, and hold it for the time of the block.

        Parameters
        ----------
        client : str
            Whose it is.

        Raises
        ------
        CrowdedError
        """
        clients = self._clients.get()
        found = clients.setdefault(client, _Client())
        if found.present >= PRESENT:
            raise CrowdedError(f"{PRESENT} requests of yours wait already; try again later")
        found.present += 1
        try:
            async with found.places:
                yield
        finally:
            found.present -= 1
            if not found.present:
                del clients[client]


def takes_turns(path: str) -> bool:
    """Whether what answers an address works in the threads that all share."""
    return not path.startswith(WITH_QUEUES)
