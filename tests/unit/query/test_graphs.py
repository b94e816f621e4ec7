"""Graphs of a few flows, whose figures can be checked by hand."""

from datetime import UTC, datetime

import pytest

from millrace.errors import QueryCancelledError, QueryError
from millrace.lang import parse
from millrace.query import (
    Asking,
    HeatmapQuestion,
    QueryEngine,
    SankeyQuestion,
    SeriesQuestion,
    Table,
    TopQuestion,
)
from millrace.store import Cancel

from .stored_flows import BASE, SCHEMA, TABLES, flow

NOW = BASE + 7200.0

ASKING = Asking(NOW)

MEGABIT = 125_000
"""Bytes."""


def at(second):
    return datetime.fromtimestamp(BASE + second, UTC)


def between(start, end, **more):
    return {"start": at(start), "end": at(end), **more}


def points(rows):
    return [(row.dimensions, row.other, row.points) for row in rows]


def through(index, speed, octets, second=0, **columns):
    """A flow that comes in at an interface; without packets, so that its bytes are those on the wire."""
    return flow(second, InIf=index, InIfName=f"if{index}", InIfSpeed=speed, Bytes=octets, Packets=0, **columns)


def test_percentages_of_a_set_of_interfaces_add_up_to_the_load_of_that_set(store, engine):
    """Two interfaces of 1 and 3 Mbit/s: each series is a part of 4 Mbit/s, whatever interval it is seen in."""
    store.insert(
        [through(1, 1, MEGABIT * 10, 1, SrcAS=1), through(2, 3, MEGABIT * 20, 11, SrcAS=2), through(3, 0, 10**9, 11)]
    )
    question = SeriesQuestion(dimensions=["SrcAS"], unit="in-%", interval_seconds=10, **between(0, 20))
    series = engine.series(question, ASKING)
    assert points(series.rows) == [([2], False, [0.0, 50.0]), ([1], False, [25.0, 0.0])]
    assert series.total.points == [25.0, 50.0]
    assert series.total.average == 37.5


def test_each_interface_shows_its_own_load(store, engine):
    """Ranked by load: the small one is full. The rest has the speed of those that are not shown."""
    store.insert(
        [
            through(1, 1, MEGABIT * 10),
            through(2, 100, MEGABIT * 200),
            through(3, 40, MEGABIT * 40),
            through(4, 60, MEGABIT * 60),
        ]
    )
    question = SeriesQuestion(dimensions=["InIfName"], unit="in-%", interval_seconds=10, limit=2, **between(0, 10))
    series = engine.series(question, ASKING)
    assert points(series.rows) == [(["if1"], False, [100.0]), (["if2"], False, [20.0]), ([], True, [10.0])]
    top = engine.top(TopQuestion(dimensions=["InIfName"], unit="in-%", limit=1, **between(0, 10)), ASKING)
    assert [(row.dimensions, row.value) for row in top.rows] == [(["if1"], pytest.approx(100))]
    assert top.rows[0].share == pytest.approx(10 / 310)


def test_interface_whose_speed_was_changed_counts_once_with_the_highest(store, engine):
    store.insert([through(1, 1, MEGABIT * 10), through(1, 10, 0, 5)])
    series = engine.series(SeriesQuestion(unit="in-%", interval_seconds=10, **between(0, 10)), ASKING)
    assert series.total.points == pytest.approx([10])


def test_rest_of_shown_interfaces_is_measured_against_all(store, engine):
    store.insert([through(1, 1, MEGABIT * 5, SrcAS=1), through(1, 1, MEGABIT * 2, SrcAS=2)])
    question = SeriesQuestion(
        dimensions=["InIfName", "SrcAS"], unit="in-%", interval_seconds=10, limit=1, **between(0, 10)
    )
    assert points(engine.series(question, ASKING).rows) == [(["if1", 1], False, [50.0]), ([], True, [20.0])]


def test_volume_is_the_bytes_of_each_interval(store, engine):
    store.insert([flow(1, Bytes=300, SamplingRate=10), flow(11, Bytes=500), flow(35, Bytes=400)])
    series = engine.series(SeriesQuestion(unit="bytes", interval_seconds=10, **between(0, 40)), ASKING)
    (row,) = series.rows
    assert (row.points, row.average, row.total) == ([3000.0, 500.0, 0.0, 400.0], 975.0, 3900.0)


def test_bits_on_the_wire_count_38_bytes_more_per_packet(store, engine):
    store.insert([flow(1, Bytes=1000, Packets=10, SamplingRate=2)])
    series = engine.series(SeriesQuestion(unit="l2-bits/s", interval_seconds=10, **between(0, 10)), ASKING)
    assert series.total.points == [8 * 2 * 1380 / 10]
    assert series.total.total == 2760


@pytest.mark.parametrize(("limit_by", "shown"), [("average", 1), ("maximum", 2), ("last", 3), ("p95", 1)])
def test_figure_decides_which_series_is_shown(store, engine, limit_by, shown):
    """AS 1 is steady, AS 2 has a peak, AS 3 comes last; the cut interval at the end does not count."""
    steady = [flow(second, SrcAS=1, Bytes=1000) for second in range(0, 190, 10)]
    store.insert([*steady, flow(55, SrcAS=2, Bytes=5000), flow(195, SrcAS=3, Bytes=900), flow(201, SrcAS=4)])
    question = SeriesQuestion(dimensions=["SrcAS"], interval_seconds=10, limit=1, limit_by=limit_by, **between(0, 210))
    series = engine.series(question, Asking(BASE + 202.0))
    assert [row.dimensions for row in series.rows] == [[shown], []]
    together = [sum(column) for column in zip(*(row.points for row in series.rows), strict=True)]
    assert together == pytest.approx(series.total.points)


def test_opposite_direction_exchanges_filter_dimensions_and_unit(store, engine):
    store.insert(
        [
            flow(1, SrcAS=1, DstAS=9, InIf=1, InIfSpeed=10, OutIf=2, OutIfSpeed=5, Bytes=MEGABIT, Packets=0),
            flow(2, SrcAS=9, DstAS=1, InIf=2, InIfSpeed=5, OutIf=1, OutIfSpeed=10, Bytes=2 * MEGABIT, Packets=0),
            flow(3, SrcAS=9, DstAS=2, InIf=2, InIfSpeed=5, OutIf=3, OutIfSpeed=10, Bytes=9 * MEGABIT, Packets=0),
        ]
    )
    question = SeriesQuestion(
        dimensions=["DstAS"], unit="in-%", filter="SrcAS = 1 AND InIf = 1", bidirectional=True,
        interval_seconds=10, **between(0, 10),
    )  # fmt: skip
    series = engine.series(question, ASKING)
    assert points(series.rows) == [([9], False, [1.0])]
    assert points(series.reverse) == [([9], False, [2.0])]


def test_scope_holds_for_flows_as_they_are_in_every_part_of_an_answer(store, engine):
    """A tenant that may see interface 1 sees no flow that leaves there, also in the opposite direction."""
    store.insert(
        [
            flow(1, InIf=1, OutIf=2, SrcAS=1), flow(2, InIf=2, OutIf=1, DstAS=1), flow(3, InIf=1, OutIf=2, DstAS=1),
            flow(1 - 3600, InIf=1), flow(2 - 3600, InIf=2),
        ]
    )  # fmt: skip
    store.roll_up()
    asking = Asking(NOW, scope=parse("InIf = 1", SCHEMA))
    question = SeriesQuestion(
        unit="flows/s", filter="SrcAS = 1", bidirectional=True, interval_seconds=10, **between(0, 10)
    )
    series = engine.series(question, asking)
    assert (series.total.total, series.reverse[0].total) == (1, 1)
    series = engine.series(SeriesQuestion(unit="flows/s", previous="hour", **between(0, 10)), asking)
    assert (series.total.total, series.previous.row.total) == (2, 1)
    top = engine.top(TopQuestion(dimensions=["InIf"], **between(0, 10)), asking)
    assert [row.dimensions for row in top.rows] == [[1]]
    sankey = engine.sankey(SankeyQuestion(dimensions=["InIf", "OutIf"], **between(0, 10)), asking)
    assert {node.value for node in sankey.nodes if node.dimension == 0} == {1}
    heatmap = engine.heatmap(HeatmapQuestion(down=["InIf"], across=["OutIf"], **between(0, 10)), asking)
    assert [row.dimensions for row in heatmap.rows] == [[1]]
    assert [exporter.flows for exporter in engine.seen(TopQuestion(dimensions=["InIf"], **between(0, 10)), asking)] == [
        2
    ]


def test_scope_on_a_column_that_rollups_lack_is_answered_from_the_flows(store, engine):
    store.insert([flow(1, SrcAddr="10.0.0.1"), flow(2, SrcAddr="10.9.0.1")])
    store.roll_up()
    asking = Asking(NOW, scope=parse("SrcAddr << 10.0.0.0/16", SCHEMA))
    series = engine.series(SeriesQuestion(unit="flows/s", previous="hour", **between(0, 3600)), asking)
    assert [source.table for source in series.sources] == ["flows"]
    assert series.total.total == 1


def test_answers_are_not_shared_across_scopes(store, engine):
    store.insert([flow(1, InIf=1), flow(2, InIf=2), flow(3, InIf=2)])
    question = TopQuestion(dimensions=["SrcAS"], **between(0, 10))
    found = [
        engine.top(question, Asking(NOW, scope=parse(scope, SCHEMA))).total.flows
        for scope in ("InIf = 1", "", "InIf = 2")
    ]
    assert found == [1, 3, 2]


@pytest.mark.parametrize(
    ("seconds", "period"),
    [(7199, "hour"), (7200, "day"), (2 * 86_400, "week"), (14 * 86_400, "4-weeks"), (56 * 86_400, "year")],
)
def test_period_before_follows_from_the_length_of_the_range(store, engine, seconds, period):
    series = engine.series(SeriesQuestion(previous="auto", last_seconds=seconds), ASKING)
    assert series.previous.period == period
    assert len(series.previous.row.points) == len(series.times)


def test_52_weeks_before_compare_mondays_with_mondays(store, engine):
    store.insert([flow(1), flow(5 - 364 * 86_400, Bytes=77)])
    series = engine.series(
        SeriesQuestion(unit="bytes", previous="52-weeks", interval_seconds=10, **between(0, 20)), ASKING
    )
    assert (series.previous.start, series.previous.end) == ("2025-01-02T12:00:00Z", "2025-01-02T12:00:20Z")
    assert series.previous.row.points == [77.0, 0.0]


def test_period_of_which_only_long_intervals_are_left_is_spread_over_them(store):
    """An hour of 3600 bytes gives each minute its sixtieth."""
    store.insert([flow(-86_400 + 1800, Bytes=3600), flow(600, Bytes=50)])
    store.roll_up()
    tables = (Table("flows", since=BASE - 3600), TABLES[3])
    series = QueryEngine(store, SCHEMA, lambda: tables).series(
        SeriesQuestion(unit="bytes", previous="day", interval_seconds=60, **between(0, 1200)), ASKING
    )
    assert series.previous.row.points == pytest.approx([60.0] * 20)


def test_period_that_is_no_longer_stored_is_left_out(store):
    tables = (Table("flows", since=BASE - 3600),)
    series = QueryEngine(store, SCHEMA, lambda: tables).series(
        SeriesQuestion(previous="day", **between(0, 1200)), ASKING
    )
    assert series.previous is None


def test_addresses_are_grouped_by_prefixes_of_their_family(store, engine):
    store.insert(
        [
            flow(1, SrcAddr="192.0.2.1"), flow(2, SrcAddr="192.0.2.200"), flow(3, SrcAddr="192.0.3.1"),
            flow(4, SrcAddr="2001:db8::1"), flow(5, SrcAddr="2001:db8:0:1::1"), flow(6, SrcAddr="::1"),
        ]
    )  # fmt: skip
    question = {"dimensions": ["SrcAddr"], "unit": "flows/s", **between(0, 10)}

    def found(**lengths):
        top = engine.top(TopQuestion(**question, **lengths), ASKING)
        series = engine.series(SeriesQuestion(**question, **lengths), ASKING)
        shown = {row.dimensions[0]: row.flows for row in top.rows}
        assert {row.dimensions[0]: row.total for row in series.rows} == shown
        return shown

    assert found(truncate_v4=24, truncate_v6=64) == {
        "192.0.2.0/24": 2, "192.0.3.0/24": 1, "2001:db8::/64": 1, "2001:db8:0:1::/64": 1, "::/64": 1,
    }  # fmt: skip
    assert found(truncate_v4=0) == {"0.0.0.0/0": 3, "2001:db8::1": 1, "2001:db8:0:1::1": 1, "::1": 1}
    assert found(truncate_v6=0) == {"192.0.2.1": 1, "192.0.2.200": 1, "192.0.3.1": 1, "::/0": 3}


def test_filter_on_an_address_is_not_about_its_prefix(store, engine):
    store.insert([flow(1, SrcAddr="192.0.2.1"), flow(2, SrcAddr="192.0.2.200")])
    question = TopQuestion(dimensions=["SrcAddr"], filter="SrcAddr = 192.0.2.200", truncate_v4=24, **between(0, 10))
    assert [(row.dimensions, row.flows) for row in engine.top(question, ASKING).rows] == [(["192.0.2.0/24"], 1)]


def test_sankey_keeps_what_flows(store, engine):
    store.insert(
        [
            flow(1, SrcAS=1, InIf=1, DstAS=7, Bytes=500),
            flow(2, SrcAS=1, InIf=2, DstAS=8, Bytes=300),
            flow(3, SrcAS=2, InIf=1, DstAS=8, Bytes=200),
            flow(4, SrcAS=3, InIf=3, DstAS=9, Bytes=100),
        ]
    )
    question = SankeyQuestion(dimensions=["SrcAS", "InIf", "DstAS"], unit="bytes", limit=1, **between(0, 10))
    sankey = engine.sankey(question, ASKING)
    assert [(node.dimension, node.value, node.rate) for node in sankey.nodes] == [
        (0, 1, 800), (0, None, 300), (1, 1, 700), (1, None, 400), (2, 7, 500), (2, None, 600),
    ]  # fmt: skip
    assert [(link.source, link.target, link.rate) for link in sankey.links] == [
        (0, 2, 500), (0, 3, 300), (1, 2, 200), (1, 3, 100), (2, 4, 500), (2, 5, 200), (3, 5, 400),
    ]  # fmt: skip
    assert sankey.total == 1100


def test_sankey_of_percentages_or_of_one_column_is_refused(engine):
    with pytest.raises(QueryError, match="use 'l2-bits/s'"):
        engine.sankey(SankeyQuestion(dimensions=["SrcAS", "InIf"], unit="in-%"), ASKING)
    with pytest.raises(QueryError, match="two different columns"):
        engine.sankey(SankeyQuestion(dimensions=["SrcAS", "SrcAS"]), ASKING)


def test_heatmap_of_two_axes(store, engine):
    store.insert(
        [flow(1, SrcAS=1, DstAS=1, Bytes=50), flow(1, SrcAS=1, DstAS=2, Bytes=30), flow(1, SrcAS=2, DstAS=1, Bytes=9)]
    )
    question = HeatmapQuestion(down=["SrcAS"], across=["DstAS"], unit="bytes", limit=1, **between(0, 10))
    heatmap = engine.heatmap(question, ASKING)
    assert [(row.dimensions, row.other) for row in heatmap.rows] == [([1], False), ([], True)]
    assert [(column.dimensions, column.other) for column in heatmap.columns] == [([1], False), ([], True)]
    assert heatmap.values == [[50, 30], [9, 0]]


def test_heatmap_over_time(store, engine):
    store.insert([flow(1, SrcAS=1, Bytes=50), flow(11, SrcAS=2, Bytes=30), flow(12, SrcAS=3, Bytes=9)])
    heatmap = engine.heatmap(HeatmapQuestion(down=["SrcAS"], unit="bytes", limit=2, points=2, **between(0, 20)), ASKING)
    assert [column.time for column in heatmap.columns] == ["2026-01-01T12:00:00Z", "2026-01-01T12:00:10Z"]
    assert heatmap.values == [[50, 0], [0, 30], [0, 9]]
    assert heatmap.interval_seconds == 10


def test_labels_name_what_has_a_name(store, engine):
    store.insert([flow(1, SrcAS=15169, Proto=6, DstPort=443, SrcCountry="CH", EType=0x86DD, DstAS=0)])
    names = ["SrcAS", "Proto", "DstPort", "SrcCountry", "EType", "DstAS", "ExporterName"]
    (row,) = engine.top(TopQuestion(dimensions=names, **between(0, 10)), ASKING).rows
    assert row.labels == ["AS15169 Google", "TCP", "443 https", "Switzerland", "ipv6", "unknown", "unknown"]
    assert row.dimensions == [15169, 6, 443, "CH", 0x86DD, 0, ""]


def test_statements_as_text_give_the_same_rows(store, engine):
    nasty = "it's \\ {p0:UInt32} `x` -- \n\t\0"
    store.insert(
        [
            flow(second, SrcAddr=f"10.0.{second % 3}.1", ApplicationName=nasty, TimeFlowStart=(BASE + second) * 1000)
            for second in range(0, 60, 7)
        ]
    )
    condition = (
        "ApplicationName = '" + nasty.replace("\\", "\\\\").replace("'", "\\'") + "' AND TimeFlowStart > 2020-01-01"
    )
    common = {"filter": condition, "truncate_v4": 24, **between(0, 60)}
    answers = [
        engine.series(SeriesQuestion(dimensions=["SrcAddr"], limit_by="p95", previous="day", **common), ASKING),
        engine.series(SeriesQuestion(spread=True, unit="in-%", dimensions=["InIfName"], **common), ASKING),
        engine.top(TopQuestion(dimensions=["SrcAddr"], **common), ASKING),
        engine.sankey(SankeyQuestion(dimensions=["SrcAddr", "Proto"], **common), ASKING),
        engine.heatmap(HeatmapQuestion(down=["SrcAddr"], across=["Proto"], **common), ASKING),
    ]
    bound = [asked for asked in store.asked if not asked[0].startswith("SELECT sum(Flows) AS _flows FROM")]
    texts = [sql for answer in answers for sql in answer.sql]
    assert len(texts) == len(bound) == 7
    for text, (sql, values) in zip(texts, bound, strict=True):
        expected, found = (sorted(map(str, t.to_pylist())) for t in (store.query(sql, values), store.query(text, {})))
        assert found == expected


def test_same_question_is_answered_from_the_cache_for_a_moment(store, engine):
    store.insert([flow(1)])
    question = SeriesQuestion(last_seconds=6 * 3600)
    first = engine.series(question, Asking(BASE + 3600.0))
    asked = len(store.asked)
    second = engine.series(question, Asking(BASE + 3604.9))
    assert len(store.asked) == asked
    assert second == first
    engine.series(question, Asking(BASE + 3605.1))
    assert len(store.asked) == asked + 1


def test_one_who_has_left_gets_no_answer(store, engine):
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(QueryCancelledError):
        engine.series(SeriesQuestion(), Asking(NOW, cancel=cancel))
    assert store.asked == []


def test_cancel_reaches_the_statement_that_runs():
    asker = Cancel()

    class Slow:
        def query(self, sql, parameters, *, cancel, typed=True):
            asker.cancel()
            cancel.check()

    engine = QueryEngine(Slow(), SCHEMA, lambda: TABLES)
    with pytest.raises(QueryCancelledError):
        engine.series(SeriesQuestion(), Asking(NOW, cancel=asker))
