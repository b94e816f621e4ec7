"""Users in the database."""

import pytest

from millrace.errors import ConflictError, InvalidError, MissingError
from millrace.state import FilterContent, NewUser, State, StateSettings, Token, UserChange

NOW = 1_767_268_800.0


def test_a_user_is_found_as_it_was_added(state):
    added = state.users.add(NewUser("bob", "viewer", "Bob", "bob@example.org", 'InIfProvider = "a"'), None, NOW)
    assert state.users.find("bob") == added
    assert (added.role, added.scope_filter, added.created, added.last_login) == ("viewer", 'InIfProvider = "a"', NOW, 0)
    assert not added.has_password


def test_names_have_one_spelling(state, alice):
    assert state.users.find(" ALICE ") == alice
    with pytest.raises(ConflictError, match="already"):
        state.users.add(NewUser("Alice", "viewer"), None, NOW)


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a" * 101, "a\0b", "a;b", "ａ b", "../x", "a\nb"])
def test_what_is_no_name_is_refused_and_found_by_nobody(state, name):
    with pytest.raises(InvalidError, match="user name"):
        state.users.add(NewUser(name, "viewer"), None, NOW)
    assert state.users.find(name) is None
    with pytest.raises(MissingError):
        state.users.remove(name)


@pytest.mark.parametrize(
    "user",
    [
        NewUser("bob", "viewer", "B" * 201),
        NewUser("bob", "viewer", email="b" * 201),
        NewUser("bob", "viewer", scope_filter="x" * 10_001),
        NewUser("bob", "viewer", "B\0b"),
        NewUser("bob", "root"),
        NewUser("bob", "admin", scope_filter="Proto = udp"),
    ],
)
def test_texts_and_roles_are_bounded_and_administrators_are_not_limited(state, user):
    with pytest.raises(InvalidError):
        state.users.add(user, None, NOW)
    assert state.users.all() == []


def test_no_more_users_than_the_bound(tmp_path):
    state = State(StateSettings(max_users=1), tmp_path)
    state.start()
    state.users.add(NewUser("a", "viewer"), None, NOW)
    with pytest.raises(ConflictError, match="max_users"):
        state.users.add(NewUser("b", "viewer"), None, NOW)
    state.stop()


def test_a_change_leaves_what_it_does_not_name(state, alice):
    bob = state.users.add(NewUser("bob", "viewer", "Bob", "b@example.org"), None, NOW)
    changed = state.users.change("Bob", UserChange(role="editor"))
    assert (changed.role, changed.full_name, changed.email) == ("editor", bob.full_name, bob.email)


@pytest.mark.parametrize(
    "end",
    [
        lambda users: users.remove("alice"),
        lambda users: users.change("alice", UserChange(role="editor")),
        lambda users: users.change("alice", UserChange(enabled=False)),
    ],
)
def test_the_last_administrator_stays_one(state, alice, end):
    state.users.add(NewUser("bob", "editor"), None, NOW)
    with pytest.raises(ConflictError, match="last administrator"):
        end(state.users)
    assert state.users.find("alice") == alice
    state.users.change("bob", UserChange(role="admin"))
    end(state.users)


def test_a_limit_is_not_given_to_an_administrator_later(state, alice):
    with pytest.raises(InvalidError, match="administrator"):
        state.users.change("alice", UserChange(scope_filter="Proto = udp"))


def test_who_may_not_log_in_any_more_and_who_gets_another_password_loses_the_sessions(state, alice):
    state.users.add(NewUser("bob", "viewer"), "hash", NOW)
    state.sessions.open("1" * 64, "bob", NOW, NOW + 60)
    state.users.set_password("bob", "other")
    assert state.sessions.find("1" * 64) is None
    state.sessions.open("2" * 64, "bob", NOW, NOW + 60)
    state.users.change("bob", UserChange(enabled=False))
    assert state.sessions.find("2" * 64) is None


def test_with_a_user_goes_what_nobody_else_sees(state, alice):
    state.users.add(NewUser("bob", "editor"), None, NOW)
    state.sessions.open("1" * 64, "bob", NOW, NOW + 60)
    state.tokens.add(Token("abc", "bob", "t", "viewer", "", NOW, 0, 0, "login", False, True, NOW), "d" * 64)
    state.filters.add("bob", FilterContent("mine", "Proto = udp"), NOW)
    state.filters.add("bob", FilterContent("ours", "Proto = tcp", shared=True), NOW)
    state.users.add_identity("bob", "https://login.example.org", "7")
    state.users.remove("bob")
    assert state.sessions.find("1" * 64) is None
    assert state.tokens.find("abc") is None
    assert [saved.content.name for saved in state.filters.visible("alice")] == ["ours"]
    assert state.filters.visible("bob")[0].content.name == "ours"
    assert state.users.by_identity("https://login.example.org", "7") is None


def test_a_provider_s_subject_is_one_user(state, alice):
    state.users.add(NewUser("bob", "viewer", source="oidc"), None, NOW, ("https://login.example.org", "7"))
    assert state.users.by_identity("https://login.example.org", "7").name == "bob"
    assert state.users.by_identity("https://other.example.org", "7") is None
    with pytest.raises(ConflictError):
        state.users.add_identity("alice", "https://login.example.org", "7")


def test_a_user_whose_subject_is_taken_is_not_added(state, alice):
    state.users.add_identity("alice", "https://login.example.org", "7")
    with pytest.raises(ConflictError):
        state.users.add(NewUser("bob", "viewer"), None, NOW, ("https://login.example.org", "7"))
    assert state.users.find("bob") is None


def test_a_hash_is_replaced_only_if_it_is_still_the_one(state, alice):
    state.users.rehash("alice", "another", "new")
    assert state.users.password_hash("alice") == "hash-of-alice"
    state.users.rehash("alice", "hash-of-alice", "new")
    assert state.users.password_hash("alice") == "new"


def test_records_do_not_show_secrets(state, alice):
    assert "hash-of-alice" not in repr(state.users.find("alice"))
