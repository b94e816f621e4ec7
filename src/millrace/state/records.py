"""What is kept, as values; none of them holds a secret or the hash of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Role = Literal["viewer", "editor", "admin"]
"""What a user may: ask; share with everybody; manage users."""

Mode = Literal["open", "login", "proxy"]
"""How people say who they are: not at all, by a login, by a proxy's word."""

Source = Literal["local", "oidc"]
"""Where a user comes from."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may log in, or whose role a proxy's user has.

    Attributes
    ----------
    name : str
        Lower case, unique.
    scope_filter : str
        Text of the filter language that limits what the user sees; empty: no limit.
    has_password : bool
        Whether a local login is possible.
    created, last_login : float
        Unix seconds; 0: never.
    """

    name: str
    full_name: str
    email: str
    role: Role
    scope_filter: str
    enabled: bool
    source: Source
    has_password: bool
    created: float
    last_login: float


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to add."""

    name: str
    role: Role
    full_name: str = ""
    email: str = ""
    scope_filter: str = ""
    source: Source = "local"


@dataclass(frozen=True, slots=True)
class UserChange:
    """What to change of a user; None: leave."""

    full_name: str | None = None
    email: str | None = None
    role: Role | None = None
    scope_filter: str | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A login; times in Unix seconds."""

    user: str
    created: float
    seen: float
    expires: float


@dataclass(frozen=True, slots=True)
class Token:
    """An API token.

    Attributes
    ----------
    owner : str
        User whose it is; it ends with the user.
    scope_filter : str
        What limited the owner when it was made; the owner's present limit holds as well.
    created, expires, last_used : float
        Unix seconds; `expires` 0: never, `last_used` 0: never.
    mode : str
        In which it was made, and alone is valid: who was nobody in one mode is not somebody in another.
    manages : bool
        Whether it may manage users, passwords and tokens, as far as its role may.
    follows_login : bool
        Whether it ends when its owner does not log in any more.
    owner_seen : float
        Unix seconds of the owner's last login; in the mode `proxy`, when the proxy named the owner last.
    """

    id: str
    owner: str
    name: str
    role: Role
    scope_filter: str
    created: float
    expires: float
    last_used: float
    mode: Mode
    manages: bool
    follows_login: bool
    owner_seen: float


@dataclass(frozen=True, slots=True)
class FilterContent:
    """A filter with a name; ``@name`` in other filters means it."""

    name: str
    text: str
    description: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class ViewContent:
    """An exploration with a name; `state` is JSON that only the console understands."""

    name: str
    state: str
    description: str = ""
    shared: bool = False


@dataclass(frozen=True, slots=True)
class DashboardContent:
    """A page of widgets; `layout` is JSON that only the console understands, `filter` holds for every widget."""

    name: str
    layout: str
    filter: str = ""
    description: str = ""
    shared: bool = False


C = TypeVar("C", FilterContent, ViewContent, DashboardContent)


@dataclass(frozen=True, slots=True)
class Saved(Generic[C]):
    """Something saved: whose it is, and what; times in Unix seconds."""

    id: str
    owner: str
    created: float
    updated: float
    content: C
