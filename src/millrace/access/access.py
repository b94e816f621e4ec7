"""Who asks: open, by session, by token, or by a proxy's word."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import structlog

from millrace.access.config import AccessSettings
from millrace.access.devices import Devices
from millrace.access.identity import Identity, both_filters, lower_role
from millrace.access.logins import Logins
from millrace.access.oidc import OidcLogin
from millrace.access.passwords import Passwords
from millrace.access.provider import Provider
from millrace.access.proxy import TrustedProxies, proxy_user
from millrace.access.secrets import TOKEN_PREFIX, digest, same, split_token
from millrace.access.throttle import Throttle
from millrace.access.tokens import Tokens
from millrace.access.users import CheckFilter, Users
from millrace.errors import ConfigError, LoginError, MissingError, QueryError, StateError
from millrace.state import Session, State, user_name

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger(__name__)

OPEN_NAME = "local"
"""Name of everybody in the mode `open`."""

_TOUCH_SECONDS = 60.0
"""When something was used last is kept this exactly: not a write per request."""

_NAMED_SECONDS = 3600.0
"""When a proxy named somebody last is kept this exactly, for their tokens."""
_MOST_NAMED = 10_000
_MOST_LIMITS = 256
"""Limits that a proxy said and that are known to be filters: they come with every request."""


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request says of who asks.

    Attributes
    ----------
    peer : str
        Address of the connection.
    headers : mapping of str to str
        By lower-case name; values of one name joined by commas.
    session, device : str
        Values of the cookies of the session and the device; may be empty.
    secure : bool
        Whether the browser reached us by HTTPS, as far as is known.
    repeated : frozenset of str
        Names of headers that came more than once.
    """

    peer: str
    headers: Mapping[str, str]
    session: str = ""
    device: str = ""
    secure: bool = False
    repeated: frozenset[str] = frozenset()


class Access:
    """Answers who asks, and does what changes that.

    Parameters
    ----------
    settings : AccessSettings
    state : State
    check_filter : callable
        Given the text of a filter, and saved filters by name, raises QueryError if it is wrong.
    clock : callable
        Unix seconds.
    steady : callable
        Seconds, never going back.
    transport : httpx.BaseTransport, optional
        How a login provider is reached; the network if absent.

    Attributes
    ----------
    logins, users, tokens
        What may be done.
    oidc : OidcLogin or None
    proxies : TrustedProxies
    """

    def __init__(
        self,
        settings: AccessSettings,
        state: State,
        check_filter: CheckFilter,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.state = state
        self.check_filter = check_filter
        self._check_limit = lru_cache(maxsize=_MOST_LIMITS)(lambda text: check_filter(text, {}))
        self.clock = clock
        self.proxies = TrustedProxies(settings)
        self._passwords = Passwords(settings.password)
        throttle = Throttle(settings.throttle, steady)
        self.logins = Logins(settings, state, self._passwords, throttle, Devices(state.signing_key, clock), clock)
        self.users = Users(state.users, self._passwords, check_filter, clock)
        self.tokens = Tokens(state, settings, clock)
        self._named: OrderedDict[str, float] = OrderedDict()
        self._named_lock = threading.Lock()
        self.oidc: OidcLogin | None = None
        if settings.oidc.issuer:
            self.oidc = OidcLogin(settings.oidc, Provider(settings.oidc, transport, steady), clock)

    def start(self) -> None:
        """Check what the configuration says; the state must be open.

        Raises
        ------
        ConfigError
            If a filter of the configuration is wrong.
        """
        for value, text in self.settings.oidc.scope_filters.items():
            try:
                self.check_filter(text, {})
            except QueryError as error:
                raise ConfigError(f"access.oidc.scope_filters.{value}: {error}") from error
        if self.settings.mode == "proxy" and self.proxies.anybody_here:
            log.warning(
                "whoever can connect from this machine can pose as the proxy, and so as anybody",
                fix="access.proxy.secret",
            )
        if self.settings.mode == "login":
            self._passwords.prepare()
            with contextlib.suppress(StateError):  # which was said already
                if self.oidc is None and not self.state.users.all():
                    log.warning("nobody can log in yet", fix="millrace user add NAME --role admin")

    def stop(self) -> None:
        """Nothing is held."""

    def identify(self, presented: Presented, *, again: bool = False) -> Identity:
        """Who asks.

        Parameters
        ----------
        presented : Presented
        again : bool
            What was presented before, looked at once more: a proxy has not named anybody anew.

        Raises
        ------
        LoginError
            If that is unknown.
        StateError
            If the state database does not answer.
        """
        scheme, _, credentials = presented.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_ours(credentials.strip()):
            return self._by_token(credentials.strip())
        if self.settings.mode == "open":
            return Identity(OPEN_NAME, "", "", "admin", "", "open")
        if self.settings.mode == "proxy":
            return self._by_proxy(presented, again=again)
        return self._by_session(presented.session)

    def at_sight(self, presented: Presented) -> bool:
        """Whether `identify` asks the state database nothing."""
        if self.settings.mode == "proxy" or presented.headers.get("authorization"):
            return False
        return self.settings.mode == "open" or not presented.session

    def of_user(self, name: str) -> Identity:
        """Identity of a user, for whoever administers in a shell.

        Raises
        ------
        MissingError
            If there is no such user, where everybody must be a known one.
        InvalidError
            If that is no name.
        """
        user = self.state.users.find(name)
        if user is not None:
            return Identity(user.name, user.full_name, user.email, user.role, user.scope_filter, "session")
        if self.settings.mode == "login":
            raise MissingError(f"there is no user {name[:100]!r}")
        return Identity(user_name(name), "", "", "admin", "", "open")

    def _note_named(self, name: str) -> None:
        """Note for somebody's tokens that the proxy named them: about once an hour."""
        now = self.clock()
        with self._named_lock:
            if now - self._named.get(name, 0.0) < _NAMED_SECONDS:
                return
            self._named[name] = now
            self._named.move_to_end(name)
            if len(self._named) > _MOST_NAMED:
                self._named.popitem(last=False)
        with contextlib.suppress(StateError):
            self.state.tokens.note_owner(name, now)

    def _is_ours(self, credentials: str) -> bool:
        # A proxy may keep a bearer token of its own in what it passes on.
        return credentials.startswith(TOKEN_PREFIX) or self.settings.mode != "proxy"

    def _by_session(self, secret: str) -> Identity:
        found = self.state.sessions.find(digest(secret)) if secret else None
        if found is None or not self._lasts(found[0]) or not found[1].enabled:
            raise LoginError("log in first")
        session, user = found
        now = self.clock()
        if now - session.seen >= _TOUCH_SECONDS:
            with contextlib.suppress(StateError):
                self.state.sessions.touch(digest(secret), now)
        return Identity(user.name, user.full_name, user.email, user.role, user.scope_filter, "session")

    def _lasts(self, session: Session) -> bool:
        now = self.clock()
        return now < session.expires and now - session.seen < self.settings.session.idle_minutes * 60

    def _by_token(self, text: str) -> Identity:
        parts = split_token(text)
        found = self.state.tokens.find(parts[0]) if parts else None
        if parts is None or found is None or not same(digest(parts[1]), found[1]):
            raise LoginError("the API token is unknown or was revoked")
        token, now = found[0], self.clock()
        owner = self.state.users.find(token.owner)
        refusal = self.tokens.refusal(token, owner)
        if refusal:
            raise LoginError(f"the API token {token.id!r} {refusal}")
        if now - token.last_used >= _TOUCH_SECONDS:
            with contextlib.suppress(StateError):
                self.state.tokens.touch(token.id, now)
        role = lower_role(token.role, owner.role) if owner else token.role
        limit = both_filters(token.scope_filter, owner.scope_filter) if owner else token.scope_filter
        return Identity(token.owner, token.name, "", role, limit, "token", manages=token.manages)

    def _by_proxy(self, presented: Presented, *, again: bool) -> Identity:
        self.proxies.check(presented.peer, presented.headers)
        said = proxy_user(self.settings.proxy, presented.headers, presented.repeated)
        if said.scope_filter:
            try:
                self._check_limit(said.scope_filter)
            except QueryError as error:
                # Beside another limit it could mean something after all: `a) OR (b`.
                raise LoginError(f"the header {self.settings.proxy.filter_header} of the proxy: {error}") from error
        user = self.state.users.find(said.name)
        if user is not None and not user.enabled:
            raise LoginError(f"the user {said.name!r} may not log in (any more)")
        if not again:
            self._note_named(said.name)
        role = said.role or (user.role if user else self.settings.proxy.default_role)
        limit = both_filters(said.scope_filter, user.scope_filter if user else "")
        return Identity(
            name=said.name,
            full_name=said.full_name or (user.full_name if user else ""),
            email=said.email or (user.email if user else ""),
            # An administrator could lift the limit.
            role="editor" if role == "admin" and limit else role,
            scope_filter=limit,
            via="proxy",
            avatar_url=said.avatar_url,
            logout_url=said.logout_url,
        )
