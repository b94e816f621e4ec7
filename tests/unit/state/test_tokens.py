"""API tokens in the database."""

import pytest

from millrace.errors import ConflictError, InvalidError, MissingError
from millrace.state import NewUser, Token

NOW = 1_767_268_800.0


def token(token_id, name="t", owner="alice"):
    return Token(token_id, owner, name, "viewer", "", NOW, NOW + 60, 0.0, "login", False, True, NOW)


def test_a_token_is_found_with_the_hash_of_its_secret(state):
    state.tokens.add(token("abc"), "d" * 64)
    assert state.tokens.find("abc") == (token("abc"), "d" * 64)
    assert state.tokens.find("abd") is None
    assert state.tokens.find("a\0b") is None


def test_names_are_one_per_owner_and_tokens_are_bounded(state):
    state.tokens.add(token("a", "x"), "d")
    with pytest.raises(ConflictError, match="already"):
        state.tokens.add(token("b", "x"), "d")
    state.tokens.add(token("c", "x", "bob"), "d")
    state.tokens.add(token("d", "y"), "d")
    state.tokens.add(token("e", "z"), "d")
    with pytest.raises(ConflictError, match="revoke one"):
        state.tokens.add(token("f", "w"), "d")
    with pytest.raises(InvalidError):
        state.tokens.add(token("g", "n" * 101, "bob"), "d")


def test_a_token_is_revoked_by_its_owner_or_without_one_by_anybody(state):
    state.tokens.add(token("a", "x"), "d")
    with pytest.raises(MissingError):
        state.tokens.revoke("a", "bob")
    state.tokens.revoke("a", "alice")
    with pytest.raises(MissingError):
        state.tokens.revoke("a")


def test_tokens_are_listed_by_owner(state):
    state.tokens.add(token("a", "x"), "d")
    state.tokens.add(token("b", "x", "bob"), "d")
    assert [found.id for found in state.tokens.all()] == ["a", "b"]
    assert [found.id for found in state.tokens.all("bob")] == ["b"]


def test_use_is_noted(state):
    state.tokens.add(token("a"), "d")
    state.tokens.touch("a", NOW + 1)
    assert state.tokens.find("a")[0].last_used == NOW + 1


def test_a_login_is_noted_for_the_tokens_of_who_logs_in(state):
    state.users.add(NewUser("alice", "viewer"), None, NOW)
    state.tokens.add(token("a"), "d")
    state.tokens.add(token("b", owner="bob"), "d")
    state.sessions.open("h", "alice", NOW + 5, NOW + 60)
    assert {found.id: found.owner_seen for found in state.tokens.all()} == {"a": NOW + 5, "b": NOW}
    state.tokens.note_owner("bob", NOW + 7)
    assert state.tokens.find("b")[0].owner_seen == NOW + 7


def test_all_tokens_of_a_user_or_of_everybody_are_revoked_at_once(state):
    for number, owner in enumerate(("alice", "alice", "bob", "bob")):
        state.tokens.add(token(f"t{number}", f"t{number}", owner), "d")
    assert state.tokens.revoke_all("alice") == 2
    assert [found.owner for found in state.tokens.all()] == ["bob", "bob"]
    assert state.tokens.revoke_all() == 2
    assert state.tokens.all() == []
