"""Logins: sessions begin and end here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog

from millrace.access.claims import ProviderUser
from millrace.access.config import AccessSettings
from millrace.access.devices import Devices
from millrace.access.identity import Identity
from millrace.access.passwords import Passwords
from millrace.access.secrets import digest, new_secret
from millrace.access.throttle import Throttle
from millrace.errors import DeniedError, InvalidError, LoginError, StateError, ThrottledError
from millrace.state import NewUser, State, User, UserChange, user_name

log = structlog.get_logger(__name__)

_REFUSED = "the user name or the password is wrong"


@dataclass(frozen=True, slots=True)
class Login:
    """A session that has begun.

    Attributes
    ----------
    session : str
        Secret for the browser's cookie; not kept here.
    device : str
        For another cookie: that the user has logged in with this browser; empty if it has it already.
    """

    user: User
    session: str
    device: str = ""

    def __repr__(self) -> str:
        return f"Login({self.user.name!r})"


class Logins:
    """Begins and ends sessions.

    Parameters
    ----------
    settings : AccessSettings
    state : State
    passwords : Passwords
    throttle : Throttle
    devices : Devices
    clock : callable
        Unix seconds.
    """

    def __init__(
        self,
        settings: AccessSettings,
        state: State,
        passwords: Passwords,
        throttle: Throttle,
        devices: Devices,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._state = state
        self._passwords = passwords
        self._throttle = throttle
        self._devices = devices
        self._clock = clock

    def with_password(self, name: str, password: str, address: str, *, replaces: str = "", device: str = "") -> Login:
        """Log in.

        Parameters
        ----------
        name, password : str
        address : str
            Of the client.
        replaces : str
            Session that the browser has; it ends.
        device : str
            What an earlier login gave the browser to keep.

        Raises
        ------
        LoginError
            If user or password are wrong; it does not say which.
        ThrottledError
            If there were too many failures.
        DeniedError
            If there are no logins in this mode.
        """
        if self._settings.mode != "login":
            raise DeniedError(f"there is no login in the mode {self._settings.mode}")
        self._need_passwords()
        known = self._devices.known(_key(name), device)
        user = self._verified(name, password, address, known)
        log.info("logged in", user=user.name, address=address, by="password")
        begun = self._open(user, replaces)
        return begun if known else replace(begun, device=self._devices.mark(user.name))

    def with_provider(self, said: ProviderUser, address: str, *, replaces: str = "") -> Login:
        """Log in somebody whom the login provider vouches for.

        Raises
        ------
        DeniedError
            If no user may be made or taken over for that.
        """
        user = self._state.users.by_identity(said.issuer, said.subject)
        user = self._first_login(said) if user is None else self._refreshed(user, said)
        if not user.enabled:
            raise DeniedError(f"the user {user.name!r} may not log in (any more)")
        log.info("logged in", user=user.name, address=address, by="oidc")
        return self._open(user, replaces)

    def logout(self, session: str) -> None:
        """End a session."""
        self._state.sessions.close(digest(session))

    def logout_everywhere(self, identity: Identity) -> int:
        """End every session of a user; returns how many there were."""
        return self._state.sessions.close_all(identity.name)

    def confirm(
        self, identity: Identity, session: str, password: str | None, address: str, *, or_fresh: bool = False
    ) -> None:
        """Have who asks prove again who that is, before something is made that outlasts the session.

        Who has a password here says it; who has none must have logged in a short while ago. Where
        nobody logs in here there is nothing to prove it with.

        Parameters
        ----------
        identity : Identity
        session : str
            The session that was presented.
        password : str or None
        address : str
            Of the client.
        or_fresh : bool
            Whether such a login does for who has a password, too.

        Raises
        ------
        LoginError
            If the password is wrong.
        DeniedError
            If it is missing, or the login was too long ago.
        ThrottledError
            If there were too many failures.
        """
        if identity.via != "session":
            return
        found = self._state.sessions.find(digest(session))
        if found is None:
            raise LoginError("log in first")
        begun, user = found
        asked, minutes = self.by_password(user), self._settings.session.fresh_minutes
        fresh = self._clock() - begun.created < minutes * 60
        if asked and password:
            self._verified(user.name, password, address, digest(session))
        elif asked and not or_fresh:
            raise DeniedError("give your password for this")
        elif not fresh:
            own = "your password, or " if asked else ""
            raise DeniedError(f"this needs {own}a log-in of the last {minutes} minutes: log out, and in again")

    def by_password(self, user: User) -> bool:
        """Whether a user logs in with a password here."""
        return self._settings.password.enabled and user.has_password

    def change_password(self, identity: Identity, session: str, old: str, new: str, address: str) -> Login:
        """Change the own password: other sessions end, this one is replaced.

        Raises
        ------
        LoginError
            If the old password is wrong.
        DeniedError
            If not logged in with a session: a token must not be enough to take over its user. Also where nobody
            logs in with a password.
        InvalidError
            If the new password is too short or too long.
        """
        if identity.via != "session":
            raise DeniedError("a password can be changed only by its user, logged in")
        self._need_passwords()
        user = self._verified(identity.name, old, address, digest(session))
        self._state.users.set_password(user.name, self._passwords.hash(new))
        log.info("changed a password", user=user.name, address=address)
        return self._open(user, "")

    def _need_passwords(self) -> None:
        if not self._settings.password.enabled:
            raise DeniedError("there is no login with a password here (setting access.password.enabled)")

    def _verified(self, name: str, password: str, address: str, device: str) -> User:
        """The user of a name and a password; takes as long for unknown users.

        `device` is what a browser or session is known by that the user has logged in with; empty: none.
        """
        key = _key(name)
        self._throttle.begin(key, address, device)
        try:
            user = self._state.users.find(key) if key else None
            stored = self._state.users.password_hash(key) if user else None
            right = self._passwords.verify(stored, password, known=bool(device))
        except (StateError, ThrottledError):
            # Nobody learned anything: a flood of logins must not make failures of those who meet it.
            self._throttle.withdraw(key, address, device)
            raise
        if not right or user is None or stored is None or not user.enabled:
            # Unknown names are not logged: people type passwords there.
            log.warning("refused a login", user=user.name if user else "(unknown)", address=address)
            raise LoginError(_REFUSED)
        self._throttle.succeed(key, address, device)
        if self._passwords.outdated(stored):
            # It is right all the same, although it may be shorter than passwords that are set now.
            with suppress(InvalidError, ThrottledError):
                self._state.users.rehash(user.name, stored, self._passwords.hash(password))
        return user

    def _open(self, user: User, replaces: str) -> Login:
        now = self._clock()
        session = new_secret()
        expires = now + self._settings.session.lifetime_hours * 3600
        self._state.sessions.open(
            digest(session), user.name, now, expires, replaces=digest(replaces) if replaces else None
        )
        return Login(user, session)

    def _first_login(self, said: ProviderUser) -> User:
        identity = (said.issuer, said.subject)
        known = self._state.users.find(said.name)
        if known is not None and not self._settings.oidc.link_existing:
            raise DeniedError(
                f"there is a user {said.name!r} already who is not bound to the login provider; see the setting "
                "access.oidc.link_existing"
            )
        if known is not None:
            self._state.users.add_identity(known.name, *identity)
            return known
        if not self._settings.oidc.create_users:
            raise DeniedError(f"there is no user {said.name!r}; an administrator makes users here")
        new = NewUser(said.name, said.role, said.full_name, said.email, said.scope_filter, "oidc")
        return self._state.users.add(new, None, self._clock(), identity)

    def _refreshed(self, user: User, said: ProviderUser) -> User:
        """The provider decides of the users that it brought; of others, whoever made them."""
        if user.source != "oidc":
            return user
        change = UserChange(said.full_name, said.email, said.role, said.scope_filter)
        return self._state.users.change(user.name, change)


def _key(name: str) -> str:
    """A name as users have it; empty if nobody can have it."""
    try:
        return user_name(name)
    except InvalidError:
        return ""
