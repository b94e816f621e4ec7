"""Filters, views and dashboards: things with a name, kept for oneself or shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Generic

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, update

from millrace.errors import ConflictError, MissingError
from millrace.state.database import Database
from millrace.state.records import C, Saved
from millrace.state.texts import bounded, is_id, new_id

MAX_LENGTHS = {"name": 100, "description": 2000, "text": 10_000, "filter": 10_000, "state": 32_768, "layout": 60_000}
"""Characters, by field of what is saved."""

Judge = Callable[[Saved[C]], C]
"""Given what is saved, returns what shall be; raises if that may not be."""


class SavedStore(Generic[C]):
    """Saved things of one kind.

    Parameters
    ----------
    database : Database
    table : Table
    kind : type
        What is saved; its fields are columns of the table.
    what : str
        How messages call it.
    most_per_user : int
    longest_per_user : int
        Characters of all that a user has saved.
    """

    def __init__(
        self, database: Database, table: Table, kind: type[C], what: str, most_per_user: int, longest_per_user: int
    ) -> None:
        self._database = database
        self._table = table
        self._kind: type[C] = kind
        self._what = what
        self._most = most_per_user
        self._longest = longest_per_user

    def visible(self, owner: str) -> list[Saved[C]]:
        """What a user has saved, and what others share; own first, then by name."""
        columns = self._table.c
        wanted = select(self._table).where((columns.owner == owner) | columns.shared)
        with self._database.read() as connection:
            rows = connection.execute(wanted.order_by(columns.owner != owner, columns.name)).mappings()
            return [self._saved(row) for row in rows]

    def add(self, owner: str, content: C, now: float) -> Saved[C]:
        """Save something new.

        Raises
        ------
        ConflictError
            If the name is taken, or the user has too many, or too long ones.
        InvalidError
            If a text is too long.
        """
        self._check(content)
        columns = self._table.c
        with self._database.write() as connection:
            mine = select(func.count()).select_from(self._table).where(columns.owner == owner)
            if connection.execute(mine).scalar_one() >= self._most:
                raise ConflictError(f"{owner!r} has {self._most} {self._what}s, which is the most; remove one first")
            self._check_name(connection, owner, content, "")
            self._check_length(connection, owner, content, "")
            saved = Saved(new_id(), owner, now, now, content)
            row = {"id": saved.id, "owner": owner, "created": now, "updated": now, **asdict(content)}
            connection.execute(insert(self._table).values(**row))
            return saved

    def change(self, saved_id: str, judge: Judge[C], now: float) -> Saved[C]:
        """Change what is saved.

        Parameters
        ----------
        saved_id : str
        judge : callable
            Given what is saved, returns what shall be; nobody can change it in between.
        now : float
            Unix seconds.

        Raises
        ------
        MissingError
            If there is no such thing.
        ConflictError
            If the name is taken, or the owner's become too long.
        InvalidError
            If a text is too long.
        """
        with self._database.write() as connection:
            saved = self._locked(connection, saved_id)
            content = judge(saved)
            self._check(content)
            self._check_name(connection, saved.owner, content, saved.id)
            if _length(content) > _length(saved.content):
                self._check_length(connection, saved.owner, content, saved.id)
            changes = {"updated": now, **asdict(content)}
            connection.execute(update(self._table).where(self._table.c.id == saved.id).values(**changes))
            return Saved(saved.id, saved.owner, saved.created, now, content)

    def remove(self, saved_id: str, judge: Callable[[Saved[C]], None]) -> None:
        """Remove something saved, unless `judge` raises.

        Raises
        ------
        MissingError
            If there is no such thing.
        """
        with self._database.write() as connection:
            judge(self._locked(connection, saved_id))
            connection.execute(delete(self._table).where(self._table.c.id == saved_id))

    def _locked(self, connection: Connection, saved_id: str) -> Saved[C]:
        wanted = select(self._table).where(self._table.c.id == saved_id).with_for_update()
        row = connection.execute(wanted).mappings().first() if is_id(saved_id) else None
        if row is None:
            raise self.missing(saved_id)
        return self._saved(row)

    def missing(self, saved_id: str) -> MissingError:
        """The error for an id of nothing (or of something that is not for the eyes of who asks)."""
        return MissingError(f"there is no {self._what} {saved_id[:64]!r}")

    def _check(self, content: C) -> None:
        for name, most in MAX_LENGTHS.items():
            if hasattr(content, name):
                bounded(f"the {self._what}'s {name}", getattr(content, name), most, 1 if name == "name" else 0)

    def _check_name(self, connection: Connection, owner: str, content: C, own_id: str) -> None:
        """Names are one per owner, and one among what is shared."""
        columns = self._table.c
        same = columns.owner == owner
        if content.shared:
            same |= columns.shared
        taken = select(columns.owner).where(columns.name == content.name, columns.id != own_id, same)
        found = connection.execute(taken).scalars().first()
        if found is not None:
            whose = "you have" if found == owner else f"{found!r} shares"
            raise ConflictError(f"{whose} a {self._what} {content.name!r} already")

    def _check_length(self, connection: Connection, owner: str, content: C, own_id: str) -> None:
        """All that a user has saved is read at once."""
        columns = self._table.c
        lengths = [func.coalesce(func.sum(func.length(columns[name])), 0) for name in _texts(content)]
        others = select(*lengths).where(columns.owner == owner, columns.id != own_id)
        if sum(connection.execute(others).one()) + _length(content) > self._longest:
            raise ConflictError(
                f"the {self._what}s of {owner!r} would have more than {self._longest} characters; remove one first"
            )

    def _saved(self, row: RowMapping) -> Saved[C]:
        content = self._kind(**{field.name: row[field.name] for field in fields(self._kind)})
        return Saved(row["id"], row["owner"], row["created"], row["updated"], content)


def _texts(content: object) -> dict[str, str]:
    """Texts of what is saved, by field."""
    return {name: value for name in MAX_LENGTHS if isinstance(value := getattr(content, name, None), str)}


def _length(content: object) -> int:
    return sum(map(len, _texts(content).values()))
