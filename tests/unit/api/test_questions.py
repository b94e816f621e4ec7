"""Questions over HTTP: how they are put to the engine, and what becomes of the answers."""

import csv
import dataclasses
import io
import json
import socket
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from millrace.api import ApiServer, ApiSettings, create_app
from millrace.errors import QueryCancelledError, QueryError, QueryTimeoutError, StoreError
from millrace.lang import Everything
from millrace.query import Heatmap, Sankey, SeenExporter, Series, SeriesRow, Top, TopRow

from .conftest import NOW, Client

MOMENT = "2026-01-01T12:00:00Z"

RANGES = [MOMENT] * 6
"""Start and end of what is answered, was asked for and is covered."""

ROW = SeriesRow([64500], ["AS64500"], False, [1.0, 2.0], 1.5, 1.0, 2.0, 2.0, 1.95, 90.0)
REST = SeriesRow([], [], True, [0.0, 0.0], 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
TOP_ROW = TopRow([64500], ["AS64500"], 400.0, 1.0, 3000, 30, 3)
ANSWERS = {
    "series": Series(
        ["SrcAS"], "bits/s", *RANGES, "seconds", 60, 10, [MOMENT, MOMENT], [60, 60], [ROW, REST], None, None, ROW, [],
        ["SELECT 1"],
    ),
    "top": Top(["SrcAS"], "bits/s", *RANGES, [TOP_ROW], TOP_ROW, [], []),
    "sankey": Sankey(["SrcAS", "DstAS"], "bits/s", *RANGES, [], [], 0.0, [], []),
    "heatmap": Heatmap(["SrcAS"], [], "bits/s", *RANGES, "seconds", 60, [60], [], [], [], [], []),
    "seen": [SeenExporter("192.0.2.1", "edge", "", "", "par", "", "", MOMENT, 3, [])],
}  # fmt: skip
ASKED = {
    "series": {},
    "top": {"dimensions": ["SrcAS"]},
    "sankey": {"dimensions": ["SrcAS", "DstAS"]},
    "heatmap": {"down": ["SrcAS"]},
    "exporters": {},
}


class FakeEngine:
    """Answers every question with a prepared answer, an error, or what `act` does; keeps what it was asked."""

    def __init__(self):
        self.asked = []
        self.error = None
        self.act = None

    def _answer(self, name, question, asking):
        self.asked.append((name, question, asking))
        if self.act is not None:
            self.act(asking)
        if self.error is not None:
            raise self.error
        return ANSWERS[name]

    def __getattr__(self, name):
        if name not in ANSWERS:
            raise AttributeError(name)
        return lambda question, asking: self._answer(name, question, asking)


@dataclasses.dataclass
class Somebody:
    name: str = "alice"
    scope_filter: str = ""
    via: str = "session"


class FakeAccess:
    """Recognises one asker."""

    def __init__(self, **about):
        self.asker = Somebody(**about)
        self.looked_up = 0

    def identity(self, request):
        return self.asker

    def saved(self, asker):
        self.looked_up += 1
        return {"web": "DstPort IN (80, 443)"}


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def make(services, engine):
    def make(access=None, **settings):
        more = {"authenticator": access} if access else {}
        return create_app(dataclasses.replace(services, query=engine, **more), ApiSettings(**settings))

    return make


@pytest.fixture
def client(make):
    return Client(make())


@pytest.mark.parametrize("path", list(ASKED))
def test_answers_come_as_json(client, engine, path):
    answer = client.post(f"/api/v1/flows/{path}", json={**ASKED[path], "filter": "Proto = tcp", "last_seconds": 60})
    assert answer.status_code == 200, answer.text
    name, question, asking = engine.asked[0]
    expected = [dataclasses.asdict(item) for item in ANSWERS["seen"]] if path == "exporters" else None
    assert answer.json() == (expected or dataclasses.asdict(ANSWERS[name]))
    assert (question.filter, question.last_seconds) == ("Proto = tcp", 60)
    assert (asking.now, asking.scope, asking.saved) == (NOW, Everything(), {})


def test_table_comes_in_every_format(client):
    def ask(kind):
        answer = client.post(f"/api/v1/flows/table?format={kind}", json={})
        assert answer.status_code == 200
        return answer

    rows = ask("json").json()
    assert [(row["SrcAS"], row["SrcASLabel"], row["Other"], row["Total"]) for row in rows] == [
        (64500, "AS64500", False, 90.0),
        (None, None, True, 0.0),
    ]
    read = csv.DictReader(io.StringIO(ask("csv").text))
    assert [row["Average"] for row in read] == ["1.5", "0"]
    assert json.loads(ask("jsonl").text.splitlines()[0])["SrcAS"] == 64500
    assert pq.read_table(io.BytesIO(ask("parquet").content)).num_rows == 2
    arrow = ask("arrow")
    assert pa.ipc.open_stream(arrow.content).read_all()["Percentile95"].to_pylist() == [1.95, 0.0]
    assert arrow.headers["content-disposition"].startswith("attachment; filename=")


@pytest.mark.parametrize(
    ("path", "question", "said"),
    [
        ("top", {"dimensions": []}, "body.dimensions"),
        ("top", {"dimensions": ["SrcAS"] * 9}, "body.dimensions"),
        ("top", {"dimensions": ["SrcAS"], "limit": 1001}, "body.limit"),
        ("top", {"dimensions": ["SrcAS"], "sql": "SELECT 1"}, "Extra inputs are not permitted"),
        ("top", {"dimensions": ["SrcAS"], "filter": {"column": "SrcAS"}}, "body.filter"),
        ("series", {"points": 2001}, "body.points"),
        ("series", {"limit": 51}, "body.limit"),
        ("series", {"filter": "x" * 10_001}, "body.filter"),
        ("series", {"start": "2026-01-01T00:00:00Z", "last_seconds": 5}, "not both"),
        ("series", {"last_seconds": 10**10}, "last_seconds"),
        ("sankey", {"dimensions": ["SrcAS"]}, "body.dimensions"),
        ("heatmap", {"down": []}, "body.down"),
        ("table?format=xls", {}, "query.format"),
        ("series", [], "body"),
    ],
)
def test_malformed_questions_are_problems_with_a_reason(client, engine, path, question, said):
    answer = client.post(f"/api/v1/flows/{path}", json=question)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert engine.asked == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"filter":' * 6000])
def test_bodies_that_are_no_json_are_problems(client, body):
    answer = client.post("/api/v1/flows/top", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_long_bodies_are_refused(client):
    answer = client.post("/api/v1/flows/top", content=b" " * 70_000)
    assert answer.status_code == 413
    assert "65536 bytes" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (QueryError("too many rows"), 400, None),
        (QueryTimeoutError("it took longer than it may"), 504, None),
        (StoreError("the store is not started"), 503, "5"),
        (QueryCancelledError("the question was cancelled"), 503, "1"),
    ],
)
def test_errors_of_the_engine_are_problems(client, engine, error, status, retry):
    engine.error = error
    answer = client.post("/api/v1/flows/series", json={})
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    assert str(error) in answer.json()["detail"]


def test_defect_is_logged_and_a_500_that_tells_no_secrets(client, engine, logs):
    engine.error = RuntimeError("password=hunter2")
    answer = client.post("/api/v1/flows/series", json={})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert [entry["path"] for entry in logs if entry["log_level"] == "error"] == ["/api/v1/flows/series"]


def test_what_the_asker_may_see_goes_with_every_question(make, engine):
    access = FakeAccess(scope_filter="ExporterName = edge")
    client = Client(make(access))
    for path, question in ASKED.items():
        assert client.post(f"/api/v1/flows/{path}", json=question).status_code == 200
    assert [type(asking.scope).__name__ for _, _, asking in engine.asked] == ["Comparison"] * len(ASKED)


@pytest.mark.parametrize("scope", ["SrcAsn = 1", "-- nothing", "@web", "   "])
def test_limit_that_cannot_be_read_shows_nothing(make, engine, scope):
    answer = Client(make(FakeAccess(scope_filter=scope))).post("/api/v1/flows/series", json={})
    assert answer.status_code == 403
    assert "ask an administrator" in answer.json()["detail"]
    assert engine.asked == []


def test_saved_filters_are_looked_up_when_a_filter_names_some(make, engine):
    access = FakeAccess()
    client = Client(make(access))
    client.post("/api/v1/flows/series", json={"filter": "Proto = tcp"})
    assert access.looked_up == 0
    client.post("/api/v1/flows/series", json={"filter": "@web AND Proto = tcp"})
    assert engine.asked[1][2].saved == {"web": "DstPort IN (80, 443)"}


@pytest.mark.parametrize("path", ["/api/v1/exporters", "/api/v1/exporters/192.0.2.1", "/api/v1/store", "/metrics"])
def test_limited_askers_see_nothing_of_the_collector(make, path):
    assert Client(make(FakeAccess(scope_filter="SrcAS = AS64500"))).get(path).status_code == 403
    assert Client(make(FakeAccess())).get("/api/v1/exporters").status_code == 200


def test_limited_askers_see_a_status_without_totals(make):
    told = Client(make(FakeAccess(scope_filter="SrcAS = AS64500"))).get("/api/v1/status").json()
    assert told == {"version": "1.2.3", "health": "ok"}


def test_questions_that_take_too_long_are_ended(make, engine):
    cancelled = threading.Event()

    def act(asking):
        deadline = time.monotonic() + 5
        while not asking.cancel.asked and time.monotonic() < deadline:
            time.sleep(0.01)
        if asking.cancel.asked:
            cancelled.set()

    engine.act = act
    answer = Client(make(question_timeout_seconds=0.2)).post("/api/v1/flows/series", json={})
    assert answer.status_code == 504
    assert "within 0.2 seconds" in answer.json()["detail"]
    assert cancelled.wait(2)


class Gatekeeper:
    """Holds the engine's answers back until `leave` is set or the question is cancelled."""

    def __init__(self):
        self.entered = threading.Semaphore(0)
        self.leave = threading.Event()
        self.cancelled = threading.Semaphore(0)

    def __call__(self, asking):
        self.entered.release()
        while not self.leave.wait(0.01):
            if asking.cancel.asked:
                self.cancelled.release()
                raise QueryCancelledError("cancelled")


@pytest.fixture
def served(make, engine):
    engine.act = Gatekeeper()
    settings = ApiSettings(port=0, max_questions=1, max_waiting_questions=4)
    server = ApiServer(make(max_questions=1, max_waiting_questions=4), settings)
    server.start()
    yield server
    engine.act.leave.set()
    server.stop()


def ask(server):
    """A connection on which a question was asked."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    connection.sendall(
        b"POST /api/v1/flows/series HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    return connection


def test_questions_end_when_their_client_leaves(served, engine, logs):
    gate = engine.act
    running = ask(served)
    assert gate.entered.acquire(timeout=5)
    waiting = ask(served)
    time.sleep(0.1)
    waiting.close()
    time.sleep(0.1)
    running.close()
    assert gate.cancelled.acquire(timeout=2)
    last = ask(served)
    assert gate.entered.acquire(timeout=5)
    gate.leave.set()
    assert last.recv(4096).startswith(b"HTTP/1.1 200")
    last.close()
    # The one that left while it waited was never put.
    assert len(engine.asked) == 2
    assert [entry for entry in logs if entry["log_level"] in ("warning", "error")] == []


def test_questions_wait_and_too_many_are_refused(served, engine):
    gate = engine.act
    connections = [ask(served)]
    assert gate.entered.acquire(timeout=5)
    connections += [ask(served) for _ in range(3)]
    time.sleep(0.2)
    refused = ask(served)
    head = refused.recv(4096)
    refused.close()
    assert head.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 2" in head.lower()
    gate.leave.set()
    for connection in connections:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        connection.close()


def test_long_answers_are_compressed_for_those_who_can_read_that(client):
    plain = client.get("/api/v1/columns", headers={"Accept-Encoding": "identity"})
    packed = client.get("/api/v1/columns", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
