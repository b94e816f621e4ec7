"""The database itself: its file, its version, other processes, its errors."""

import importlib.util
import io
import stat
import subprocess
import sys
import threading
import time

import pytest
from pydantic import ValidationError
from sqlalchemy import text

from millrace.config import load, show
from millrace.errors import ConfigError, StateError
from millrace.state import FilterContent, NewUser, State, StateSettings, keys, migrations
from millrace.state.database import Database
from millrace.state.migrations import STEPS, VERSION, migrate
from millrace.telemetry import setup_logging

NOW = 1_767_268_800.0


def test_a_state_that_was_constructed_has_opened_nothing(tmp_path):
    state = State(StateSettings(), tmp_path / "data")
    assert not (tmp_path / "data").exists()
    with pytest.raises(StateError, match="closed"):
        state.users.all()


def test_what_is_kept_is_there_after_a_restart(settings, tmp_path):
    for expected in ([], ["alice"]):
        state = State(settings, tmp_path)
        state.start()
        assert [user.name for user in state.users.all()] == expected
        if not expected:
            state.users.add(NewUser("alice", "admin"), None, NOW)
        state.stop()


def test_only_the_owner_may_read_the_file_and_its_journals(tmp_path):
    (tmp_path / "state.db").touch(mode=0o644)
    state = State(StateSettings(), tmp_path)
    state.start()
    state.users.add(NewUser("alice", "admin"), None, NOW)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert set(modes) == {"state.db", "state.db-wal", "state.db-shm"}
    assert set(modes.values()) == {0o600}
    state.stop()


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "state.db").mkdir()
    with pytest.raises(StateError, match=r"state\.db"):
        State(StateSettings(), tmp_path).start()


def test_a_file_that_is_no_database_is_said_so(tmp_path):
    (tmp_path / "state.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StateError, match="not a database"):
        State(StateSettings(), tmp_path).start()


def test_threads_share_one_database(state):
    threads = [
        threading.Thread(
            target=lambda n=n: [state.links.add(f"user {n}", f"{n} {i}", NOW) and state.users.all() for i in range(10)]
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.links.find(state.links.add("user 7", "7 9", NOW), NOW) == "7 9"


ADD_USERS = """
import sys
from pathlib import Path
from millrace.state import NewUser, State, StateSettings
url, folder, prefix = sys.argv[1:]
state = State(StateSettings(url=url or None), Path(folder))
state.start()
for number in range(15):
    state.users.add(NewUser(f"{prefix}{number}", "viewer"), None, 1.0)
state.stop()
"""


def test_processes_share_one_database(settings, tmp_path):
    url = settings.url.get_secret_value() if settings.url else ""
    processes = [subprocess.Popen([sys.executable, "-c", ADD_USERS, url, tmp_path, prefix]) for prefix in "ab"]
    assert [process.wait(60) for process in processes] == [0, 0]
    state = State(settings, tmp_path)
    state.start()
    assert len(state.users.all()) == 30
    state.stop()


def test_what_a_failed_block_wrote_is_undone(settings, tmp_path):
    database = Database(settings, tmp_path)
    database.start()

    def fail():
        with database.write() as connection:
            connection.execute(text("INSERT INTO meta VALUES ('a', 'b')"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM meta")).scalar() == 1
    database.stop()


def test_an_older_database_is_brought_forward_and_a_newer_one_refused(settings, tmp_path):
    database = Database(settings, tmp_path)
    database.start()
    steps = {
        VERSION + 1: lambda connection: connection.execute(text("ALTER TABLE users ADD COLUMN shoe_size INTEGER")),
        VERSION + 2: lambda connection: connection.execute(text("UPDATE users SET shoe_size = 42")),
    }
    with database.write() as connection:
        migrate(connection, VERSION + 2, steps)
        migrate(connection, VERSION + 2, steps)
        assert connection.execute(text("SELECT value FROM meta WHERE key = 'version'")).scalar() == str(VERSION + 2)
        connection.execute(text("SELECT shoe_size FROM users"))
    database.stop()
    with pytest.raises(StateError, match="newer Millrace"):
        database.start()


def test_links_of_an_earlier_version_are_nobodys_and_still_lead_somewhere(settings, tmp_path):
    database = Database(settings, tmp_path)
    database.start()
    with database.write() as connection:
        for statement in (
            "DROP TABLE links",
            "CREATE TABLE links (id VARCHAR(64) PRIMARY KEY, state TEXT NOT NULL, used DOUBLE PRECISION NOT NULL)",
            "CREATE INDEX links_used ON links (used)",
            "INSERT INTO links VALUES ('abcdefghijkl', '/explore', 1.0)",
        ):
            connection.execute(text(statement))
        STEPS[2](connection)
    database.stop()
    state = State(settings, tmp_path)
    state.start()
    assert state.links.find("abcdefghijkl", NOW) == "/explore"
    made = state.links.add("alice", "/explore", NOW)
    assert state.links.find(made, NOW) == "/explore"
    state.stop()


def test_a_step_that_fails_leaves_the_database_as_it_was(settings, tmp_path):
    database = Database(settings, tmp_path)
    database.start()
    add = text("ALTER TABLE users ADD COLUMN shoe_size INTEGER")
    steps = {VERSION + 1: lambda connection: connection.execute(add), VERSION + 2: None}
    with pytest.raises(TypeError), database.write() as connection:
        migrate(connection, VERSION + 2, steps)
    database.stop()
    database.start()
    with pytest.raises(StateError), database.read() as connection:
        connection.execute(text("SELECT shoe_size FROM users"))
    database.stop()


def test_errors_of_the_database_do_not_repeat_what_was_written(state):
    state.filters.add("alice", FilterContent("a", "x"), NOW)
    with pytest.raises(StateError) as error, state._database.read() as connection:
        connection.execute(text("SELECT nothing FROM filters WHERE name = :name"), {"name": "hunter2"})
    assert "hunter2" not in str(error.value)


# --- PostgreSQL


@pytest.mark.service
def test_a_server_that_comes_later_is_used_then(postgresql, tmp_path, monkeypatch):
    settings = StateSettings(url=postgresql)
    there = settings.postgresql()
    monkeypatch.setattr(StateSettings, "postgresql", lambda self: there.set(port=1))
    state = State(settings, tmp_path)
    state.start()
    with pytest.raises(StateError, match="does not answer"):
        state.ping()
    monkeypatch.undo()
    state._database._engine = state._database._postgresql(there)
    state.ping()
    assert state.users.all() == []
    state.stop()


SECRET = "s3cr3t-of-the-database"


def test_the_password_of_the_database_is_shown_nowhere(tmp_path):
    path = tmp_path / "millrace.yaml"
    path.write_text(f"url: postgresql://millrace:{SECRET}@127.0.0.1:1/millrace\n")
    settings = load(StateSettings, path, {})
    assert SECRET not in show(settings) + repr(settings)
    stream = io.StringIO()
    setup_logging("debug", "json", stream)
    state = State(settings, tmp_path)
    state.start()
    with pytest.raises(StateError, match="does not answer") as error:
        state.users.all()
    state.stop()
    assert "does not answer yet" in stream.getvalue()
    assert SECRET not in str(error.value) + stream.getvalue()
    assert error.value.__cause__ is None


@pytest.mark.parametrize("url", [f"mysql://a:{SECRET}@h/d", f"{SECRET}", f"postgresql://a:{SECRET}@h:port/d"])
def test_a_wrong_url_is_refused_without_its_password(tmp_path, url):
    path = tmp_path / "millrace.yaml"
    path.write_text(f"url: {url}\n")
    with pytest.raises(ConfigError, match="url:") as error:
        load(StateSettings, path, {})
    assert SECRET not in str(error.value)
    with pytest.raises(ValidationError):
        StateSettings(url=url)


def test_a_missing_driver_is_said_with_the_fix(tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "psycopg" else found(name))
    with pytest.raises(ConfigError, match=r"pip install 'millrace\[postgresql\]'"):
        State(StateSettings(url="postgresql://a:b@127.0.0.1/d"), tmp_path).start()


def test_an_empty_url_means_sqlite(tmp_path):
    assert StateSettings(url="").postgresql() is None


FORMER_TOKENS = """
CREATE TABLE tokens (
    id VARCHAR(20) PRIMARY KEY, hash VARCHAR(64) NOT NULL, owner VARCHAR(100) NOT NULL, name VARCHAR(100) NOT NULL,
    role VARCHAR(20) NOT NULL, scope_filter TEXT NOT NULL, created DOUBLE PRECISION NOT NULL,
    expires DOUBLE PRECISION NOT NULL, last_used DOUBLE PRECISION NOT NULL, UNIQUE (owner, name)
)
"""


@pytest.mark.parametrize(
    ("alice", "olga", "petra"),
    [
        (("hash", "local"), (None, "oidc"), "login"),
        (("hash", "local"), (None, "local"), "login"),
        ((None, "local"), (None, "oidc"), "login"),
        # Nobody can log in: only a proxy can have named them.
        ((None, "local"), (None, "local"), "proxy"),
    ],
)
def test_tokens_of_an_earlier_version_belong_to_the_mode_that_they_were_made_in(settings, tmp_path, alice, olga, petra):
    """Nothing tells that mode; what can be told of their owners does."""
    state = State(settings, tmp_path)
    state.start()
    for name, (password, source) in {"alice": alice, "olga": olga, "petra": (None, "local")}.items():
        state.users.add(NewUser(name, "viewer", source=source), password, NOW)
    state.stop()
    database = Database(settings, tmp_path)
    database.start()
    with database.write() as connection:
        connection.execute(text("DROP TABLE tokens"))
        connection.execute(text(FORMER_TOKENS))
        for number, owner in enumerate(("local", "alice", "olga", "petra", "stranger")):
            row = {"id": f"t{number}", "owner": owner}
            connection.execute(text("INSERT INTO tokens VALUES (:id, 'h', :owner, 't', 'admin', '', 1, 0, 0)"), row)
        before = next(number for number, step in STEPS.items() if step is migrations._bind_tokens) - 1
        connection.execute(text("UPDATE meta SET value = :before WHERE key = 'version'"), {"before": str(before)})
    database.stop()
    began = time.time()
    state.start()
    tokens = state.tokens.all()
    expected = {"local": "open", "alice": petra, "olga": petra, "petra": petra, "stranger": "proxy"}
    assert {token.owner: token.mode for token in tokens} == expected
    assert not any(token.manages for token in tokens)
    # They get the whole time from now on: nobody noted logins for them before.
    assert all(token.follows_login and token.owner_seen >= began for token in tokens)
    state.stop()


def test_consoles_that_share_a_database_share_the_key_that_signs(settings, tmp_path):
    first, second = State(settings, tmp_path), State(settings, tmp_path)
    for state in (first, second):
        state.start()
    assert len(first.signing_key()) == 32
    assert second.signing_key() == first.signing_key()
    for state in (first, second):
        state.stop()


def test_of_two_keys_made_at_the_same_time_one_counts(settings, tmp_path, monkeypatch):
    first, second = State(settings, tmp_path), State(settings, tmp_path)
    for state in (first, second):
        state.start()
    made, read, answers = first.signing_key(), keys._read, [None]
    # The second looked before the first had written.
    monkeypatch.setattr(keys, "_read", lambda connection: answers.pop() if answers else read(connection))
    assert second.signing_key() == made
    for state in (first, second):
        state.stop()
