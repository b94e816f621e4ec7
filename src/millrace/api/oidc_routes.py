"""Endpoints of the login by OpenID Connect; browsers open them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from millrace.access import Access, Presented
from millrace.access.oidc import PENDING_SECONDS, OidcLogin
from millrace.access.secrets import signed, unsigned
from millrace.api.access_problems import KNOWN
from millrace.api.cookies import PENDING_COOKIE, drop_cookie, keep_cookie, read_cookie
from millrace.api.desk import Desk
from millrace.api.gate import presented_by
from millrace.api.problems import MISSING
from millrace.api.session_routes import SESSION, client, keep_session
from millrace.errors import DeniedError, LoginError, MillraceError, MissingError, ThrottledError
from millrace.telemetry import Brake

log = structlog.get_logger(__name__)
_brake = Brake()

_PURPOSE = "oidc"
_PATH = "/api/v1/session/oidc"
_MAX_NEXT = 2000


def oidc_routes(access: Access) -> APIRouter:
    """``/session/oidc/start`` and ``/session/oidc/callback``."""
    router = APIRouter(prefix=f"{SESSION}/oidc", tags=["session"], responses={**KNOWN, **MISSING})
    # Strangers ask these, and the provider decides how long they take.
    desk = Desk()

    async def seated(presented: Presented, work: Callable[[], RedirectResponse]) -> RedirectResponse:
        try:
            return await desk.run(client(access, presented), work)
        except ThrottledError as error:
            return _failed(error, presented)

    @router.get("/start", status_code=303, response_class=RedirectResponse)
    async def start(
        request: Request,
        following: Annotated[str, Query(alias="next", max_length=_MAX_NEXT, description="Page to open then.")] = "/",
    ) -> RedirectResponse:
        """Send the browser to the login provider."""
        login = _configured(access)
        presented = presented_by(access, request.scope)

        def begin() -> RedirectResponse:
            try:
                pending = login.begin(_callback(access, request, presented))
            except LoginError as error:
                return _failed(error, presented)
            response = RedirectResponse(pending.address, 303)
            kept = signed(access.state.signing_key(), _PURPOSE, f"{pending.cookie}.{_packed(_own_page(following))}")
            keep_cookie(response, presented, PENDING_COOKIE, kept, PENDING_SECONDS)
            return response

        return await seated(presented, begin)

    @router.get("/callback", status_code=303, response_class=RedirectResponse)
    async def callback(request: Request) -> RedirectResponse:
        """Where the login provider sends the browser back to: begins the session, or says why not."""
        login = _configured(access)
        presented = presented_by(access, request.scope)

        def finish() -> RedirectResponse:
            kept = read_cookie(presented.headers.get("cookie", ""), PENDING_COOKIE, secure=presented.secure)
            # Only a login that was begun here makes us ask the provider.
            text = unsigned(access.state.signing_key(), _PURPOSE, kept) or ""
            cookie, _, following = text.rpartition(".")
            try:
                said = login.finish(dict(request.query_params), cookie, _callback(access, request, presented))
                begun = access.logins.with_provider(said, client(access, presented), replaces=presented.session)
            except MillraceError as error:
                return _failed(error, presented)
            response = RedirectResponse(_own_page(_unpacked(following)), 303)
            keep_session(access, response, presented, begun)
            drop_cookie(response, presented, PENDING_COOKIE)
            return response

        return await seated(presented, finish)

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


def _failed(error: MillraceError, presented: Presented) -> RedirectResponse:
    """Back to the login page, with a word that it explains: texts from outside are not shown there."""
    # The message may hold what somebody put into an address; it is bounded and goes to the log only.
    _brake.write(log.warning, "a login by OpenID Connect failed", reason=str(error)[:500])
    words = {DeniedError: "denied", ThrottledError: "busy"}
    problem = next((word for kind, word in words.items() if isinstance(error, kind)), "failed")
    response = RedirectResponse(f"/login?problem=oidc-{problem}", 303)
    drop_cookie(response, presented, PENDING_COOKIE)
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
