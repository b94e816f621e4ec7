"""Puts access into the application: the guard, the errors, the endpoints, and what the OpenAPI document says."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI

from millrace.api.access_guard import AccessGuard
from millrace.api.access_problems import NOT_JSON, handle_access_errors
from millrace.api.cookies import SESSION_COOKIE
from millrace.api.gate import Gate
from millrace.api.oidc_routes import oidc_routes
from millrace.api.saved_routes import saved_routes
from millrace.api.session_routes import session_routes
from millrace.api.user_routes import token_routes, user_routes

_SESSION_WORDS = "A login in a browser; `__Host-millrace_session` where it came by HTTPS."
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "API token, `mlr_…`."},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": _SESSION_WORDS},
}


def install_security(app: FastAPI, gate: Gate, prefix: str) -> None:
    """Let nobody in without an identity, and add the endpoints of access and saved things.

    Parameters
    ----------
    app : FastAPI
        Guards that are added later stand before this one.
    gate : Gate
    prefix : str
        Of the endpoints.
    """
    handle_access_errors(app)
    app.include_router(access_routes(gate), prefix=prefix)
    app.include_router(saved_routes(gate), prefix=prefix)
    app.add_middleware(AccessGuard, access=gate.access)
    _document_security(app)


def access_routes(gate: Gate) -> APIRouter:
    """Endpoints of sessions, users and tokens."""
    router = APIRouter()
    for part in (session_routes(gate), oidc_routes(gate.access), user_routes(gate), token_routes(gate)):
        router.include_router(part)
    return router


def _document_security(app: FastAPI) -> None:
    """Say in the OpenAPI document how identities are presented."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        document = plain()
        document.setdefault("components", {})["securitySchemes"] = _SCHEMES
        # The empty one: by a proxy's word, or where nobody has to log in.
        for operation in (found for methods in document["paths"].values() for found in methods.values()):
            if "requestBody" in operation:
                operation["responses"].setdefault("415", NOT_JSON)
        document["security"] = [{"token": []}, {"session": []}, {}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
