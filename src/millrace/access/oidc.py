"""Login by OpenID Connect: authorization code with PKCE, state and nonce."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from millrace.access.claims import ProviderUser, provider_user
from millrace.access.config import OidcSettings
from millrace.access.provider import Provider
from millrace.access.secrets import new_secret, same
from millrace.errors import LoginError

# Signatures by a private key of the provider only: `none` and those by a shared secret can be forged or mistaken.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
_LEEWAY_SECONDS = 60
_MAX_TOKEN = 100_000
PENDING_SECONDS = 600
"""How long somebody may take to log in at the provider."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that has begun; the browser keeps `cookie` (HttpOnly) until it comes back."""

    address: str
    cookie: str


class OidcLogin:
    """Logins at one provider; keeps nothing between the two steps, so that any process may do the second.

    Parameters
    ----------
    settings : OidcSettings
    provider : Provider
    clock : callable
        Unix seconds.
    """

    def __init__(self, settings: OidcSettings, provider: Provider, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._provider = provider
        self._clock = clock

    def begin(self, redirect: str) -> Pending:
        """Where to send the browser.

        Parameters
        ----------
        redirect : str
            Address of our callback.

        Raises
        ------
        LoginError
            If the provider does not answer.
        """
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        question = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect,
            "scope": " ".join(self._settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        if self._settings.prompt:
            question["prompt"] = self._settings.prompt
        endpoint = self._provider.endpoint("authorization_endpoint")
        address = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(question)}"
        until = int(self._clock()) + PENDING_SECONDS
        return Pending(address, ".".join((state, nonce, verifier, str(until))))

    def finish(self, answer: Mapping[str, str], cookie: str, redirect: str) -> ProviderUser:
        """Who has logged in.

        Parameters
        ----------
        answer : mapping of str to str
            Query of the callback.
        cookie : str
            What `begin` gave.
        redirect : str
            As at the beginning.

        Raises
        ------
        LoginError
            If anything is not as it must be.
        DeniedError
            If the user gets no role here.
        """
        nonce, verifier = self._pending(answer, cookie)
        if "error" in answer:
            raise LoginError(f"the login provider refused: {answer['error'][:100]}")
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:
            raise LoginError("the answer is another provider's (RFC 9207)")
        tokens = self._provider.exchange(answer.get("code", ""), redirect, verifier)
        claims = self._verified(tokens.get("id_token"), nonce)
        if self._settings.userinfo:
            more = self._provider.userinfo(str(tokens.get("access_token", "")))
            if more.get("sub") != claims["sub"]:
                raise LoginError("the provider's user info is somebody else's")
            claims = {**more, **claims}
        return provider_user(self._settings, claims)

    def _pending(self, answer: Mapping[str, str], cookie: str) -> tuple[str, str]:
        """Nonce and verifier of the login that this browser began."""
        parts = cookie.split(".")
        if len(parts) != 4 or not all(parts) or not parts[3].isdecimal() or not same(parts[0], answer.get("state", "")):
            raise LoginError("this browser did not begin this login; begin again")
        if int(parts[3][:15]) < self._clock():
            raise LoginError("the login took too long; begin again")
        return parts[1], parts[2]

    def _verified(self, token: object, nonce: str) -> dict[str, Any]:
        """Claims of an ID token (OpenID Connect Core §3.1.3.7)."""
        if not isinstance(token, str) or len(token) > _MAX_TOKEN:
            raise LoginError("the provider gave no ID token")
        claims = self._signed(token)
        now = self._clock()
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        client = self._settings.client_id
        expires, issued = claims.get("exp"), claims.get("iat")
        wrong = {
            "issuer": claims.get("iss") != self._provider.issuer,
            "audience": client not in audiences,
            "authorized party": claims.get("azp", client) != client or (len(audiences) > 1 and "azp" not in claims),
            "expiry": not isinstance(expires, int | float) or expires < now - _LEEWAY_SECONDS,
            "time of issue": not isinstance(issued, int | float) or issued > now + _LEEWAY_SECONDS,
            "nonce": not same(str(claims.get("nonce", "")), nonce),
            "subject": not isinstance(claims.get("sub"), str) or not claims["sub"],
        }
        for what, is_wrong in wrong.items():
            if is_wrong:
                raise LoginError(f"the ID token has a wrong {what}")
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        header = _header(token)
        if header.get("alg") not in ALGORITHMS:
            raise LoginError("the ID token is not signed by a key of the provider")
        for again in (False, True):
            for key in self._provider.keys(again=again):
                if header.get("kid") in (None, key.get("kid")) and key.get("use", "sig") == "sig":
                    claims = _decoded(token, key)
                    if claims is not None:
                        return claims
        raise LoginError("the ID token is not signed by a key of the provider")


def _header(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return {}
    return header if isinstance(header, dict) else {}


def _decoded(token: str, key: dict[str, Any]) -> dict[str, Any] | None:
    """Claims, if this key signed them."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import JWKRegistry

    try:
        return dict(jwt.decode(token, JWKRegistry.import_key(key), algorithms=list(ALGORITHMS)).claims)
    # A key or token that is malformed in a new way must not end otherwise than one that does not fit.
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
