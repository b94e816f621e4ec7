"""Flows spread over the time that they took: numbers worked out by hand, from the embedded store."""

from datetime import UTC, datetime
from itertools import count, pairwise

import numpy as np
import pytest

from millrace.batch import FlowBatch
from millrace.errors import QueryError
from millrace.query import Asking, QueryEngine, SeriesQuestion, StoreTables, Table
from millrace.schema import Schema
from millrace.store import EmbeddedStore

SCHEMA = Schema()

START = int(datetime.now(UTC).timestamp()) // 3600 * 3600 - 4 * 3600
"""A full hour; the times below are seconds after it."""

NOW = START + 3 * 3600.0

ASKING = Asking(NOW)

MINUTES = {"interval_seconds": 60, "unit": "bits/s"}

_interfaces = count(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with EmbeddedStore(tmp_path_factory.mktemp("data"), SCHEMA) as store:
        yield store


@pytest.fixture
def ask(store):
    """Store flows on an interface of their own, and ask about it."""
    interface = next(_interfaces)
    condition = f"InIf = {interface}"
    engine = QueryEngine(store, SCHEMA, StoreTables(store.status))

    def ask(flows, start, end, **more):
        if flows:
            store.insert(batch(flows, interface))
        span = {"start": datetime.fromtimestamp(START + start, UTC), "end": datetime.fromtimestamp(START + end, UTC)}
        return engine.series(SeriesQuestion(filter=condition, **{"spread": True, **span, **more}), ASKING)

    return ask


def batch(flows, interface):
    made = FlowBatch(len(flows))
    made.put("InIf", np.full(len(flows), interface, np.uint32))
    for name, kind in (("SrcAS", np.uint32), ("Bytes", np.uint64), ("Packets", np.uint64), ("SamplingRate", np.uint64)):
        made.put(name, np.array([flow[name] for flow in flows], kind))
    for name in ("TimeReceived", "TimeFlowStart", "TimeFlowEnd"):
        made.put(name, np.array([flow[name] for flow in flows], np.int64))
    return made


def flow(received, first=None, last=None, **columns):
    """A flow of 6000 bytes; a time of None is unknown (1970)."""
    times = {"TimeReceived": received, "TimeFlowStart": first, "TimeFlowEnd": last}
    usual = {"SrcAS": 64500, "Bytes": 6000, "Packets": 60, "SamplingRate": 1}
    milliseconds = {name: 0 if second is None else round((START + second) * 1000) for name, second in times.items()}
    return {**milliseconds, **usual, **columns}


def points(series):
    """What rates of bits are in bytes."""
    (row,) = series.rows
    return pytest.approx(row.points if series.unit.startswith(("packets", "flows")) else scaled(row.points))


def scaled(points):
    return [point / 8 for point in points]


def test_flow_of_ten_minutes_is_a_plateau_and_not_a_spike(ask):
    """600 MB in ten minutes are 1 MB/s, on whatever link; at reception they would be 10 MB/s."""
    flows = [flow(660, 60, 660, Bytes=600_000_000)]
    assert points(ask(flows, 0, 780, **MINUTES)) == [0] + [1e6] * 10 + [0, 0]
    assert points(ask([], 0, 780, spread=False, **MINUTES)) == [0] * 11 + [1e7, 0]


@pytest.mark.parametrize(
    ("unit", "expected"), [("bits/s", 600), ("l2-bits/s", 828), ("packets/s", 6), ("flows/s", 0.01)]
)
def test_every_unit_is_spread_and_the_sampling_rate_applied_but_to_flows(ask, unit, expected):
    """6000 bytes and 60 packets, one in ten, over 100 seconds."""
    flows = [flow(130, 0, 100, SamplingRate=10)]
    assert points(ask(flows, 0, 150, unit=unit, interval_seconds=50)) == [expected, expected, 0]


def test_buckets_take_their_share_to_the_millisecond(ask):
    """From 9.75 s to 30.25 s: 20.5 s, of which the buckets hold 0.25, 10, 10 and 0.25."""
    flows = [flow(40, 9.75, 30.25, Bytes=20_500)]
    assert points(ask(flows, 0, 50, unit="bits/s", interval_seconds=10)) == [25, 1000, 1000, 25, 0]


@pytest.mark.parametrize(("first", "last"), [(12.25, 12.5), (12.999, 12.999), (12, 12)])
def test_flow_within_a_second_lies_wholly_in_it(ask, first, last):
    assert points(ask([flow(14, first, last)], 10, 15, unit="bits/s", interval_seconds=1)) == [0, 0, 6000, 0, 0]


def test_flow_across_either_end_of_the_range_counts_by_its_part(ask):
    """Two minutes of a flow that began before it, one of a flow that was received long after it."""
    flows = [flow(780, 480, 720, Bytes=24_000), flow(2600, 840, 2440, Bytes=160_000)]
    assert points(ask(flows, 600, 900, **MINUTES)) == [100, 100, 0, 0, 100]


def test_exporter_whose_clock_is_ahead_is_counted_by_its_times(ask):
    assert points(ask([flow(10, 600, 660)], 600, 720, **MINUTES)) == [100, 0]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(None, None, id="unknown"),
        pytest.param(None, 3590, id="start unknown"),
        pytest.param(3540, None, id="end unknown"),
        pytest.param(3540, 3480, id="reversed"),
        pytest.param(1499.999, 3590, id="begins too long ago"),
        pytest.param(3590, 5700.001, id="ends too far ahead"),
        pytest.param(2000, 4100.001, id="too long"),
    ],
)
def test_flow_whose_times_cannot_be_right_counts_when_received(ask, first, last):
    """Received at 3600 s; its times may lie 2100 s from that."""
    series = ask([flow(3600.5, first, last)], 0, 7200, **MINUTES)
    assert points(series) == [0] * 60 + [100] + [0] * 59


@pytest.mark.parametrize(("first", "last"), [(1500, 3600), (3600, 5700)])
def test_flow_whose_times_are_barely_right_is_spread(ask, first, last):
    """35 minutes."""
    expected = [6000 / 2100 * (first <= second < last) for second in range(0, 7200, 60)]
    assert points(ask([flow(3600, first, last)], 0, 7200, **MINUTES)) == expected


def test_nothing_is_lost_or_counted_twice(ask):
    """Sums over neighbouring ranges are those of the flows, whatever their times."""
    random = np.random.default_rng(0)
    received = random.uniform(3000, 7000, 500)
    first, last = received - random.uniform(-2500, 2500, 500), received - random.uniform(-2500, 2500, 500)
    flows = [
        flow(*times, Bytes=i, SamplingRate=1 + i % 3) for i, times in enumerate(zip(received, first, last, strict=True))
    ]
    edges = [0, 1200, 4560, 4620, 10_020]
    parts = [
        ask(flows if start == 0 else [], start, end, **MINUTES).rows[0].average / 8 * (end - start)
        for start, end in pairwise(edges)
    ]
    assert min(parts) > 0
    assert sum(parts) == pytest.approx(sum(flow["Bytes"] * flow["SamplingRate"] for flow in flows))


def test_largest_series_are_those_with_the_largest_part_in_the_range(ask):
    """AS 1 has more bytes, but two thirds of them before the range; the rest is "other"."""
    flows = [
        flow(130, -120, 60, SrcAS=1, Bytes=18_000),
        flow(130, 0, 120, SrcAS=2, Bytes=12_000),
        flow(70, 0, 60, SrcAS=3, Bytes=600),
    ]
    series = ask(flows, 0, 120, dimensions=["SrcAS"], limit=1, **MINUTES)
    assert [(row.dimensions, row.other, scaled(row.points)) for row in series.rows] == [
        ([2], False, pytest.approx([100, 100])),
        ([], True, pytest.approx([110, 0])),
    ]


def test_rollups_are_not_read(store, ask):
    ask([flow(60, 0, 60)], 0, 3600)
    store.wait_until_rolled_up(int(NOW * 1000))
    assert "flows" not in {source.table for source in ask([], 0, 3600, spread=False).sources}
    assert [source.table for source in ask([], 0, 3600).sources] == ["flows"]


def test_range_of_which_only_rollups_are_left_is_refused(store):
    tables = [Table("flows", since=START), Table("flows_1m0s", 60)]
    span = {"start": datetime.fromtimestamp(START - 7200, UTC), "end": datetime.fromtimestamp(START - 3600, UTC)}
    with pytest.raises(QueryError, match="stored any more"):
        QueryEngine(store, SCHEMA, lambda: tables).series(SeriesQuestion(spread=True, **span), ASKING)
