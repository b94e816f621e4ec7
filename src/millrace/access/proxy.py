"""What a reverse proxy says: who asks, from where, and how the browser reached it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from millrace.access.config import AccessSettings, ProxySettings
from millrace.access.identity import ROLES
from millrace.errors import InvalidError, LoginError
from millrace.state import Role, user_name

_MAX_TEXT = 200
_MAX_URL = 2000
_MAX_FILTER = 10_000
_MAX_HOPS = 20


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

    def trusts(self, address: str) -> bool:
        """Whether an address is one of them."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(parsed, "ipv4_mapped", None)
        return any((mapped or parsed) in network for network in self._networks)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Address of the client: the last one that a trusted proxy names and that is no trusted proxy itself."""
        if not self.trusts(peer):
            return peer
        for hop in reversed(headers.get("x-forwarded-for", "").split(",")[-_MAX_HOPS:]):
            text = hop.strip()
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
        return forwarded if forwarded in ("http", "https") and self.trusts(peer) else scheme

    def host(self, peer: str, headers: Mapping[str, str]) -> str:
        """Host name, with port, that the browser used."""
        forwarded = headers.get("x-forwarded-host", "").strip()
        return (forwarded if forwarded and self.trusts(peer) else headers.get("host", "")).lower()


def proxy_user(settings: ProxySettings, headers: Mapping[str, str]) -> ProxyUser:
    """Read the headers of a trusted proxy.

    Raises
    ------
    LoginError
        If they name nobody, or say something malformed: then nothing of them is believed.
    """

    def read(name: str, most: int = _MAX_TEXT) -> str:
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
        scope_filter=read(settings.filter_header, _MAX_FILTER),
    )


def _text(value: str) -> str:
    """Headers arrive as Latin-1; proxies write UTF-8."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _address(value: str) -> str:
    """Only what a browser may follow safely: no ``javascript:``."""
    return value if value.startswith(("https://", "http://", "/")) else ""
