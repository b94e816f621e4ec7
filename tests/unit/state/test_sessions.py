"""Sessions in the database."""

import pytest

from millrace.errors import StateError

NOW = 1_767_268_800.0


def digest(number):
    return f"{number:064d}"


def test_a_session_gives_its_user_as_the_user_is_now(state, alice):
    state.sessions.open(digest(1), "alice", NOW, NOW + 60)
    session, user = state.sessions.find(digest(1))
    assert (session.user, session.created, session.seen, session.expires) == ("alice", NOW, NOW, NOW + 60)
    assert (user.name, user.last_login, user.created) == ("alice", NOW, NOW)


def test_a_new_session_ends_the_one_it_replaces_and_those_that_have_expired(state, alice):
    state.sessions.open(digest(1), "alice", NOW, NOW + 1000)
    state.sessions.open(digest(2), "alice", NOW, NOW + 10)
    state.sessions.open(digest(3), "alice", NOW + 20, NOW + 1000, replaces=digest(1))
    assert [bool(state.sessions.find(digest(n))) for n in (1, 2, 3)] == [False, False, True]


def test_the_oldest_session_of_a_user_ends_when_there_are_too_many(state, alice):
    for number in range(5):
        state.sessions.open(digest(number), "alice", NOW + number, NOW + 1000)
    assert [bool(state.sessions.find(digest(n))) for n in range(5)] == [False, False, True, True, True]


def test_sessions_end_one_by_one_and_together(state, alice):
    for number in range(3):
        state.sessions.open(digest(number), "alice", NOW, NOW + 1000)
    state.sessions.close(digest(0))
    assert state.sessions.find(digest(0)) is None
    assert state.sessions.close_all("alice") == 2
    assert state.sessions.find(digest(1)) is None


def test_use_is_noted(state, alice):
    state.sessions.open(digest(1), "alice", NOW, NOW + 1000)
    state.sessions.touch(digest(1), NOW + 5)
    assert state.sessions.find(digest(1))[0].seen == NOW + 5


def test_there_is_no_session_of_nobody(state):
    with pytest.raises(StateError):
        state.sessions.open(digest(1), "nobody", NOW, NOW + 1000)
