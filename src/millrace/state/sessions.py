"""Sessions: logins that last; only hashes of what the browser holds."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, update

from millrace.state.database import Database
from millrace.state.records import Session, User
from millrace.state.tables import SESSIONS, TOKENS, USERS
from millrace.state.users import user_of


class SessionStore:
    """Sessions in the database.

    Parameters
    ----------
    database : Database
    most_per_user : int
        The oldest ends when a user has more.
    """

    def __init__(self, database: Database, most_per_user: int) -> None:
        self._database = database
        self._most = most_per_user

    def open(self, digest: str, user: str, now: float, expires: float, *, replaces: str | None = None) -> None:
        """Begin a session and note the login; sessions that have expired go.

        Parameters
        ----------
        digest : str
            Hash of the session's secret.
        user : str
            Name of a user.
        now, expires : float
            Unix seconds.
        replaces : str, optional
            Hash of the session that the browser had before.
        """
        with self._database.write() as connection:
            connection.execute(delete(SESSIONS).where((SESSIONS.c.expires <= now) | (SESSIONS.c.hash == replaces)))
            connection.execute(insert(SESSIONS).values(hash=digest, user=user, created=now, seen=now, expires=expires))
            connection.execute(update(USERS).where(USERS.c.name == user).values(last_login=now))
            connection.execute(update(TOKENS).where(TOKENS.c.owner == user).values(owner_seen=now))
            self._end_oldest(connection, user)

    def find(self, digest: str) -> tuple[Session, User] | None:
        """The session of a hash and its user as the user is now; the caller judges times."""
        joined = select(SESSIONS.c.user, SESSIONS.c.created.label("began"), SESSIONS.c.seen, SESSIONS.c.expires, USERS)
        with self._database.read() as connection:
            row = (
                connection.execute(joined.join(USERS, USERS.c.name == SESSIONS.c.user).where(SESSIONS.c.hash == digest))
                .mappings()
                .first()
            )
        if row is None:
            return None
        return Session(row["user"], row["began"], row["seen"], row["expires"]), user_of(row)

    def touch(self, digest: str, now: float) -> None:
        """Note that a session was used."""
        with self._database.write() as connection:
            connection.execute(update(SESSIONS).where(SESSIONS.c.hash == digest).values(seen=now))

    def close(self, digest: str) -> None:
        """End one session."""
        with self._database.write() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.hash == digest))

    def close_all(self, user: str) -> int:
        """End every session of a user; returns how many."""
        with self._database.write() as connection:
            return int(connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user)).rowcount)

    def _end_oldest(self, connection: Connection, user: str) -> None:
        newest = (
            select(SESSIONS.c.hash)
            .where(SESSIONS.c.user == user)
            .order_by(SESSIONS.c.created.desc(), SESSIONS.c.hash)
            .limit(self._most)
        )
        kept = list(connection.execute(newest).scalars())
        connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user, SESSIONS.c.hash.not_in(kept)))
