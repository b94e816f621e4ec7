"""Asking a login provider: its discovery document, its keys, codes for tokens (OpenID Connect Core 1.0)."""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from millrace.access.config import OidcSettings
from millrace.errors import ConfigError, LoginError

if TYPE_CHECKING:
    import httpx

_WELL_KNOWN = "/.well-known/openid-configuration"
_MAX_BYTES = 1_000_000
_FRESH_SECONDS = 3600.0
_RETRY_SECONDS = 30.0
"""Keys are read again at most so often, whatever tokens name."""
_FAILED_SECONDS = 5.0
"""A provider that failed is asked again only then: meanwhile nobody waits for it."""


class Provider:
    """HTTP client of one login provider; asks nothing before it is needed.

    Parameters
    ----------
    settings : OidcSettings
    transport : httpx.BaseTransport, optional
        How requests travel; the network if absent.
    clock : callable
        Seconds, never going back.

    Raises
    ------
    ConfigError
        If the libraries for it are missing, or the issuer may not be asked in plain text.
    """

    def __init__(
        self,
        settings: OidcSettings,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for module in ("httpx", "joserfc"):
            if importlib.util.find_spec(module) is None:
                raise ConfigError("access.oidc: needs further libraries; install them: pip install 'millrace[oidc]'")
        _check_address("access.oidc.issuer", settings.issuer)
        self._settings = settings
        self._transport = transport
        self._clock = clock
        self._lock = threading.Lock()
        self._documents: dict[str, _Document] = {}

    def endpoint(self, name: str) -> str:
        """Address of an endpoint, by its name in the discovery document.

        Raises
        ------
        LoginError
            If the provider does not answer or does not have it.
        """
        document = self._document(self._settings.issuer + _WELL_KNOWN, _FRESH_SECONDS)
        if str(document.get("issuer", "")).rstrip("/") != self._settings.issuer:
            raise LoginError("the login provider calls itself otherwise than access.oidc.issuer does")
        address = document.get(name)
        if not isinstance(address, str):
            raise LoginError(f"the login provider has no {name}")
        try:
            _check_address(name, address)
        except ConfigError as error:
            raise LoginError(str(error)) from error
        return address

    @property
    def issuer(self) -> str:
        """The issuer exactly as the provider writes it (a slash at its end counts in tokens)."""
        self.endpoint("token_endpoint")
        return str(self._document(self._settings.issuer + _WELL_KNOWN, _FRESH_SECONDS)["issuer"])

    def keys(self, *, again: bool = False) -> list[dict[str, Any]]:
        """Public keys of the provider, as JSON Web Keys; `again`: they lack one, so read them anew."""
        age = _RETRY_SECONDS if again else _FRESH_SECONDS
        keys = self._document(self.endpoint("jwks_uri"), age, usable_meanwhile=not again).get("keys")
        return [key for key in keys if isinstance(key, dict)][:100] if isinstance(keys, list) else []

    def exchange(self, code: str, redirect: str, verifier: str) -> dict[str, Any]:
        """Tokens for a code (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
            "client_id": self._settings.client_id,
        }
        secret = self._settings.client_secret
        if secret is not None and self._secret_in_form():
            form["client_secret"] = secret.get_secret_value()
            secret = None
        auth = (self._settings.client_id, secret.get_secret_value()) if secret is not None else None
        return self._request("POST", self.endpoint("token_endpoint"), data=form, auth=auth)

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """Claims of the user-info endpoint (OpenID Connect Core §5.3)."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self._request("GET", self.endpoint("userinfo_endpoint"), headers=headers)

    def _secret_in_form(self) -> bool:
        document = self._document(self._settings.issuer + _WELL_KNOWN, _FRESH_SECONDS)
        methods = document.get("token_endpoint_auth_methods_supported")
        return isinstance(methods, list) and "client_secret_basic" not in methods and "client_secret_post" in methods

    def _document(self, address: str, max_age: float, *, usable_meanwhile: bool = True) -> dict[str, Any]:
        """A document of the provider, kept for a while.

        One thread at a time asks for it. Others take what there was meanwhile; if there was nothing, or it is too
        old to be of use, they wait for that answer, also if it is that the provider failed.
        """
        with self._lock:
            document = self._documents.setdefault(address, _Document())
            if document.text and self._clock() - document.read < max_age:
                return document.text
        if document.text and usable_meanwhile:
            if not document.asking.acquire(blocking=False):
                return document.text
        elif not document.asking.acquire(timeout=self._settings.timeout_seconds):
            raise LoginError("the login provider does not answer: others wait for it already")
        try:
            now = self._clock()
            if document.text and now - document.read < max_age:
                return document.text
            if document.failure is not None and now - document.failed < _FAILED_SECONDS:
                raise LoginError(str(document.failure))
            try:
                document.text = self._request("GET", address)
            except LoginError as error:
                document.failure, document.failed = error, self._clock()
                raise
            document.failure, document.read = None, self._clock()
            return document.text
        finally:
            document.asking.release()

    def _request(self, method: str, address: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
        import httpx

        try:
            with (
                httpx.Client(transport=self._transport, timeout=self._settings.timeout_seconds) as client,
                client.stream(method, address, **options) as answer,
            ):
                body = _body(answer.iter_bytes(), self._clock() + self._settings.timeout_seconds, self._clock)
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LoginError(f"the login provider does not answer: {type(error).__name__}") from error
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if status != 200 or not isinstance(found, dict):
            reason = found.get("error") if isinstance(found, Mapping) else None
            said = f" ({reason[:100]})" if isinstance(reason, str) else ""
            raise LoginError(f"the login provider answered {status}{said} to {urlsplit(address).path}")
        return found


@dataclass
class _Document:
    """A document of the provider, or how asking for it failed last."""

    text: dict[str, Any] = field(default_factory=dict)
    read: float = 0.0
    failure: LoginError | None = None
    failed: float = 0.0
    asking: threading.Lock = field(default_factory=threading.Lock)


def _body(parts: Any, deadline: float, clock: Callable[[], float]) -> bytes:  # noqa: ANN401 - httpx's iterator
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > _MAX_BYTES or clock() > deadline:
            raise LoginError("the login provider's answer is too long, or takes too long")
    return bytes(body)


def _check_address(what: str, address: str) -> None:
    """Only HTTPS, or a provider on this machine."""
    parts = urlsplit(address)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ConfigError(f"{what}: {address[:200]!r} must begin with https://")
