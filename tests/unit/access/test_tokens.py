"""API tokens: made once, valid until they expire, are revoked, or their user goes."""

import itertools
import re

import pytest

from millrace.access import Identity, Presented
from millrace.errors import DeniedError, InvalidError, LoginError, MissingError
from millrace.state import NewUser, UserChange

PASSWORD = "correct horse battery"


def by_token(access, text, scheme="Bearer"):
    return access.identify(Presented("192.0.2.1", {"authorization": f"{scheme} {text}"}))


def as_user(access, name):
    return access.of_user(name)


MODES = ["open", "login", "proxy"]


@pytest.mark.parametrize("mode", MODES)
def test_a_token_says_who_asks_in_every_mode(access, make_access, mode):
    access = make_access(mode=mode)
    made = access.tokens.create(as_user(access, "alice"), "grafana", "viewer", None)
    assert re.fullmatch(r"mlr_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", made.text)
    identity = by_token(access, made.text)
    assert (identity.name, identity.role, identity.via) == ("alice", "viewer", "token")
    assert by_token(access, made.text, "bearer") == identity


@pytest.mark.parametrize(("made_in", "used_in"), list(itertools.permutations(MODES, 2)))
def test_a_token_is_nobody_in_another_mode_than_it_was_made_in(access, make_access, made_in, used_in):
    """Whoever administered while nobody logged in must not go on when people do."""
    first = make_access(mode=made_in)
    text = first.tokens.create(as_user(first, "alice"), "t", "admin", None).text
    with pytest.raises(LoginError, match=f"made in the mode {made_in}"):
        by_token(make_access(mode=used_in), text)
    assert by_token(make_access(mode=made_in), text).name == "alice"


def test_only_the_hash_of_a_token_is_kept(access, tmp_path):
    secret = access.tokens.create(as_user(access, "alice"), "t", "viewer", None).text.split("_", 2)[2]
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


def test_a_token_has_an_end_even_if_nobody_says_when(access, clock):
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", None)
    clock.move(90 * 86_400 - 1)
    login(access)
    assert by_token(access, made.text)
    clock.move(1)
    with pytest.raises(LoginError, match="expired"):
        by_token(access, made.text)


def test_a_shorter_bound_counts_for_tokens_that_were_made_before(access, make_access, clock):
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", 300)
    clock.move(10 * 86_400)
    stricter = make_access(token_max_days=10)
    with pytest.raises(LoginError, match="expired"):
        by_token(stricter, made.text)
    assert stricter.tokens.ends(made.token) == clock.now
    assert by_token(access, made.text)


# --- who does not log in any more


def login(access, name="alice"):
    return access.logins.with_password(name, PASSWORD, "192.0.2.1")


def test_a_token_ends_when_its_user_does_not_log_in_any_more(access, clock):
    """Such as somebody who left: the login provider does not say so."""
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", 366)
    assert access.tokens.login_by(made.token) == clock() + 90 * 86_400
    clock.move(89 * 86_400)
    login(access)
    (seen,) = access.tokens.visible(as_user(access, "alice"))
    assert access.tokens.login_by(seen) == clock() + 90 * 86_400
    clock.move(89 * 86_400)
    assert by_token(access, made.text)
    clock.move(86_400)
    with pytest.raises(LoginError, match="not logged in for 90 days"):
        by_token(access, made.text)
    login(access)
    assert by_token(access, made.text)


def test_how_long_that_takes_is_a_setting(make_access, clock):
    access = make_access(token_login_days=2)
    access.users.add(NewUser("alice", "admin"), PASSWORD)
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", 300)
    clock.move(2 * 86_400)
    with pytest.raises(LoginError, match="for 2 days"):
        by_token(access, made.text)
    other = make_access(token_login_days=0)
    assert by_token(other, made.text)
    assert other.tokens.login_by(made.token) == 0


def test_a_token_of_a_program_s_own_user_need_not_follow_logins(access, clock):
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", 366, follows_login=False)
    assert access.tokens.login_by(made.token) == 0
    clock.move(300 * 86_400)
    assert by_token(access, made.text)


def test_behind_a_proxy_its_word_is_the_login(make_access, clock):
    access = make_access(mode="proxy")
    presented = Presented("127.0.0.1", {"remote-user": "bob"})
    made = access.tokens.create(access.identify(presented), "t", "viewer", 366)
    clock.move(89 * 86_400)
    access.identify(presented)
    clock.move(89 * 86_400)
    assert by_token(access, made.text)
    clock.move(86_400)
    with pytest.raises(LoginError, match="not logged in"):
        by_token(access, made.text)


def test_a_long_answer_is_no_word_of_the_proxy(make_access, clock):
    """Whoever had left kept their tokens with a live stream that was never closed."""
    access = make_access(mode="proxy")
    presented = Presented("127.0.0.1", {"remote-user": "bob"})
    made = access.tokens.create(access.identify(presented), "t", "viewer", 366)
    for _ in range(90):
        clock.move(86_400)
        assert access.identify(presented, again=True).name == "bob"
    with pytest.raises(LoginError, match="not logged in"):
        by_token(access, made.text)


def test_where_nobody_logs_in_tokens_do_not_wait_for_that(make_access, clock):
    access = make_access(mode="open")
    made = access.tokens.create(as_user(access, "alice"), "t", "viewer", 366)
    clock.move(300 * 86_400)
    assert by_token(access, made.text)


def test_why_tokens_are_refused_is_said_of_each(access, make_access, clock):
    access.users.add(NewUser("bob", "viewer"), None)
    for name in ("alice", "bob"):
        access.tokens.create(as_user(access, name), "t", "viewer", 1 if name == "alice" else 2)
    assert access.tokens.refusals(access.state.tokens.all()) == ["", ""]
    clock.move(86_400)
    access.users.change("bob", UserChange(enabled=False))
    assert access.tokens.refusals(access.state.tokens.all()) == [
        "has expired",
        "is of 'bob', who may not log in (any more)",
    ]
    assert access.tokens.refusals([]) == []


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


def test_a_token_manages_only_if_it_was_made_to_and_only_an_administrator_s(access):
    alice = as_user(access, "alice")
    with pytest.raises(DeniedError, match="not made to manage"):
        by_token(access, access.tokens.create(alice, "a", "admin", 1).text).need_managing()
    by_token(access, access.tokens.create(alice, "b", "admin", 1, manages=True).text).need_managing()
    with pytest.raises(InvalidError, match="admin"):
        access.tokens.create(alice, "c", "editor", 1, manages=True)


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
