"""Filters, views, dashboards and links over HTTP: whose they are, and who sees and changes them."""

import pytest

from browsers import API, Browser, Clock, Console
from millrace.api.gate import Gate
from millrace.state import FilterContent

FILTER = {"name": "transit", "text": "InIfConnectivity = transit"}
VIEW = {"name": "evening", "state": {"dimensions": ["SrcAS"], "limit": 10}}
WIDGET = {
    "id": "w1",
    "place": {"x": 0, "y": 0, "w": 6, "h": 4},
    "title": "Top",
    "kind": "graph",
    "exploration": {"a": 1},
}
DASHBOARD = {"name": "wall", "filter": "Proto = tcp", "widgets": [WIDGET]}
KINDS = [("filters", FILTER), ("views", VIEW), ("dashboards", DASHBOARD)]


@pytest.fixture(scope="module")
def console(services, tmp_path_factory):
    console = Console(services, tmp_path_factory.mktemp("state"), Clock())
    console.start()
    console.add_users()
    yield console
    console.stop()


@pytest.fixture(scope="module")
def users(console):
    return {name: console.browser(name) for name in ("alice", "eve", "victor", "tina", "ted")}


@pytest.fixture(autouse=True)
def nothing_saved(console):
    yield
    for store in (console.state.filters, console.state.views, console.state.dashboards):
        for owner in ("alice", "eve", "victor", "tina", "ted"):
            for saved in store.visible(owner):
                store.remove(saved.id, lambda found: None)


def names(browser, kind):
    return [saved["name"] for saved in browser.get(f"{API}/{kind}").json()]


@pytest.mark.parametrize(("kind", "body"), KINDS)
def test_what_is_saved_comes_back_is_changed_and_goes(users, kind, body):
    victor = users["victor"]
    added = victor.post(f"{API}/{kind}", json=body)
    assert added.status_code == 201, added.text
    saved = added.json()
    assert saved | body == saved
    assert (saved["owner"], saved["own"], saved["shared"]) == ("victor", True, False)
    assert saved["created"] == "2026-01-01T12:00:00.000Z"
    assert victor.get(f"{API}/{kind}").json() == [saved]
    changed = victor.patch(f"{API}/{kind}/{saved['id']}", json={"name": "other", "description": "d"}).json()
    assert changed == {**saved, "name": "other", "description": "d"}
    assert victor.delete(f"{API}/{kind}/{saved['id']}").status_code == 204
    assert names(victor, kind) == []


@pytest.mark.parametrize(("kind", "body"), KINDS)
def test_what_somebody_keeps_does_not_exist_for_others(users, kind, body):
    saved = users["victor"].post(f"{API}/{kind}", json=body).json()
    for name in ("alice", "eve", "tina"):
        assert names(users[name], kind) == []
        assert users[name].patch(f"{API}/{kind}/{saved['id']}", json={"name": "x"}).status_code == 404
        assert users[name].delete(f"{API}/{kind}/{saved['id']}").status_code == 404
    assert names(users["victor"], kind) == [body["name"]]


@pytest.mark.parametrize(("kind", "body"), KINDS)
def test_editors_share_and_change_what_is_shared(users, kind, body):
    saved = users["eve"].post(f"{API}/{kind}", json={**body, "shared": True}).json()
    for name in ("alice", "victor", "tina"):
        assert names(users[name], kind) == [body["name"]]
    for name in ("victor", "tina", "ted"):
        assert users[name].patch(f"{API}/{kind}/{saved['id']}", json={"name": "x"}).status_code == 403
        assert users[name].delete(f"{API}/{kind}/{saved['id']}").status_code == 403
    assert users["alice"].patch(f"{API}/{kind}/{saved['id']}", json={"description": "d"}).status_code == 200
    assert users["alice"].delete(f"{API}/{kind}/{saved['id']}").status_code == 204


@pytest.mark.parametrize("name", ["victor", "tina", "ted"])
def test_viewers_and_tenants_share_nothing(users, name):
    """A tenant's things would show to other tenants, even an editor's."""
    browser = users[name]
    assert browser.post(f"{API}/filters", json={**FILTER, "shared": True}).status_code == 403
    saved = browser.post(f"{API}/filters", json=FILTER).json()
    assert browser.patch(f"{API}/filters/{saved['id']}", json={"shared": True}).status_code == 403
    assert names(users["alice"], "filters") == []


def test_who_is_no_editor_any_more_does_not_change_what_was_shared(console, users):
    saved = users["eve"].post(f"{API}/filters", json={**FILTER, "shared": True}).json()
    users["alice"].patch(f"{API}/users/eve", json={"role": "viewer"})
    try:
        assert users["eve"].patch(f"{API}/filters/{saved['id']}", json={"shared": False}).status_code == 403
        assert users["eve"].delete(f"{API}/filters/{saved['id']}").status_code == 403
    finally:
        users["alice"].patch(f"{API}/users/eve", json={"role": "editor"})


def test_a_name_is_taken_once(users):
    assert users["eve"].post(f"{API}/filters", json={**FILTER, "shared": True}).status_code == 201
    assert users["eve"].post(f"{API}/filters", json=FILTER).status_code == 409
    assert users["alice"].post(f"{API}/filters", json={**FILTER, "shared": True}).status_code == 409
    assert users["alice"].post(f"{API}/filters", json=FILTER).status_code == 201


# --- filters


def test_a_name_means_one_s_own_filter_first(console, users):
    users["eve"].post(f"{API}/filters", json={"name": "web", "text": "DstPort = 443", "shared": True})
    users["victor"].post(f"{API}/filters", json={"name": "web", "text": "DstPort = 80"})
    saved = Gate(console.access).saved
    assert saved(console.access.of_user("victor")) == {"web": "DstPort = 80"}
    assert saved(console.access.of_user("tina")) == {"web": "DstPort = 443"}


def test_a_filter_may_name_others_but_neither_itself_nor_nothing(users):
    victor = users["victor"]
    first = victor.post(f"{API}/filters", json=FILTER).json()
    second = victor.post(f"{API}/filters", json={"name": "tcp", "text": "@transit AND Proto = tcp"})
    assert second.status_code == 201
    assert victor.post(f"{API}/filters", json={"name": "x", "text": "@nothing"}).status_code == 400
    assert victor.post(f"{API}/filters", json={"name": "x", "text": "NOT @x"}).status_code == 400
    assert victor.patch(f"{API}/filters/{first['id']}", json={"text": "@tcp"}).status_code == 400


@pytest.mark.parametrize("text", ["Protto = udp", "Proto =", "", " ", "-- nothing", "x" * 10_001, "a\0b"])
def test_what_is_no_filter_is_not_kept(users, text):
    answer = users["victor"].post(f"{API}/filters", json={"name": "x", "text": text})
    assert answer.status_code in (400, 422)
    saved = users["victor"].post(f"{API}/filters", json=FILTER).json()
    answer = users["victor"].patch(f"{API}/filters/{saved['id']}", json={"text": text})
    assert answer.status_code in (400, 422)
    assert users["victor"].get(f"{API}/filters").json() == [saved]


def test_a_filter_that_was_kept_once_does_not_stop_the_list(console, users):
    """As when a column was removed: it can still be seen, changed and removed."""
    saved = console.state.filters.add("victor", FilterContent("old", "Gone = 1"), 1.0)
    assert names(users["victor"], "filters") == ["old"]
    changed = users["victor"].patch(f"{API}/filters/{saved.id}", json={"text": "Proto = udp"})
    assert changed.status_code == 200


# --- views and dashboards


@pytest.mark.parametrize("state", [None, 1, "text", [], {"a": [1, 2.5, None, True, "ä", "\u2028", "\0"]}, [[[[1]]]]])
def test_any_json_is_a_state(users, state):
    saved = users["victor"].post(f"{API}/views", json={"name": "v", "state": state})
    assert saved.status_code == 201
    assert saved.json()["state"] == state
    assert users["victor"].get(f"{API}/views").json()[0]["state"] == state


@pytest.mark.parametrize(
    "state",
    [
        '"' + "x" * 32_001 + '"',
        "[" * 30 + "]" * 30,
        "[" * 20_000 + "]" * 20_000,
        "NaN",
        "[1e999]",
        '"\\ud800"',
        "1" * 5000,
    ],
    ids=["long", "deep", "deeper", "nan", "infinite", "half", "number"],
)
@pytest.mark.parametrize("kind", ["views", "dashboards"])
def test_what_cannot_be_kept_and_given_back_is_refused(users, kind, state):
    widget = f'[{{"place": {{"x": 0, "y": 0, "w": 1, "h": 1}}, "kind": "k", "exploration": {state}}}]'
    body = f'{{"name": "v", "state": {state}}}' if kind == "views" else f'{{"name": "v", "widgets": {widget}}}'
    answer = users["victor"].post(f"{API}/{kind}", content=body.encode(), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert names(users["victor"], kind) == []


@pytest.mark.parametrize(
    "change",
    [
        {"widgets": [WIDGET] * 65},
        {"widgets": [{**WIDGET, "place": {"x": -1, "y": 0, "w": 1, "h": 1}}]},
        {"widgets": [{**WIDGET, "place": {"x": 0, "y": 0, "w": 0, "h": 1}}]},
        {"widgets": [{**WIDGET, "kind": ""}]},
        {"widgets": [{**WIDGET, "more": 1}]},
        {"widgets": "none"},
        {"filter": "Protto = udp"},
        {"filter": "@nothing"},
        {"name": "x" * 101},
        {"name": ""},
    ],
    ids=lambda change: str(change)[:40],
)
def test_dashboards_are_checked(users, change):
    assert users["victor"].post(f"{API}/dashboards", json={**DASHBOARD, **change}).status_code in (400, 422)
    saved = users["victor"].post(f"{API}/dashboards", json=DASHBOARD).json()
    assert users["victor"].patch(f"{API}/dashboards/{saved['id']}", json=change).status_code in (400, 422)
    assert users["victor"].get(f"{API}/dashboards").json() == [saved]


def test_widgets_and_states_are_changed_as_a_whole(users):
    saved = users["victor"].post(f"{API}/dashboards", json=DASHBOARD).json()
    moved = [{**WIDGET, "place": {"x": 3, "y": 1, "w": 2, "h": 2}}, {**WIDGET, "id": "w2"}]
    changed = users["victor"].patch(f"{API}/dashboards/{saved['id']}", json={"widgets": moved, "filter": ""}).json()
    assert (changed["widgets"], changed["filter"], changed["name"]) == (moved, "", "wall")
    view = users["victor"].post(f"{API}/views", json=VIEW).json()
    assert users["victor"].patch(f"{API}/views/{view['id']}", json={"state": {"b": 2}}).json()["state"] == {"b": 2}


# --- links


def test_a_link_leads_to_its_state_for_everybody_who_is_logged_in(console, users):
    made = users["victor"].post(f"{API}/links", json={"state": "/explore?dimensions=SrcAS"}).json()
    assert users["alice"].post(f"{API}/links", json={"state": "/explore?dimensions=SrcAS"}).json() == made
    assert users["tina"].get(f"{API}/links/{made['id']}").json() == made
    assert Browser(console.app).get(f"{API}/links/{made['id']}").status_code == 401
    assert users["victor"].get(f"{API}/links/nothing").status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"state": ""}, {"state": "x" * 8193}, {"state": 1}, {"state": "x", "id": "y"}, []]
)
def test_what_is_no_state_has_no_link(users, body):
    assert users["victor"].post(f"{API}/links", json=body).status_code == 422


@pytest.mark.parametrize("kind", ["filters", "views", "dashboards", "tokens", "links"])
@pytest.mark.parametrize("id_", ["%00", "..%2F..", "'%20OR%201=1--", "x" * 64, "%ff"])
def test_hostile_ids_are_missing(users, kind, id_):
    answer = users["alice"].send("GET" if kind == "links" else "DELETE", f"{API}/{kind}/{id_}")
    assert answer.status_code in (404, 405)
