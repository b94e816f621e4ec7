"""Single flows over HTTP, from a real store."""

import csv
import io
import json
import time
from dataclasses import replace

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from millrace.api import ApiServer, ApiSettings, create_app, places
from millrace.api.askers import OpenToAll
from millrace.errors import StoreError
from millrace.query import QueryEngine
from millrace.query import export as exporting
from unit.query.stored_flows import BASE, SCHEMA, TABLES, ChdbStore, flow

from .conftest import Client

FLOWS = 50


@pytest.fixture(scope="module")
def flows_store(tmp_path_factory):
    store = ChdbStore(tmp_path_factory.mktemp("chdb"))
    names = ["=cmd()", "cogent"]
    store.insert([flow(-n, SrcPort=n, InIfProvider=names[n % 2], DstCommunities=[65536 + n]) for n in range(FLOWS)])
    store.roll_up()
    yield store
    store.close()


class Failing:
    """A store that fails after some statements."""

    def __init__(self, store, good):
        self._store = store
        self.good = good

    def query(self, sql, parameters, *, cancel=None, typed=True):
        self.good -= 1
        if self.good < 0:
            raise StoreError("the disk is on fire")
        return self._store.query(sql, parameters, cancel=cancel)


def app_over(services, store, settings=None):
    engine = QueryEngine(store, SCHEMA, lambda: TABLES)
    return create_app(replace(services, query=engine, now=lambda: float(BASE + 1)), settings)


@pytest.fixture(scope="module")
def flows_client(services, flows_store):
    return Client(app_over(services, flows_store))


def post(client, path, status=200, **body):
    answer = client.post(f"/api/v1/flows/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer


def test_pages_lead_to_all_flows_and_ids_to_records(flows_client):
    found, cursor = [], None
    while True:
        page = post(flows_client, "search", limit=20, columns=["SrcPort"], cursor=cursor).json()
        found += zip(page["flows"], page["ids"], strict=True)
        cursor = page["cursor"]
        if cursor is None:
            break
    assert [row["SrcPort"] for row, _ in found] == list(range(FLOWS))
    record = flows_client.get(f"/api/v1/flows/record/{found[7][1]}").json()
    assert record["columns"]["SrcPort"] == 7
    assert list(record["columns"]) == list(SCHEMA.names)


@pytest.mark.parametrize(("flow_id", "status"), [("1.2", 404), ("x", 400), ("1.2%00", 400), ("9" * 65, 422)])
def test_wrong_ids_are_problems(flows_client, flow_id, status):
    answer = flows_client.get(f"/api/v1/flows/record/{flow_id}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_values_are_listed(flows_client):
    found = post(flows_client, "values", column="InIfProvider", contains="cog").json()
    assert [(value["text"], value["label"]) for value in found] == [('"cogent"', "cogent")]


def export(client, file_format, **body):
    answer = client.post(f"/api/v1/flows/export?format={file_format}", json=body)
    assert answer.status_code == 200, answer.text
    assert f".{file_format}" in answer.headers["content-disposition"]
    return answer.content


def test_every_format_has_the_same_flows(flows_client):
    question = {"columns": ["SrcPort", "InIfProvider", "DstCommunities", "SrcAddr"], "limit": 30}
    expected = post(flows_client, "search", **question).json()["flows"]
    assert [json.loads(line) for line in export(flows_client, "jsonl", **question).splitlines()] == expected
    assert pq.read_table(io.BytesIO(export(flows_client, "parquet", **question))).to_pylist() == expected
    assert pa.ipc.open_stream(export(flows_client, "arrow", **question)).read_all().to_pylist() == expected
    rows = list(csv.DictReader(io.StringIO(export(flows_client, "csv", **question).decode())))
    assert [row["SrcPort"] for row in rows] == [str(row["SrcPort"]) for row in expected]
    assert {row["InIfProvider"] for row in rows} == {"'=cmd()", "cogent"}


def test_export_of_nothing_is_an_empty_file(flows_client):
    assert export(flows_client, "csv", filter="SrcPort = 9999", columns=["SrcPort"]) == b'"SrcPort"\n'


def test_file_is_named_after_its_range(flows_client):
    answer = flows_client.post("/api/v1/flows/export", json={"start": "2026-01-01T11:30:00Z"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "millrace-flows-20260101T113000Z-20260101T120001Z.csv" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("body", "status"), [({"filter": "SrcAsn = 1"}, 400), ({"columns": ["No"]}, 400), ({"limit": 10**7}, 422)]
)
def test_wrong_exports_are_problems_not_files(flows_client, body, status):
    answer = flows_client.post("/api/v1/flows/export", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.fixture
def serve(services):
    started = []

    def serve(store, settings=None):
        settings = settings or ApiSettings(port=0)
        server = ApiServer(app_over(services, store, settings), settings)
        server.start()
        started.append(server)
        return server.url

    yield serve
    for server in started:
        server.stop()


@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet", "arrow"])
def test_failure_on_the_way_breaks_the_connection(serve, flows_store, monkeypatch, file_format):
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 10)
    url = serve(Failing(flows_store, 4))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{url}/api/v1/flows/export?format={file_format}", json={}, headers={"Accept-Encoding": "identity"})


def test_failure_before_the_first_part_is_a_problem(serve, flows_store):
    url = serve(Failing(flows_store, 0))
    assert httpx.post(f"{url}/api/v1/flows/export", json={}).status_code == 503


class Slow:
    """A store that takes its time, and counts what it is asked."""

    def __init__(self, store):
        self._store = store
        self.asked = 0

    def query(self, sql, parameters, *, cancel=None, typed=True):
        self.asked += 1
        time.sleep(0.02)
        return self._store.query(sql, parameters, cancel=cancel)


def test_export_ends_when_its_client_leaves(serve, flows_store, monkeypatch):
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 1)
    store = Slow(flows_store)
    url = serve(store)
    with (
        httpx.Client() as client,
        client.stream("POST", f"{url}/api/v1/flows/export", json={}, headers={"Accept-Encoding": "identity"}) as answer,
    ):
        next(answer.iter_raw())
    time.sleep(0.3)
    asked = store.asked
    time.sleep(0.3)
    assert store.asked <= asked + 1
    assert asked < 2 * FLOWS


def test_long_export_leaves_room_for_questions(serve, flows_store, monkeypatch):
    """With one place for questions, a search is answered between the parts of an export."""
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 1)
    url = serve(Slow(flows_store), ApiSettings(port=0, max_questions=1))
    with (
        httpx.Client() as client,
        client.stream("POST", f"{url}/api/v1/flows/export", json={}, headers={"Accept-Encoding": "identity"}) as answer,
    ):
        parts = answer.iter_raw()
        next(parts)
        assert httpx.post(f"{url}/api/v1/flows/search", json={"limit": 1}).status_code == 200
        assert sum(part.count(b"\n") for part in parts) >= FLOWS - 5


class Leaver(OpenToAll):
    """Whoever asks is logged out, disabled or limited after a moment."""

    def __init__(self, seconds):
        self._until = time.monotonic() + seconds

    def still(self, request, asker):
        return time.monotonic() < self._until


def test_an_export_ends_when_its_asker_may_not_go_on(services, flows_store, monkeypatch):
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 1)
    monkeypatch.setattr(places, "RECHECK_SECONDS", 0.05)
    store, settings = Slow(flows_store), ApiSettings(port=0)
    server = ApiServer(app_over(replace(services, authenticator=Leaver(0.3)), store, settings), settings)
    server.start()
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.post(f"{server.url}/api/v1/flows/export", json={}, headers={"Accept-Encoding": "identity"})
        asked = store.asked
        time.sleep(0.3)
        assert store.asked <= asked + 1
    finally:
        server.stop()


def test_one_viewer_makes_half_of_the_files_at_most_and_places_come_back(serve, flows_store, monkeypatch):
    monkeypatch.setattr(exporting, "EXPORT_ROWS", 1)
    url = serve(Slow(flows_store), ApiSettings(port=0, max_exports=2))
    question = {"json": {}, "headers": {"Accept-Encoding": "identity"}}
    for _ in range(3):
        with httpx.Client() as client, client.stream("POST", f"{url}/api/v1/flows/export", **question) as answer:
            assert answer.status_code == 200
            refused = httpx.post(f"{url}/api/v1/flows/export", **question)
            assert refused.status_code == 503
            assert "in your name" in refused.json()["detail"]
        wrong = httpx.post(f"{url}/api/v1/flows/export", json={"filter": "x"})
        assert wrong.status_code in (400, 503)
        deadline = time.monotonic() + 5
        while httpx.post(f"{url}/api/v1/flows/export", json={"filter": "x"}).status_code == 503:
            assert time.monotonic() < deadline
            time.sleep(0.05)
