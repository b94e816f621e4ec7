"""Connections of the HTTP interface: how many, how long each may do nothing, and who makes room.

Uvicorn bounds requests, not connections: whoever connects and says nothing is counted for ever, and at the bound
everybody else gets 503. Here a client that owes something (a request, or the rest of one) has a deadline, and makes
room for those who come when there is none; an address has a share; and beyond the bound health is still answered.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from typing import Any, Protocol

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from millrace.access.throttle import neighbourhood
from millrace.api.config import ApiSettings
from millrace.api.problems import problem

HEALTH_PATHS = frozenset({"/health", "/healthz"})

_RESERVE = 16
"""Connections beyond the bound, on which health alone is answered."""

MOST_UNREAD = 256 * 2**20
"""Bytes of answers that wait for their clients to read them."""

_LATELY_S = 60.0
LOCAL = "127.0.0.1"
"""Address of who comes through a Unix socket: somebody on this machine whom its mode lets in, such as a proxy."""


class Connection(Protocol):
    """What `Connections` needs of one."""

    def drop(self) -> None:
        """Close it now, whatever is under way."""


class Debtors:
    """Connections whose clients owe something, by address; every step takes the same time, however many there are."""

    def __init__(self) -> None:
        self._of: dict[str, OrderedDict[Connection, None]] = {}
        self._sites: defaultdict[int, OrderedDict[str, None]] = defaultdict(OrderedDict)
        self._most = 0

    def __contains__(self, connection_and_site: tuple[Connection, str]) -> bool:
        connection, site = connection_and_site
        return connection in self._of.get(site, ())

    def add(self, connection: Connection, site: str) -> None:
        """Note that a client owes something from now on."""
        own = self._of.setdefault(site, OrderedDict())
        own[connection] = None
        self._move(site, len(own) - 1, len(own))

    def remove(self, connection: Connection, site: str) -> None:
        """Note that it does not any more."""
        own = self._of[site]
        del own[connection]
        self._move(site, len(own) + 1, len(own))
        if not own:
            del self._of[site]

    def oldest_of(self, site: str) -> Connection | None:
        """The connection of an address that has owed something for longest."""
        return next(iter(self._of.get(site, ())), None)

    def oldest_of_most(self) -> Connection | None:
        """That of the address with the most of them: who has one does not leave for who has hundreds."""
        return self.oldest_of(next(iter(self._sites[self._most]))) if self._most else None

    def _move(self, site: str, before: int, after: int) -> None:
        """An address has one more or one less."""
        if before:
            del self._sites[before][site]
            if not self._sites[before]:
                del self._sites[before]
        if after:
            self._sites[after][site] = None
        if after > self._most or (before == self._most and before not in self._sites):
            self._most = after


class Connections:
    """Places for connections; used in the event loop alone, apart from `crowded`.

    Who owes something leaves first when places are needed: of its own address if that has its share, else of the
    address with the most such connections, the one that has for longest.

    Parameters
    ----------
    most : int
        Connections at the same time; a few more are let in for health.
    share : int
        Of one address (of IPv6: of one network of 64 bits). Unix sockets have no share.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, most: int, share: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._share = share
        self._clock = clock
        self._site: dict[Connection, str] = {}
        self._held: Counter[str] = Counter()
        self._debtors = Debtors()
        self._reserved: OrderedDict[Connection, None] = OrderedDict()
        self._crowded_at: float | None = None
        self.refused = 0
        """Connections that were closed to make room, or for want of it."""

    def __len__(self) -> int:
        return len(self._site)

    @property
    def crowded(self) -> bool:
        """Whether there was no room within the last minute."""
        return self._crowded_at is not None and self._clock() - self._crowded_at < _LATELY_S

    def enter(self, connection: Connection, address: str) -> bool:
        """Give a connection a place; false: only health is to be answered on it.

        Parameters
        ----------
        connection : Connection
        address : str
            Of the client; empty for a Unix socket.
        """
        site = neighbourhood(address)
        if site and self._held[site] >= self._share and not self._make_room(self._debtors.oldest_of(site)):
            return self._enter_reserve(connection)
        if len(self._site) - len(self._reserved) >= self._most and not self._make_room(self._debtors.oldest_of_most()):
            return self._enter_reserve(connection)
        self._site[connection] = site
        self._held[site] += 1
        self.note(connection, owes=True)
        return True

    def note(self, connection: Connection, *, owes: bool) -> None:
        """Note whether a client owes something; since when, is when it first did."""
        site = self._site.get(connection)
        if site is None or connection in self._reserved or owes == ((connection, site) in self._debtors):
            return
        if owes:
            self._debtors.add(connection, site)
        else:
            self._debtors.remove(connection, site)

    def leave(self, connection: Connection) -> None:
        """Give the place of a connection free; again does nothing."""
        site = self._site.pop(connection, None)
        if site is None:
            return
        if connection in self._reserved:
            del self._reserved[connection]
            return
        if (connection, site) in self._debtors:
            self._debtors.remove(connection, site)
        self._held[site] -= 1
        if not self._held[site]:
            del self._held[site]

    def _make_room(self, debtor: Connection | None) -> bool:
        """Close a connection; whether there is one."""
        self._crowded_at = self._clock()
        if debtor is None:
            return False
        self._drop(debtor)
        return True

    def _enter_reserve(self, connection: Connection) -> bool:
        if len(self._reserved) >= _RESERVE:
            self._drop(next(iter(self._reserved)))
        self._site[connection] = ""
        self._reserved[connection] = None
        return False

    def _drop(self, connection: Connection) -> None:
        self.refused += 1
        self.leave(connection)
        connection.drop()


def connections_of(settings: ApiSettings) -> Connections:
    """Places as the settings have them."""
    most = settings.max_connections
    return Connections(most, settings.max_connections_per_address or most - most // 4)


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 of one connection, with deadlines and a place among all.

    Parameters
    ----------
    places : Connections
    settings : ApiSettings
    given
        What uvicorn gives.
    """

    def __init__(self, places: Connections, settings: ApiSettings, **given: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(**given)
        self._places = places
        self._header_s = settings.header_timeout_seconds
        self._send_s = settings.send_timeout_seconds
        self._owed_since: float | None = None
        self._stalled_since: float | None = None
        self._lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a place."""
        super().connection_made(transport)  # type: ignore[arg-type]  # as uvicorn has it
        address = self.client[0] if self.client is not None else ""
        self.client = self.client or (LOCAL, 0)
        self._owed_since = time.monotonic()
        if not self._places.enter(self, address):
            self.app = HealthOnly(self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place free."""
        self._lost = True
        self._places.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes of requests."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._owed_since = None
        elif self._owed_since is None:
            self._owed_since = time.monotonic()
        self._note()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless the rest of this one is still to come: nobody reads that."""
        unread = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()
        if unread and not self.transport.is_closing():
            self.transport.close()
        self._note()

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        super().pause_writing()
        self._stalled_since = time.monotonic()

    def resume_writing(self) -> None:
        """Note that the client reads."""
        super().resume_writing()
        self._stalled_since = None

    def look(self, now: float) -> None:
        """Close the connection if its client is late; asked every second."""
        if self._owed_since is not None and now - self._owed_since > self._header_s:
            self.drop()
        if self._stalled_since is None and self.transport.is_closing():
            # What is not read keeps a closed connection, too.
            self._stalled_since = now
        elif self._stalled_since is not None and now - self._stalled_since > self._send_s:
            self.drop()

    def drop(self) -> None:
        """Close it now, whatever is under way."""
        if not self._lost:
            self.transport.abort()

    @property
    def site(self) -> str:
        """What the client's address shares its share with."""
        return neighbourhood(self.client[0]) if self.client is not None else ""

    @property
    def unread(self) -> int:
        """Bytes of answers that the client has yet to read, as far as they are in this process."""
        return 0 if self._lost else self.transport.get_write_buffer_size()

    def _note(self) -> None:
        self._places.note(self, owes=self.conn.their_state in (h11.IDLE, h11.SEND_BODY))


class Reading(Connection, Protocol):
    """What `shed_unread` needs of a connection."""

    @property
    def site(self) -> str:
        """What the client's address shares its share with."""

    @property
    def unread(self) -> int:
        """Bytes of answers that wait for the client."""


def shed_unread(connections: Iterable[Reading], most: int = MOST_UNREAD) -> int:
    """Close connections whose clients do not read what they asked for, until the rest of it is within a bound.

    An answer that is made holds no place any more, only memory: who asks for large ones and reads none would fill it.

    Parameters
    ----------
    connections : iterable of Reading
    most : int
        Bytes. Of the address with the most of them, the connection with the most leaves first.

    Returns
    -------
    int
        Connections that were closed.
    """
    held: defaultdict[str, list[tuple[int, Reading]]] = defaultdict(list)
    for connection in connections:
        if connection.unread:
            held[connection.site].append((connection.unread, connection))
    total_of = {site: sum(size for size, _ in its) for site, its in held.items()}
    for its in held.values():
        its.sort(key=lambda entry: entry[0])
    total, closed = sum(total_of.values()), 0
    while total > most:
        site = max(total_of, key=lambda name: total_of[name])
        size, connection = held[site].pop()
        connection.drop()
        total_of[site] -= size
        total -= size
        closed += 1
    return closed


class HealthOnly:
    """Answers health and nothing else, for connections beyond the bound.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        detail = "there are as many connections as there may be (api.max_connections), or as many from your address"
        await problem(503, detail, headers={"Connection": "close", "Retry-After": "2"})(scope, receive, send)
