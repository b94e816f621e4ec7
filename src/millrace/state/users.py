"""Users: who may log in, their roles and limits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from millrace.errors import ConflictError, InvalidError, MissingError
from millrace.state.database import Database
from millrace.state.records import NewUser, Role, Source, User, UserChange
from millrace.state.tables import DASHBOARDS, FILTERS, IDENTITIES, SESSIONS, TOKENS, USERS, VIEWS
from millrace.state.texts import bounded, user_name

MAX_TEXT = 200
MAX_FILTER = 10_000


class UserStore:
    """Users in the database.

    Parameters
    ----------
    database : Database
    most : int
        Users in all.
    """

    def __init__(self, database: Database, most: int) -> None:
        self._database = database
        self._most = most

    def all(self) -> list[User]:
        """Every user, by name."""
        with self._database.read() as connection:
            return [user_of(row) for row in connection.execute(select(USERS).order_by(USERS.c.name)).mappings()]

    def find(self, name: str) -> User | None:
        """The user of a name, if there is one."""
        try:
            key = user_name(name)
        except InvalidError:
            return None
        with self._database.read() as connection:
            row = connection.execute(select(USERS).where(USERS.c.name == key)).mappings().first()
        return None if row is None else user_of(row)

    def password_hash(self, name: str) -> str | None:
        """Hash of a user's password; None if the user or the password does not exist."""
        with self._database.read() as connection:
            return cast(
                "str | None", connection.execute(select(USERS.c.password_hash).where(USERS.c.name == name)).scalar()
            )

    def add(
        self, user: NewUser, password_hash: str | None, now: float, identity: tuple[str, str] | None = None
    ) -> User:
        """Add a user.

        Parameters
        ----------
        user : NewUser
        password_hash : str or None
            None: cannot log in with a password.
        now : float
            Unix seconds.
        identity : tuple of str, optional
            Issuer and subject of a login provider to bind the user to.

        Raises
        ------
        ConflictError
            If the name is taken, or there are too many users.
        InvalidError
            If a text is malformed, or an administrator would be limited.
        """
        name = user_name(user.name)
        with self._database.write() as connection:
            added = _add(connection, user, name, password_hash, now, self._most)
            if identity is not None:
                _bind(connection, name, identity)
            return added

    def change(self, name: str, change: UserChange) -> User:
        """Change a user; whoever may not log in any more loses the sessions.

        Raises
        ------
        MissingError
            If there is no such user.
        ConflictError
            If no administrator would be left.
        InvalidError
            If a text is malformed, or an administrator would be limited.
        """
        wanted = {key: value for key, value in asdict(change).items() if value is not None}
        with self._database.write() as connection:
            before = _locked(connection, name)
            after = {**{key: getattr(before, key) for key in asdict(change)}, **wanted}
            _check(after)
            if not (after["role"] == "admin" and after["enabled"]):
                _keep_an_admin(connection, before)
            connection.execute(update(USERS).where(USERS.c.name == before.name).values(**after))
            if not after["enabled"]:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.user == before.name))
            return _locked(connection, before.name)

    def set_password(self, name: str, password_hash: str) -> None:
        """Give a user another password; ends every session.

        Raises
        ------
        MissingError
            If there is no such user.
        """
        with self._database.write() as connection:
            user = _locked(connection, name)
            connection.execute(update(USERS).where(USERS.c.name == user.name).values(password_hash=password_hash))
            connection.execute(delete(SESSIONS).where(SESSIONS.c.user == user.name))

    def rehash(self, name: str, old: str, new: str) -> None:
        """Replace the hash of the same password, unless the password was changed meanwhile."""
        with self._database.write() as connection:
            connection.execute(
                update(USERS).where(USERS.c.name == name, USERS.c.password_hash == old).values(password_hash=new)
            )

    def remove(self, name: str) -> None:
        """Remove a user, with sessions, tokens and what was saved but not shared.

        Raises
        ------
        MissingError
            If there is no such user.
        ConflictError
            If no administrator would be left.
        """
        with self._database.write() as connection:
            user = _locked(connection, name)
            _keep_an_admin(connection, user)
            connection.execute(delete(TOKENS).where(TOKENS.c.owner == user.name))
            for table in (FILTERS, VIEWS, DASHBOARDS):
                connection.execute(delete(table).where(table.c.owner == user.name, ~table.c.shared))
            connection.execute(delete(USERS).where(USERS.c.name == user.name))

    def by_identity(self, issuer: str, subject: str) -> User | None:
        """The user whom a login provider knows under a subject."""
        joined = select(USERS).join(IDENTITIES, IDENTITIES.c.user == USERS.c.name)
        with self._database.read() as connection:
            row = (
                connection.execute(joined.where(IDENTITIES.c.issuer == issuer, IDENTITIES.c.subject == subject))
                .mappings()
                .first()
            )
        return None if row is None else user_of(row)

    def add_identity(self, name: str, issuer: str, subject: str) -> None:
        """Bind a user to the subject of a login provider.

        Raises
        ------
        MissingError
            If there is no such user.
        ConflictError
            If the subject is bound already.
        """
        with self._database.write() as connection:
            _bind(connection, _locked(connection, name).name, (issuer, subject))


def user_of(row: RowMapping) -> User:
    """User of a row of `users`."""
    return User(
        name=row["name"],
        full_name=row["full_name"],
        email=row["email"],
        role=cast("Role", row["role"]),
        scope_filter=row["scope_filter"],
        enabled=row["enabled"],
        source=cast("Source", row["source"]),
        has_password=row["password_hash"] is not None,
        created=row["created"],
        last_login=row["last_login"],
    )


def _add(connection: Connection, user: NewUser, name: str, password_hash: str | None, now: float, most: int) -> User:
    texts = {"full_name": user.full_name, "email": user.email, "role": user.role, "scope_filter": user.scope_filter}
    _check(texts)
    if connection.execute(select(USERS.c.name).where(USERS.c.name == name)).first():
        raise ConflictError(f"there is a user {name!r} already")
    if _count(connection) >= most:
        raise ConflictError(f"there are {most} users already, which is the most (setting state.max_users)")
    connection.execute(
        insert(USERS).values(
            name=name,
            **texts,
            enabled=True,
            source=user.source,
            password_hash=password_hash,
            created=now,
            last_login=0.0,
        )
    )
    return _locked(connection, name)


def _bind(connection: Connection, name: str, identity: tuple[str, str]) -> None:
    issuer, subject = identity
    bounded("the issuer", issuer, 2000, 1)
    bounded("the subject", subject, 500, 1)
    connection.execute(insert(IDENTITIES).values(issuer=issuer, subject=subject, user=name))


def _check(values: dict[str, Any]) -> None:
    bounded("the full name", values["full_name"], MAX_TEXT)
    bounded("the e-mail address", values["email"], MAX_TEXT)
    bounded("the filter", values["scope_filter"], MAX_FILTER)
    if values["role"] not in ("viewer", "editor", "admin"):
        raise InvalidError(f"{values['role']!r} is no role; roles are viewer, editor and admin")
    if values["role"] == "admin" and values["scope_filter"]:
        raise InvalidError("an administrator cannot be limited by a filter: whoever manages users could lift it")


def _locked(connection: Connection, name: str) -> User:
    missing = MissingError(f"there is no user {name[:100]!r}")
    try:
        key = user_name(name)
    except InvalidError:
        raise missing from None
    row = connection.execute(select(USERS).where(USERS.c.name == key).with_for_update()).mappings().first()
    if row is None:
        raise missing
    return user_of(row)


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(USERS).where(*conditions)).scalar_one())


def _keep_an_admin(connection: Connection, user: User) -> None:
    """Refuse what would take away the last administrator."""
    admins = select(USERS.c.name).where(USERS.c.role == "admin", USERS.c.enabled).with_for_update()
    names = set(connection.execute(admins).scalars())
    if names == {user.name}:
        raise ConflictError(f"{user.name!r} is the last administrator; make another user one first")
