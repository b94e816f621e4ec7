"""Short links: the same state always has the same id."""

from __future__ import annotations

import base64
import hashlib

from sqlalchemy import Connection, delete, func, insert, select, update

from millrace.errors import MissingError
from millrace.state.database import Database
from millrace.state.tables import LINKS
from millrace.state.texts import bounded, is_id

MAX_STATE = 8192
_SHORTEST = 12
"""Characters of six bits: of 50 000 links, two share an id with a probability of 10⁻¹³, and then one is longer."""
_PRUNED_SHARE = 20
_TOUCH_SECONDS = 600.0
"""When a link was opened last is kept this exactly: not a write per opening."""


class LinkStore:
    """Links in the database.

    Parameters
    ----------
    database : Database
    most : int
        Links in all; those not opened for longest go when there are more.
    """

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most = most

    def add(self, state: str, now: float) -> str:
        """Keep a state and return its id.

        Raises
        ------
        InvalidError
            If it is empty or too long.
        """
        bounded("the state", state, MAX_STATE, 1)
        digest = base64.urlsafe_b64encode(hashlib.sha256(state.encode()).digest()).decode().rstrip("=")
        with self._database.write() as connection:
            for length in range(_SHORTEST, len(digest) + 1):
                kept = connection.execute(select(LINKS.c.state).where(LINKS.c.id == digest[:length])).scalar()
                if kept is None:
                    self._prune(connection)
                    connection.execute(insert(LINKS).values(id=digest[:length], state=state, used=now))
                if kept is None or kept == state:
                    return digest[:length]
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
        with self._database.read() as connection:
            found = connection.execute(select(LINKS.c.state, LINKS.c.used).where(LINKS.c.id == link_id)).first()
        if found is None:
            raise MissingError(f"there is no link {link_id!r}; it may not have been opened for long")
        state, used = found
        if now - used >= _TOUCH_SECONDS:
            with self._database.write() as connection:
                connection.execute(update(LINKS).where(LINKS.c.id == link_id).values(used=now))
        return str(state)

    def _prune(self, connection: Connection) -> None:
        if connection.execute(select(func.count()).select_from(LINKS)).scalar_one() < self._most:
            return
        oldest = select(LINKS.c.id).order_by(LINKS.c.used).limit(max(1, self._most // _PRUNED_SHARE))
        connection.execute(delete(LINKS).where(LINKS.c.id.in_(oldest.scalar_subquery())))
