"""Who asks, and what a role may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from millrace.errors import DeniedError
from millrace.state import Role

Via = Literal["open", "session", "token", "proxy"]

ROLES: tuple[Role, ...] = ("viewer", "editor", "admin")
"""From the least to the most."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks.

    Attributes
    ----------
    scope_filter : str
        Text of the filter language that limits every answer; empty: no limit.
    via : str
        How the identity was presented.
    manages : bool
        Whether users, passwords and tokens may be managed, as far as the role may: of tokens only those that
        were made for it. A token lies in files and scripts; who finds one must not be able to stay.
    """

    name: str
    full_name: str
    email: str
    role: Role
    scope_filter: str
    via: Via
    avatar_url: str = ""
    logout_url: str = ""
    manages: bool = True

    @property
    def limited(self) -> bool:
        """Whether only some traffic may be seen (a tenant)."""
        return bool(self.scope_filter)

    def at_least(self, role: Role) -> bool:
        """Whether the role is this one or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def need(self, role: Role) -> None:
        """Raise unless the role suffices.

        Raises
        ------
        DeniedError
        """
        if not self.at_least(role):
            raise DeniedError(f"this needs the role {role}; {self.name!r} is {self.role}")

    def need_managing(self) -> None:
        """Raise unless users, passwords and tokens may be managed.

        Raises
        ------
        DeniedError
        """
        if not self.manages:
            raise DeniedError("this API token was not made to manage users and tokens; log in, or make one that may")

    @property
    def may_share(self) -> bool:
        """Whether this identity may change what everybody sees; a tenant's things would show to other tenants."""
        return self.at_least("editor") and not self.limited


def lower_role(first: Role, second: Role) -> Role:
    """The role that may less."""
    return min(first, second, key=ROLES.index)


def both_filters(first: str, second: str) -> str:
    """Filter that matches what both match; empty filters limit nothing."""
    if not first or not second or first == second:
        return first or second
    # A filter may end in a comment.
    return f"({first}\n) AND ({second}\n)"


def either_filter(filters: list[str]) -> str:
    """Filter that matches what any matches."""
    return filters[0] if len(filters) == 1 else " OR ".join(f"({text}\n)" for text in filters)
