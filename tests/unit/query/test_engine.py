"""Answers compared with sums made by hand."""

from datetime import UTC, datetime

import pytest

from millrace.errors import QueryError
from millrace.query import QueryEngine, Question, SearchQuestion, SeriesQuestion, Table, TopQuestion

from .stored_flows import BASE, SCHEMA, TABLES, flow

NOW = BASE + 7200.0


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
    top = engine.top(TopQuestion(dimensions=["SrcAS"], unit="bits/s", **between(0, 100)), NOW)
    assert shown(top) == [([1], 8 * 100_000 / 100), ([2], 8 * 6000 / 100)]
    assert [(row.bytes, row.packets, row.flows) for row in top.rows] == [(100_000, 1000, 1), (6000, 20, 2)]
    assert top.rows[0].share == pytest.approx(100_000 / 106_000)
    assert (top.total.bytes, top.total.flows) == (106_000, 3)


def test_flows_are_not_scaled_and_are_counted_in_rollups_too(store, engine):
    """Akvorado counts rows of its rollups instead."""
    store.insert([flow(0, SrcAS=1, SamplingRate=100)] * 6 + [flow(0, SrcAS=2)] * 3)
    store.roll_up()
    question = TopQuestion(dimensions=["SrcAS"], unit="flows/s", **between(0, 60))
    top = engine.top(question, NOW)
    assert used(top) == ["flows_1m0s"]
    assert shown(top) == [([1], 0.1), ([2], 0.05)]


def test_rollups_and_raw_flows_give_the_same_numbers(store, engine):
    rows = [flow(i * 7.3, SrcAS=i % 5, SamplingRate=1 + i % 3, Bytes=i) for i in range(1000)]
    store.insert(rows)
    store.roll_up()
    question = TopQuestion(dimensions=["SrcAS"], **between(13, 7200))
    rolled = engine.top(question, NOW)
    raw = QueryEngine(store, SCHEMA, lambda: TABLES[:1]).top(question, NOW)
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
    top = QueryEngine(store, SCHEMA, lambda: tables).top(TopQuestion(dimensions=["SrcAS"], **between(0, 150)), NOW)
    assert used(top) == ["flows_1m0s", "flows"]
    assert top.total.flows == 15


@pytest.mark.parametrize("dimension", ["SrcAddr", "SrcPort", "SrcMAC"])
def test_dimension_that_rollups_lack_is_read_from_the_flows(store, engine, dimension):
    store.insert([flow(0)])
    assert used(engine.top(TopQuestion(dimensions=[dimension], **between(0, 3600)), NOW)) == ["flows"]


def test_filter_on_a_column_that_rollups_lack_is_answered_from_the_flows(store, engine):
    store.insert([flow(0, SrcPort=443), flow(0, SrcPort=80)])
    condition = {"column": "SrcPort", "value": 443}
    top = engine.top(TopQuestion(dimensions=["SrcAS"], filter=condition, **between(0, 3600)), NOW)
    assert used(top) == ["flows"]
    assert top.total.flows == 1


def test_dimensions_show_as_people_write_them(store, engine):
    store.insert(
        [flow(0, SrcMAC=0x001B210A0B0C, FlowDirection="ingress", DstCommunities=[(64500 << 16) | 7], ExporterName="e")]
    )
    names = ["ExporterAddress", "DstAddr", "SrcMAC", "FlowDirection", "DstCommunities", "ExporterName"]
    top = engine.top(TopQuestion(dimensions=names, **between(0, 10)), NOW)
    assert top.rows[0].dimensions == ["192.0.2.1", "2001:db8::1", "00:1b:21:0a:0b:0c", "ingress", ["64500:7"], "e"]


def test_nothing_stored_gives_no_rows_and_a_total_of_zero(store, engine):
    top = engine.top(TopQuestion(dimensions=["SrcAS"], **between(0, 10)), NOW)
    assert (top.rows, top.total.bytes) == ([], 0)
    series = engine.series(SeriesQuestion(interval_seconds=5, **between(0, 10)), NOW)
    assert series.rows[0].points == [0.0, 0.0]
    assert engine.search(SearchQuestion(**between(0, 10)), NOW).flows == []
    assert engine.seen(Question(**between(0, 10)), NOW) == []


def test_series_divides_each_bucket_by_its_own_seconds(store, engine):
    store.insert([flow(second) for second in range(5, 25)])
    series = engine.series(SeriesQuestion(unit="flows/s", interval_seconds=10, **between(5, 25)), NOW)
    assert series.times == ["2026-01-01T12:00:05Z", "2026-01-01T12:00:10Z", "2026-01-01T12:00:20Z"]
    assert [row.points for row in series.rows] == [[1.0, 1.0, 1.0]]
    assert series.rows[0].average == 1.0


def test_series_adds_the_rest_up_as_other(store, engine):
    """The default value of a dimension in its own right is not "other"."""
    rows = [flow(1, SrcAS=0)] * 5 + [flow(1, SrcAS=1)] * 4 + [flow(11, SrcAS=2)] * 3 + [flow(11, SrcAS=3)] * 2
    store.insert(rows)
    question = SeriesQuestion(dimensions=["SrcAS"], unit="flows/s", interval_seconds=10, limit=2, **between(0, 20))
    series = engine.series(question, NOW)
    assert [(row.dimensions, row.other, row.points) for row in series.rows] == [
        ([0], False, [0.5, 0.0]),
        ([1], False, [0.4, 0.0]),
        ([], True, [0.0, 0.5]),
    ]


def test_series_of_several_dimensions_of_every_kind(store, engine):
    store.insert([flow(1, SrcAddr="10.0.0.1", FlowDirection="egress", Bytes=2000), flow(1, SrcAddr="10.0.0.2")])
    names = ["SrcAddr", "FlowDirection", "ExporterName", "DstCommunities", "SrcMAC"]
    series = engine.series(SeriesQuestion(dimensions=names, limit=1, **between(0, 20)), NOW)
    assert series.rows[0].dimensions == ["10.0.0.1", "egress", "", [], "00:00:00:00:00:00"]
    assert [row.other for row in series.rows] == [False, True]


def test_series_of_a_long_range_uses_rollups_and_whole_minutes(store, engine):
    store.insert([flow(second, SrcAS=1) for second in range(0, 7200, 60)])
    store.roll_up()
    series = engine.series(SeriesQuestion(dimensions=["SrcAS"], unit="flows/s", **between(0, 7200)), NOW)
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
        SeriesQuestion(unit="flows/s", interval_seconds=60, **between(600, 1200)), NOW
    )
    assert (series.start, series.end) == ("2026-01-01T12:00:00Z", "2026-01-01T13:00:00Z")
    assert series.interval_seconds == 3600
    assert series.rows[0].points == [2 / 3600]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"column": "SrcAddr", "operator": "<<", "value": "10.1.0.0/16"}, {1}),
        ({"column": "SrcAddr", "operator": "!<<", "value": "10.0.0.0/8"}, {3}),
        ({"column": "SrcAddr", "operator": "<<", "value": "2001:db8::/32"}, {3}),
        ({"column": "SrcAddr", "operator": "=", "value": "10.2.0.1"}, {2}),
        ({"column": "SrcAddr", "operator": "in", "value": ["10.2.0.1", "2001:DB8:0::5"]}, {2, 3}),
        ({"column": "SrcAS", "operator": "=", "value": "AS64501"}, {1}),
        ({"column": "SrcAS", "operator": "in", "value": [64501, "64502"]}, {1, 2}),
        ({"column": "SrcAS", "operator": "not in", "value": [64501]}, {2, 3}),
        ({"column": "Proto", "operator": "=", "value": "tcp"}, {1}),
        ({"column": "Proto", "operator": "!=", "value": 6}, {2, 3}),
        ({"column": "EType", "operator": "=", "value": "IPv6"}, {3}),
        ({"column": "SrcMAC", "operator": "=", "value": "00:1B:21:0a:0b:0c"}, {1}),
        ({"column": "SrcMAC", "operator": "=", "value": "001b.210a.0b0c"}, {1}),
        ({"column": "FlowDirection", "operator": "=", "value": "egress"}, {2}),
        ({"column": "FlowDirection", "operator": "in", "value": ["egress", "ingress"]}, {1, 2}),
        ({"column": "ExporterName", "operator": "like", "value": "edge%"}, {1, 2}),
        ({"column": "ExporterName", "operator": "not like", "value": "%2"}, {1, 3}),
        ({"column": "DstCommunities", "operator": "contains", "value": "64500:7"}, {1}),
        ({"column": "DstCommunities", "operator": "not contains", "value": "64500:7"}, {2, 3}),
        ({"column": "DstASPath", "operator": "contains", "value": 3356}, {2}),
        ({"column": "Bytes", "operator": ">=", "value": 2000}, {2, 3}),
        ({"column": "TimeFlowStart", "operator": "<", "value": "2026-01-01T12:00:02Z"}, {1}),
        (
            {
                "and": [
                    {"column": "Bytes", "operator": ">", "value": 1000},
                    {"not": {"column": "SrcAS", "value": 64502}},
                ]
            },
            {3},
        ),
        ({"or": [{"column": "SrcPort", "value": 1}, {"column": "SrcPort", "value": 3}]}, {1, 3}),
    ],
)
def test_filters_find_what_they_say(store, engine, condition, found):
    start = BASE * 1000
    store.insert(
        [
            flow(1, SrcPort=1, SrcAddr="10.1.2.3", SrcAS=64501, Proto=6, EType=0x800, SrcMAC=0x001B210A0B0C,
                 FlowDirection="ingress", ExporterName="edge1", DstCommunities=[(64500 << 16) | 7],
                 TimeFlowStart=start + 1000),
            flow(2, SrcPort=2, SrcAddr="10.2.0.1", SrcAS=64502, Proto=17, EType=0x800, FlowDirection="egress",
                 ExporterName="edge2", DstASPath=[174, 3356], Bytes=2000, TimeFlowStart=start + 2000),
            flow(3, SrcPort=3, SrcAddr="2001:db8::5", SrcAS=64503, Proto=17, EType=0x86DD, ExporterName="core",
                 Bytes=3000, TimeFlowStart=start + 3000),
        ]
    )  # fmt: skip
    page = engine.search(SearchQuestion(columns=["SrcPort"], filter=condition, **between(0, 10)), NOW)
    assert {row["SrcPort"] for row in page.flows} == found


def test_filtered_rate_still_divides_by_the_whole_range(store, engine):
    """Akvorado divides by the span of the matching rows, and by zero if there is one."""
    store.insert([flow(50, SrcAS=7), flow(0), flow(99)])
    store.roll_up()
    condition = {"column": "SrcAS", "value": 7}
    top = engine.top(TopQuestion(dimensions=["SrcAS"], unit="bytes/s", filter=condition, **between(0, 100)), NOW)
    assert shown(top) == [([7], 10.0)]


def test_pages_show_every_flow_once_even_of_one_millisecond(store, engine):
    rows = (
        [flow(5, SrcPort=i) for i in range(7)]
        + [flow(5, SrcPort=100)] * 3
        + [flow(i, SrcPort=200 + i) for i in range(5)]
    )
    store.insert(rows)
    found, cursor = [], None
    for _ in range(20):
        page = engine.search(SearchQuestion(columns=["SrcPort"], limit=4, cursor=cursor, **between(0, 10)), NOW)
        found += [row["SrcPort"] for row in page.flows]
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(found) == sorted(row["SrcPort"] for row in rows)
    assert set(found[:10]) == {*range(7), 100}
    assert found[10:] == [204, 203, 202, 201, 200]


def test_search_shows_the_usual_columns_unless_asked(store, engine):
    store.insert([flow(1.5, FlowProtocol="ipfix", SamplingRateSource="options")])
    (row,) = engine.search(SearchQuestion(**between(0, 10)), NOW).flows
    assert row["TimeReceived"] == "2026-01-01T12:00:01.500Z"
    assert (row["FlowProtocol"], row["SamplingRateSource"], row["SrcAddr"]) == ("ipfix", "options", "198.51.100.1")


def test_seen_lists_exporters_and_their_interfaces(store, engine):
    store.insert(
        [
            flow(0, InIf=1, InIfName="old", OutIf=2, ExporterName="edge"),
            flow(600, InIf=1, InIfName="xe-0", InIfSpeed=100, InIfBoundary="external", OutIf=2, ExporterName="edge"),
            flow(30, ExporterAddress="192.0.2.9", OutIf=3, SamplingRate=10),
        ]
    )
    store.roll_up()
    edge, other = engine.seen(Question(**between(0, 3540)), NOW)
    assert (edge.address, edge.name, edge.flows, edge.last_seen) == ("192.0.2.1", "edge", 2, "2026-01-01T12:10:00Z")
    assert [(i.index, i.name, i.bytes_in, i.bytes_out) for i in edge.interfaces] == [
        (1, "xe-0", 2000, 0),
        (2, "", 0, 2000),
    ]
    assert (edge.interfaces[0].speed_mbps, edge.interfaces[0].boundary) == (100, "external")
    assert [(i.index, i.bytes_out) for i in other.interfaces] == [(3, 10_000)]


@pytest.mark.parametrize("question", [TopQuestion(dimensions=["SrcAsn"]), SeriesQuestion(dimensions=["SrcAsn"])])
def test_unknown_dimension_is_refused_with_the_nearest_one(engine, question):
    with pytest.raises(QueryError, match=r"unknown column 'SrcAsn'; did you mean 'SrcAS'\?"):
        (engine.top if isinstance(question, TopQuestion) else engine.series)(question, NOW)


def test_column_that_is_no_dimension_is_refused(engine):
    with pytest.raises(QueryError, match="not a dimension"):
        engine.top(TopQuestion(dimensions=["Bytes"]), NOW)


def test_too_many_points_are_refused(engine):
    with pytest.raises(QueryError, match="more than 2000 points"):
        engine.series(SeriesQuestion(interval_seconds=1, last_seconds=100_000), NOW)


def test_empty_range_is_refused(engine):
    with pytest.raises(QueryError, match="empty"):
        engine.series(SeriesQuestion(start=at(99_999)), NOW)


def test_range_that_is_no_longer_stored_is_refused(store):
    tables = (Table("flows", since=BASE + 5000),)
    with pytest.raises(QueryError, match="stored any more"):
        QueryEngine(store, SCHEMA, lambda: tables).top(TopQuestion(dimensions=["SrcAS"], **between(0, 10)), NOW)


@pytest.mark.parametrize("cursor", ["x", "1.2.3", "-1.0", "1", "1.99999999", "1.1; DROP TABLE flows"])
def test_made_up_cursor_is_refused(engine, cursor):
    with pytest.raises(QueryError, match="cursor"):
        engine.search(SearchQuestion(cursor=cursor), NOW)
