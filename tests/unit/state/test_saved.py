"""Filters, views, dashboards and links in the database."""

import re
from dataclasses import replace

import pytest

from millrace.errors import ConflictError, DeniedError, InvalidError, MissingError
from millrace.state import DashboardContent, FilterContent, ViewContent

NOW = 1_767_268_800.0


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("filters", FilterContent("transit", "InIfConnectivity = transit", "What comes by transit", shared=True)),
        ("views", ViewContent("evening", '{"a":[1]}')),
        ("dashboards", DashboardContent("wall", "[]", "Proto = tcp", "For the wall")),
    ],
)
def test_what_is_saved_is_found_again_changed_and_removed(state, kind, content):
    store = getattr(state, kind)
    saved = store.add("alice", content, NOW)
    assert store.visible("alice") == [saved]
    assert re.fullmatch(r"[A-Za-z0-9_-]{12}", saved.id)
    changed = store.change(saved.id, lambda found: replace(found.content, name="other"), NOW + 1)
    assert (changed.content.name, changed.created, changed.updated, changed.owner) == ("other", NOW, NOW + 1, "alice")
    assert store.visible("alice") == [changed]
    store.remove(saved.id, lambda found: None)
    assert store.visible("alice") == []


def test_others_see_what_is_shared_after_their_own(state):
    state.filters.add("alice", FilterContent("b", "x", shared=True), NOW)
    state.filters.add("alice", FilterContent("a", "x"), NOW)
    state.filters.add("bob", FilterContent("c", "x"), NOW)
    assert [saved.content.name for saved in state.filters.visible("bob")] == ["c", "b"]
    assert [saved.content.name for saved in state.filters.visible("alice")] == ["a", "b"]


def test_a_name_is_one_of_an_owner_and_one_of_what_is_shared(state):
    state.filters.add("alice", FilterContent("a", "x", shared=True), NOW)
    with pytest.raises(ConflictError, match="you have"):
        state.filters.add("alice", FilterContent("a", "y"), NOW)
    own = state.filters.add("bob", FilterContent("a", "y"), NOW)
    with pytest.raises(ConflictError, match="'alice' shares"):
        state.filters.change(own.id, lambda found: replace(found.content, shared=True), NOW)
    assert state.filters.visible("bob")[0] == own


def test_what_is_saved_is_bounded_in_number_and_length(state):
    for number in range(5):
        state.filters.add("alice", FilterContent(f"f{number}", "x"), NOW)
    with pytest.raises(ConflictError, match="the most"):
        state.filters.add("alice", FilterContent("f5", "x"), NOW)
    for content in (
        FilterContent("", "x"),
        FilterContent("n" * 101, "x"),
        FilterContent("n", "x" * 10_001),
        FilterContent("n", "x\0"),
        FilterContent("n", "x", "d" * 2001),
    ):
        with pytest.raises(InvalidError):
            state.filters.add("bob", content, NOW)
    with pytest.raises(InvalidError):
        state.views.add("bob", ViewContent("v", "x" * 32_769), NOW)
    with pytest.raises(InvalidError):
        state.dashboards.add("bob", DashboardContent("d", "x" * 60_001), NOW)


def test_what_a_user_has_saved_is_bounded_in_length_altogether(state):
    """A list is read as a whole: 100 dashboards of 60 000 characters took two seconds of the interpreter."""
    first = state.dashboards.add("alice", DashboardContent("a", "x" * 50_000), NOW)
    state.dashboards.add("alice", DashboardContent("b", "x" * 40_000, "f" * 5000, "d" * 2000), NOW)
    with pytest.raises(ConflictError, match="more than 100000 characters"):
        state.dashboards.add("alice", DashboardContent("c", "x" * 3000), NOW)
    state.dashboards.add("alice", DashboardContent("c", "x" * 2900), NOW)
    with pytest.raises(ConflictError, match="of 'alice' would have"):
        state.dashboards.change(first.id, lambda found: replace(found.content, layout="x" * 50_200), NOW)
    state.dashboards.change(first.id, lambda found: replace(found.content, name="other"), NOW)
    state.dashboards.change(first.id, lambda found: replace(found.content, layout="x"), NOW)
    state.dashboards.add("alice", DashboardContent("d", "x" * 40_000), NOW)
    # Each has as much of each kind.
    state.dashboards.add("bob", DashboardContent("b", "x" * 60_000), NOW)
    state.views.add("alice", ViewContent("b", "x" * 30_000), NOW)


def test_a_judge_that_raises_leaves_everything_as_it_was(state):
    saved = state.filters.add("alice", FilterContent("a", "x"), NOW)

    def refuse(_found):
        raise DeniedError("no")

    with pytest.raises(DeniedError):
        state.filters.change(saved.id, refuse, NOW)
    with pytest.raises(DeniedError):
        state.filters.remove(saved.id, refuse)
    assert state.filters.visible("alice") == [saved]


@pytest.mark.parametrize("saved_id", ["", "nothing", "a\0b", "'; DROP TABLE filters", "x" * 100])
def test_an_unknown_id_is_missing(state, saved_id):
    with pytest.raises(MissingError):
        state.filters.change(saved_id, lambda found: found.content, NOW)
    with pytest.raises(MissingError):
        state.filters.remove(saved_id, lambda found: None)
    with pytest.raises(MissingError):
        state.links.find(saved_id, NOW)


def test_texts_are_bound_never_spliced(state):
    hostile = "'); DROP TABLE filters; --"
    state.filters.add(hostile, FilterContent(hostile, hostile, hostile), NOW)
    assert state.filters.visible(hostile)[0].content == FilterContent(hostile, hostile, hostile)


def test_the_same_state_has_the_same_link(state):
    link = state.links.add("alice", "/explore?a=1", NOW)
    assert re.fullmatch(r"[A-Za-z0-9_-]{12}", link)
    assert state.links.add("alice", "/explore?a=1", NOW + 1) == link
    assert state.links.add("alice", "/explore?a=2", NOW) != link
    assert state.links.find(link, NOW) == "/explore?a=1"


@pytest.mark.parametrize("text", ["", "x" * 8193])
def test_links_are_bounded_in_length(state, text):
    with pytest.raises(InvalidError):
        state.links.add("alice", text, NOW)


def test_links_that_were_not_opened_for_longest_go_first(state):
    links = [state.links.add("alice", f"state {number}", NOW + number) for number in range(20)]
    state.links.find(links[0], NOW + 1000)
    state.links.add("alice", "one more", NOW + 1001)
    assert state.links.find(links[0], NOW + 1002) == "state 0"
    with pytest.raises(MissingError):
        state.links.find(links[1], NOW + 1002)
    assert state.links.find(links[10], NOW + 1002) == "state 10"


def test_nobody_makes_links_of_others_go(state):
    kept = [state.links.add("alice", f"hers {number}", NOW) for number in range(10)]
    for number in range(60):
        last = state.links.add("mallory", f"his {number}", NOW + number)
    assert [state.links.find(link, NOW + 100) for link in kept] == [f"hers {number}" for number in range(10)]
    assert state.links.find(last, NOW + 100) == "his 59"
    with pytest.raises(MissingError):
        state.links.find(state.links.add("mallory", "his 0", NOW + 101)[:-1] + "_", NOW)


def test_a_link_that_two_made_lasts_as_long_as_one_keeps_it(state):
    hers, his = (state.links.add(name, "the same", NOW) for name in ("alice", "mallory"))
    assert hers == his
    for number in range(60):
        state.links.add("mallory", f"his {number}", NOW + number)
    assert state.links.find(hers, NOW + 100) == "the same"


def test_when_all_places_are_taken_old_links_go_then_ones_own(state):
    for number in range(100):
        state.links.add(f"user {number // 10}", f"state {number}", NOW + number)
    with pytest.raises(ConflictError, match=r"state\.max_links"):
        state.links.add("newcomer", "one more", NOW + 100)
    mine = state.links.add("user 9", "one more", NOW + 100)
    assert state.links.find(mine, NOW + 100) == "one more"
    half_a_year = 184 * 86_400
    state.links.find(mine, NOW + 100 + half_a_year)
    state.links.add("newcomer", "one more of somebody else", NOW + 100 + half_a_year)
    assert state.links.find(mine, NOW + 100 + half_a_year) == "one more"
