"""Answers compared with sums made by hand."""

from datetime import UTC, datetime

import pytest

from millrace.errors import QueryError
from millrace.query import Asking, QueryEngine, Question, SeriesQuestion, Table, TopQuestion

from .stored_flows import BASE, SCHEMA, TABLES, flow

NOW = BASE + 7200.0

ASKING = Asking(NOW)


def at(second):
    return datetime.fromtimestamp(BASE + second, UTC)


def between(start, end, **more):
    return {"start": at(start), "end": at(end), **more}


def shown(answer):
    return [(row.dimensions, row.value) for row in answer.rows]


def used(answer):
    return [source.table for source in answer.sources]


def test_top_scales_bytes_by_the_sampling_rate_and_divides_by_the_whole_range(store, engine):
    store.insert([flow(0, SrcAS=1, SamplingRate=100), flow(1, SrcAS=2, Bytes=5000), flow(59.9, SrcAS=2)])
    store.roll_up()
    top = engine.top(TopQuestion(dimensions=["SrcAS"], unit="bits/s", **between(0, 100)), ASKING)
    assert shown(top) == [([1], 8 * 100_000 / 100), ([2], 8 * 6000 / 100)]
    assert [(row.bytes, row.packets, row.flows) for row in top.rows] == [(100_000, 1000, 1), (6000, 20, 2)]
    assert top.rows[0].share == pytest.approx(100_000 / 106_000)
    assert (top.total.bytes, top.total.flows) == (106_000, 3)


def test_flows_are_not_scaled_and_are_counted_in_rollups_too(store, engine):
    """Akvorado counts rows of its rollups instead."""
    store.insert([flow(0, SrcAS=1, SamplingRate=100)] * 6 + [flow(0, SrcAS=2)] * 3)
    store.roll_up()
    question = TopQuestion(dimensions=["SrcAS"], unit="flows/s", **between(0, 60))
    top = engine.top(question, ASKING)
    assert used(top) == ["flows_1m0s"]
    assert shown(top) == [([1], 0.1), ([2], 0.05)]


def test_rollups_and_raw_flows_give_the_same_numbers(store, engine):
    rows = [flow(i * 7.3, SrcAS=i % 5, SamplingRate=1 + i % 3, Bytes=i) for i in range(1000)]
    store.insert(rows)
    store.roll_up()
    question = TopQuestion(dimensions=["SrcAS"], **between(13, 7200))
    rolled = engine.top(question, ASKING)
    raw = QueryEngine(store, SCHEMA, lambda: TABLES[:1]).top(question, ASKING)
    assert set(used(rolled)) == {"flows", "flows_1m0s", "flows_5m0s", "flows_1h0m0s"}
    assert used(raw) == ["flows"]
    assert rolled.rows == raw.rows
    expected = sum(r["Bytes"] * r["SamplingRate"] for r in rows if 13 <= r["TimeReceived"] / 1000 - BASE < 7200)
    assert rolled.total.bytes == raw.total.bytes == expected


def test_open_interval_is_read_from_the_flows(store):
    store.insert([flow(second) for second in range(0, 150, 10)])
    store.roll_up()
    store.query("ALTER TABLE flows_1m0s DELETE WHERE TimeReceived >= toDateTime({p:UInt32}) SETTINGS mutations_sync=1",
                {"p": BASE + 120})  # fmt: skip
    tables = (Table("flows"), Table("flows_1m0s", 60, until=BASE + 125))
    top = QueryEngine(store, SCHEMA, lambda: tables).top(TopQuestion(dimensions=["SrcAS"], **between(0, 150)), ASKING)
    assert used(top) == ["flows_1m0s", "flows"]
    assert top.total.flows == 15


@pytest.mark.parametrize("dimension", ["SrcAddr", "SrcPort", "SrcMAC"])
def test_dimension_that_rollups_lack_is_read_from_the_flows(store, engine, dimension):
    store.insert([flow(0)])
    assert used(engine.top(TopQuestion(dimensions=[dimension], **between(0, 3600)), ASKING)) == ["flows"]


def test_filter_on_a_column_that_rollups_lack_is_answered_from_the_flows(store, engine):
    store.insert([flow(0, SrcPort=443), flow(0, SrcPort=80)])
    condition = "SrcPort = 443"
    top = engine.top(TopQuestion(dimensions=["SrcAS"], filter=condition, **between(0, 3600)), ASKING)
    assert used(top) == ["flows"]
    assert top.total.flows == 1


def test_dimensions_show_as_people_write_them(store, engine):
    store.insert(
        [flow(0, SrcMAC=0x001B210A0B0C, FlowDirection="ingress", DstCommunities=[(64500 << 16) | 7], ExporterName="e")]
    )
    names = ["ExporterAddress", "DstAddr", "SrcMAC", "FlowDirection", "DstCommunities", "ExporterName"]
    top = engine.top(TopQuestion(dimensions=names, **between(0, 10)), ASKING)
    assert top.rows[0].dimensions == ["192.0.2.1", "2001:db8::1", "00:1b:21:0a:0b:0c", "ingress", ["64500:7"], "e"]


def test_nothing_stored_gives_no_rows_and_a_total_of_zero(store, engine):
    top = engine.top(TopQuestion(dimensions=["SrcAS"], **between(0, 10)), ASKING)
    assert (top.rows, top.total.bytes) == ([], 0)
    series = engine.series(SeriesQuestion(interval_seconds=5, **between(0, 10)), ASKING)
    assert series.rows[0].points == [0.0, 0.0]
    assert engine.seen(Question(**between(0, 10)), ASKING) == []


def test_range_is_answered_as_it_was_asked_for_and_cuts_the_first_and_the_last_interval(store, engine):
    """So that a series, the largest, a Sankey and a heatmap of one range have one total."""
    store.insert([flow(second) for second in range(30)])
    series = engine.series(SeriesQuestion(unit="flows/s", interval_seconds=10, **between(5, 25)), ASKING)
    assert (series.asked_start, series.asked_end) == ("2026-01-01T12:00:05Z", "2026-01-01T12:00:25Z")
    assert (series.start, series.end) == ("2026-01-01T12:00:05Z", "2026-01-01T12:00:25Z")
    assert series.times == ["2026-01-01T12:00:05Z", "2026-01-01T12:00:10Z", "2026-01-01T12:00:20Z"]
    assert series.seconds == [5, 10, 5]
    assert [row.points for row in series.rows] == [[1.0, 1.0, 1.0]]
    assert series.rows[0].total == 20


def test_last_interval_is_cut_by_now_and_divided_by_what_there_is_of_it(store, engine):
    """It counts for the average, but it is not the last, the largest or the smallest."""
    store.insert([flow(second, SrcAS=1) for second in range(20)] + [flow(21, SrcAS=1)] * 12)
    question = SeriesQuestion(unit="flows/s", interval_seconds=10, dimensions=["SrcAS"], **between(5, 25))
    series = engine.series(question, Asking(BASE + 24.0))
    assert series.end == "2026-01-01T12:00:24Z"
    (row,) = series.rows
    assert row.points == [1.0, 1.0, 3.0]
    assert (row.last, row.minimum, row.maximum, row.percentile95) == (1.0, 1.0, 1.0, 1.0)
    assert row.average == pytest.approx(27 / 19)


def test_series_adds_the_rest_up_as_other(store, engine):
    """The default value of a dimension in its own right is not "other"."""
    rows = [flow(1, SrcAS=0)] * 5 + [flow(1, SrcAS=1)] * 4 + [flow(11, SrcAS=2)] * 3 + [flow(11, SrcAS=3)] * 2
    store.insert(rows)
    question = SeriesQuestion(dimensions=["SrcAS"], unit="flows/s", interval_seconds=10, limit=2, **between(0, 20))
    series = engine.series(question, ASKING)
    assert [(row.dimensions, row.other, row.points) for row in series.rows] == [
        ([0], False, [0.5, 0.0]),
        ([1], False, [0.4, 0.0]),
        ([], True, [0.0, 0.5]),
    ]


def test_series_of_several_dimensions_of_every_kind(store, engine):
    store.insert([flow(1, SrcAddr="10.0.0.1", FlowDirection="egress", Bytes=2000), flow(1, SrcAddr="10.0.0.2")])
    names = ["SrcAddr", "FlowDirection", "ExporterName", "DstCommunities", "SrcMAC"]
    series = engine.series(SeriesQuestion(dimensions=names, limit=1, **between(0, 20)), ASKING)
    assert series.rows[0].dimensions == ["10.0.0.1", "egress", "", [], "00:00:00:00:00:00"]
    assert [row.other for row in series.rows] == [False, True]


def test_series_of_a_long_range_uses_rollups_and_whole_minutes(store, engine):
    store.insert([flow(second, SrcAS=1) for second in range(0, 7200, 60)])
    store.roll_up()
    series = engine.series(SeriesQuestion(dimensions=["SrcAS"], unit="flows/s", **between(0, 7200)), ASKING)
    assert series.interval_seconds == 60
    assert set(used(series)) == {"flows_1m0s"}
    assert len(series.times) == 120
    assert series.rows[0].points == pytest.approx([1 / 60] * 120)


def test_old_range_is_widened_to_what_is_left(store):
    """Where raw flows are gone, a range that starts inside an interval is answered from its start."""
    store.insert([flow(0), flow(3599)])
    store.roll_up()
    tables = (Table("flows", since=BASE + 7000), TABLES[3])
    series = QueryEngine(store, SCHEMA, lambda: tables).series(
        SeriesQuestion(unit="flows/s", interval_seconds=60, **between(600, 1200)), ASKING
    )
    assert (series.start, series.end) == ("2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z")
    assert series.interval_seconds == 3600
    assert series.rows[0].points == [2 / 3600]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("SrcAddr << 10.1.0.0/16", {1}),
        ("SrcAddr !<< 10.0.0.0/8", {3}),
        ("SrcAddr << 2001:db8::/32", {3}),
        ("SrcAddr = 10.2.0.1", {2}),
        ("SrcAddr > 10.1.2.3", {2, 3}),
        ("SrcAddr BETWEEN 10.1.0.0 AND 10.2.0.0", {1}),
        ("SrcAddr IN (10.2.0.1, 2001:DB8:0::5)", {2, 3}),
        ("SrcAddr IN (10.2.0.1, 2001:db8::/32)", {2, 3}),
        ("SrcAddr NOT IN (10.2.0.1, 10.1.0.0/16)", {3}),
        ("SrcAS = AS64501", {1}),
        ("SrcAS IN (64501, AS64502)", {1, 2}),
        ("SrcAS NOT IN (64501)", {2, 3}),
        ("SrcAS IN (64000-64502)", {1, 2}),
        ("SrcAS NOT IN (64502-64510, 1)", {1}),
        ("SrcPort IN (1, 2-3)", {1, 2, 3}),
        ("Proto = tcp", {1}),
        ("Proto != 6", {2, 3}),
        ("EType = IPv6", {3}),
        ("SrcMAC = 00:1B:21:0a:0b:0c", {1}),
        ("SrcMAC = 001b.210a.0b0c", {1}),
        ("FlowDirection = egress", {2}),
        ("FlowDirection IN (egress, ingress)", {1, 2}),
        ("ExporterName LIKE 'edge%'", {1, 2}),
        ("ExporterName NOT LIKE '%2'", {1, 3}),
        ("ExporterName ILIKE 'EDGE_'", {1, 2}),
        ("ExporterName NOT ILIKE 'EDGE_'", {3}),
        ("ExporterName ~ '^(edge|x)[2-9]$'", {2}),
        ("ExporterName !~ 'edge'", {3}),
        ("DstCommunities = 64500:7", {1}),
        ("DstCommunities != 64500:7", {2, 3}),
        ("DstCommunities IN (64500:7, 1:1)", {1}),
        ("DstASPath = 3356", {2}),
        ("DstASPath IN (3356, 1)", {2}),
        ("DstASPath NOT IN (3356, 1)", {1, 3}),
        ("Bytes >= 2k", {2, 3}),
        ("Bytes > Packets", {1, 2, 3}),
        ("SrcPort = DstPort", {2}),
        ("SrcAddr < DstAddr", {1, 2}),
        ("FlowDirection = ingress AND InIfBoundary != OutIfBoundary", set()),
        ("TimeFlowStart < 2026-01-01T12:00:02Z", {1}),
        ("TimeFlowEnd > TimeFlowStart + 1500ms", {3}),
        ("Bytes > 1000 AND NOT (SrcAS = 64502)", {3}),
        ("SrcPort = 1 OR SrcPort = 3", {1, 3}),
        (f"SrcAS IN ({', '.join(f'{n}-{n + 1}' for n in range(64502, 64600, 2))})", {2, 3}),
        (f"SrcAddr NOT IN ({', '.join(f'10.{n}.0.0/16' for n in range(2, 60))})", {1, 3}),
        ("ExporterName IN ('edge1', \"it's\", 'a,]b')", {1}),
        ("TimeFlowStart IN (2026-01-01T12:00:02Z, 2026-01-01T12:00:03Z)", {2, 3}),
        ("SrcMAC IN (00:1B:21:0a:0b:0c)", {1}),
        ("", {1, 2, 3}),
    ],
)
def test_filters_find_what_they_say(store, engine, condition, found):
    start = BASE * 1000
    store.insert(
        [
            flow(1, SrcPort=1, SrcAddr="10.1.2.3", SrcAS=64501, Proto=6, EType=0x800, SrcMAC=0x001B210A0B0C,
                 FlowDirection="ingress", ExporterName="edge1", DstCommunities=[(64500 << 16) | 7],
                 TimeFlowStart=start + 1000, TimeFlowEnd=start + 1500),
            flow(2, SrcPort=2, SrcAddr="10.2.0.1", SrcAS=64502, Proto=17, EType=0x800, FlowDirection="egress",
                 ExporterName="edge2", DstASPath=[174, 3356], Bytes=2000, DstPort=2,
                 TimeFlowStart=start + 2000, TimeFlowEnd=start + 2000),
            flow(3, SrcPort=3, SrcAddr="2001:db8::5", SrcAS=64503, Proto=17, EType=0x86DD, ExporterName="core",
                 Bytes=3000, TimeFlowStart=start + 3000, TimeFlowEnd=start + 9000),
        ]
    )  # fmt: skip
    top = engine.top(TopQuestion(dimensions=["SrcPort"], filter=condition, **between(0, 10)), ASKING)
    assert {row.dimensions[0] for row in top.rows} == found


def test_filtered_rate_still_divides_by_the_whole_range(store, engine):
    """Akvorado divides by the span of the matching rows, and by zero if there is one."""
    store.insert([flow(50, SrcAS=7), flow(0), flow(99)])
    store.roll_up()
    top = engine.top(TopQuestion(dimensions=["SrcAS"], filter="SrcAS = 7", **between(0, 100)), ASKING)
    assert shown(top) == [([7], 80.0)]


def test_seen_lists_exporters_and_their_interfaces(store, engine):
    store.insert(
        [
            flow(0, InIf=1, InIfName="old", OutIf=2, ExporterName="edge"),
            flow(600, InIf=1, InIfName="xe-0", InIfSpeed=100, InIfBoundary="external", OutIf=2, ExporterName="edge"),
            flow(30, ExporterAddress="192.0.2.9", OutIf=3, SamplingRate=10),
        ]
    )
    store.roll_up()
    edge, other = engine.seen(Question(**between(0, 3540)), ASKING)
    assert (edge.address, edge.name, edge.flows, edge.last_seen) == ("192.0.2.1", "edge", 2, "2026-01-01T12:10:00Z")
    assert [(i.index, i.name, i.bytes_in, i.bytes_out) for i in edge.interfaces] == [
        (1, "xe-0", 2000, 0),
        (2, "", 0, 2000),
    ]
    assert (edge.interfaces[0].speed_mbps, edge.interfaces[0].boundary) == (100, "external")
    assert [(i.index, i.bytes_out) for i in other.interfaces] == [(3, 10_000)]


def test_rates_of_interfaces_are_of_the_time_for_which_there_are_data(store):
    """In the first minutes after a start as well; and what waits for its storage is not idle time."""
    tables = [Table("flows", first=BASE + 240, arrived=BASE + 280)]
    store.insert([flow(second, InIf=1, OutIf=2, Bytes=1000) for second in range(240, 280)])
    engine = QueryEngine(store, SCHEMA, lambda: tables)
    (exporter,) = engine.seen(Question(last_seconds=300), Asking(BASE + 285.0))
    (inner, outer) = exporter.interfaces
    assert inner.bytes_in == 40_000
    assert inner.in_bits_per_second == outer.out_bits_per_second == 8000


@pytest.mark.parametrize("question", [TopQuestion(dimensions=["SrcAsn"]), SeriesQuestion(dimensions=["SrcAsn"])])
def test_unknown_dimension_is_refused_with_the_nearest_one(engine, question):
    with pytest.raises(QueryError, match=r"unknown column 'SrcAsn'; did you mean 'SrcAS'\?"):
        (engine.top if isinstance(question, TopQuestion) else engine.series)(question, ASKING)


def test_column_that_is_no_dimension_is_refused(engine):
    with pytest.raises(QueryError, match="not a dimension"):
        engine.top(TopQuestion(dimensions=["Bytes"]), ASKING)


def test_too_many_points_are_refused(engine):
    with pytest.raises(QueryError, match="more than 2000 points"):
        engine.series(SeriesQuestion(interval_seconds=1, last_seconds=100_000), ASKING)


def test_empty_range_is_refused(engine):
    with pytest.raises(QueryError, match="empty"):
        engine.series(SeriesQuestion(start=at(99_999)), ASKING)


def test_range_that_is_no_longer_stored_is_refused(store):
    tables = (Table("flows", since=BASE + 5000),)
    with pytest.raises(QueryError, match="stored any more"):
        QueryEngine(store, SCHEMA, lambda: tables).top(TopQuestion(dimensions=["SrcAS"], **between(0, 10)), ASKING)
