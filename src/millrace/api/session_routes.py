"""Endpoints of the session: who am I, log in, log out, change the password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from millrace.access import Access, Identity, Login, Presented, csrf_token
from millrace.access.devices import DEVICE_DAYS
from millrace.access.identity import Via
from millrace.api.access_problems import CHANGE, KNOWN, THROTTLED
from millrace.api.cookies import DEVICE_COOKIE, SESSION_COOKIE, drop_cookie, keep_cookie
from millrace.api.gate import Gate, presented_by
from millrace.state import Mode, Role

SESSION = "/session"


class Credentials(BaseModel):
    """User name and password of a local user."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=400, examples=["alice"])
    password: str = Field(max_length=4096)


class PasswordChange(BaseModel):
    """A user's old and new password."""

    model_config = ConfigDict(extra="forbid", strict=True)

    old: str = Field(max_length=4096)
    new: str = Field(max_length=4096)


@dataclass(frozen=True, slots=True)
class May:
    """What somebody may do.

    Attributes
    ----------
    share : bool
        Save filters, views and dashboards for everybody, and change such ones.
    operate : bool
        See the state of exporters, store and collector.
    administer : bool
        Manage users and everybody's tokens; not with a token that was not made for it.
    """

    share: bool
    operate: bool
    administer: bool


@dataclass(frozen=True, slots=True)
class SessionView:
    """Who asks, and how.

    Attributes
    ----------
    scope_filter : str
        Limits what is seen; empty: no limit.
    via : str
        How the identity was presented.
    csrf_token : str
        Send it as `X-CSRF-Token` with every request that is not a GET; empty: not needed.
    has_password : bool
        Whether the user logs in with a password here: `POST /session/password` is possible, and a token needs it.
    """

    name: str
    full_name: str
    email: str
    role: Role
    scope_filter: str
    via: Via
    mode: Mode
    avatar_url: str
    logout_url: str
    csrf_token: str
    has_password: bool
    may: May


@dataclass(frozen=True, slots=True)
class LoginMethod:
    """A way to log in; `oidc` begins by opening `address`."""

    kind: Literal["password", "oidc"]
    label: str
    address: str


@dataclass(frozen=True, slots=True)
class LoginMethods:
    """How identities are presented here, and ways to log in (none unless the mode is `login`)."""

    mode: Mode
    methods: list[LoginMethod]


def session_routes(gate: Gate) -> APIRouter:
    """Endpoints of the session of who asks."""
    access = gate.access
    router = APIRouter(prefix=SESSION, tags=["session"], responses=KNOWN)
    # A value, because an annotation cannot name a local variable.
    asks = Depends(gate.identity)

    @router.get("")
    def session(request: Request, identity: Identity = asks) -> SessionView:
        """Who asks, and what they may; 401 if nobody is logged in."""
        return _view(access, identity, presented_by(access, request.scope).session)

    @router.get("/methods")
    def methods() -> LoginMethods:
        """How to log in; needs no login."""
        return LoginMethods(access.settings.mode, _methods(access))

    @router.post("", responses={**THROTTLED, **CHANGE})
    def login(request: Request, response: Response, credentials: Credentials) -> SessionView:
        """Log in with a password; the session is a cookie."""
        presented = presented_by(access, request.scope)
        begun = access.logins.with_password(
            credentials.name,
            credentials.password,
            client(access, presented),
            replaces=presented.session,
            device=presented.device,
        )
        return _begin(access, response, presented, begun)

    @router.delete("", status_code=204)
    def logout(
        request: Request,
        response: Response,
        identity: Identity = asks,
        *,
        everywhere: Annotated[bool, Query(description="End every session of the user.")] = False,
    ) -> None:
        """Log out."""
        presented = presented_by(access, request.scope)
        if identity.via == "session":
            access.logins.logout(presented.session)
            if everywhere:
                access.logins.logout_everywhere(identity)
        drop_cookie(response, presented, SESSION_COOKIE)

    @router.post("/password", responses={**THROTTLED, **CHANGE})
    def change_password(
        request: Request,
        response: Response,
        change: PasswordChange,
        identity: Identity = asks,
    ) -> SessionView:
        """Change the own password; every other session ends."""
        presented = presented_by(access, request.scope)
        begun = access.logins.change_password(
            identity, presented.session, change.old, change.new, client(access, presented)
        )
        return _begin(access, response, presented, begun)

    return router


def client(access: Access, presented: Presented) -> str:
    """Address of the client, also behind a trusted proxy."""
    return access.proxies.client(presented.peer, presented.headers)


def keep_session(access: Access, response: Response, presented: Presented, begun: Login) -> None:
    """Give the browser a session, and what makes it known at the next login."""
    keep_cookie(response, presented, SESSION_COOKIE, begun.session, access.settings.session.lifetime_hours * 3600)
    if begun.device:
        keep_cookie(response, presented, DEVICE_COOKIE, begun.device, DEVICE_DAYS * 86_400)


def _begin(access: Access, response: Response, presented: Presented, begun: Login) -> SessionView:
    keep_session(access, response, presented, begun)
    user = begun.user
    identity = Identity(user.name, user.full_name, user.email, user.role, user.scope_filter, "session")
    return _view(access, identity, begun.session)


def _view(access: Access, identity: Identity, session: str) -> SessionView:
    by_session = identity.via == "session"
    user = access.state.users.find(identity.name) if by_session else None
    return SessionView(
        name=identity.name,
        full_name=identity.full_name,
        email=identity.email,
        role=identity.role,
        scope_filter=identity.scope_filter,
        via=identity.via,
        mode=access.settings.mode,
        avatar_url=identity.avatar_url,
        logout_url=identity.logout_url,
        csrf_token=csrf_token(session) if by_session else "",
        has_password=user is not None and access.logins.by_password(user),
        may=May(identity.may_share, not identity.limited, identity.at_least("admin") and identity.manages),
    )


def _methods(access: Access) -> list[LoginMethod]:
    if access.settings.mode != "login":
        return []
    methods = [LoginMethod("password", "Password", "")] if access.settings.password.enabled else []
    if access.oidc is not None:
        methods.append(LoginMethod("oidc", access.settings.oidc.label, "/api/v1/session/oidc/start"))
    return methods
