"""The filter editor's questions over HTTP."""

import threading
import time
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millrace.api import create_app
from millrace.api.askers import Anybody
from millrace.errors import StoreError
from millrace.lang import parse
from millrace.query import QueryEngine, Table

from .conftest import SCHEMA, Client


def post(client, path, status=200, **body):
    answer = client.post(f"/api/v1/filter/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


class Savings:
    """Everybody has saved two filters."""

    def identity(self, request):
        return Anybody()

    def saved(self, asker):
        return {"web": "DstPort IN (80, 443)", "transit": "InIfConnectivity = transit"}


class Providers:
    """A store in which flows have had two providers."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.asked = threading.Semaphore(0)
        self.fails = False

    def query(self, sql, parameters, *, cancel=None, typed=True):
        self.asked.release()
        time.sleep(self.seconds)
        if self.fails:
            raise StoreError("no store")
        kind = pa.string() if "InIfProvider" in sql else pa.uint8()
        values = ["cogent", "it's"] if kind == pa.string() else [6, 99]
        return pa.table({"_value": pa.array(values, kind), "_flows": pa.array([9, 1], pa.uint64())})


@pytest.fixture
def made(services):
    def made(store=None):
        engine = QueryEngine(store or Providers(), SCHEMA, lambda: [Table("flows")])
        return Client(create_app(replace(services, query=engine, authenticator=Savings())))

    return made


@pytest.fixture(scope="module")
def editor(services):
    engine = QueryEngine(Providers(), SCHEMA, lambda: [Table("flows")])
    return Client(create_app(replace(services, query=engine, authenticator=Savings())))


def test_right_filter_is_told_in_canonical_text(editor):
    told = post(editor, "check", text='srcas=15169 and\n not Proto = "tcp" -- why')
    assert told["ok"]
    assert told["canonical"] == "SrcAS = AS15169 AND NOT Proto = tcp"
    assert told["error"] is None
    assert told["columns"] == ["SrcAS", "Proto"]
    assert not told["raw"]
    assert told["tokens"][0] == {"start": 0, "end": 5, "kind": "column"}
    assert told["tokens"][-1]["kind"] == "comment"


@pytest.mark.parametrize(
    ("text", "raw"), [("SrcPort = 1", True), ("Bytes > 10k", True), ("InIf = 1", False), ("", False)]
)
def test_filter_says_whether_it_needs_single_flows(editor, text, raw):
    assert post(editor, "check", text=text)["raw"] is raw


@pytest.mark.parametrize(
    ("timezone", "hour"), [("UTC", "12:00"), ("Europe/Berlin", "11:00"), ("Asia/Kathmandu", "06:15")]
)
def test_times_are_in_the_zone_of_who_writes_also_in_canonical_text(editor, timezone, hour):
    told = post(editor, "check", text="TimeReceived > 2026-01-31T12:00", timezone=timezone)
    assert told["canonical"] == f"TimeReceived > 2026-01-31T{hour}:00Z"
    clause = {"column": "Proto", "value": 6}
    added = post(editor, "combine", text="TimeReceived > 2026-01-31T12:00", timezone=timezone, clauses=[clause])
    assert added["text"].startswith(f"TimeReceived > 2026-01-31T{hour}:00Z AND ")


def test_unknown_zone_of_a_filter_is_a_problem(editor):
    assert "unknown time zone" in str(post(editor, "check", 422, text="", timezone="Mars/Olympus"))


def test_wrong_filter_is_told_with_place_and_suggestion(editor):
    told = post(editor, "check", text="Proto = tcp AND SrcAsn = 1")
    assert (told["ok"], told["canonical"], told["columns"]) == (False, "", [])
    error = told["error"]
    assert (error["start"], error["end"], error["suggestion"]) == (16, 22, "SrcAS")
    assert "unknown column 'SrcAsn'" in error["message"]
    assert error["expected"]
    assert told["tokens"], "what can be highlighted is"


def test_saved_filters_are_known_by_name(editor):
    assert post(editor, "check", text="@web")["columns"] == ["DstPort"]
    assert not post(editor, "check", text="@other")["ok"]


def test_completion_of_a_column(editor):
    told = post(editor, "complete", text="InIfP", cursor=5)
    assert (told["start"], told["end"], told["what"]) == (0, 5, "column")
    assert told["options"][0]["text"] == "InIfProvider"
    assert told["options"][0]["detail"]
    assert told["unfinished"]


def test_a_complete_value_is_nothing_unfinished(editor):
    told = post(editor, "complete", text="Proto = 6", cursor=9)
    assert told["options"]
    assert not told["unfinished"]


def test_completion_of_a_value_has_recent_ones_first_and_each_once(editor, monkeypatch):
    # How long it may take is told below; the first look for values takes long on a busy machine.
    monkeypatch.setattr("millrace.api.suggestions.WAIT_SECONDS", 10)
    told = post(editor, "complete", text="InIfProvider = ", cursor=15)
    assert told["what"] == "value"
    texts = [option["text"] for option in told["options"]]
    assert texts[0] == '"cogent"'
    for text in texts:
        assert post(editor, "check", text=f"InIfProvider = {text}")["ok"]
    texts = [option["text"] for option in post(editor, "complete", text="Proto = ", cursor=8)["options"]]
    assert texts[0] == "tcp"
    assert "udp" in texts, "known without data"
    assert len(texts) == len(set(texts))


def test_completion_of_a_saved_filter(editor):
    told = post(editor, "complete", text="@tr", cursor=3)
    assert (told["what"], told["options"][0]["text"]) == ("saved", "@transit")


def test_slow_store_leaves_the_static_options_and_answers_the_next_key(made):
    store = Providers(seconds=0.6)
    client = made(store)
    began = time.monotonic()
    told = post(client, "complete", text="Proto = ", cursor=8)
    texts = [option["text"] for option in told["options"]]
    assert time.monotonic() - began < 0.5
    assert "tcp" in texts
    assert "99" not in texts
    assert told["late"]
    time.sleep(0.7)
    told = post(client, "complete", text="Proto = ", cursor=8)
    assert "99" in [option["text"] for option in told["options"]]
    assert not told["late"]
    assert store.asked.acquire(blocking=False)
    assert not store.asked.acquire(blocking=False), "it was remembered"


def test_failing_store_leaves_the_static_options(made):
    store = Providers()
    store.fails = True
    told = post(made(store), "complete", text="Proto = ", cursor=8)
    assert "tcp" in [option["text"] for option in told["options"]]
    assert not told["late"], "asked again it fails again"


def test_clicked_values_are_added(editor):
    clauses = [
        {"column": "SrcAS", "value": 15169},
        {"column": "SrcAS", "value": 36040},
        {"column": "DstAddr", "value": "192.0.2.0/24", "exclude": True},
        {"column": "InIfProvider", "value": None},
        {"column": "DstCommunities", "value": ["64500:1"]},
    ]
    told = post(editor, "combine", text="Proto = tcp OR Proto = udp", clauses=clauses)
    assert told["text"] == (
        "(Proto = tcp OR Proto = udp) AND SrcAS IN (AS15169, AS36040) AND DstAddr !<< 192.0.2.0/24 "
        'AND InIfProvider = "" AND DstCommunities = 64500:1'
    )
    assert post(editor, "combine", text=told["text"], clauses=clauses) == told, "nothing is added twice"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "SrcAS = AS1"),
        ("SrcAS=1", "SrcAS = AS1"),
        ("@web", "@web\nAND SrcAS = AS1"),
        ("Proto = tcp -- only tcp", "Proto = tcp -- only tcp\nAND SrcAS = AS1"),
        ("@web OR @transit --x", "(@web OR @transit --x\n) AND SrcAS = AS1"),
        ("-- nothing yet", "-- nothing yet\nSrcAS = AS1"),
        ("SrcAS = 1 -- there", "SrcAS = 1 -- there"),
    ],
)
def test_comments_and_saved_filters_stay(editor, text, expected):
    told = post(editor, "combine", text=text, clauses=[{"column": "SrcAS", "value": 1}])
    assert told["text"] == expected
    assert post(editor, "check", text=told["text"])["ok"]


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("SrcAsn = 1", {"column": "SrcAS", "value": 1}),
        ("", {"column": "SrcAsn", "value": 1}),
        ("", {"column": "SrcAS", "value": "x"}),
        ("", {"column": "SrcCountry", "value": "no country"}),
    ],
)
def test_what_cannot_be_combined_is_a_problem(editor, text, clause):
    assert post(editor, "combine", 400, text=text, clauses=[clause])["detail"]


def test_bodies_are_bounded(editor):
    post(editor, "check", 422, text="x" * 10_001)
    post(editor, "complete", 422, text="", cursor=-1)
    post(editor, "combine", 422, text="", clauses=[{"column": "SrcAS", "value": 1}] * 101)
    post(editor, "combine", 422, text="", clauses=[{"column": "SrcAS", "value": {"a": 1}}])


QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.lists(st.integers(), max_size=3))


@QUICK
@given(text=st.text(max_size=60), cursor=st.integers(0, 80))
def test_any_text_is_checked_and_completed(editor, text, cursor):
    for path, more in (("check", {}), ("complete", {"cursor": cursor})):
        answer = editor.post(f"/api/v1/filter/{path}", json={"text": text, **more})
        assert answer.status_code == 200, answer.text


@QUICK
@given(column=st.one_of(st.sampled_from(SCHEMA.names), st.text(max_size=5)), value=VALUES, exclude=st.booleans())
def test_any_clause_is_added_or_refused(editor, column, value, exclude):
    clause = {"column": column, "value": value, "exclude": exclude}
    answer = editor.post("/api/v1/filter/combine", json={"text": "@web -- x", "clauses": [clause]})
    assert answer.status_code in (200, 400, 422), answer.text
    if answer.status_code == 200:
        parse(answer.json()["text"], SCHEMA, saved=Savings().saved(None))
