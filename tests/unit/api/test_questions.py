"""Questions over HTTP."""

import threading

import pyarrow as pa
import pytest

from millrace.api import ApiSettings, create_app
from millrace.errors import QueryError, StoreError

from .conftest import Client

LAST = {"last_seconds": 60}


def sums(**columns):
    return {**columns, "_bytes": [3000], "_packets": [30], "_flows": [3]}


def test_top_answers_with_rows_and_total(client, store):
    store.answers = [sums(SrcAS=pa.array([64500], pa.uint32())), sums()]
    answer = client.post("/api/v1/flows/top", json={**LAST, "dimensions": ["SrcAS"]})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["start"], body["end"]) == ("2026-01-01T11:59:00Z", "2026-01-01T12:00:00Z")
    assert body["rows"] == [
        {"dimensions": [64500], "value": 400.0, "share": 1.0, "bytes": 3000, "packets": 30, "flows": 3}
    ]
    assert body["sources"] == [{"table": "flows", "start": body["start"], "end": body["end"]}]


def test_series_answers_with_points(client, store):
    second = 1_767_268_740
    store.answers = [{"_bucket": [second // 10, second // 10 + 5], "_top": [True, True], "_amount": [100, 200]}]
    body = client.post("/api/v1/flows/series", json={**LAST, "unit": "bytes/s", "interval_seconds": 10}).json()
    assert body["rows"][0]["points"] == [10.0, 0.0, 0.0, 0.0, 0.0, 20.0]
    assert len(body["times"]) == 6


def test_search_answers_with_flows_and_a_cursor(client, store):
    time_ms = 1_767_268_799_000
    store.answers = [
        {"_ms": [time_ms], "_count": [2]},
        {"SrcPort": pa.array([1, 2], pa.uint16()), "_ms": [time_ms, time_ms]},
    ]
    body = client.post("/api/v1/flows/search", json={**LAST, "columns": ["SrcPort"], "limit": 1}).json()
    assert body == {"columns": ["SrcPort"], "flows": [{"SrcPort": 1}], "cursor": f"{time_ms}.1"}


@pytest.mark.parametrize(
    ("path", "question", "status", "said"),
    [
        ("top", {"dimensions": ["SrcAsn"]}, 400, "unknown column 'SrcAsn'; did you mean 'SrcAS'?"),
        ("top", {"dimensions": []}, 422, "body.dimensions"),
        ("top", {"dimensions": ["SrcAS"] * 9}, 422, "body.dimensions"),
        ("top", {"dimensions": ["SrcAS"], "limit": 1001}, 422, "body.limit"),
        ("top", {"dimensions": ["SrcAS"], "sql": "SELECT 1"}, 422, "Extra inputs are not permitted"),
        ("top", {"dimensions": ["SrcAS"], "filter": {"column": "SrcAddr", "value": "x"}}, 400, "not an address"),
        ("series", {"points": 2001}, 422, "body.points"),
        ("series", {"limit": 51}, 422, "body.limit"),
        ("series", {"interval_seconds": 1, "last_seconds": 86400}, 400, "more than 2000 points"),
        ("series", {"start": "2026-01-01T00:00:00Z", "last_seconds": 5}, 422, "not both"),
        ("series", {"start": "2027-01-01T00:00:00Z"}, 400, "empty"),
        ("series", {"last_seconds": 10**10}, 422, "last_seconds"),
        ("search", {"limit": 5001}, 422, "body.limit"),
        ("search", {"cursor": "x"}, 400, "cursor"),
        ("search", {"filter": {"and": [{"not": {"or": []}}]}}, 422, "body.filter"),
        ("search", [], 422, "body"),
    ],
)
def test_wrong_questions_are_problems_with_a_reason(client, store, path, question, status, said):
    answer = client.post(f"/api/v1/flows/{path}", json=question)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert said in body["detail"]
    assert store.asked == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b'{"filter":' + b'{"not":' * 8000])
def test_bodies_that_are_no_json_are_problems(client, body):
    answer = client.post("/api/v1/flows/top", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_long_bodies_are_refused(client):
    answer = client.post("/api/v1/flows/top", content=b" " * 70_000)
    assert answer.status_code == 413
    assert "65536 bytes" in answer.json()["detail"]


def test_wrong_question_that_the_store_finds_is_a_400(client, store):
    store.answers = [QueryError("too many rows")]
    assert client.post("/api/v1/flows/top", json={"dimensions": ["SrcAS"]}).status_code == 400


def test_store_that_cannot_answer_is_a_503(client, store):
    store.answers = [StoreError("the store is not started")]
    answer = client.post("/api/v1/flows/top", json={"dimensions": ["SrcAS"]})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "the store is not started" in answer.json()["detail"]


def test_defect_is_logged_and_a_500_that_tells_no_secrets(client, store, logs):
    store.answers = [RuntimeError("password=hunter2")]
    answer = client.post("/api/v1/flows/top", json={"dimensions": ["SrcAS"]})
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert [entry["path"] for entry in logs if entry["log_level"] == "error"] == ["/api/v1/flows/top"]


def test_too_many_questions_at_once_are_refused(services, store):
    entered, leave = threading.Event(), threading.Event()

    def slow():
        entered.set()
        leave.wait(5)
        return pa.table(sums(SrcAS=pa.array([1], pa.uint32())))

    store.answers = [slow, sums()]
    client = Client(create_app(services, ApiSettings(max_questions=1)))
    question = {"dimensions": ["SrcAS"]}
    results = []
    thread = threading.Thread(target=lambda: results.append(client.post("/api/v1/flows/top", json=question)))
    thread.start()
    assert entered.wait(5)
    refused = client.post("/api/v1/flows/top", json=question)
    leave.set()
    thread.join(5)
    assert refused.status_code == 503
    assert "1 questions are answered at the same time already" in refused.json()["detail"]
    assert results[0].status_code == 200


def test_no_endpoint_takes_sql(client):
    for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items():
        assert "sql" not in path.lower()
        assert set(methods) <= {"get", "post"}
