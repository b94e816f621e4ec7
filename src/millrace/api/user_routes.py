"""Endpoints of users and API tokens."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from millrace.access import Identity
from millrace.api.access_problems import CHANGE, KNOWN, THROTTLED
from millrace.api.gate import Gate, presented_by
from millrace.api.problems import MISSING
from millrace.api.session_routes import client
from millrace.query import moment_ms
from millrace.state import Mode, NewUser, Role, Token, User, UserChange, user_name
from millrace.state.records import Source

log = structlog.get_logger(__name__)

_NAME = Field(min_length=1, max_length=400, examples=["alice"])
_FILTER = "Text of the filter language that limits what the user sees; empty: no limit."


_OWN = Field(
    None,
    max_length=4096,
    description="Password of who asks: needed where that one's login is older than `access.session.fresh_minutes`.",
)
_NEED_NOT = frozenset({"full_name", "email", "own_password"})
"""What may be changed of a user without giving anybody rights."""


class UserBody(BaseModel):
    """A user to add; without a password only a login provider or a proxy vouches for them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = _NAME
    role: Role = "viewer"
    password: str | None = Field(None, max_length=4096)
    full_name: str = Field("", max_length=200)
    email: str = Field("", max_length=200)
    scope_filter: str = Field("", max_length=10_000, description=_FILTER, examples=['InIfProvider = "a"'])
    own_password: str | None = _OWN


class UserPatch(BaseModel):
    """What to change of a user; what is left out stays. Another password ends the user's sessions."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Role | None = None
    password: str | None = Field(None, max_length=4096)
    full_name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=200)
    scope_filter: str | None = Field(None, max_length=10_000, description=_FILTER)
    enabled: bool | None = Field(None, description="Whether the user may log in; tokens too.")
    own_password: str | None = _OWN

    @property
    def gives_rights(self) -> bool:
        """Whether somebody could stay by it who has got hold of an administrator's session."""
        given = self.model_dump(exclude_none=True).keys() - _NEED_NOT
        return bool(given - {"enabled"}) or self.enabled is True


class UserView(BaseModel):
    """A user; times in ISO 8601."""

    name: str
    full_name: str
    email: str
    role: Role
    scope_filter: str
    enabled: bool
    source: Source
    has_password: bool
    created: str
    last_login: str | None


class TokenBody(BaseModel):
    """A token to make.

    `password` is that of who makes it, where people log in with one; who logs in otherwise must have done so
    in the last minutes (setting `access.session.fresh_minutes`).
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=100, examples=["grafana"])
    role: Role = "viewer"
    days: float | None = Field(
        None, gt=0, le=36_500, description="Until it ends; null: as the setting `access.token_default_days` says."
    )
    manages: Annotated[
        bool, Field(description="Whether it may manage users and tokens, too; only with the role admin.")
    ] = False
    password: str | None = Field(None, max_length=4096)


class TokenView(BaseModel):
    """An API token, without its secret; times in ISO 8601.

    `expires` is when it ends, by what was said when it was made and by the configuration. `refused` says why it
    is not valid now; null if it is. `login_by` is until when its owner must log in again, lest it be refused then;
    null if that does not matter.
    """

    id: str
    owner: str
    name: str
    role: Role
    mode: Mode
    manages: bool
    created: str
    expires: str | None
    login_by: str | None
    last_used: str | None
    refused: str | None


class NewTokenView(TokenView):
    """A token that was made: `token` is shown only now."""

    token: str


def user_routes(gate: Gate) -> APIRouter:
    """Endpoints for administrators."""
    users = gate.access.users
    admin = Depends(gate.require_managing("admin"))
    router = APIRouter(prefix="/users", tags=["users"], responses=KNOWN, dependencies=[admin])

    def told(event: str, name: str, by: Identity, **more: object) -> None:
        log.info(event, user=name, by=by.name, via=by.via, **more)

    @router.get("")
    def list_users() -> list[UserView]:
        """Every user, by name."""
        return [_user(user) for user in users.all()]

    def confirm(request: Request, identity: Identity, password: str | None) -> None:
        presented = presented_by(gate.access, request.scope)
        address = client(gate.access, presented)
        gate.access.logins.confirm(identity, presented.session, password, address, or_fresh=True)

    @router.post("", status_code=201, responses={**THROTTLED, **CHANGE})
    def add_user(request: Request, body: UserBody, identity: Identity = admin) -> UserView:
        """Add a user. By session, the login must be fresh, or the own password be given."""
        confirm(request, identity, body.own_password)
        new = NewUser(body.name, body.role, body.full_name, body.email, body.scope_filter)
        user = users.add(new, body.password)
        told("added a user", user.name, identity, role=user.role)
        return _user(user)

    @router.patch("/{name}", responses={**THROTTLED, **CHANGE, **MISSING})
    def change_user(
        request: Request, name: Annotated[str, Path(max_length=400)], body: UserPatch, identity: Identity = admin
    ) -> UserView:
        """Change a user; the last administrator stays one.

        By session, the login must be fresh, or the own password be given, for a password, a role, a limit, and to
        let somebody in again.
        """
        if body.gives_rights:
            confirm(request, identity, body.own_password)
        change = UserChange(body.full_name, body.email, body.role, body.scope_filter, body.enabled)
        user = users.change(name, change, body.password)
        what = body.model_dump(exclude_none=True).keys() - {"own_password"}
        told("changed a user", user.name, identity, what=sorted(what))
        return _user(user)

    @router.delete("/{name}", status_code=204, responses={**CHANGE, **MISSING})
    def remove_user(name: Annotated[str, Path(max_length=400)], identity: Identity = admin) -> None:
        """Remove a user, with sessions, tokens and what is not shared; the last administrator stays."""
        users.remove(name)
        told("removed a user", user_name(name), identity)

    return router


def token_routes(gate: Gate) -> APIRouter:
    """Endpoints of API tokens."""
    tokens = gate.access.tokens
    router = APIRouter(prefix="/tokens", tags=["tokens"], responses=KNOWN)
    viewer = Depends(gate.require_managing("viewer"))

    def view(token: Token, refused: str) -> dict[str, object]:
        return {
            "id": token.id,
            "owner": token.owner,
            "name": token.name,
            "role": token.role,
            "mode": token.mode,
            "manages": token.manages,
            "created": moment_ms(round(token.created * 1000)),
            "expires": _moment(tokens.ends(token)),
            "login_by": _moment(tokens.login_by(token)),
            "last_used": _moment(token.last_used),
            "refused": refused or None,
        }

    @router.get("")
    def list_tokens(identity: Identity = viewer) -> list[TokenView]:
        """One's own tokens; for administrators everybody's."""
        visible = tokens.visible(identity)
        return [TokenView(**view(token, why)) for token, why in zip(visible, tokens.refusals(visible), strict=True)]

    @router.post("", status_code=201, responses={**THROTTLED, **CHANGE})
    def make_token(request: Request, body: TokenBody, identity: Identity = viewer) -> NewTokenView:
        """Make a token; its text is shown only in this answer. Tokens cannot make any."""
        presented = presented_by(gate.access, request.scope)
        address = client(gate.access, presented)
        gate.access.logins.confirm(identity, presented.session, body.password, address)
        made = tokens.create(identity, body.name, body.role, body.days, manages=body.manages)
        said = {"id": made.token.id, "user": identity.name, "role": body.role, "manages": body.manages}
        log.info("made an API token", **said, address=address)
        return NewTokenView(**view(made.token, ""), token=made.text)

    @router.delete("/{id}", status_code=204, responses={**CHANGE, **MISSING})
    def revoke_token(token_id: Annotated[str, Path(alias="id")], identity: Identity = viewer) -> None:
        """Revoke a token of one's own; administrators any."""
        tokens.revoke(identity, token_id)
        log.info("revoked an API token", id=token_id, by=identity.name)

    return router


def _user(user: User) -> UserView:
    return UserView(
        name=user.name,
        full_name=user.full_name,
        email=user.email,
        role=user.role,
        scope_filter=user.scope_filter,
        enabled=user.enabled,
        source=user.source,
        has_password=user.has_password,
        created=moment_ms(round(user.created * 1000)),
        last_login=_moment(user.last_login),
    )


def _moment(seconds: float) -> str | None:
    """Unix seconds as text; None for 0, which means never."""
    return moment_ms(round(seconds * 1000)) if seconds else None
