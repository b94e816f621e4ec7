"""What a reverse proxy says: who asks, from where, and how the browser reached it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from millrace.access.config import AccessSettings, ProxySettings
from millrace.access.identity import ROLES
from millrace.access.secrets import same
from millrace.errors import InvalidError, LoginError
from millrace.lang import tokens
from millrace.state import Role, user_name

_MAX_TEXT = 200
_MAX_URL = 2000
_MAX_FILTER = 10_000
_MAX_HOPS = 20
_HERE = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
"""Addresses of which every program of this machine can connect from each."""

_NO_LIMIT = "*"
"""Filter of a proxy that limits nothing: said, not left out."""


@dataclass(frozen=True, slots=True)
class ProxyUser:
    """Who the proxy says asks; `role` None and `scope_filter` ``""`` if it does not say."""

    name: str
    full_name: str
    email: str
    avatar_url: str
    logout_url: str
    role: Role | None
    scope_filter: str


class TrustedProxies:
    """Addresses whose headers are believed.

    Parameters
    ----------
    settings : AccessSettings
    """

    def __init__(self, settings: AccessSettings) -> None:
        self._networks = [ip_network(text, strict=False) for text in settings.trusted_proxies]
        secret = settings.proxy.secret
        self._secret = "" if secret is None else secret.get_secret_value()
        self._secret_header = settings.proxy.secret_header
        self._has_public_url = bool(settings.public_url)

    def trusts(self, address: str) -> bool:
        """Whether an address is one of them."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self._networks)

    @property
    def anybody_here(self) -> bool:
        """Whether whoever can connect from this machine can pose as a proxy."""
        return not self._secret and any(_meet(network, loopback) for network in self._networks for loopback in _HERE)

    @property
    def anybody(self) -> bool:
        """Whether whoever can connect can, wherever from."""
        return not self._secret and any(not network.prefixlen for network in self._networks)

    def check(self, peer: str, headers: Mapping[str, str]) -> None:
        """Raise unless a request comes from the proxy.

        Raises
        ------
        LoginError
        """
        if not self.trusts(peer):
            raise LoginError(
                f"the request comes from {peer}, which is not one of access.trusted_proxies; use the proxy"
            )
        if not self._has_secret(headers):
            raise LoginError(f"the request does not come from the proxy (header {self._secret_header}); use the proxy")

    def believes(self, peer: str, headers: Mapping[str, str]) -> bool:
        """Whether a request comes from a trusted proxy, so that it may say where it comes from."""
        return self.trusts(peer) and self._has_secret(headers)

    def _has_secret(self, headers: Mapping[str, str]) -> bool:
        return not self._secret or same(headers.get(self._secret_header.lower(), ""), self._secret)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Address of the client: the last one that a trusted proxy names and that is no trusted proxy itself."""
        if not self.believes(peer, headers):
            return peer
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")[-_MAX_HOPS:]):
            text = _without_port(hop.strip())
            try:
                ip_address(text)
            except ValueError:
                return peer
            if not self.trusts(text):
                return text
        return peer

    def scheme(self, peer: str, headers: Mapping[str, str], scheme: str) -> str:
        """Scheme that the browser used."""
        forwarded = headers.get("x-forwarded-proto", "").strip().lower()
        return forwarded if forwarded in ("http", "https") and self.believes(peer, headers) else scheme

    def host(self, peer: str, headers: Mapping[str, str]) -> str:
        """Host name, with port, that the browser used.

        Where `public_url` says it, `X-Forwarded-Host` does not: proxies pass on what clients send in it.
        """
        forwarded = "" if self._has_public_url else headers.get("x-forwarded-host", "").strip()
        return (forwarded if forwarded and self.believes(peer, headers) else headers.get("host", "")).lower()


def proxy_user(
    settings: ProxySettings, headers: Mapping[str, str], repeated: frozenset[str] = frozenset()
) -> ProxyUser:
    """Read the headers of a trusted proxy.

    Parameters
    ----------
    settings : ProxySettings
    headers : mapping of str to str
        By lower-case name.
    repeated : frozenset of str
        Names of those that came more than once.

    Raises
    ------
    LoginError
        If they name nobody, or say something malformed: then nothing of them is believed.
    """

    def read(name: str, most: int = _MAX_TEXT) -> str:
        if name.lower() in repeated:
            raise LoginError(f"there are two headers {name}; the proxy must remove what clients send in it")
        value = _text(headers.get(name.lower(), "")).strip() if name else ""
        if len(value) > most:
            raise LoginError(f"the header {name} of the proxy has more than {most} characters")
        return value

    named = read(settings.user_header)
    if not named and not settings.default_user:
        raise LoginError(f"the proxy names no user (header {settings.user_header})")
    try:
        name = user_name(named or settings.default_user)
    except InvalidError as error:
        raise LoginError(f"the header {settings.user_header} of the proxy: {error}") from error
    limit = read(settings.filter_header, _MAX_FILTER)
    if settings.filter_required and not limit:
        raise LoginError(f"the proxy does not say what the user may see (header {settings.filter_header})")
    if _has_comment(limit):
        raise LoginError(f"the header {settings.filter_header} of the proxy has a comment")
    role = read(settings.role_header).lower()
    if role and role not in ROLES:
        raise LoginError(f"the header {settings.role_header} of the proxy names no role")
    return ProxyUser(
        name=name,
        full_name=read(settings.full_name_header),
        email=read(settings.email_header),
        avatar_url=_address(read(settings.avatar_url_header, _MAX_URL)),
        logout_url=_address(read(settings.logout_url_header, _MAX_URL)),
        role=next((known for known in ROLES if known == role), None),
        scope_filter="" if limit == _NO_LIMIT else limit,
    )


def _meet(one: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    """Whether networks have an address in common."""
    return one.version == other.version and (one[0] in other or other[0] in one)


def _without_port(hop: str) -> str:
    """Address of a hop: some proxies write its port, too."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _has_comment(limit: str) -> bool:
    """Whether a part of a limit means nothing, which may be the limit itself.

    Some proxies put what a client sent before their own value, into one header: a comment at its end would hide that.
    """
    return ("--" in limit or "/*" in limit) and any(token.kind == "comment" for token in tokens(limit))


def _text(value: str) -> str:
    """Headers arrive as Latin-1; proxies write UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _address(value: str) -> str:
    """Only what a browser may follow safely: no ``javascript:``."""
    return value if value.startswith(("https://", "http://", "/")) else ""
