"""Login by OpenID Connect, against a small provider with real keys."""

import base64
import hmac
import json
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from login_provider import CALLBACK, EC, ISSUER, OTHER, RSA, SECRET, Provider, as_base64
from millrace.access import Presented
from millrace.errors import ConfigError, DeniedError, LoginError
from millrace.state import NewUser, UserChange


@pytest.fixture
def provider(clock):
    return Provider(clock)


@pytest.fixture
def make_login(make_access, provider):
    """Makes access with a provider; `login` goes the whole way."""

    def make(**oidc):
        settings = {"issuer": ISSUER, "client_id": "millrace", "client_secret": SECRET, **oidc}
        access = make_access(httpx.MockTransport(provider), oidc=settings)

        def login():
            pending = access.oidc.begin(CALLBACK)
            said = access.oidc.finish(provider.authorize(pending.address), pending.cookie, CALLBACK)
            return access.logins.with_provider(said, "192.0.2.1")

        return access, login

    return make


def test_a_login_makes_a_user_and_a_session(make_login):
    access, login = make_login()
    begun = login()
    assert (begun.user.name, begun.user.full_name, begun.user.email) == ("alice", "Alice A.", "alice@example.org")
    assert (begun.user.role, begun.user.source, begun.user.has_password) == ("viewer", "oidc", False)
    assert access.identify(Presented("192.0.2.1", {}, begun.session)).name == "alice"


@pytest.mark.parametrize("prompt", ["", "login", "select_account"])
def test_the_provider_asks_again_if_that_is_wanted(make_login, prompt):
    access, _ = make_login(prompt=prompt)
    question = parse_qs(urlsplit(access.oidc.begin(CALLBACK).address).query)
    assert question.get("prompt") == ([prompt] if prompt else None)


def test_nothing_is_asked_before_somebody_logs_in(make_login, provider):
    make_login()
    assert provider.requests == []


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_keys_of_both_kinds_are_known(make_login, provider, key):
    provider.key, provider.algorithm = key, "RS256" if key is RSA else "ES256"
    assert make_login()[1]().user.name == "alice"


def test_the_secret_of_the_client_goes_to_the_provider_only_by_post(make_login, provider):
    make_login()[1]()
    token = next(request for request in provider.requests if request.url.path == "/realm/token")
    expected = base64.b64encode(f"millrace:{SECRET}".encode()).decode()
    assert token.headers["authorization"] == f"Basic {expected}"
    assert SECRET not in token.content.decode()


def test_the_secret_goes_in_the_form_where_the_provider_wants_that(make_login, provider):
    provider.spoil["discovery"] = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    make_login()[1]()
    token = next(request for request in provider.requests if request.url.path == "/realm/token")
    assert "authorization" not in token.headers
    assert parse_qs(token.content.decode())["client_secret"] == [SECRET]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.org"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": ["millrace", "another-client"]},
        {"azp": "another-client"},
        {"exp": 1},
        {"exp": None},
        {"exp": "soon"},
        {"iat": 9_999_999_999},
        {"iat": None},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_login_is_refused(make_login, provider, claims):
    provider.spoil["claims"] = claims
    access, login = make_login()
    with pytest.raises(LoginError):
        login()
    assert access.users.all() == []


def test_a_token_for_several_clients_says_that_it_is_for_this_one(make_login, provider):
    provider.spoil["claims"] = {"aud": ["millrace", "another-client"], "azp": "millrace"}
    assert make_login()[1]().user.name == "alice"


def test_a_token_signed_by_another_key_is_refused(make_login, provider):
    provider.key = OTHER
    with pytest.raises(LoginError, match="not signed"):
        make_login()[1]()


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RS1", "", None, 7])
def test_only_signatures_by_a_private_key_count(make_login, provider, algorithm):
    def forged():
        body = {"iss": ISSUER, "aud": "millrace", "iat": 1, "exp": 9_999_999_999, "nonce": provider.nonce, "sub": "7"}
        parts = [json.dumps({"alg": algorithm, "kid": "rsa"}).encode(), json.dumps(body).encode()]
        signed = ".".join(as_base64(part) for part in parts)
        # The old trick: the public key as a shared secret.
        signature = hmac.digest(RSA.as_pem(private=False), signed.encode(), "sha256") if algorithm == "HS256" else b""
        return f"{signed}.{as_base64(signature)}"

    provider.id_token = forged
    with pytest.raises(LoginError, match="not signed"):
        make_login()[1]()


@pytest.mark.parametrize("token", [None, 7, "", "a.b.c", "." * 10, "ä.ö.ü", "x" * 200_000, "e30.e30.e30"])
def test_what_is_no_token_is_refused(make_login, provider, token):
    provider.spoil["token"] = {"id_token": token}
    with pytest.raises(LoginError):
        make_login()[1]()


def test_a_new_key_of_the_provider_is_fetched_but_not_without_end(make_login, provider, clock):
    _, login = make_login()
    login()
    provider.keys, provider.key = [OTHER], OTHER
    with pytest.raises(LoginError):
        login()
    clock.move(31)
    assert login().user.name == "alice"
    fetched = sum(request.url.path == "/realm/keys" for request in provider.requests)
    for _ in range(5):
        login()
    assert sum(request.url.path == "/realm/keys" for request in provider.requests) == fetched


@pytest.mark.parametrize(
    "change",
    [
        {"state": "another"},
        {"state": ""},
        {"error": "access_denied"},
        {"iss": "https://other.example.org"},
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_is_refused(make_login, provider, change):
    access, _ = make_login()
    pending = access.oidc.begin(CALLBACK)
    with pytest.raises(LoginError):
        access.oidc.finish({**provider.authorize(pending.address), **change}, pending.cookie, CALLBACK)


@pytest.mark.parametrize("cookie", ["", "...", "a.b.c", "a.b.c.d", "a.b.c.9e9", ".n.v.9999999999", "ä.b.c.1"])
def test_a_browser_that_did_not_begin_the_login_is_refused(make_login, provider, cookie):
    access, _ = make_login()
    answer = provider.authorize(access.oidc.begin(CALLBACK).address)
    with pytest.raises(LoginError):
        access.oidc.finish(answer, cookie, CALLBACK)
    with pytest.raises(LoginError):
        access.oidc.finish({}, cookie, CALLBACK)


def test_a_login_must_end_in_time(make_login, provider, clock):
    access, _ = make_login()
    pending = access.oidc.begin(CALLBACK)
    clock.move(601)
    with pytest.raises(LoginError, match="too long"):
        access.oidc.finish(provider.authorize(pending.address), pending.cookie, CALLBACK)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(302, headers={"location": "http://169.254.169.254/"}),
        httpx.Response(200, content=b"no JSON"),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b" " * 1_000_001),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(400, json={"error": "invalid_grant"}),
    ],
    ids=["500", "redirect", "text", "list", "long", "deep", "refused"],
)
@pytest.mark.parametrize("path", ["/realm/.well-known/openid-configuration", "/realm/keys", "/realm/token"])
def test_a_provider_that_answers_badly_is_no_defect_of_ours(make_login, provider, answer, path):
    provider.answers[path] = answer
    with pytest.raises(LoginError, match="login provider"):
        make_login()[1]()


def test_a_provider_that_does_not_answer_is_no_defect_of_ours(make_access):
    def fail(request):
        raise httpx.ConnectError("refused")

    access = make_access(httpx.MockTransport(fail), oidc={"issuer": ISSUER, "client_id": "millrace"})
    with pytest.raises(LoginError, match="does not answer"):
        access.oidc.begin(CALLBACK)


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://other.example.org"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://login.example.org/authorize"},
    ],
    ids=str,
)
def test_a_discovery_document_that_leads_elsewhere_is_refused(make_login, provider, discovery):
    provider.spoil["discovery"] = discovery
    with pytest.raises(LoginError):
        make_login()[1]()


def test_the_issuer_is_asked_by_https(make_access):
    with pytest.raises(ConfigError, match="https"):
        make_access(oidc={"issuer": "http://login.example.org", "client_id": "millrace"})


def test_missing_libraries_are_said_with_the_fix(make_access, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'millrace\[oidc\]'"):
        make_access(oidc={"issuer": ISSUER, "client_id": "millrace"})


# --- what claims mean

GROUPS = {
    "role_claim": "realm_access.roles",
    "roles": {"noc": "editor", "lead": "admin"},
    "scope_filters": {"customer-a": 'InIfProvider = "a"', "customer-b": 'InIfProvider = "b" -- B'},
}


@pytest.mark.parametrize(
    ("groups", "role", "limit"),
    [
        (["noc"], "editor", ""),
        (["noc", "lead"], "admin", ""),
        (["customer-a"], "viewer", 'InIfProvider = "a"'),
        (["customer-a", "noc"], "editor", 'InIfProvider = "a"'),
        (["customer-a", "lead"], "editor", 'InIfProvider = "a"'),
        ("noc", "editor", ""),
    ],
)
def test_groups_give_role_and_limit(make_login, provider, groups, role, limit):
    provider.claims["realm_access"] = {"roles": groups}
    user = make_login(**GROUPS)[1]().user
    assert (user.role, user.scope_filter) == (role, limit)


def test_who_is_in_several_tenants_sees_what_any_of_them_sees(make_login, provider):
    provider.claims["realm_access"] = {"roles": ["customer-b", "customer-a"]}
    access, login = make_login(**GROUPS)
    limit = login().user.scope_filter
    assert 'InIfProvider = "a"' in limit
    assert 'InIfProvider = "b"' in limit
    access.check_filter(limit, {})


@pytest.mark.parametrize("claim", [None, [], {}, {"roles": None}, {"roles": ["other"]}, {"roles": {"noc": 1}}, "noc"])
def test_who_has_no_role_here_is_refused_unless_one_is_the_default(make_login, provider, claim):
    provider.claims["realm_access"] = claim
    access, login = make_login(**GROUPS)
    with pytest.raises(DeniedError, match="no role"):
        login()
    assert access.users.all() == []


def test_a_default_role_is_for_who_has_none(make_login):
    assert make_login(**GROUPS, default_role="viewer")[1]().user.role == "viewer"


@pytest.mark.parametrize("name", [None, "", 7, "a b", ["alice"]])
def test_a_name_that_is_none_is_refused(make_login, provider, name):
    provider.claims["preferred_username"] = name
    with pytest.raises(DeniedError, match="preferred_username"):
        make_login()[1]()


def test_claims_of_the_user_info_endpoint_are_read_where_set(make_login, provider):
    provider.spoil["userinfo"] = {"groups": ["noc"], "preferred_username": "mallory"}
    user = make_login(userinfo=True, role_claim="groups", roles={"noc": "editor"})[1]().user
    assert (user.name, user.role) == ("alice", "editor")
    provider.spoil["userinfo"] = {"sub": "8"}
    with pytest.raises(LoginError, match="somebody else"):
        make_login(userinfo=True)[1]()


# --- whose login it is


def test_the_provider_decides_of_its_users_at_every_login(make_login, provider):
    provider.claims["realm_access"] = {"roles": ["noc"]}
    access, login = make_login(**GROUPS)
    login()
    provider.claims |= {"realm_access": {"roles": ["customer-a"]}, "preferred_username": "renamed", "name": "A."}
    user = login().user
    assert (user.name, user.full_name, user.role, user.scope_filter) == (
        "alice",
        "A.",
        "viewer",
        'InIfProvider = "a"',
    )
    assert len(access.users.all()) == 1


def test_somebody_else_of_the_same_name_does_not_become_the_user(make_login, provider):
    _, login = make_login()
    login()
    provider.claims["sub"] = "8"
    with pytest.raises(DeniedError, match="link_existing"):
        login()


def test_a_local_user_is_taken_over_only_where_that_is_wanted(make_login):
    access, login = make_login()
    access.users.add(NewUser("alice", "admin", "Local"), None)
    with pytest.raises(DeniedError, match="link_existing"):
        login()
    access, login = make_login(link_existing=True)
    user = login().user
    assert (user.role, user.source, user.full_name) == ("admin", "local", "Local")


def test_users_are_not_made_where_administrators_make_them(make_login):
    access, login = make_login(create_users=False, link_existing=True)
    with pytest.raises(DeniedError, match="administrator"):
        login()
    access.users.add(NewUser("alice", "editor"), None)
    assert login().user.role == "editor"


def test_who_may_not_log_in_any_more_cannot_do_so_through_the_provider(make_login):
    access, login = make_login()
    login()
    access.users.change("alice", UserChange(enabled=False))
    with pytest.raises(DeniedError):
        login()
    assert not access.state.users.find("alice").enabled
