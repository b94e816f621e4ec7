"""A reverse proxy's word, and whose counts."""

import pytest
import structlog

from millrace.access import Presented
from millrace.errors import LoginError
from millrace.state import NewUser, UserChange

NAMED = {
    "remote-user": "Alice",
    "remote-name": "Alïce".encode().decode("latin-1"),
    "remote-email": "alice@example.org",
    "x-logout-url": "https://login.example.org/logout",
    "x-avatar-url": "https://login.example.org/alice.png",
}


def who(access, headers, peer="127.0.0.1"):
    return access.identify(Presented(peer, headers))


def test_the_headers_of_a_proxy_say_who_asks(make_access):
    identity = who(make_access(mode="proxy"), NAMED)
    assert (identity.name, identity.full_name, identity.email) == ("alice", "Alïce", "alice@example.org")
    assert (identity.role, identity.scope_filter, identity.via) == ("viewer", "", "proxy")
    assert identity.logout_url == "https://login.example.org/logout"
    assert identity.avatar_url == "https://login.example.org/alice.png"


@pytest.mark.parametrize("peer", ["192.0.2.1", "2001:db8::1", "", "unknown", "::ffff:192.0.2.1"])
def test_headers_of_anybody_else_are_not_believed(make_access, peer):
    with pytest.raises(LoginError, match="trusted_proxies"):
        who(make_access(mode="proxy"), NAMED, peer)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_believed_unless_set_otherwise(make_access, peer):
    assert who(make_access(mode="proxy"), NAMED, peer)
    with pytest.raises(LoginError):
        who(make_access(mode="proxy", trusted_proxies=["192.0.2.0/24"]), NAMED, peer)


@pytest.mark.parametrize("mode", ["open", "login"])
def test_headers_mean_nothing_in_other_modes(make_access, mode):
    access = make_access(mode=mode)
    if mode == "open":
        assert who(access, NAMED).name == "local"
    else:
        with pytest.raises(LoginError):
            who(access, NAMED)


@pytest.mark.parametrize("headers", [{}, {"remote-user": ""}, {"remote-user": "  "}])
def test_a_request_without_a_name_needs_a_default_user(make_access, headers):
    with pytest.raises(LoginError, match="names no user"):
        who(make_access(mode="proxy"), headers)
    access = make_access(mode="proxy", proxy={"default_user": "guest"})
    assert (who(access, headers).name, who(access, headers).role) == ("guest", "viewer")


@pytest.mark.parametrize("name", ["a, b", "a b", "-", "a" * 201, "a\tb"])
def test_a_name_that_is_none_is_refused(make_access, name):
    """Such as two headers: one of the proxy and one that the client sent."""
    with pytest.raises(LoginError, match="Remote-User"):
        who(make_access(mode="proxy"), {"remote-user": name})


def test_role_and_limit_are_read_only_if_headers_are_set_for_them(make_access):
    headers = {**NAMED, "remote-role": "Editor", "remote-filter": 'InIfProvider = "a"'}
    ignored = who(make_access(mode="proxy"), headers)
    assert (ignored.role, ignored.scope_filter) == ("viewer", "")
    read = make_access(mode="proxy", proxy={"role_header": "Remote-Role", "filter_header": "Remote-Filter"})
    assert (who(read, headers).role, who(read, headers).scope_filter) == ("editor", 'InIfProvider = "a"')
    assert (who(read, NAMED).role, who(read, NAMED).scope_filter) == ("viewer", "")


@pytest.mark.parametrize("role", ["root", "admin, viewer", "editor admin"])
def test_an_unknown_role_is_refused_not_guessed(make_access, role):
    access = make_access(mode="proxy", proxy={"role_header": "Remote-Role"})
    with pytest.raises(LoginError, match="no role"):
        who(access, {**NAMED, "remote-role": role})


def test_a_limited_administrator_is_none(make_access):
    access = make_access(mode="proxy", proxy={"role_header": "Remote-Role", "filter_header": "Remote-Filter"})
    assert who(access, {**NAMED, "remote-role": "admin", "remote-filter": "Proto = udp"}).role == "editor"


def test_the_table_of_users_gives_role_and_limit_to_users_of_a_proxy(make_access):
    access = make_access(mode="proxy")
    access.users.add(NewUser("alice", "editor", "Alice of the table", scope_filter="Proto = udp"), None)
    identity = who(access, {"remote-user": "alice"})
    assert (identity.role, identity.scope_filter, identity.full_name) == ("editor", "Proto = udp", "Alice of the table")
    access.users.change("alice", UserChange(enabled=False))
    with pytest.raises(LoginError):
        who(access, NAMED)


def test_limits_of_header_and_table_hold_together(make_access):
    access = make_access(mode="proxy", proxy={"filter_header": "Remote-Filter"})
    access.users.add(NewUser("alice", "viewer", scope_filter="Proto = udp -- only"), None)
    limit = who(access, {**NAMED, "remote-filter": "DstPort = 53"}).scope_filter
    assert "Proto = udp" in limit
    assert "DstPort = 53" in limit
    access.check_filter(limit, {})


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "x"])
def test_addresses_that_a_browser_must_not_follow_are_dropped(make_access, address):
    identity = who(make_access(mode="proxy"), {**NAMED, "x-logout-url": address, "x-avatar-url": address})
    assert (identity.logout_url, identity.avatar_url) == ("", "")


def test_names_of_headers_can_be_set(make_access):
    access = make_access(mode="proxy", proxy={"user_header": "X-Forwarded-User"})
    assert who(access, {"x-forwarded-user": "bob"}).name == "bob"
    with pytest.raises(LoginError):
        who(access, NAMED)


def test_a_bearer_token_of_the_proxy_s_own_is_left_alone(make_access):
    assert who(make_access(mode="proxy"), {**NAMED, "authorization": "Bearer eyJhbGciOi"}).name == "alice"


# --- a limit that must be said

LIMITED = {"filter_header": "Remote-Filter", "filter_required": True}


@pytest.mark.parametrize("headers", [{}, {"remote-filter": ""}, {"remote-filter": "  "}])
def test_a_limit_that_is_required_and_missing_lets_nobody_in(make_access, headers):
    """A proxy that forgets the header must not show everything to a customer."""
    access = make_access(mode="proxy", proxy=LIMITED)
    access.users.add(NewUser("alice", "viewer", scope_filter="Proto = udp"), None)
    for name in ("alice", "bob"):
        with pytest.raises(LoginError, match="Remote-Filter"):
            who(access, {"remote-user": name, **headers})
    assert who(access, {"remote-user": "bob", "remote-filter": "Proto = tcp"}).scope_filter == "Proto = tcp"


@pytest.mark.parametrize("required", [True, False])
def test_no_limit_can_be_said(make_access, required):
    proxy = {**LIMITED, "filter_required": required, "role_header": "Remote-Role"}
    identity = who(make_access(mode="proxy", proxy=proxy), {**NAMED, "remote-filter": " * ", "remote-role": "admin"})
    assert (identity.scope_filter, identity.role) == ("", "admin")


# --- a secret that only the proxy knows

SECRET = "a secret of the proxy's own"
WITH_SECRET = {**NAMED, "x-proxy-secret": SECRET}


@pytest.mark.parametrize("said", [None, "", "x", SECRET[:-1], f"{SECRET}, {SECRET}", SECRET.upper(), "ä" * 20])
def test_who_does_not_know_the_secret_is_not_the_proxy(make_access, said):
    """Every user of the machine can connect from a loopback address."""
    access = make_access(mode="proxy", proxy={"secret": SECRET})
    headers = NAMED if said is None else {**NAMED, "x-proxy-secret": said}
    with pytest.raises(LoginError, match="X-Proxy-Secret"):
        who(access, headers)
    assert who(access, WITH_SECRET).name == "alice"


def test_the_secret_alone_is_not_enough(make_access):
    with pytest.raises(LoginError, match="trusted_proxies"):
        who(make_access(mode="proxy", proxy={"secret": SECRET}), WITH_SECRET, "192.0.2.1")


def test_the_secret_is_not_told(make_access):
    access = make_access(mode="proxy", proxy={"secret": SECRET, "secret_header": "X-Other"})
    with pytest.raises(LoginError) as refused:
        who(access, WITH_SECRET)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(access.settings)
    assert who(access, {**NAMED, "x-other": SECRET}).name == "alice"


@pytest.mark.parametrize("mode", ["login", "proxy", "open"])
def test_where_a_client_is_is_believed_only_with_the_secret(make_access, mode):
    proxies = make_access(mode=mode, proxy={"secret": SECRET}).proxies
    local = {**FORWARDED, "host": "127.0.0.1"}
    believed = {**local, "x-proxy-secret": SECRET}

    def told(headers):
        peer = "127.0.0.1"
        return proxies.client(peer, headers), proxies.scheme(peer, headers, "http"), proxies.host(peer, headers)

    assert told(local) == ("127.0.0.1", "http", "127.0.0.1")
    assert told(believed) == ("198.51.100.7", "https", "a.b")


def test_a_proxy_that_everybody_on_the_machine_can_pose_as_is_warned_of(make_access):
    def warned(**settings):
        with structlog.testing.capture_logs() as logs:
            make_access(mode="proxy", **settings)
        return ["access.proxy.secret" in entry["fix"] for entry in logs if entry["log_level"] == "warning"]

    assert warned() == [True]
    assert warned(trusted_proxies=["10.0.0.0/8", "::/0"]) == [True]
    # Whoever may connect from 127.0.0.1 may do so from every other address of that network.
    assert warned(trusted_proxies=["127.0.0.5"]) == [True]
    assert warned(trusted_proxies=["192.0.2.1/32"]) == []
    assert warned(proxy={"secret": SECRET}) == []


# --- where the client is

FORWARDED = {"x-forwarded-for": "203.0.113.9, 198.51.100.7", "x-forwarded-proto": "https", "x-forwarded-host": "a.b"}


def test_a_trusted_proxy_says_where_the_client_is(make_access):
    proxies = make_access().proxies
    assert proxies.client("127.0.0.1", FORWARDED) == "198.51.100.7"
    assert proxies.scheme("127.0.0.1", FORWARDED, "http") == "https"
    assert proxies.host("127.0.0.1", {**FORWARDED, "host": "127.0.0.1"}) == "a.b"


def test_the_host_is_not_the_proxy_s_to_say_where_the_public_address_is_set(make_access):
    proxies = make_access(public_url="https://flows.example.org").proxies
    assert proxies.host("127.0.0.1", {**FORWARDED, "host": "flows.example.org"}) == "flows.example.org"


def test_nobody_else_does(make_access):
    proxies = make_access().proxies
    assert proxies.client("192.0.2.1", FORWARDED) == "192.0.2.1"
    assert proxies.scheme("192.0.2.1", FORWARDED, "http") == "http"
    assert proxies.host("192.0.2.1", {**FORWARDED, "host": "127.0.0.1"}) == "127.0.0.1"


def test_trusted_proxies_in_a_row_are_passed_over(make_access):
    proxies = make_access(trusted_proxies=["127.0.0.0/8", "198.51.100.0/24"]).proxies
    assert proxies.client("127.0.0.1", FORWARDED) == "203.0.113.9"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::1]:4711, 127.0.0.1:80", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.9"),
    ],
)
def test_a_proxy_may_write_ports(make_access, text, address):
    """Everybody was one address then, whose strangers shared its failed logins."""
    assert make_access().proxies.client("127.0.0.1", {"x-forwarded-for": text}) == address


@pytest.mark.parametrize(
    "text", ["", "unknown", "1.2.3.4, junk", "[", "[]:1", ":1", "1.2.3.4:x:y", "127.0.0.1", "," * 100_000]
)
def test_what_is_no_address_is_not_believed(make_access, text):
    assert make_access().proxies.client("127.0.0.1", {"x-forwarded-for": text}) == "127.0.0.1"


@pytest.mark.parametrize("text", ["Proto = tcp -- ", "Proto = tcp /* or */", '-- InIfName = "a"'])
def test_a_limit_of_a_proxy_has_no_comments(make_access, text):
    with pytest.raises(LoginError, match="comment"):
        who(make_access(mode="proxy", proxy=LIMITED), {**NAMED, "remote-filter": text})


@pytest.mark.parametrize("text", ['InIfName = "a -- b"', 'InIfName = "/* a */"'])
def test_what_looks_like_a_comment_may_be_text(make_access, text):
    access = make_access(mode="proxy", proxy=LIMITED)
    assert who(access, {**NAMED, "remote-filter": text}).scope_filter == text


@pytest.mark.parametrize("text", ["DstPort = 1) OR (DstPort = 2", "Protto = tcp", "DstPort = 1 OR"])
def test_a_limit_of_a_proxy_is_a_filter(make_access, text):
    """Between the brackets that join it with the limit of the table it opened that one."""
    access = make_access(mode="proxy", proxy=LIMITED)
    access.users.add(NewUser("alice", "viewer", scope_filter="Proto = udp"), None)
    for name in ("alice", "bob"):
        with pytest.raises(LoginError, match="Remote-Filter"):
            who(access, {"remote-user": name, "remote-filter": text})
