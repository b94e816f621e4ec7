"""Who sends a request, for endpoints: dependencies over `millrace.access`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import Request
from starlette.types import Scope

from millrace.access import Access, Identity, Presented
from millrace.api.askers import IDENTITY, Asker
from millrace.api.cookies import DEVICE_COOKIE, SESSION_COOKIE, read_cookie
from millrace.errors import AccessError, LoginError, StateError
from millrace.state import Role


class Gate:
    """Recognises who asks.

    `AccessGuard` has done so before an endpoint is reached; a request that came
    past it has no identity, and is refused.

    Parameters
    ----------
    access : Access
    """

    def __init__(self, access: Access) -> None:
        self.access = access

    def identity(self, request: Request) -> Identity:
        """Who sends a request.

        Raises
        ------
        LoginError
            If that is unknown.
        """
        identity = request.scope.get(IDENTITY)
        if not isinstance(identity, Identity):
            raise LoginError("log in first")
        return identity

    def recognised(self, request: Request) -> Identity | None:
        """Who sends a request that needs no identity; None: a stranger. Asks the database: not on the event loop."""
        try:
            return self.access.identify(presented_by(self.access, request.scope))
        except (AccessError, StateError):
            return None

    def recognised_at_sight(self, request: Request) -> bool:
        """Whether a request presents nothing that has to be looked up: strangers, and everybody in the mode `open`."""
        return self.access.at_sight(presented_by(self.access, request.scope))

    def saved(self, asker: Asker) -> Mapping[str, str]:
        """Texts of the saved filters that ``@name`` means, by name: one's own, then what others share."""
        visible = self.access.state.filters.visible(asker.name)
        return {saved.content.name: saved.content.text for saved in reversed(visible)}

    def still(self, request: Request, asker: Asker) -> bool:
        """Whether the session, token or proxy that a long answer was begun with still means the same asker."""
        try:
            return self.access.identify(presented_by(self.access, request.scope), again=True) == asker
        except AccessError:
            return False
        except StateError:
            # Who was let in stays while the database does not answer.
            return True

    def require(self, role: Role) -> Callable[[Request], Identity]:
        """Dependency: who asks, if the role suffices."""

        def identity(request: Request) -> Identity:
            found = self.identity(request)
            found.need(role)
            return found

        return identity

    def require_managing(self, role: Role) -> Callable[[Request], Identity]:
        """Dependency: who asks, if the role suffices, and tokens only if they were made to manage."""
        required = self.require(role)

        def identity(request: Request) -> Identity:
            found = required(request)
            found.need_managing()
            return found

        return identity


def keep_identity(scope: Scope, identity: Identity) -> None:
    """Note who sends a request, for its endpoint."""
    scope[IDENTITY] = identity


def presented_by(access: Access, scope: Scope) -> Presented:
    """What a request says of who sends it."""
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name in headers:
            repeated.add(name)
            value = f"{headers[name]}, {value}"
        headers[name] = value
    client = scope.get("client")
    peer = client[0] if client else ""
    secure = access.settings.secure_always or access.proxies.scheme(peer, headers, scope["scheme"]) == "https"
    cookies = headers.get("cookie", "")
    session, device = (read_cookie(cookies, name, secure=secure) for name in (SESSION_COOKIE, DEVICE_COOKIE))
    return Presented(peer, headers, session, device, secure, frozenset(repeated))
