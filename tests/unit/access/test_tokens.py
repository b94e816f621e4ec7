"""API tokens: made once, valid until they expire, are revoked, or their user goes."""

import re

import pytest

from millrace.access import Identity, Presented
from millrace.errors import DeniedError, InvalidError, LoginError, MissingError
from millrace.state import NewUser, UserChange


def by_token(access, text, scheme="Bearer"):
    return access.identify(Presented("192.0.2.1", {"authorization": f"{scheme} {text}"}))


def as_user(access, name):
    return access.of_user(name)


@pytest.mark.parametrize("mode", ["open", "login", "proxy"])
def test_a_token_says_who_asks_in_every_mode(access, make_access, mode):
    made = access.tokens.create(as_user(access, "alice"), "grafana", "viewer", None)
    assert re.fullmatch(r"mlr_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", made.text)
    identity = by_token(make_access(mode=mode), made.text)
    assert (identity.name, identity.role, identity.via) == ("alice", "viewer", "token")
    assert by_token(access, made.text, "bearer") == identity


def test_only_the_hash_of_a_token_is_kept(access, tmp_path):
    secret = access.tokens.create(as_user(access, "alice"), "t", "viewer", None).text.rpartition("_")[2]
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))


@pytest.mark.parametrize("mode", ["open", "login"])
@pytest.mark.parametrize(
    "text", ["", "x", "mlr_", "mlr_aaaaaaaaaaaa_" + "A" * 43, "mlr_a_b", "ä" * 50, "mlr_'_" + "A" * 43]
)
def test_an_unknown_token_is_nobody_even_where_nobody_has_to_log_in(make_access, mode, text):
    with pytest.raises(LoginError):
        by_token(make_access(mode=mode), text)


def test_another_secret_does_not_fit(access):
    text = access.tokens.create(as_user(access, "alice"), "t", "viewer", None).text
    with pytest.raises(LoginError):
        by_token(access, text[:-1] + ("A" if text[-1] != "A" else "B"))


def test_a_revoked_token_is_nobody(access):
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", None)
    access.tokens.revoke(as_user(access, "alice"), made.token.id)
    with pytest.raises(LoginError, match="revoked"):
        by_token(access, made.text)


def test_a_token_expires(access, clock):
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", 1)
    clock.move(86_399)
    assert by_token(access, made.text)
    clock.move(1)
    with pytest.raises(LoginError, match="expired"):
        by_token(access, made.text)


def test_the_configuration_bounds_how_long_tokens_live(make_access, clock):
    access = make_access(token_max_days=30)
    access.users.add(NewUser("alice", "admin"), None)
    with pytest.raises(InvalidError, match="30 days"):
        access.tokens.create(as_user(access, "alice"), "t", "viewer", 31)
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", None)
    assert made.token.expires == clock.now + 30 * 86_400


@pytest.mark.parametrize(("own", "wanted"), [("viewer", "editor"), ("viewer", "admin"), ("editor", "admin")])
def test_a_token_has_at_most_the_role_of_its_user(access, own, wanted):
    access.users.add(NewUser("bob", own), None)
    with pytest.raises(DeniedError, match="higher role"):
        access.tokens.create(as_user(access, "bob"), "t", wanted, None)


def test_a_token_follows_its_user(access):
    access.users.add(NewUser("bob", "admin"), None)
    made = access.tokens.create(as_user(access, "bob"), "t", "admin", None)
    access.users.change("bob", UserChange(role="viewer", scope_filter='InIfProvider = "a"'))
    identity = by_token(access, made.text)
    assert (identity.role, identity.scope_filter) == ("viewer", 'InIfProvider = "a"')
    access.users.change("bob", UserChange(enabled=False))
    with pytest.raises(LoginError):
        by_token(access, made.text)
    access.users.remove("bob")
    with pytest.raises(LoginError):
        by_token(access, made.text)


def test_a_tenant_s_token_stays_limited_when_the_user_s_limit_is_another(access):
    access.users.add(NewUser("bob", "viewer", scope_filter='InIfProvider = "a"'), None)
    made = access.tokens.create(as_user(access, "bob"), "t", "viewer", None)
    access.users.change("bob", UserChange(scope_filter=""))
    assert by_token(access, made.text).scope_filter == 'InIfProvider = "a"'
    access.users.change("bob", UserChange(scope_filter="Proto = udp -- for now"))
    access.check_filter(by_token(access, made.text).scope_filter, {})


def test_tokens_of_nobody_are_refused_where_everybody_must_log_in(make_access):
    made = make_access(mode="open").tokens.create(Identity("local", "", "", "admin", "", "open"), "t", "admin", None)
    with pytest.raises(LoginError):
        by_token(make_access(mode="login"), made.text)
    assert by_token(make_access(mode="open"), made.text).role == "admin"


def test_a_token_cannot_make_tokens(access):
    made = access.tokens.create(as_user(access, "alice"), "t", "admin", 1)
    with pytest.raises(DeniedError):
        access.tokens.create(by_token(access, made.text), "for ever", "admin", None)


def test_users_see_and_revoke_their_own_tokens_and_administrators_all(access):
    access.users.add(NewUser("bob", "viewer"), None)
    bob, alice = as_user(access, "bob"), as_user(access, "alice")
    hers = access.tokens.create(alice, "hers", "viewer", None).token
    his = access.tokens.create(bob, "his", "viewer", None).token
    assert access.tokens.visible(bob) == [his]
    assert access.tokens.visible(alice) == [hers, his]
    with pytest.raises(MissingError):
        access.tokens.revoke(bob, hers.id)
    access.tokens.revoke(alice, his.id)
    assert access.tokens.visible(bob) == []


def test_use_is_noted_about_every_minute(access, clock):
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", None)
    began = clock.now
    for _ in range(3):
        by_token(access, made.text)
        clock.move(30)
    assert access.tokens.visible(as_user(access, "alice"))[0].last_used == began + 60
