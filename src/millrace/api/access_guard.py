"""Nobody gets past without an identity, and no other web site sends changes in a user's name."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Receive, Scope, Send

from millrace.access import Access, Identity, Presented, csrf_token, same
from millrace.api.access_problems import access_problem
from millrace.api.askers import client_named
from millrace.api.gate import keep_identity, presented_by
from millrace.api.loops import PerLoop
from millrace.api.problems import problem
from millrace.api.rights import OPEN
from millrace.api.turns import CrowdedError, Turns, takes_turns
from millrace.errors import AccessError, DeniedError, StateError

API = "/api/"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_METRICS = "/metrics"
_WATCHER = Identity("metrics", "", "", "viewer", "", "open")
"""Whoever reads metrics where nobody has to say who they are."""
_LOOKUPS = 8
"""Look-ups at the same time: questions that fill the usual threads must not keep logins out."""


class AccessGuard:
    """Refuses requests without an identity, and forged ones.

    Open are health, the files of the console, and what a login needs; all else
    of the API is closed here, whatever an endpoint itself demands.

    Parameters
    ----------
    app : ASGI application
    access : Access
    """

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access
        self._turns = Turns()
        self._limiter = PerLoop(lambda: CapacityLimiter(_LOOKUPS))
        known = (*access.settings.allowed_origins, access.settings.public_url)
        self._origins = {_origin(text) for text in known if text}
        self._named = {urlsplit(text).netloc.lower() for text in known}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        presented = presented_by(self._access, scope)
        method, path = scope["method"], _path(scope)
        identity: Identity | None = None
        try:
            self._check_source(method, path, presented)
            if path == _METRICS and self._access.settings.metrics_open:
                keep_identity(scope, _WATCHER)
            elif not _is_open(method, path):
                identity = await self._identify(presented)
                _check_proof(method, identity, presented)
                keep_identity(scope, identity)
        except (AccessError, StateError) as error:
            await access_problem(error)(scope, receive, send)
            return
        except _UnsupportedBodyError:
            detail = "send JSON, with the header Content-Type: application/json"
            await problem(415, detail)(scope, receive, send)
            return
        if identity is None or not takes_turns(path):
            await self._app(scope, receive, send)
            return
        try:
            async with self._turns.turn(client_named(identity, presented.peer)):
                await self._app(scope, receive, send)
        except CrowdedError as error:
            await problem(503, str(error), headers={"Retry-After": "2"})(scope, receive, send)

    async def _identify(self, presented: Presented) -> Identity:
        return await to_thread.run_sync(self._access.identify, presented, limiter=self._limiter.get())

    def _check_source(self, method: str, path: str, presented: Presented) -> None:
        """Refuse what another web site sends with a user's browser: changes, and questions beside links to follow."""
        headers = presented.headers
        origin = headers.get("origin")
        host = self._access.proxies.host(presented.peer, headers)
        if method in _SAFE:
            # It could not read the answer, but have it made: streams, lists of thousands.
            if _is_data(path) and _is_embedded(headers) and not (origin and self._is_ours(origin, host)):
                raise DeniedError("the request comes from a page of another site")
            return
        if origin is not None:
            if not self._is_ours(origin, host):
                raise DeniedError(
                    f"the request comes from another site ({origin[:100]}); see the setting access.allowed_origins"
                )
        elif headers.get("sec-fetch-site") == "cross-site":
            raise DeniedError("the request comes from another site")
        if path.startswith(API) and _has_body(presented) and not _is_json(headers.get("content-type", "")):
            # Other kinds can be sent across sites without the browser asking first.
            raise _UnsupportedBodyError

    def _is_ours(self, origin: str, host: str) -> bool:
        """Whether a page of an origin may send changes: one that the settings name, or one of this host."""
        site = _site(origin)
        # Of a host that the settings name with `https:`, a page without it may be written by anybody on the way.
        return _origin(origin) in self._origins or (bool(site) and site == host and site not in self._named)


class _UnsupportedBodyError(Exception):
    """A body that is not JSON."""


def _is_open(method: str, path: str) -> bool:
    """Whether nobody has to say who they are: pages and files of the console, health, and what a login needs."""
    if path.startswith(API):
        return (method, path) in OPEN
    return method in _SAFE and path != _METRICS


def _is_data(path: str) -> bool:
    return path.startswith(API) or path == _METRICS


def _is_embedded(headers: Mapping[str, str]) -> bool:
    """Whether a page of another site sends a request for itself, rather than leads here (W3C Fetch Metadata)."""
    leads_here = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return headers.get("sec-fetch-site") == "cross-site" and not leads_here


def _check_proof(method: str, identity: Identity, presented: Presented) -> None:
    """A cookie comes with every request of a browser; only our own pages know the token."""
    if identity.via != "session" or method in _SAFE:
        return
    if not same(presented.headers.get("x-csrf-token", ""), csrf_token(presented.session)):
        raise DeniedError("the header X-CSRF-Token is missing or wrong; GET /api/v1/session tells it")


def _origin(address: str) -> str:
    """Scheme and host of a web address, as browsers write an origin."""
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket that is not closed, say
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def _site(origin: str) -> str:
    """Host of an origin, with its port."""
    return _origin(origin).partition("://")[2]


def _has_body(presented: Presented) -> bool:
    return "transfer-encoding" in presented.headers or presented.headers.get("content-length", "0").strip() != "0"


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _path(scope: Scope) -> str:
    """Path that routing sees."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(f"{root}/") else path
