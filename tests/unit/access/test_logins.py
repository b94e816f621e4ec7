"""Sessions: how they begin, last and end."""

import io

import pytest

from millrace.access import Presented
from millrace.access.claims import ProviderUser
from millrace.access.secrets import digest
from millrace.errors import DeniedError, InvalidError, LoginError, StateError, ThrottledError
from millrace.state import NewUser, UserChange
from millrace.telemetry import setup_logging

PASSWORD = "correct horse battery"
ADDRESS = "192.0.2.1"


def login(access, name="alice", password=PASSWORD, **options):
    return access.logins.with_password(name, password, ADDRESS, **options)


def change_password(access, session, old, new):
    return access.logins.change_password(who(access, session), session, old, new, ADDRESS)


def who(access, session):
    return access.identify(Presented(ADDRESS, {}, session))


def test_a_login_gives_a_session_that_says_who_asks(access):
    identity = who(access, login(access).session)
    assert (identity.name, identity.full_name, identity.role, identity.via) == ("alice", "Alice", "admin", "session")


def test_the_spelling_of_the_name_does_not_matter(access):
    assert login(access, " ALICE ").user.name == "alice"


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong password"), ("alice", ""), ("bob", PASSWORD), ("", PASSWORD), ("a b", PASSWORD), ("x" * 400, "")],
)
def test_what_is_wrong_with_a_login_is_not_said(access, name, password):
    with pytest.raises(LoginError, match=r"^the user name or the password is wrong$"):
        login(access, name, password)


def test_a_user_without_a_password_or_who_may_not_log_in_cannot(access):
    access.users.add(NewUser("bob", "viewer"), None)
    access.users.add(NewUser("carol", "viewer"), PASSWORD)
    access.users.change("carol", UserChange(enabled=False))
    for name in ("bob", "carol"):
        with pytest.raises(LoginError, match="is wrong"):
            login(access, name)


@pytest.mark.parametrize("mode", ["open", "proxy"])
def test_there_is_no_login_in_other_modes(make_access, mode):
    with pytest.raises(DeniedError, match="no login"):
        login(make_access(mode=mode))


def test_failures_slow_further_attempts_down_even_right_ones(access, clock):
    for _ in range(5):
        with pytest.raises(LoginError):
            login(access, password="wrong password")
    with pytest.raises(ThrottledError):
        login(access)
    clock.move(1)
    assert login(access)


def test_a_stranger_s_failures_do_not_keep_a_user_out(access, clock):
    """One try per five minutes held an administrator out for ever."""
    device = login(access).device
    for _ in range(12):
        with pytest.raises((LoginError, ThrottledError)):
            access.logins.with_password("alice", "wrong password", "198.51.100.7")
        clock.move(60)
    assert login(access)
    assert login(access, device=device)


def test_many_strangers_keep_out_other_strangers_but_not_the_user_s_devices(access, make_access, clock):
    device = login(access).device
    for number in range(100):
        with pytest.raises(LoginError):
            access.logins.with_password("alice", "wrong password", f"198.51.100.{number}")
    with pytest.raises(ThrottledError):
        login(access)
    begun = login(access, device=device)
    assert begun.device == ""
    for forged in ("x", device[:-1] + ("0" if device[-1] != "0" else "1"), "a.b.c.d", "ä.1.b.c", "." * 400):
        with pytest.raises(ThrottledError):
            login(access, device=forged)


def test_a_device_is_known_for_its_user_alone_and_not_for_ever(access, clock):
    access.users.add(NewUser("bob", "viewer"), PASSWORD)
    device, his = login(access).device, login(access, "bob").device
    assert device
    assert login(access, device=his).device not in ("", device)
    assert login(access, " ALICE ", device=device).device == ""
    clock.move(400 * 86_400)
    assert login(access, device=device).device != ""


def test_a_known_device_does_not_guess_for_nothing(access):
    device = login(access).device
    for _ in range(5):
        with pytest.raises(LoginError):
            login(access, password="wrong password", device=device)
    with pytest.raises(ThrottledError):
        login(access, device=device)
    assert login(access)


# --- who asks, once more


def confirm(access, session, password=None):
    access.logins.confirm(who(access, session), session, password, ADDRESS)


def test_who_has_a_password_confirms_with_it(access, clock):
    session = login(access).session
    confirm(access, session, PASSWORD)
    for _ in range(4):
        with pytest.raises(LoginError):
            confirm(access, session, "wrong password")
    for password in (None, ""):
        with pytest.raises(DeniedError, match="password"):
            confirm(access, session, password)
    with pytest.raises(LoginError):
        confirm(access, session, "wrong password")
    with pytest.raises(ThrottledError):
        confirm(access, session, PASSWORD)
    # Who guesses with a stolen session keeps nobody out.
    assert login(access)
    clock.move(1)
    confirm(access, session, PASSWORD)


def test_who_has_no_password_confirms_by_a_fresh_login(access, clock):
    access.users.add(NewUser("olga", "viewer", source="oidc"), None)
    said = ProviderUser("https://login.example.org", "7", "olga", "", "", "viewer", "")
    access.state.users.add_identity("olga", said.issuer, said.subject)
    session = access.logins.with_provider(said, ADDRESS).session
    clock.move(599)
    confirm(access, session)
    clock.move(1)
    with pytest.raises(DeniedError, match="last 10 minutes"):
        confirm(access, session)
    confirm(access, access.logins.with_provider(said, ADDRESS).session)


def test_a_fresh_login_may_do_for_who_has_a_password(access, clock):
    def confirm_either(session, password=None):
        access.logins.confirm(who(access, session), session, password, ADDRESS, or_fresh=True)

    session = login(access).session
    clock.move(599)
    confirm_either(session)
    with pytest.raises(LoginError):
        confirm_either(session, "wrong password")
    clock.move(1)
    for password in (None, ""):
        with pytest.raises(DeniedError, match="your password, or a log-in of the last 10 minutes"):
            confirm_either(session, password)
    confirm_either(session, PASSWORD)


def test_where_nobody_logs_in_there_is_nothing_to_confirm_with(make_access):
    access = make_access(mode="proxy")
    access.logins.confirm(access.identify(Presented("127.0.0.1", {"remote-user": "bob"})), "", None, ADDRESS)


def test_a_session_is_random_and_only_its_hash_is_kept(access, tmp_path):
    first, second = login(access), login(access)
    assert first.session != second.session
    assert len(first.session) == 43
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("state.db*"))
    assert first.session.encode() not in kept
    assert digest(first.session).encode() in kept


def test_a_login_ends_the_session_that_the_browser_had(access):
    """Session fixation: what somebody planted in a browser is worth nothing after the login."""
    planted = login(access).session
    begun = login(access, replaces=planted).session
    assert begun != planted
    with pytest.raises(LoginError):
        who(access, planted)


@pytest.mark.parametrize("session", ["", "x", "0" * 43, "ä", "' OR 1=1 --"])
def test_an_unknown_session_is_nobody(access, session):
    with pytest.raises(LoginError):
        who(access, session)


def test_a_session_ends_when_it_is_idle(access, clock):
    session = login(access).session
    for _ in range(3):
        clock.move(700 * 60)
        assert who(access, session)
    clock.move(720 * 60)
    with pytest.raises(LoginError):
        who(access, session)


def test_a_session_ends_in_any_case(access, clock):
    session = login(access).session
    for _ in range(16):
        clock.move(10 * 3600)
        assert who(access, session)
    clock.move(8 * 3600)
    with pytest.raises(LoginError):
        who(access, session)


def test_logout_ends_one_session_or_all(access):
    first, second, third = (login(access).session for _ in range(3))
    access.logins.logout(first)
    with pytest.raises(LoginError):
        who(access, first)
    assert access.logins.logout_everywhere(who(access, second)) == 2
    for session in (second, third):
        with pytest.raises(LoginError):
            who(access, session)


def test_another_password_ends_the_other_sessions(access):
    first, second = login(access), login(access)
    changed = change_password(access, first.session, PASSWORD, "another password")
    assert who(access, changed.session).name == "alice"
    for old in (first, second):
        with pytest.raises(LoginError):
            who(access, old.session)
    with pytest.raises(LoginError):
        login(access)
    assert login(access, password="another password")


def test_the_password_is_changed_only_by_who_knows_the_old_one(access):
    session = login(access).session
    with pytest.raises(LoginError):
        change_password(access, session, "wrong password", "another password")
    with pytest.raises(InvalidError):
        change_password(access, session, PASSWORD, "short")
    assert who(access, session)


def test_a_token_cannot_change_the_password(access):
    made = access.tokens.create(who(access, login(access).session), "t", "admin", None)
    by_token = access.identify(Presented(ADDRESS, {"authorization": f"Bearer {made.text}"}))
    with pytest.raises(DeniedError):
        access.logins.change_password(by_token, "", PASSWORD, "another password", ADDRESS)


def test_who_may_not_log_in_any_more_is_out_at_once(access):
    access.users.add(NewUser("bob", "editor"), PASSWORD)
    session = login(access, "bob").session
    access.users.change("bob", UserChange(role="viewer", scope_filter="Proto = udp"))
    assert (who(access, session).role, who(access, session).scope_filter) == ("viewer", "Proto = udp")
    access.users.change("bob", UserChange(enabled=False))
    with pytest.raises(LoginError):
        who(access, session)


def test_a_hash_of_old_parameters_is_replaced_at_the_next_login(access, make_access):
    old = access.state.users.password_hash("alice")
    login(access)
    assert access.state.users.password_hash("alice") == old
    stronger = make_access(password={"memory_kib": 16, "iterations": 2, "lanes": 1})
    session = login(stronger).session
    assert stronger.state.users.password_hash("alice") != old
    assert login(stronger)
    assert who(stronger, session)


def test_a_password_that_is_too_short_by_now_lets_its_user_in(access, make_access):
    """It was refused with a word that it was right, wherever the parameters of hashes had changed, too."""
    stricter = make_access(password={"memory_kib": 16, "iterations": 1, "lanes": 1, "min_length": 40})
    old = stricter.state.users.password_hash("alice")
    assert login(stricter)
    assert stricter.state.users.password_hash("alice") == old


@pytest.mark.parametrize("error", [ThrottledError("too many logins", 5.0), StateError("no answer")])
def test_who_meets_a_flood_of_logins_has_not_failed(access, monkeypatch, error):
    """Each of their attempts counted, so that they waited for minutes after it."""

    def busy(self, stored, password, *, known=False):
        raise error

    device = login(access).device
    with monkeypatch.context() as flood:
        flood.setattr("millrace.access.passwords.Passwords.verify", busy)
        for _ in range(30):
            for kept in ("", device):
                with pytest.raises(type(error), match=str(error)):
                    login(access, device=kept)
    assert login(access)
    assert login(access, device=device)


def test_logs_hold_no_secrets_and_no_unknown_names(access):
    stream = io.StringIO()
    setup_logging("debug", "json", stream)
    begun = login(access)
    made = access.tokens.create(who(access, begun.session), "t", "viewer", None)
    for name in ("alice", "hunter2 typed in the wrong field"):
        with pytest.raises(LoginError):
            login(access, name, "wrong password")
    text = stream.getvalue()
    assert "refused a login" in text
    assert '"alice"' in text
    for secret in (PASSWORD, "wrong password", "hunter2", begun.session, made.text, begun.session[:20]):
        assert secret not in text
    assert begun.session not in repr(begun)
    assert made.text not in repr(made)
