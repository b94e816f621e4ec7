"""API tokens in the database."""

import pytest

from millrace.errors import ConflictError, InvalidError, MissingError
from millrace.state import Token

NOW = 1_767_268_800.0


def token(token_id, name="t", owner="alice"):
    return Token(token_id, owner, name, "viewer", "", NOW, NOW + 60, 0.0)


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
