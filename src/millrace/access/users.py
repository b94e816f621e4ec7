"""Users, as administrators manage them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from millrace.access.passwords import Passwords
from millrace.state import NewUser, User, UserChange
from millrace.state.users import UserStore

CheckFilter = Callable[[str, Mapping[str, str]], None]
"""Given the text of a filter and saved filters by name, raises QueryError if it is wrong."""


class Users:
    """Adds, changes and removes users; callers have checked that they may.

    Parameters
    ----------
    store : UserStore
    passwords : Passwords
    check_filter : callable
    clock : callable
        Unix seconds.
    """

    def __init__(
        self, store: UserStore, passwords: Passwords, check_filter: CheckFilter, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._check_filter = check_filter
        self._clock = clock

    def all(self) -> list[User]:
        """Every user, by name."""
        return self._store.all()

    def add(self, user: NewUser, password: str | None) -> User:
        """Add a user; without a password, only a login provider or a proxy can vouch for them.

        Raises
        ------
        QueryError
            If the filter is wrong.
        InvalidError
            If a text or the password is out of bounds.
        ConflictError
            If the name is taken.
        """
        user = replace(user, scope_filter=self._limit(user.scope_filter))
        stored = None if password is None else self._passwords.hash(password)
        return self._store.add(user, stored, self._clock())

    def change(self, name: str, change: UserChange, password: str | None = None) -> User:
        """Change a user; another password ends the sessions.

        Raises
        ------
        MissingError
            If there is no such user.
        QueryError
            If the filter is wrong.
        InvalidError
            If a text or the password is out of bounds.
        ConflictError
            If no administrator would be left.
        """
        if change.scope_filter is not None:
            change = replace(change, scope_filter=self._limit(change.scope_filter))
        stored = None if password is None else self._passwords.hash(password)
        user = self._store.change(name, change)
        if stored is None:
            return user
        self._store.set_password(name, stored)
        return replace(user, has_password=True)

    def remove(self, name: str) -> None:
        """Remove a user.

        Raises
        ------
        MissingError
            If there is no such user.
        ConflictError
            If no administrator would be left.
        """
        self._store.remove(name)

    def _limit(self, text: str) -> str:
        """A filter that limits, without saved filters: whoever is limited could change those."""
        text = text.strip()
        if text:
            self._check_filter(text, {})
        return text
