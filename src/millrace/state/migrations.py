"""The version of the database's tables, and the way from older ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, insert, inspect, select, text, update

from millrace.errors import StateError
from millrace.state.tables import META, METADATA

VERSION = 3
"""Version that a new database has; `STEPS` lead to it."""

Step = Callable[[Connection], None]


def _bind_tokens(connection: Connection) -> None:
    """Tokens belong to the mode that they were made in, and follow their owner's logins from now on."""
    for column in (
        "mode VARCHAR(20) NOT NULL DEFAULT 'open'",
        "manages BOOLEAN NOT NULL DEFAULT FALSE",
        "follows_login BOOLEAN NOT NULL DEFAULT TRUE",
        "owner_seen DOUBLE PRECISION NOT NULL DEFAULT 0",
    ):
        connection.execute(text(f"ALTER TABLE tokens ADD COLUMN {column}"))
    # Nothing says in which mode a token was made. Everybody was `local` in the mode `open`; where anybody can log
    # in, users did; whom else, a proxy named. A wrong guess costs a token, and lets nobody in.
    connection.execute(text("UPDATE tokens SET mode = 'proxy' WHERE owner <> 'local'"))
    connection.execute(
        text(
            "UPDATE tokens SET mode = 'login' WHERE mode = 'proxy' AND owner IN (SELECT name FROM users)"
            " AND EXISTS (SELECT 1 FROM users WHERE password_hash IS NOT NULL OR source = 'oidc')"
        )
    )
    connection.execute(text("UPDATE tokens SET owner_seen = :now"), {"now": time.time()})


def _links_have_owners(connection: Connection) -> None:
    """Those that are there are nobody's: they go when they were not opened for long."""
    columns = (
        "id VARCHAR(64) NOT NULL, owner VARCHAR(100) NOT NULL, state TEXT NOT NULL, used DOUBLE PRECISION NOT NULL"
    )
    for statement in (
        f"CREATE TABLE owned_links ({columns}, PRIMARY KEY (id, owner))",
        "INSERT INTO owned_links (id, owner, state, used) SELECT id, '', state, used FROM links",
        "DROP TABLE links",
        "ALTER TABLE owned_links RENAME TO links",
        "CREATE INDEX links_used ON links (used)",
        "CREATE INDEX links_owner ON links (owner, used)",
    ):
        connection.execute(text(statement))


STEPS: Mapping[int, Step] = {2: _links_have_owners, 3: _bind_tokens}
"""By the version that a step leads to. A step says what it does in SQL of its own: `tables` moves on."""

_LOCK = 0x6D696C6C
"""Advisory lock of PostgreSQL: two consoles may start at the same time."""


def migrate(connection: Connection, version: int = VERSION, steps: Mapping[int, Step] = STEPS) -> None:
    """Bring the tables to the present version; runs in the caller's transaction.

    Raises
    ------
    StateError
        If a newer Millrace made the database.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if not inspect(connection).has_table(META.name):
        METADATA.create_all(connection)
        connection.execute(insert(META).values(key="version", value=str(version)))
        return
    found = int(connection.execute(select(META.c.value).where(META.c.key == "version")).scalar_one())
    if found > version:
        raise StateError(f"the state database has version {found}, made by a newer Millrace; this one knows {version}")
    for number in range(found + 1, version + 1):
        steps[number](connection)
    connection.execute(update(META).where(META.c.key == "version").values(value=str(version)))
