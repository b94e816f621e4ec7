"""API tokens; only hashes of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import cast

from sqlalchemy import RowMapping, delete, func, insert, select, update

from millrace.errors import ConflictError, MissingError
from millrace.state.database import Database
from millrace.state.records import Mode, Role, Token
from millrace.state.tables import TOKENS
from millrace.state.texts import bounded, is_id


class TokenStore:
    """Tokens in the database.

    Parameters
    ----------
    database : Database
    most_per_user : int
    """

    def __init__(self, database: Database, most_per_user: int) -> None:
        self._database = database
        self._most = most_per_user

    def add(self, token: Token, digest: str) -> Token:
        """Keep a token and the hash of its secret.

        Raises
        ------
        ConflictError
            If its owner has one of this name, or too many.
        InvalidError
            If the name is malformed.
        """
        bounded("the name of the token", token.name, 100, 1)
        mine = TOKENS.c.owner == token.owner
        with self._database.write() as connection:
            if connection.execute(select(TOKENS.c.id).where(mine, TOKENS.c.name == token.name)).first():
                raise ConflictError(f"{token.owner!r} has a token {token.name!r} already")
            if connection.execute(select(func.count()).select_from(TOKENS).where(mine)).scalar_one() >= self._most:
                raise ConflictError(f"{token.owner!r} has {self._most} tokens, which is the most; revoke one first")
            connection.execute(insert(TOKENS).values(hash=digest, **asdict(token)))
        return token

    def find(self, token_id: str) -> tuple[Token, str] | None:
        """The token of an id and the hash of its secret."""
        if not is_id(token_id):
            return None
        with self._database.read() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.id == token_id)).mappings().first()
        return None if row is None else (_token(row), row["hash"])

    def all(self, owner: str | None = None) -> list[Token]:
        """Tokens of a user, or of everybody."""
        wanted = select(TOKENS).order_by(TOKENS.c.owner, TOKENS.c.name)
        if owner is not None:
            wanted = wanted.where(TOKENS.c.owner == owner)
        with self._database.read() as connection:
            return [_token(row) for row in connection.execute(wanted).mappings()]

    def touch(self, token_id: str, now: float) -> None:
        """Note that a token was used."""
        with self._database.write() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(last_used=now))

    def note_owner(self, owner: str, now: float) -> None:
        """Note that the owner of tokens was seen."""
        with self._database.write() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.owner == owner).values(owner_seen=now))

    def revoke_all(self, owner: str | None = None) -> int:
        """Remove every token, of one owner if given; returns how many."""
        gone = delete(TOKENS) if owner is None else delete(TOKENS).where(TOKENS.c.owner == owner)
        with self._database.write() as connection:
            return int(connection.execute(gone).rowcount)

    def revoke(self, token_id: str, owner: str | None = None) -> None:
        """Remove a token, of one owner if given.

        Raises
        ------
        MissingError
            If there is no such token, or it is somebody else's.
        """
        conditions = [TOKENS.c.id == token_id] + ([TOKENS.c.owner == owner] if owner is not None else [])
        with self._database.write() as connection:
            if not is_id(token_id) or not connection.execute(delete(TOKENS).where(*conditions)).rowcount:
                raise MissingError(f"there is no token {token_id[:64]!r}")


def _token(row: RowMapping) -> Token:
    return Token(
        id=row["id"],
        owner=row["owner"],
        name=row["name"],
        role=cast("Role", row["role"]),
        scope_filter=row["scope_filter"],
        created=row["created"],
        expires=row["expires"],
        last_used=row["last_used"],
        mode=cast("Mode", row["mode"]),
        manages=row["manages"],
        follows_login=row["follows_login"],
        owner_seen=row["owner_seen"],
    )
