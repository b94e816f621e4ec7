"""Short links: the same state always has the same id."""

from __future__ import annotations

import base64
import hashlib

from sqlalchemy import Connection, delete, func, insert, select, update

from millrace.errors import ConflictError, MissingError
from millrace.state.database import Database
from millrace.state.tables import LINKS
from millrace.state.texts import bounded, is_id

MAX_STATE = 8192
_SHORTEST = 12
"""Characters of six bits: of 50 000 links, two share an id with a probability of 10⁻¹³, and then one is longer."""
_PRUNED_SHARE = 20
_TOUCH_SECONDS = 600.0
"""When a link was opened last is kept this exactly: not a write per opening."""

_FORGOTTEN_SECONDS = 183 * 86_400.0
"""Links that were not opened for so long go when there is no room, whoever made them."""


class LinkStore:
    """Links in the database.

    Parameters
    ----------
    database : Database
    most : int
        Links in all.
    most_of_one : int
        Links of one user; those not opened for longest go when there are more.
    """

    def __init__(self, database: Database, most: int, most_of_one: int) -> None:
        self._database = database
        self._most = most
        self._most_of_one = min(most, most_of_one)

    def add(self, owner: str, state: str, now: float) -> str:
        """Keep a state for who makes a link to it, and return its id.

        Raises
        ------
        InvalidError
            If it is empty or too long.
        ConflictError
            If there are as many links as there may be, and none to make room of who makes it.
        """
        bounded("the state", state, MAX_STATE, 1)
        digest = base64.urlsafe_b64encode(hashlib.sha256(state.encode()).digest()).decode().rstrip("=")
        with self._database.write() as connection:
            for length in range(_SHORTEST, len(digest) + 1):
                link_id = digest[:length]
                kept = connection.execute(select(LINKS.c.owner, LINKS.c.state).where(LINKS.c.id == link_id)).all()
                if any(other != state for _, other in kept):
                    continue
                if owner not in {known for known, _ in kept}:
                    self._make_room(connection, owner, now)
                    connection.execute(insert(LINKS).values(id=link_id, owner=owner, state=state, used=now))
                return link_id
        raise AssertionError("two states have the same hash")

    def find(self, link_id: str, now: float) -> str:
        """The state of an id.

        Raises
        ------
        MissingError
            If there is none.
        """
        if not is_id(link_id):
            raise MissingError("there is no such link")
        opened = select(LINKS.c.state, func.min(LINKS.c.used)).where(LINKS.c.id == link_id).group_by(LINKS.c.state)
        with self._database.read() as connection:
            found = connection.execute(opened).first()
        if found is None:
            raise MissingError(f"there is no link {link_id!r}; it may not have been opened for long")
        state, used = found
        if now - used >= _TOUCH_SECONDS:
            with self._database.write() as connection:
                connection.execute(update(LINKS).where(LINKS.c.id == link_id).values(used=now))
        return str(state)

    def _make_room(self, connection: Connection, owner: str, now: float) -> None:
        """Make room for one more, at the cost of who makes it."""
        count = select(func.count()).select_from(LINKS)
        own = connection.execute(count.where(LINKS.c.owner == owner)).scalar_one()
        if own >= self._most_of_one:
            self._prune(connection, owner, self._most_of_one)
            return
        if connection.execute(count).scalar_one() < self._most:
            return
        forgotten = delete(LINKS).where(LINKS.c.used < now - _FORGOTTEN_SECONDS)
        if connection.execute(forgotten).rowcount:
            return
        if not own:
            raise ConflictError(
                f"there are {self._most} short links, as many as there may be (state.max_links), and none of yours"
            )
        self._prune(connection, owner, own)

    @staticmethod
    def _prune(connection: Connection, owner: str, of: int) -> None:
        """Remove a part of a user's links, those not opened for longest."""
        oldest = select(LINKS.c.id).where(LINKS.c.owner == owner).order_by(LINKS.c.used)
        some = oldest.limit(max(1, of // _PRUNED_SHARE)).scalar_subquery()
        connection.execute(delete(LINKS).where(LINKS.c.owner == owner, LINKS.c.id.in_(some)))
