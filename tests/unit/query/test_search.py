"""Single flows, page by page."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.errors import QueryCancelledError, QueryError
from millrace.lang import parse
from millrace.query import Asking, QueryEngine, SearchQuestion, Table
from millrace.query import search as searching
from millrace.query.search import Cursor
from millrace.store import Cancel

from .stored_flows import BASE, SCHEMA, flow

NOW = BASE + 7200.0
ASKING = Asking(NOW)
DAYS = 86_400


def at(second):
    return datetime.fromtimestamp(BASE + second, UTC)


def pages(engine, asking=ASKING, **question):
    """Flows and ids of all pages."""
    flows, ids, cursor, count = [], [], None, 0
    while True:
        page = engine.search(SearchQuestion(cursor=cursor, **question), asking)
        assert len(page.ids) == len(page.flows)
        flows += page.flows
        ids += page.ids
        count += 1
        cursor = page.cursor
        if cursor is None:
            return flows, ids
        assert count < 500, "pages never end"


def test_latest_flows_come_first_with_the_usual_columns(store, engine):
    store.insert([flow(second, SrcPort=second) for second in range(5)])
    page = engine.search(SearchQuestion(start=at(0), end=at(10), limit=3), ASKING)
    assert [row["SrcPort"] for row in page.flows] == [4, 3, 2]
    assert page.flows[0]["TimeReceived"] == "2026-01-01T12:00:04.000Z"
    assert page.flows[0]["TimeFlowStart"] is None
    assert page.columns == list(page.flows[0])


def test_filter_is_a_text_of_the_language(store, engine):
    store.insert([flow(second, SrcPort=second, Proto=6 if second % 2 else 17) for second in range(6)])
    found, _ = pages(engine, filter="Proto = tcp AND SrcPort > 1", columns=["SrcPort"], start=at(0), end=at(10))
    assert [row["SrcPort"] for row in found] == [5, 3]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_join_without_gap_or_overlap_over_equal_milliseconds(store, engine, limit):
    seconds = [0.001 * (number // 40) for number in range(120)]
    store.insert([flow(second, SrcPort=number) for number, second in enumerate(seconds)])
    found, ids = pages(engine, columns=["SrcPort", "TimeReceived"], limit=limit, start=at(0), end=at(10))
    assert sorted(row["SrcPort"] for row in found) == list(range(120))
    assert [row["TimeReceived"] for row in found] == sorted((row["TimeReceived"] for row in found), reverse=True)
    assert len(set(ids)) == 120


def test_flows_far_back_are_found_in_growing_windows(store, engine):
    store.insert([flow(-seconds, SrcPort=port) for port, seconds in enumerate([1, 3000, 90_000, 40 * DAYS])])
    found, _ = pages(engine, columns=["SrcPort"], limit=10, last_seconds=60 * DAYS)
    assert [row["SrcPort"] for row in found] == [0, 1, 2, 3]
    assert len(store.asked) < 20, "a window per minute would be 86 400"


def test_a_full_page_reads_nothing_before_it(store, engine):
    store.insert([flow(-seconds) for seconds in range(100)] + [flow(-10 * DAYS)])
    engine.search(SearchQuestion(limit=10, start=at(-20 * DAYS), end=at(1)), ASKING)
    earliest = min(parameters["p0"] for _, parameters in store.asked)
    assert earliest >= (BASE - 120) * 1000


def test_range_is_kept_to_the_second(store, engine):
    store.insert([flow(second, SrcPort=int(second * 10)) for second in (9.9, 10, 19.9, 20)])
    found, _ = pages(engine, columns=["SrcPort"], start=at(10), end=at(20))
    assert [row["SrcPort"] for row in found] == [199, 100]


def test_when_time_is_up_a_page_is_given_as_it_is_and_the_next_goes_on(store, engine, monkeypatch):
    store.insert([flow(-3 * DAYS, SrcPort=1), flow(-20 * DAYS, SrcPort=2)])
    monkeypatch.setattr(searching, "SEARCH_SECONDS", 0.0)
    monkeypatch.setattr(searching, "_FIRST_WINDOW_MS", DAYS * 1000)
    question = {"columns": ["SrcPort"], "last_seconds": 30 * DAYS, "limit": 10}
    first = engine.search(SearchQuestion(**question), ASKING)
    assert first.flows == []
    assert first.cursor is not None
    found, _ = pages(engine, **question)
    assert [row["SrcPort"] for row in found] == [1, 2]


def test_scope_limits_what_is_found(store, engine):
    store.insert([flow(second, SrcPort=second, ExporterTenant="ab"[second % 2]) for second in range(6)])
    asking = Asking(NOW, scope=parse("ExporterTenant = 'a'", SCHEMA))
    found, _ = pages(engine, asking, columns=["SrcPort"], start=at(0), end=at(10), limit=2)
    assert [row["SrcPort"] for row in found] == [4, 2, 0]
    found, _ = pages(engine, asking, columns=["SrcPort"], filter="SrcPort = 1 OR SrcPort = 2", start=at(0), end=at(10))
    assert [row["SrcPort"] for row in found] == [2]


def test_saved_filters_are_the_askers(store, engine):
    store.insert([flow(0, SrcPort=1), flow(0, SrcPort=2)])
    asking = Asking(NOW, saved={"one": "SrcPort = 1"})
    found, _ = pages(engine, asking, columns=["SrcPort"], filter="@one", last_seconds=9000)
    assert [row["SrcPort"] for row in found] == [1]
    with pytest.raises(QueryError):
        engine.search(SearchQuestion(filter="@one"), ASKING)


def test_search_is_cancelled(store, engine):
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(QueryCancelledError):
        engine.search(SearchQuestion(), Asking(NOW, cancel=cancel))


def test_nothing_found_is_an_empty_page(store, engine):
    page = engine.search(SearchQuestion(last_seconds=365 * DAYS), ASKING)
    assert (page.flows, page.ids, page.cursor) == ([], [], None)


def test_unknown_column_is_refused_with_the_nearest_one(engine):
    with pytest.raises(QueryError, match="did you mean 'SrcPort'"):
        engine.search(SearchQuestion(columns=["SrcPrt"]), ASKING)


class _Untouched:
    def query(self, sql, parameters, *, cancel=None, typed=True):
        raise AssertionError("nothing is asked")


@given(st.text(max_size=64).filter(lambda text: text != ""))
def test_strange_cursors_are_refused(text):
    engine = QueryEngine(_Untouched(), SCHEMA, lambda: [Table("flows")])
    try:
        cursor = Cursor.parse(text)
    except QueryError:
        with pytest.raises(QueryError):
            engine.search(SearchQuestion(cursor=text), ASKING)
    else:
        assert cursor == Cursor.parse(str(cursor))


@pytest.mark.parametrize("cursor", ["0.0", "999999999999999.1000000", "1767268800000.5"])
def test_cursor_of_another_range_finds_what_lies_in_this_one(store, engine, cursor):
    store.insert([flow(1, SrcPort=7)])
    page = engine.search(SearchQuestion(start=at(0), end=at(10), cursor=cursor), ASKING)
    assert len(page.flows) == (1 if cursor.startswith("9") else 0)
