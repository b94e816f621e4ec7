"""A range that ends now ends where everything that was received is stored."""

from datetime import UTC, datetime

import pytest

from millrace.lang import DEFAULT_NAMES
from millrace.query import Asking, HeatmapQuestion, QueryEngine, SeriesQuestion, StoreTables, Table, TopQuestion
from millrace.query.selection import select
from millrace.store import StoreStatus

from .stored_flows import BASE, SCHEMA, TABLES, flow

LAG = 4
NOW = BASE + 3600.7
ARRIVED = BASE + 3600 - LAG


def text(second):
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}Z"


@pytest.fixture
def engine(store):
    """A steady 40 Mbit/s, of which the last four seconds wait for the store."""
    store.insert([flow(second + 0.5, Bytes=5_000_000) for second in range(3600 - LAG)])
    raw, *rollups = TABLES
    return QueryEngine(store, SCHEMA, lambda: [Table(raw.name, arrived=ARRIVED), *rollups])


@pytest.mark.parametrize("seconds", [5, 30, 60, 300, 900, 1800])
@pytest.mark.parametrize("more", [{}, {"dimensions": ["SrcAS"]}, {"interval_seconds": 1}, {"interval_seconds": 7}])
def test_steady_traffic_is_steady_to_the_end(engine, seconds, more):
    """The last points were 8 and 0 of 40."""
    series = engine.series(SeriesQuestion(last_seconds=seconds, **more), Asking(NOW))
    assert (series.end, series.covered_end, series.asked_end) == (text(ARRIVED), text(ARRIVED), text(BASE + 3601))
    for row in series.rows:
        assert row.points == pytest.approx([40e6] * len(row.points))
        assert row.last == pytest.approx(40e6)
        assert row.maximum == pytest.approx(40e6)


def test_every_answer_ends_there(engine):
    top = engine.top(TopQuestion(dimensions=["SrcAS"], last_seconds=60), Asking(NOW))
    assert (top.end, top.asked_end, top.total.value) == (text(ARRIVED), text(BASE + 3601), 40e6)
    heatmap = engine.heatmap(HeatmapQuestion(down=["SrcAS"], last_seconds=60), Asking(NOW))
    assert (heatmap.end, heatmap.asked_end) == (text(ARRIVED), text(BASE + 3601))
    assert heatmap.values[0] == pytest.approx([40e6] * len(heatmap.columns))


def test_range_that_ended_before_is_as_it_was(engine):
    asked = {"start": datetime.fromtimestamp(BASE, UTC), "end": datetime.fromtimestamp(BASE + 60, UTC)}
    series = engine.series(SeriesQuestion(**asked), Asking(NOW))
    assert (series.start, series.end) == (series.asked_start, series.asked_end) == (text(BASE), text(BASE + 60))


def test_range_of_which_nothing_is_stored_yet_is_answered_all_the_same(engine):
    start = datetime.fromtimestamp(ARRIVED + 1, UTC)
    series = engine.series(SeriesQuestion(start=start), Asking(NOW))
    assert series.end == text(BASE + 3601)


def test_those_who_ask_in_the_same_moment_of_a_long_range_ask_in_the_same_words():
    """Else no two of them would share an answer of the cache."""
    ends = {
        select(
            SeriesQuestion(last_seconds=86_400), Asking(BASE + 75.0 + wait), SCHEMA, DEFAULT_NAMES, arrived=BASE + wait
        ).end
        for wait in range(60, 75)
    }
    assert ends == {BASE + 60}


def test_store_tells_the_first_flow_and_what_has_arrived():
    status = StoreStatus({}, 1, 1, "", {"1m": 60_000, "5m": 60_000, "1h": 60_000}, 0)
    raw, *rollups = StoreTables(lambda: status, arrived=lambda: 1234)()
    assert raw.arrived == 1234
    assert {table.arrived for table in rollups} == {None}
    assert raw.first > NOW, "nothing is stored: no time is covered"
