"""The key that signs what browsers keep for us."""

from __future__ import annotations

import secrets

from sqlalchemy import Connection, insert, select

from millrace.errors import ConflictError
from millrace.state.database import Database
from millrace.state.tables import META

_ROW = "signing_key"


class SigningKey:
    """A random key, made once for a database: consoles that share one believe each other's signatures.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = b""

    def __call__(self) -> bytes:
        """The key; the database is asked once.

        Raises
        ------
        StateError
            If the database does not answer.
        """
        if not self._known:
            try:
                self._known = self._read_or_make()
            except ConflictError:  # another console was faster
                self._known = self._read_or_make()
        return self._known

    def _read_or_make(self) -> bytes:
        with self._database.read() as connection:
            found = _read(connection)
        if found is None:
            found = secrets.token_hex(32)
            with self._database.write() as connection:
                connection.execute(insert(META).values(key=_ROW, value=found))
        return bytes.fromhex(found)


def _read(connection: Connection) -> str | None:
    return connection.execute(select(META.c.value).where(META.c.key == _ROW)).scalar()
