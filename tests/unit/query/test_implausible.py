"""Implausible flows are counted in every answer, and left out of all of it if that is asked for."""

from datetime import UTC, datetime

import pytest

from millrace.lang import complete, parse
from millrace.query import Asking, HeatmapQuestion, QueryEngine, SankeyQuestion, SeriesQuestion, TopQuestion
from millrace.schema import IMPLAUSIBLE

from .stored_flows import BASE, SCHEMA, TABLES, flow

FLOWS = [
    *(flow(60 * minute, SrcAS=1, DstAS=2, Bytes=1000, Packets=1) for minute in range(50)),
    flow(600, SrcAS=3, DstAS=2, Bytes=10**12, Packets=1, Implausible="packet-size"),
    flow(-86_400 + 600, SrcAS=3, DstAS=2, Bytes=10**12, Packets=1, Implausible="packet-size"),
    flow(1200, SrcAS=1, DstAS=2, Bytes=10**9, Packets=1, Implausible="interface-speed"),
    flow(1260, SrcAS=4, DstAS=4, Bytes=0, Packets=0, Implausible="sampling-rate"),
]
RANGE = {"start": datetime.fromtimestamp(BASE, UTC), "end": datetime.fromtimestamp(BASE + 3600, UTC), "unit": "bytes"}
ASKING = Asking(BASE + 7200.0)


@pytest.fixture(params=["flows", "rollups"])
def engine(request, store):
    store.insert(FLOWS)
    store.roll_up()
    return QueryEngine(store, SCHEMA, lambda: TABLES if request.param == "rollups" else TABLES[:1])


def answers(engine, **asked):
    """Total of each kind of answer, and how many implausible flows it tells of."""
    asked = {**RANGE, **asked}
    top = engine.top(TopQuestion(dimensions=["SrcAS"], **asked), ASKING)
    series = engine.series(SeriesQuestion(dimensions=["SrcAS"], **asked), ASKING)
    sankey = engine.sankey(SankeyQuestion(dimensions=["SrcAS", "DstAS"], **asked), ASKING)
    field = engine.heatmap(HeatmapQuestion(down=["SrcAS"], across=["DstAS"], **asked), ASKING)
    times = engine.heatmap(HeatmapQuestion(down=["SrcAS"], **asked), ASKING)
    return [
        (top.total.bytes, top.implausible_flows),
        (series.total.total, series.implausible_flows),
        (sum(row.total for row in series.rows), series.implausible_flows),
        (sankey.total, sankey.implausible_flows),
        (sum(map(sum, field.values)), field.implausible_flows),
        (sum(map(sum, times.values)), times.implausible_flows),
    ]


def test_nothing_is_hidden_unless_asked(engine):
    assert answers(engine) == [(50_000 + 10**12 + 10**9, 3)] * 6


def test_they_are_left_out_of_every_answer_and_still_counted(engine):
    assert answers(engine, leave_out_implausible=True) == [(50_000, 3)] * 6


def test_they_are_counted_among_what_is_asked_for_and_may_be_seen(engine):
    assert answers(engine, filter="SrcAS = AS3")[0] == (10**12, 1)
    scoped = Asking(ASKING.now, scope=parse("SrcAS != AS3", SCHEMA))
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **RANGE), scoped).implausible_flows == 2


def test_that_there_are_none_costs_no_statement_of_its_own(engine, store):
    """10 ms of the engine's work for each question, however few flows there are."""
    none = {**RANGE, "filter": "Implausible = no"}
    for ask, question, more in (
        (engine.top, TopQuestion, {"dimensions": ["Implausible"]}),
        (engine.series, SeriesQuestion, {}),
        (engine.series, SeriesQuestion, {"dimensions": ["Implausible", "SrcAS"], "limit": 1, "limit_by": "last"}),
        (engine.heatmap, HeatmapQuestion, {"down": ["SrcAS"], "limit": 1}),
        (engine.heatmap, HeatmapQuestion, {"down": ["Implausible"], "across": ["DstAS"], "limit": 1}),
        (engine.sankey, SankeyQuestion, {"dimensions": ["SrcAS", "Implausible", "DstAS"], "limit": 1}),
    ):
        before = len(store.asked)
        assert ask(question(**none, **more), ASKING).implausible_flows == 0
        assert len(store.asked) == before + 1
        assert ask(question(**RANGE, **more), ASKING).implausible_flows == 3


def _each_kind(engine):
    return (
        (engine.top, TopQuestion(dimensions=["SrcAS"], **RANGE)),
        (engine.series, SeriesQuestion(dimensions=["SrcAS"], **RANGE)),
        (engine.heatmap, HeatmapQuestion(down=["SrcAS"], **RANGE)),
        (engine.heatmap, HeatmapQuestion(down=["SrcAS"], across=["DstAS"], **RANGE)),
        (engine.sankey, SankeyQuestion(dimensions=["SrcAS", "DstAS"], **RANGE)),
    )


def test_where_the_store_knows_that_there_are_none_nothing_looks_for_them(store):
    store.insert([flow(60 * minute, SrcAS=1, DstAS=2) for minute in range(50)])
    asked = []
    engine = QueryEngine(store, SCHEMA, lambda: TABLES[:1], may_be_implausible=lambda *span: bool(asked.append(span)))
    for ask, question in _each_kind(engine):
        store.asked.clear()
        assert ask(question, ASKING).implausible_flows == 0
        assert len(store.asked) == 1
        assert "Implausible" not in store.asked[0][0]
    assert set(asked) == {(BASE, BASE + 3600)}


def test_those_that_come_while_a_statement_runs_are_counted(engine, store):
    """It may have read them."""
    for place in range(5):
        said = iter([False])
        asked = QueryEngine(store, SCHEMA, lambda: TABLES, may_be_implausible=lambda *_, said=said: next(said, True))
        ask, question = _each_kind(asked)[place]
        assert ask(question, ASKING).implausible_flows == 3


def test_those_that_cannot_be_measured_are_counted_too(engine):
    """None has an interface whose speed is known."""
    for more in ({"unit": "in-%"}, {"spread": True}, {"bidirectional": True, "previous": "day"}):
        asked = {**RANGE, **more}
        assert engine.series(SeriesQuestion(dimensions=["SrcAS"], **asked), ASKING).implausible_flows == 3
    asked = {**RANGE, "unit": "out-%"}
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **asked), ASKING).implausible_flows == 3
    assert engine.heatmap(HeatmapQuestion(down=["SrcAS"], **asked), ASKING).implausible_flows == 3


def test_of_nothing_there_are_none(engine):
    asked = {**RANGE, "filter": "SrcAS = AS77"}
    assert engine.top(TopQuestion(dimensions=["SrcAS"], **asked), ASKING).implausible_flows == 0
    assert engine.series(SeriesQuestion(dimensions=["SrcAS"], **asked), ASKING).implausible_flows == 0


def test_they_are_found_by_a_filter(engine):
    assert answers(engine, filter="Implausible = packet-size")[0] == (10**12, 1)
    assert answers(engine, filter="Implausible != no")[0] == (10**12 + 10**9, 3)


def test_figures_and_the_previous_period_leave_them_out_too(engine):
    question = SeriesQuestion(interval_seconds=300, previous="day", leave_out_implausible=True, **RANGE)
    answer = engine.series(question, ASKING)
    assert (answer.total.maximum, answer.total.percentile95) == (5000, 5000)
    assert answer.previous.row.total == 0
    assert (
        engine.series(question.model_copy(update={"leave_out_implausible": False}), ASKING).previous.row.total == 1e12
    )


def test_its_values_are_completed():
    text = "Implausible = "
    options = complete(text, len(text), SCHEMA).options
    assert [option.label for option in options] == list(IMPLAUSIBLE)
