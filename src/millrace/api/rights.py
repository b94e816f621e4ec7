"""Who may use what of the HTTP interface: the one table of rights.

The documentation shows it, the guard reads from it what is open to strangers, and a test asks every route of the
application as everybody and compares. A route without a row is a mistake.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from millrace.api.console import CONSOLE_PAGES

Who = Literal[
    "viewer", "editor", "admin", "tenant", "viewer's token", "editor's token", "admin's token", "tenant's token",
    "managing token",
]  # fmt: skip
"""Somebody who is recognised. A tenant sees only some of the traffic, whatever the role; a managing token is an
administrator's that was made to manage."""

Need = Literal["nothing", "identity", "whole", "sharing", "tokens", "making tokens", "users", "session"]
"""What a route needs."""

_PEOPLE: frozenset[Who] = frozenset({"viewer", "editor", "admin", "tenant"})
_TOKENS: frozenset[Who] = frozenset(
    {"viewer's token", "editor's token", "admin's token", "tenant's token", "managing token"}
)
_TENANTS: frozenset[Who] = frozenset({"tenant", "tenant's token"})
EVERYBODY = _PEOPLE | _TOKENS
"""Of those who are recognised."""

MAY: dict[Need, frozenset[Who]] = {
    "nothing": EVERYBODY,
    "identity": EVERYBODY,
    "whole": EVERYBODY - _TENANTS,
    "sharing": EVERYBODY - _TENANTS - {"viewer", "viewer's token"},
    "tokens": _PEOPLE | {"managing token"},
    "making tokens": _PEOPLE,
    "users": frozenset({"admin", "managing token"}),
    "session": _PEOPLE,
}
"""Who has what is needed."""

WORDS: dict[Need, str] = {
    "nothing": "Open to strangers as well.",
    "identity": "Whoever is recognised. Answers are about the flows that the asker may see.",
    "whole": "It tells of the whole collector, so nothing to tenants.",
    "sharing": "It changes what everybody sees.",
    "tokens": "One's own tokens; administrators: everybody's.",
    "making tokens": "People, with their password where they have one.",
    "users": "Administrators. By session, what gives somebody rights needs a fresh login or their password.",
    "session": "People who have logged in here: nobody whom a proxy names.",
}


@dataclass(frozen=True, slots=True)
class Right:
    """What a route needs.

    Attributes
    ----------
    method, path : str
        As the route says.
    need : str
    shared : str
        What it needs where the thing in question is shared, or shall be; the same if empty.
    """

    method: str
    path: str
    need: Need
    shared: Need | Literal[""] = ""


def _saved(kind: str) -> tuple[Right, ...]:
    path = f"/api/v1/{kind}"
    return (
        Right("GET", path, "identity"),
        Right("POST", path, "identity", "sharing"),
        Right("PATCH", f"{path}/{{id}}", "identity", "sharing"),
        Right("DELETE", f"{path}/{{id}}", "identity", "sharing"),
    )


RIGHTS: tuple[Right, ...] = (
    Right("GET", "/health", "nothing"),
    Right("GET", "/healthz", "nothing"),
    Right("GET", "/metrics", "whole"),
    Right("POST", "/api/v1/flows/series", "identity"),
    Right("POST", "/api/v1/flows/top", "identity"),
    Right("POST", "/api/v1/flows/sankey", "identity"),
    Right("POST", "/api/v1/flows/heatmap", "identity"),
    Right("POST", "/api/v1/flows/table", "identity"),
    Right("POST", "/api/v1/flows/exporters", "identity"),
    Right("POST", "/api/v1/flows/search", "identity"),
    Right("GET", "/api/v1/flows/record/{id}", "identity"),
    Right("POST", "/api/v1/flows/values", "identity"),
    Right("POST", "/api/v1/flows/export", "identity"),
    Right("GET", "/api/v1/flows/live", "identity"),
    Right("POST", "/api/v1/filter/check", "identity"),
    Right("POST", "/api/v1/filter/complete", "identity"),
    Right("POST", "/api/v1/filter/combine", "identity"),
    Right("GET", "/api/v1/exporters", "whole"),
    Right("GET", "/api/v1/exporters/{address}", "whole"),
    Right("GET", "/api/v1/exporters/{address}/templates", "whole"),
    Right("GET", "/api/v1/columns", "identity"),
    Right("GET", "/api/v1/store", "whole"),
    Right("GET", "/api/v1/status", "identity"),
    Right("GET", "/api/v1/help", "identity"),
    Right("GET", "/api/v1/help/images/{name}", "identity"),
    Right("GET", "/api/v1/help/{page:path}", "identity"),
    Right("GET", "/api/v1/openapi.json", "identity"),
    Right("GET", "/api/docs", "identity"),
    Right("GET", "/api/v1/session", "identity"),
    Right("GET", "/api/v1/session/methods", "nothing"),
    Right("POST", "/api/v1/session", "nothing"),
    Right("DELETE", "/api/v1/session", "identity"),
    Right("POST", "/api/v1/session/password", "session"),
    Right("GET", "/api/v1/session/oidc/start", "nothing"),
    Right("GET", "/api/v1/session/oidc/callback", "nothing"),
    Right("GET", "/api/v1/users", "users"),
    Right("POST", "/api/v1/users", "users"),
    Right("PATCH", "/api/v1/users/{name}", "users"),
    Right("DELETE", "/api/v1/users/{name}", "users"),
    Right("GET", "/api/v1/tokens", "tokens"),
    Right("POST", "/api/v1/tokens", "making tokens"),
    Right("DELETE", "/api/v1/tokens/{id}", "tokens"),
    *_saved("filters"),
    *_saved("views"),
    *_saved("dashboards"),
    Right("POST", "/api/v1/links", "identity"),
    Right("GET", "/api/v1/links/{id}", "identity"),
)
"""Every route of the API and of machines that watch."""

PAGES: tuple[Right, ...] = tuple(
    Right("GET", path, "nothing")
    for path in (
        "/",
        "/assets/{name}",
        "/icon.svg",
        "/theme.js",
        *(f"/{page}{rest}" for page in CONSOLE_PAGES for rest in ("", "/{path:path}")),
    )
)
"""Pages and files of the console, which hold no data."""

OPEN = frozenset((right.method, right.path) for right in RIGHTS if right.need == "nothing")
"""Method and path of what strangers may use, beside the console."""
