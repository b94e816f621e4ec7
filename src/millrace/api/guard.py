"""Bounds on requests, before the application sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from millrace.api.askers import Asker
from millrace.api.problems import problem
from millrace.api.services import Services

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    # No other site may take what is here into its pages, pictures and scripts included.
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        # The editor and the charts write styles and draw pictures themselves.
        (
            b"default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            b"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
        ),
    ),
    (b"cache-control", b"no-store"),
)


class BodyGuard:
    """Reads a request's body, bounded in length and time, and adds headers for browsers to the response.

    Parameters
    ----------
    app : ASGI application
    max_bytes : int
    timeout_seconds : float
        For the whole body: a client that sends a byte per minute must not hold a request for ever.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, timeout_seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                # What a response says of itself stands: a file that never changes may be kept.
                said = {name.lower() for name, _ in given}
                message = {**message, "headers": given + [pair for pair in SECURITY_HEADERS if pair[0] not in said]}
            await send(message)

        try:
            body = await asyncio.wait_for(self._read(receive), self._timeout)
        except TimeoutError:
            late = problem(408, "the request body took too long", headers={"Connection": "close"})
            await late(scope, receive, send_guarded)
            return
        if body is None:
            detail = f"the request body is longer than {self._max_bytes} bytes"
            await problem(413, detail, headers={"Connection": "close"})(scope, receive, send_guarded)
            return

        replayed = False

        async def receive_again() -> Message:
            nonlocal replayed
            if replayed:
                return await receive()
            replayed = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_again, send_guarded)

    async def _read(self, receive: Receive) -> bytes | None:
        """The whole body; None if it is too long."""
        parts: list[bytes] = []
        length = 0
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return b"".join(parts)
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > self._max_bytes:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)


class HostGuard:
    """Answers only requests for known host names.

    A web page can point a name of its own at a loopback address and then read
    what answers there (DNS rebinding); the browser still sends that name.

    Parameters
    ----------
    app : ASGI application
    hosts : list of str
        Names without port; ``*``: all.
    """

    def __init__(self, app: ASGIApp, hosts: list[str]) -> None:
        self._app = app
        self._hosts = None if "*" in hosts else {host.strip("[]").lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and self._hosts is not None:
            name = _host_name(Headers(scope=scope).get("host", ""))
            if name not in self._hosts:
                detail = f"this server does not answer to the name {name[:100]!r}; see the setting api.allowed_hosts"
                await problem(421, detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _host_name(header: str) -> str:
    """Name of a ``Host`` header, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def identify(services: Services) -> Callable[[Request], Awaitable[Asker]]:
    """Dependency of an endpoint: who asks; 401 or 403 if nobody who may."""

    # Who asks was looked up before: in the event loop, as threads for endpoints may all be taken.
    async def identity(request: Request) -> Asker:
        return services.authenticator.identity(request)

    return identity


def unscoped(services: Services) -> Callable[[Request], Awaitable[Asker]]:
    """Dependency of an endpoint that tells of more than flows: who asks; 403 if it may see only a part of them."""

    async def identity(request: Request) -> Asker:
        asker = services.authenticator.identity(request)
        if asker.scope_filter:
            raise HTTPException(403, "you may see a part of the flows only; this tells of the whole collector")
        return asker

    return identity
