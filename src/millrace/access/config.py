"""Settings of access: who may ask, and how they say who they are."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from millrace.config import Section
from millrace.errors import ConfigError
from millrace.state import Mode, Role

_SHORTEST_SECRET = 16


def _network(text: str) -> str:
    ip_network(text, strict=False)
    return text


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment):
        raise ValueError("must be an address such as https://flows.example.org")
    return text.rstrip("/")


Network = Annotated[str, AfterValidator(_network)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class PasswordSettings(Section):
    """Passwords of local users, hashed with Argon2id."""

    enabled: bool = True
    """Whether anybody may log in with a password; false: by OpenID Connect only."""

    min_length: int = Field(10, ge=8, le=128)
    """Shortest password that may be set, in characters."""

    memory_kib: int = Field(65_536, ge=8, le=4_194_304, json_schema_extra={"unit": "KiB"})
    """Memory of one hash. Hashes made with other parameters are replaced at the next login."""

    iterations: int = Field(3, ge=1, le=100)
    """Passes over that memory."""

    lanes: int = Field(2, ge=1, le=64)
    """Threads of one hash."""

    concurrent: int = Field(2, ge=1, le=64)
    """Hashes at the same time, beside one for devices that users have logged in with before; further logins wait a
    little, and are then refused."""


class ThrottleSettings(Section):
    """Brake on guessing passwords."""

    free_attempts_per_name: int = Field(5, ge=1, le=1000)
    """Failures under one user name from one address (IPv6: one /64) before the next attempt there has to wait: 1 s,
    then 2 s, 4 s …; as many from a device with which the user has logged in before, which is counted for itself."""

    free_attempts_per_address: int = Field(20, ge=1, le=100_000)
    """Failures from one address, under whatever names, before the next attempt has to wait; also under one name from
    one IPv6 network of 48 bits."""

    free_attempts_everywhere: int = Field(100, ge=1, le=1_000_000)
    """Failures under one user name from all addresses before the next attempt, from wherever but the user's known
    devices, has to wait. So many are forgotten in `forget_seconds`, also if there are others."""

    max_delay_seconds: float = Field(300.0, ge=1, le=86_400)
    """Longest wait."""

    forget_seconds: float = Field(3600.0, ge=1, le=604_800)
    """Failures are forgotten after so long without another."""

    max_entries: int = Field(10_000, ge=100, le=10_000_000)
    """Names and addresses remembered; of the oldest, those with the fewest failures are forgotten first."""


class SessionSettings(Section):
    """Logins in browsers."""

    idle_minutes: int = Field(720, ge=1, le=525_600)
    """A session ends after so long without a request."""

    lifetime_hours: int = Field(168, ge=1, le=8760)
    """A session ends after so long in any case."""

    fresh_minutes: int = Field(10, ge=1, le=1440)
    """How old a login may be to give somebody rights with it: to make an API token, where the user has no password to
    ask for; to add users, to set their passwords, roles and limits, or to let them in again, in place of the own
    password."""

    secure_cookie: bool = False
    """Mark the cookie `Secure` always. It is marked anyway when the request came by HTTPS (also to a trusted proxy)."""


class ProxySettings(Section):
    """Headers in which a reverse proxy says who asks."""

    user_header: str = Field("Remote-User", min_length=1, max_length=100)
    """Name of the user. It must be there and not empty."""

    full_name_header: str = Field("Remote-Name", max_length=100)
    """Full name."""

    email_header: str = Field("Remote-Email", max_length=100)
    """E-mail address."""

    logout_url_header: str = Field("X-Logout-URL", max_length=100)
    """Where the console's logout leads."""

    avatar_url_header: str = Field("X-Avatar-URL", max_length=100)
    """Picture of the user."""

    role_header: str = Field("", max_length=100)
    """Role (`viewer`, `editor`, `admin`), such as `Remote-Role`; empty: not read."""

    filter_header: str = Field("", max_length=100)
    """Filter that limits what the user sees, such as `Remote-Filter`; `*` in it: no limit. Empty: not read."""

    filter_required: bool = False
    """Refuse requests whose `filter_header` is missing or empty; otherwise those see everything."""

    secret: SecretStr | None = None
    """What the proxy, and nobody else, sends in `secret_header`, 16 characters at least: without it no header of the
    section `proxy` and no `X-Forwarded-…` is believed, wherever it comes from. None: every program that can connect
    from one of `trusted_proxies` can be anybody."""

    secret_header: str = Field("X-Proxy-Secret", min_length=1, max_length=100)
    """Header of that secret."""

    default_user: str = Field("", max_length=100)
    """User of requests without a name; empty: such requests are refused."""

    default_role: Role = "viewer"
    """Role of users whom neither the header nor the table of users gives one."""


class OidcSettings(Section):
    """Login by OpenID Connect (authorization code with PKCE); needs the extra `oidc`."""

    issuer: WebAddress = ""
    """Address of the provider, as in its `/.well-known/openid-configuration`; empty: no such login."""

    client_id: str = Field("", max_length=500)
    """Name under which the provider knows this console."""

    client_secret: SecretStr | None = None
    """Secret of this client; none for a public client."""

    label: str = Field("Single sign-on", min_length=1, max_length=100)
    """What the button says."""

    scopes: tuple[str, ...] = ("openid", "profile", "email")
    """Scopes to ask for."""

    prompt: Literal["", "login", "select_account"] = ""
    """What the provider shall ask at each login: `login`, for the password (or what it takes for one) also where the
    browser is logged in there. A log-in that is fresh enough to make an API token is a proof of more than of the
    browser only then. Empty: as the provider likes."""

    userinfo: bool = False
    """Ask the provider's user-info endpoint too, for providers that put groups only there."""

    name_claim: str = Field("preferred_username", min_length=1, max_length=200)
    """Claim with the user's name. A dot leads into an object: `realm_access.roles`."""

    full_name_claim: str = Field("name", max_length=200)
    """Claim with the full name."""

    email_claim: str = Field("email", max_length=200)
    """Claim with the e-mail address."""

    role_claim: str = Field("", max_length=200)
    """Claim with groups or roles (a text or a list); empty: none."""

    roles: dict[str, Role] = Field(default_factory=dict)
    """Role by value of `role_claim`; of several the highest counts."""

    default_role: Role | None = None
    """Role of who has none by `roles` and `scope_filters`. Without it: viewer if `role_claim` is empty, else such a
    login is refused."""

    scope_claim: str = Field("", max_length=200)
    """Claim that limits what a user sees; empty: `role_claim`."""

    scope_filters: dict[str, str] = Field(default_factory=dict)
    """Filter by value of `scope_claim`: whoever has the value sees only such flows, and may at least ask. Who has
    several sees what any of them matches."""

    create_users: bool = True
    """Make users at their first login. Otherwise an administrator makes them first, and `link_existing` is needed."""

    link_existing: bool = False
    """Let a first login take over a user of the same name. Only for providers whose users cannot choose their name."""

    timeout_seconds: float = Field(10.0, gt=0, le=120)
    """How long the provider may take to answer."""


class AccessSettings(Section):
    """Who may use the HTTP interface."""

    mode: Mode = "open"
    """`open`: no login, whoever reaches it administers; `login`: users with a password, or OpenID Connect; `proxy`: a
    reverse proxy says who asks. API tokens work in every mode."""

    allow_open_network: bool = False
    """Allow the mode `open` although `api.host` is not a loopback address."""

    public_url: WebAddress = ""
    """Address under which browsers reach the console, such as `https://flows.example.org`; needed for OpenID Connect
    behind a proxy. Empty: as the request says."""

    trusted_proxies: tuple[Network, ...] = ("127.0.0.0/8", "::1/128")
    """Addresses whose headers are believed: those of the section `proxy` in the mode `proxy`, and `X-Forwarded-For`
    and `X-Forwarded-Proto` in every mode."""

    allowed_origins: tuple[WebAddress, ...] = ()
    """Other web sites whose pages may send changes, such as `http://localhost:5173`."""

    metrics_open: bool = False
    """Answer `/metrics` without asking who asks. It names exporters."""

    token_default_days: int = Field(90, ge=1, le=36_500)
    """Life of API tokens whose maker does not say how long they live."""

    token_max_days: int = Field(366, ge=0, le=36_500)
    """Longest life of API tokens, also of those that were made before; 0: as long as their makers say."""

    token_login_days: int = Field(90, ge=0, le=36_500)
    """API tokens are refused when their user has not logged in for so long (in the mode `proxy`: the proxy has not
    named the user), until the user does again; 0: however long. Tokens that `millrace token create --unattended` makes
    are not bound to that."""

    password: PasswordSettings = PasswordSettings()
    """Passwords of local users."""

    throttle: ThrottleSettings = ThrottleSettings()
    """Brake on guessing."""

    session: SessionSettings = SessionSettings()
    """Logins in browsers."""

    proxy: ProxySettings = ProxySettings()
    """Headers of a reverse proxy."""

    oidc: OidcSettings = OidcSettings()
    """OpenID Connect."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        oidc = self.oidc
        if self.proxy.secret is not None and not _sendable(self.proxy.secret.get_secret_value()):
            raise ValueError(f"proxy.secret must be {_SHORTEST_SECRET} or more visible ASCII characters")
        if self.proxy.filter_required and not self.proxy.filter_header:
            raise ValueError("proxy.filter_header is needed beside proxy.filter_required")
        if oidc.issuer and self.mode != "login":
            raise ValueError("oidc.issuer is set, but logins happen only with mode: login")
        if oidc.issuer and not oidc.client_id:
            raise ValueError("oidc.client_id is needed beside oidc.issuer")
        if oidc.issuer and "openid" not in oidc.scopes:
            raise ValueError("oidc.scopes must hold openid")
        if (oidc.roles or oidc.scope_filters) and not (oidc.role_claim or oidc.scope_claim):
            raise ValueError("oidc.role_claim is needed: roles and scope_filters are looked up by its values")
        if self.mode == "login" and not (self.password.enabled or oidc.issuer):
            raise ValueError("password.enabled is false and oidc.issuer is not set: nobody could log in")
        if not all(text.strip() for text in oidc.scope_filters.values()):
            raise ValueError("oidc.scope_filters holds an empty filter, which would limit nothing")
        return self

    @property
    def secure_always(self) -> bool:
        """Whether browsers reach the console by HTTPS, whatever a request says."""
        return self.session.secure_cookie or urlsplit(self.public_url).scheme == "https"

    def check_open(self, host: str) -> None:
        """Refuse a network address without a login, unless that is wanted.

        Parameters
        ----------
        host : str
            Address that the HTTP interface listens on.

        Raises
        ------
        ConfigError
        """
        if self.mode == "open" and not self.allow_open_network and not _is_loopback(host):
            raise ConfigError(
                f"api.host: {host} is not a loopback address, but access.mode is open: everybody in the network would "
                "administer; set access.mode to login or proxy (or access.allow_open_network to true)"
            )


def _sendable(secret: str) -> bool:
    """Whether a secret is long enough, and the same at the other end of a header."""
    return len(secret) >= _SHORTEST_SECRET and secret.isascii() and secret.isprintable() and secret == secret.strip()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
