"""Settings of access that contradict each other are refused."""

import pytest
from pydantic import ValidationError

from millrace.access import AccessSettings
from millrace.app.settings import Settings
from millrace.config import load
from millrace.errors import ConfigError, QueryError
from millrace.state import NewUser, UserChange

OIDC = {"issuer": "https://login.example.org", "client_id": "millrace"}


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"mode": "proxy", "oidc": OIDC}, "mode: login"),
        ({"mode": "login", "oidc": {"issuer": "https://login.example.org"}}, "client_id"),
        ({"mode": "login", "oidc": {**OIDC, "scopes": ["profile"]}}, "openid"),
        ({"mode": "login", "oidc": {**OIDC, "roles": {"noc": "editor"}}}, "role_claim"),
        ({"mode": "login", "oidc": {**OIDC, "role_claim": "g", "scope_filters": {"a": " "}}}, "limit nothing"),
        ({"mode": "login", "oidc": {**OIDC, "roles": {"noc": "root"}, "role_claim": "g"}}, "viewer"),
        ({"mode": "login", "password": {"enabled": False}}, "nobody could log in"),
        ({"trusted_proxies": ["nowhere"]}, "trusted_proxies"),
        ({"public_url": "flows.example.org"}, "public_url"),
        ({"public_url": "javascript:alert(1)"}, "public_url"),
        ({"allowed_origins": ["*"]}, "allowed_origins"),
        ({"mode": "closed"}, "open"),
        ({"mode": "proxy", "proxy": {"filter_required": True}}, "filter_header"),
        ({"mode": "proxy", "proxy": {"secret": "short"}}, r"proxy\.secret"),
        ({"mode": "proxy", "proxy": {"secret": ""}}, r"proxy\.secret"),
        ({"mode": "proxy", "proxy": {"secret": "ä secret of the proxy's own"}}, r"proxy\.secret"),
        ({"mode": "proxy", "proxy": {"secret": " a secret of the proxy's own"}}, r"proxy\.secret"),
    ],
)
def test_contradictions_are_refused(settings, reason):
    with pytest.raises(ValidationError, match=reason):
        AccessSettings.model_validate(settings)


def test_a_secret_that_is_refused_is_not_told(tmp_path):
    path = tmp_path / "millrace.yaml"
    path.write_text("access: {mode: proxy, proxy: {secret: 'hunter2-ä'}}\n")
    with pytest.raises(ConfigError, match=r"16 or more visible ASCII") as refused:
        load(Settings, path, {})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_needs_no_login(host):
    AccessSettings().check_open(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "flows.example.org", ""])
def test_a_network_address_needs_a_login_or_a_word(host):
    with pytest.raises(ConfigError, match=r"access\.mode"):
        AccessSettings().check_open(host)
    AccessSettings(allow_open_network=True).check_open(host)
    AccessSettings(mode="login").check_open(host)
    AccessSettings(mode="proxy").check_open(host)


def test_a_wrong_filter_of_the_configuration_ends_the_start(make_access):
    oidc = {**OIDC, "role_claim": "groups", "scope_filters": {"a": "InIfProvide = 'a'"}}
    with pytest.raises(ConfigError, match=r"access\.oidc\.scope_filters\.a: .*InIfProvide"):
        make_access(oidc=oidc)


@pytest.mark.parametrize("text", ["-- nothing", "@mine", "Proto ==", "nonsense"])
def test_a_limit_that_says_nothing_or_is_no_filter_is_not_kept(access, text):
    with pytest.raises(QueryError):
        access.users.add(NewUser("bob", "viewer", scope_filter=text), None)
    access.users.add(NewUser("bob", "viewer"), None)
    with pytest.raises(QueryError):
        access.users.change("bob", UserChange(scope_filter=text))
