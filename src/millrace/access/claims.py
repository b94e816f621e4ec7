"""What the claims of a login provider mean here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from millrace.access.config import OidcSettings
from millrace.access.identity import ROLES, either_filter
from millrace.errors import DeniedError, InvalidError
from millrace.state import Role, user_name

_MAX_TEXT = 200
_MAX_VALUES = 1000


@dataclass(frozen=True, slots=True)
class ProviderUser:
    """Somebody whom a login provider vouches for."""

    issuer: str
    subject: str
    name: str
    full_name: str
    email: str
    role: Role
    scope_filter: str


def provider_user(settings: OidcSettings, claims: Mapping[str, object]) -> ProviderUser:
    """Map verified claims by the configuration.

    Raises
    ------
    DeniedError
        If they hold no usable name, or nothing that gives a role.
    """
    try:
        name = user_name(_claim_text(claims, settings.name_claim))
    except InvalidError as error:
        raise DeniedError(f"the provider's claim {settings.name_claim} is no user name: {error}") from error
    groups = _claim_texts(claims, settings.role_claim)
    limits = _claim_texts(claims, settings.scope_claim or settings.role_claim)
    filters = [text for value, text in settings.scope_filters.items() if value in limits]
    role = _role(settings, groups, limited=bool(filters))
    if role is None:
        raise DeniedError(f"the provider gives {name!r} no role here (claim {settings.role_claim})")
    return ProviderUser(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        name=name,
        full_name=_claim_text(claims, settings.full_name_claim),
        email=_claim_text(claims, settings.email_claim),
        # An administrator could lift the limit.
        role="editor" if role == "admin" and filters else role,
        scope_filter=either_filter(filters) if filters else "",
    )


def _role(settings: OidcSettings, groups: set[str], *, limited: bool) -> Role | None:
    given = [settings.roles[group] for group in groups if group in settings.roles]
    if given:
        return max(given, key=ROLES.index)
    if limited:
        return "viewer"
    return settings.default_role or (None if settings.role_claim else "viewer")


def _claim(claims: Mapping[str, object], path: str) -> object:
    """Value of a claim; a name with dots that is none leads into objects."""
    if path in claims:
        return claims[path]
    found: object = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _claim_text(claims: Mapping[str, object], path: str) -> str:
    value = _claim(claims, path) if path else ""
    return value[:_MAX_TEXT].replace("\0", "") if isinstance(value, str) else ""


def _claim_texts(claims: Mapping[str, object], path: str) -> set[str]:
    value = _claim(claims, path) if path else None
    if isinstance(value, str):
        return {value}
    if isinstance(value, list):
        return {item for item in value[:_MAX_VALUES] if isinstance(item, str)}
    return set()
