"""Roles and tenants: what `test_rights` does not ask of every endpoint alike."""

import pytest

from browsers import API, Browser, Clock, Console
from millrace.api.rights import OPEN, RIGHTS
from millrace.errors import StateError, StoreError
from millrace.state import UserChange
from millrace.telemetry import Condition

WHOLE = {(right.method, right.path) for right in RIGHTS if right.need == "whole"}
"""Endpoints that tell of the whole collector, and nothing to tenants."""


@pytest.fixture(scope="module")
def console(services, tmp_path_factory):
    console = Console(services, tmp_path_factory.mktemp("state"), Clock())
    console.start()
    console.add_users()
    yield console
    console.stop()


@pytest.fixture(scope="module")
def operations(console):
    """Method and path of every endpoint of the OpenAPI document, and of the document itself."""
    paths = console.app.openapi()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    return [*found, ("GET", f"{API}/openapi.json")]


@pytest.fixture(scope="module")
def users(console):
    return {name: console.browser(name) for name in ("alice", "eve", "victor", "tina")}


def ask(browser, method, path):
    named = path.replace("{address}", "192.0.2.1").replace("{name}", "nobody")
    named = named.replace("{id}", "nothing").replace("{page}", "nothing")
    return browser.send(method, named, **({} if method == "GET" else {"json": {}}))


def test_tenants_learn_nothing_of_the_whole_collector(operations, users):
    assert set(operations) >= WHOLE
    refused = {operation for operation in WHOLE if ask(users["tina"], *operation).status_code == 403}
    assert refused == WHOLE
    assert set(users["tina"].get(f"{API}/status").json()) == {"version", "health"}
    for operation in WHOLE:
        assert ask(users["victor"], *operation).status_code not in (401, 403)


@pytest.mark.parametrize(
    "path",
    ["/API/v1/users", "//api/v1/users", "/api//v1/users", "/api/v1/users/", "/api/v1/./users", "/api/v1/x/../users",
     "/%61pi/v1/users", "/api/v1/%75sers", "/api/v1/users?x=/health", "/health/../api/v1/users", "/metrics/", "/api/"],
)  # fmt: skip
def test_other_spellings_of_a_path_lead_nowhere_new(console, path):
    answer = console.browser().get(path)
    assert answer.status_code in (401, 404, 307)
    assert "alice" not in answer.text


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "TRACE", "get", "PROPFIND"])
def test_other_methods_lead_nowhere(console, method):
    assert console.browser().send(method, f"{API}/users").status_code in (401, 405)


def test_pages_and_health_need_no_login(console):
    for path in ("/health", "/healthz", "/", "/login"):
        assert console.browser().get(path).status_code not in (401, 403), path


def test_the_document_says_how_identities_are_presented(console):
    document = console.app.openapi()
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if (method.upper(), path) not in OPEN:
                assert {"401", "403"} <= set(operation["responses"]), path
            if "requestBody" in operation:
                assert "415" in operation["responses"], path


# --- users and tenants


def test_administrators_add_change_and_remove_users(console, users):
    alice = users["alice"]
    body = {"name": "Bob", "role": "viewer", "password": "a long password", "full_name": "Bob B."}
    added = alice.post(f"{API}/users", json=body)
    assert added.status_code == 201
    assert added.json() | {"name": "bob", "role": "viewer", "enabled": True, "last_login": None} == added.json()
    assert "password" not in {*added.json()} - {"has_password"}
    assert alice.post(f"{API}/users", json=body).status_code == 409
    bob = Browser(console.app)
    assert bob.login("bob", "a long password").status_code == 200
    assert alice.patch(f"{API}/users/bob", json={"role": "editor"}).json()["role"] == "editor"
    assert bob.get(f"{API}/session").json()["role"] == "editor"
    assert alice.patch(f"{API}/users/bob", json={"password": "another password"}).status_code == 200
    assert bob.get(f"{API}/session").status_code == 401
    assert bob.login("bob", "another password").status_code == 200
    assert alice.patch(f"{API}/users/bob", json={"enabled": False}).json()["enabled"] is False
    assert bob.get(f"{API}/session").status_code == 401
    assert alice.delete(f"{API}/users/bob").status_code == 204
    assert "bob" not in [user["name"] for user in alice.get(f"{API}/users").json()]


def test_who_managed_whom_is_logged_without_passwords(users, logs):
    alice = users["alice"]
    alice.post(f"{API}/users", json={"name": "Carol", "role": "viewer", "password": "hunter2 is a secret"})
    alice.patch(f"{API}/users/carol", json={"role": "admin", "password": "hunter2 is another"})
    alice.delete(f"{API}/users/carol")
    said = [entry for entry in logs if entry["event"].endswith("a user")]
    assert [(entry["event"], entry["user"], entry["by"], entry["via"]) for entry in said] == [
        (f"{what} a user", "carol", "alice", "session") for what in ("added", "changed", "removed")
    ]
    assert said[1]["what"] == ["password", "role"]
    assert "hunter2" not in str(logs)


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("PATCH", "alice", {"role": "viewer"}, 409),
        ("PATCH", "alice", {"enabled": False}, 409),
        ("DELETE", "alice", None, 409),
        ("PATCH", "alice", {"scope_filter": "Proto = udp"}, 422),
        ("PATCH", "victor", {"scope_filter": "Protto = udp"}, 400),
        ("PATCH", "victor", {"scope_filter": "-- nothing"}, 400),
        ("PATCH", "victor", {"role": "root"}, 422),
        ("PATCH", "victor", {"name": "x"}, 422),
        ("PATCH", "victor", {"password": "short"}, 422),
        ("PATCH", "nobody", {"role": "viewer"}, 404),
        ("DELETE", "nobody", None, 404),
        ("DELETE", "%00", None, 404),
    ],
)
def test_changes_of_users_that_may_not_be_are_refused(users, method, name, body, status):
    answer = users["alice"].send(method, f"{API}/users/{name}", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_has_at_most_the_role_of_who_makes_it(users):
    assert users["victor"].post(f"{API}/tokens", json={"name": "x", "role": "editor"}).status_code == 403
    assert users["eve"].post(f"{API}/tokens", json={"name": "x", "role": "admin"}).status_code == 403


def test_a_tenant_s_questions_carry_the_limit(users, store):
    question = {"last_seconds": 60, "dimensions": ["SrcAS"], "filter": "Proto = udp OR Proto = tcp"}
    for name, limited in (("tina", True), ("victor", False)):
        store.asked.clear()
        users[name].post(f"{API}/flows/top", json=question)
        assert store.asked
        for sql, bound in store.asked:
            assert ("InIfProvider" in sql) is limited
            assert ("a" in bound.values()) is limited


def test_a_stored_limit_that_is_no_filter_any_more_gives_nothing(console, users, store):
    """As when a column was removed: not all flows, but none."""
    console.access.state.users.change("ted", UserChange(scope_filter="Gone = 1"))
    ted = console.browser("ted")
    answer = ted.post(f"{API}/flows/top", json={"last_seconds": 60, "dimensions": ["SrcAS"]})
    assert answer.status_code == 403
    assert store.asked == []


@pytest.fixture
def troubled(services):
    services.health.register("store", lambda: Condition("degraded", ("/srv/flows on db.example: alice",)))
    yield
    services.health.unregister("store")


@pytest.mark.usefixtures("troubled")
@pytest.mark.parametrize("path", ["/health", "/healthz"])
def test_strangers_and_tenants_are_told_whether_it_works_and_no_more(services, console, users, path):
    secret = {"Cookie": "millrace_session=wrong"}, {"Authorization": "Bearer mlr_abcdefghijkl_wrong"}, {}
    strangers = [console.browser(headers=headers) for headers in secret]
    for browser in (*strangers, users["tina"]):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "components": {}})
    services.health.register("store", lambda: Condition("failed", ("/srv/flows",)))
    for browser in (*strangers, users["tina"]):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()) == (503, {"status": "failed", "components": {}})


def test_why_the_state_database_does_not_answer_is_for_the_log(console, users, monkeypatch, logs):
    """Drivers name the host, the port and the user, and nobody is known as long as nobody can be looked up."""

    def fail(*_):
        raise StateError("the state database does not answer: db.example port 5432: no password for user millrace")

    for part in (console.state.users, console.state.sessions, console.state.tokens):
        monkeypatch.setattr(part, "find", fail)
    liar = console.browser(headers={"authorization": f"Bearer mlr_aaaaaaaaaaaa_{43 * 'a'}"})
    answers = [
        console.browser().login("alice"),
        liar.get(f"{API}/columns"),
        users["alice"].get(f"{API}/columns"),
        users["alice"].post(f"{API}/tokens", json={"name": "t"}),
    ]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.json()["detail"] == "the state database does not answer; the log says why"
    assert sum("db.example" in str(entry) for entry in logs) == len(answers)


def test_why_the_store_cannot_answer_is_not_for_tenants(users, store):
    question = {"last_seconds": 60, "dimensions": ["SrcAS"]}
    for name, detail in (
        ("tina", "the store cannot answer"),
        ("victor", "the store cannot answer: /srv/flows is full"),
    ):
        store.answers[:] = [StoreError("/srv/flows is full")]
        answer = users[name].post(f"{API}/flows/top", json=question)
        assert (answer.status_code, answer.json()["detail"]) == (503, detail)


@pytest.mark.usefixtures("troubled")
def test_who_may_see_the_state_of_the_collector_is_told_why(users):
    for browser in (users["victor"], users["alice"]):
        answer = browser.get("/health")
        assert answer.json()["status"] == "degraded"
        assert answer.json()["components"]["store"]["reasons"] == ["/srv/flows on db.example: alice"]
