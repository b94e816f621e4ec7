"""Endpoints of the login by OpenID Connect; browsers open them."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from millrace.access import Access, Presented
from millrace.access.oidc import PENDING_SECONDS, OidcLogin
from millrace.api.access_problems import KNOWN
from millrace.api.gate import presented_by
from millrace.api.problems import MISSING
from millrace.api.session_routes import SESSION, client, keep_session, secure
from millrace.errors import DeniedError, LoginError, MillraceError, MissingError
from millrace.telemetry import get_logger

log = get_logger("api")

PENDING_COOKIE = "millrace_oidc"
_PATH = "/api/v1/session/oidc"
_MAX_NEXT = 2000


def oidc_routes(access: Access) -> APIRouter:
    """``/session/oidc/start`` and ``/session/oidc/callback``."""
    router = APIRouter(prefix=f"{SESSION}/oidc", tags=["session"], responses={**KNOWN, **MISSING})

    @router.get("/start", status_code=303, response_class=RedirectResponse)
    def start(
        request: Request,
        following: Annotated[str, Query(alias="next", max_length=_MAX_NEXT, description="Page to open then.")] = "/",
    ) -> RedirectResponse:
        """Send the browser to the login provider."""
        login = _configured(access)
        presented = presented_by(request.scope)
        try:
            pending = login.begin(_callback(access, request, presented))
        except LoginError as error:
            return _failed(error)
        response = RedirectResponse(pending.address, 303)
        response.set_cookie(
            PENDING_COOKIE,
            f"{pending.cookie}.{_packed(_own_page(following))}",
            max_age=PENDING_SECONDS,
            path=_PATH,
            httponly=True,
            samesite="lax",
            secure=secure(access, presented, request.url.scheme),
        )
        return response

    @router.get("/callback", status_code=303, response_class=RedirectResponse)
    def callback(request: Request) -> RedirectResponse:
        """Where the login provider sends the browser back to: begins the session, or says why not."""
        login = _configured(access)
        presented = presented_by(request.scope)
        cookie, _, following = request.cookies.get(PENDING_COOKIE, "").rpartition(".")
        try:
            said = login.finish(dict(request.query_params), cookie, _callback(access, request, presented))
            begun = access.logins.with_provider(said, client(access, presented), replaces=presented.session)
        except MillraceError as error:
            return _failed(error)
        response = RedirectResponse(_own_page(_unpacked(following)), 303)
        keep_session(access, response, presented, request.url.scheme, begun.session)
        response.delete_cookie(PENDING_COOKIE, path=_PATH)
        return response

    return router


def _configured(access: Access) -> OidcLogin:
    if access.oidc is None:
        raise MissingError("there is no login by OpenID Connect here (setting access.oidc)")
    return access.oidc


def _callback(access: Access, request: Request, presented: Presented) -> str:
    """Address of our callback, as the browser sees it."""
    base = access.settings.public_url
    if not base:
        proxies = access.proxies
        scheme = proxies.scheme(presented.peer, presented.headers, request.url.scheme)
        base = f"{scheme}://{proxies.host(presented.peer, presented.headers)}"
    return f"{base}{_PATH}/callback"


def _failed(error: MillraceError) -> RedirectResponse:
    """Back to the login page, with a word that it explains: texts from outside are not shown there."""
    # The message may hold what somebody put into an address; it is bounded and goes to the log only.
    log.warning("a login by OpenID Connect failed", reason=str(error)[:500])
    problem = "denied" if isinstance(error, DeniedError) else "failed"
    response = RedirectResponse(f"/login?problem=oidc-{problem}", 303)
    response.delete_cookie(PENDING_COOKIE, path=_PATH)
    return response


def _own_page(path: str) -> str:
    """Only a page of this site: browsers take two slashes, or a slash and a backslash, for another one."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isascii() and path.isprintable()
    return path if fine else "/"


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return "/"
