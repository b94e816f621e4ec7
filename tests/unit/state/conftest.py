"""The state database: SQLite, and PostgreSQL where a URL is given; one suite for both."""

import os
import uuid

import psycopg
import pytest
from sqlalchemy import make_url

from millrace.state import NewUser, State, StateSettings

NOW = 1_767_268_800.0

REQUIRED = os.environ.get("MILLRACE_REQUIRE_SERVICES") == "1"


@pytest.fixture
def postgresql():
    """URL of a fresh schema of a PostgreSQL server."""
    text = os.environ.get("MILLRACE_TEST_POSTGRESQL")
    if not text:
        reason = "MILLRACE_TEST_POSTGRESQL is not set (postgresql://user:password@host/database)"
        pytest.fail(reason) if REQUIRED else pytest.skip(reason)
    url = make_url(text).set(drivername="postgresql")
    schema = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
        yield url.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def settings(request):
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return StateSettings(
        url=url,
        max_sessions_per_user=3,
        max_tokens_per_user=3,
        max_saved_per_user=5,
        max_saved_characters_per_user=100_000,
        max_links=100,
        max_links_per_user=20,
    )


@pytest.fixture
def state(settings, tmp_path):
    state = State(settings, tmp_path)
    state.start()
    yield state
    state.stop()


@pytest.fixture
def alice(state):
    return state.users.add(NewUser("alice", "admin", "Alice"), "hash-of-alice", NOW)
