"""Commands on users and tokens: on the state database, also while a server has it open."""

import re
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from millrace.access import Access, AccessSettings, Presented, filter_check
from millrace.cli.main import app
from millrace.errors import ConflictError, InvalidError, LoginError, MissingError, QueryError
from millrace.schema import Schema
from millrace.state import State, StateSettings

PASSWORD = "correct horse battery"
QUICK = {"memory_kib": 8, "iterations": 1, "lanes": 1}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a folder with a configuration; errors of ours come out as such."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "millrace.yaml").write_text(
        "access: {mode: login, password: {memory_kib: 8, iterations: 1, lanes: 1}}\ndata: data\n"
    )

    def run(*words, stdin=None):
        result = CliRunner().invoke(app, [*words, "--config", "millrace.yaml"], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.fixture
def served(tmp_path):
    """Access as a running server has it."""
    state = State(StateSettings(), tmp_path / "data")
    state.start()
    yield Access(AccessSettings(mode="login", password=QUICK), state, filter_check(Schema()))
    state.stop()


def test_a_user_that_was_added_can_log_in_at_once(served, run):
    output = run("user", "add", "Alice", "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert output == "added alice (admin)\n"
    assert served.logins.with_password("alice", PASSWORD, "127.0.0.1").user.role == "admin"


def test_a_password_is_asked_for_twice_and_not_shown(served, run):
    output = run("user", "add", "alice", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in output
    assert served.logins.with_password("alice", PASSWORD, "127.0.0.1").user.role == "viewer"


def test_users_are_listed_with_what_limits_them(run):
    run("user", "add", "tina", "--filter", 'InIfProvider = "a"', "--full-name", "[red]Tina[/]", "--no-password")
    output = run("user", "list")
    assert 'InIfProvider = "a"' in output
    assert "[red]Tina[/]" in output
    assert "never" in output


def test_role_and_limit_are_changed_and_lifted(served, run):
    run("user", "add", "tina", "--filter", "Proto = udp", "--no-password")
    assert run("user", "role", "tina", "editor") == "tina is editor, sees Proto = udp\n"
    assert run("user", "role", "tina", "editor", "--filter", "") == "tina is editor\n"
    assert served.state.users.find("tina").scope_filter == ""


def test_a_new_password_counts_and_ends_sessions(served, run):
    run("user", "add", "alice", "--password-stdin", stdin=PASSWORD)
    session = served.logins.with_password("alice", PASSWORD, "127.0.0.1").session
    run("user", "password", "alice", "--password-stdin", stdin="another password\n")
    assert served.logins.with_password("alice", "another password", "127.0.0.1")
    assert served.state.sessions.find(session) is None


def test_a_token_that_was_made_works_until_it_is_revoked(served, run):
    run("user", "add", "alice", "--role", "editor", "--no-password")
    token = run("token", "create", "grafana", "--user", "alice", "--days", "30").strip()
    presented = Presented("127.0.0.1", {"authorization": f"Bearer {token}"})
    identity = served.identify(presented)
    assert (identity.name, identity.role, identity.via) == ("alice", "viewer", "token")
    listed = run("token", "list")
    assert "grafana" in listed
    assert token not in listed
    assert "grafana" not in run("token", "list", "--user", "bob")
    run("token", "revoke", re.search(r"mlr_([a-z0-9]+)_", token)[1])
    assert "grafana" not in run("token", "list")


def test_all_tokens_of_a_user_and_all_of_everybody_are_revoked_at_once(served, run):
    for name in ("alice", "bob"):
        run("user", "add", name, "--no-password")
        for token in ("a", "b"):
            run("token", "create", token, "--user", name)
    assert run("token", "revoke", "--user", "Alice") == "revoked 2 tokens\n"
    assert {token.owner for token in served.state.tokens.all()} == {"bob"}
    assert run("token", "revoke", "--all") == "revoked 2 tokens\n"
    assert served.state.tokens.all() == []


@pytest.mark.parametrize("words", [(), ("abc", "--all"), ("--user", "alice", "--all")])
def test_which_tokens_to_revoke_is_said_once(run, words):
    with pytest.raises(AssertionError, match="give the id"):
        run("token", "revoke", *words)


def test_the_list_says_what_tokens_may_when_they_end_and_why_they_are_refused(served, run, tmp_path):
    run("user", "add", "alice", "--role", "admin", "--no-password")
    run("token", "create", "grafana", "--user", "alice", "--days", "366", "--unattended")
    run("token", "create", "deploy", "--user", "alice", "--role", "admin", "--manages")
    deploy, grafana = served.state.tokens.all()
    assert (deploy.manages, deploy.follows_login, deploy.mode) == (True, True, "login")
    assert (grafana.manages, grafana.follows_login) == (False, False)
    assert grafana.expires - grafana.created == 366 * 86_400
    assert deploy.expires - deploy.created == 90 * 86_400
    lines = run("token", "list").splitlines()
    assert [line.split()[4] for line in lines[1:]] == ["yes", "no"]
    assert ["need not" in line for line in lines[1:]] == [False, True]
    assert datetime.fromtimestamp(deploy.created + 90 * 86_400, UTC).strftime("%Y-%m-%d %H:%M") in lines[1]
    config = tmp_path / "millrace.yaml"
    config.write_text(config.read_text().replace("mode: login", "mode: proxy"))
    assert run("token", "list").count("was made in the mode login, but this is the mode proxy") == 2


def test_ids_of_tokens_stay_in_one_piece_on_a_narrow_terminal(served, run, monkeypatch):
    run("user", "add", "alice", "--no-password")
    run("token", "create", "a token with a long name " * 3, "--user", "alice")
    monkeypatch.setenv("COLUMNS", "60")
    (token,) = served.state.tokens.all()
    assert token.id in run("token", "list")


def test_a_token_that_manages_is_an_administrator_s(run):
    run("user", "add", "alice", "--role", "admin", "--no-password")
    with pytest.raises(InvalidError, match="role admin"):
        run("token", "create", "t", "--user", "alice", "--role", "editor", "--manages")


def test_a_disabled_user_is_out_at_once_until_enabled_again(served, run):
    run("user", "add", "alice", "--role", "admin", "--password-stdin", stdin=PASSWORD)
    run("user", "add", "bob", "--password-stdin", stdin=PASSWORD)
    session = served.logins.with_password("bob", PASSWORD, "127.0.0.1").session
    token = run("token", "create", "t", "--user", "bob").strip()
    by_session = Presented("127.0.0.1", {}, session)
    by_token = Presented("127.0.0.1", {"authorization": f"Bearer {token}"})
    assert {served.identify(presented).name for presented in (by_session, by_token)} == {"bob"}
    assert run("user", "disable", "Bob") == "bob may not log in\n"
    for presented in (by_session, by_token):
        with pytest.raises(LoginError):
            served.identify(presented)
    assert run("user", "enable", "bob") == "bob may log in\n"
    assert served.identify(by_token).name == "bob"
    with pytest.raises(ConflictError, match="last administrator"):
        run("user", "disable", "alice")


def test_a_removed_user_is_gone(served, run):
    run("user", "add", "bob", "--no-password")
    assert run("user", "remove", "bob") == "removed bob\n"
    assert served.users.all() == []


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("user", "remove", "alice"), ConflictError, "last administrator"),
        (("user", "role", "alice", "viewer"), ConflictError, "last administrator"),
        (("user", "add", "ALICE", "--no-password"), ConflictError, "already"),
        (("user", "add", "a b", "--no-password"), InvalidError, "user name"),
        (("user", "add", "bob", "--filter", "Protto = udp", "--no-password"), QueryError, "did you mean 'Proto'"),
        (("user", "remove", "bob"), MissingError, "no user 'bob'"),
        (("user", "password", "bob", "--password-stdin"), MissingError, "no user 'bob'"),
        (("token", "create", "t", "--user", "bob"), MissingError, "no user 'bob'"),
        (("token", "revoke", "nothing"), MissingError, "no token"),
    ],
)
def test_what_cannot_be_done_is_said(run, words, error, message):
    run("user", "add", "alice", "--role", "admin", "--no-password")
    with pytest.raises(error, match=message):
        run(*words, stdin=PASSWORD)


def test_a_password_is_no_argument(run):
    with pytest.raises(AssertionError, match="No such option"):
        run("user", "add", "alice", "--password", PASSWORD)
