"""One question has one total, however it is asked, also where a forged record is beyond 64 bits."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from millrace.batch import Coded, FlowBatch, map_ipv4
from millrace.pipeline import Rates
from millrace.pipeline.rates import WINDOW_S
from millrace.query import Asking, HeatmapQuestion, QueryEngine, SankeyQuestion, SeriesQuestion, TopQuestion
from millrace.query.wide import integers

from .stored_flows import BASE, SCHEMA, TABLES, flow

SOUND, FORGED = 2_999_999, (2**64 - 1) * (2**32 - 1)
FLOWS = [
    flow(10, SrcAS=1, DstAS=2, Bytes=SOUND, Packets=2000),
    flow(70, SrcAS=3, DstAS=2, Bytes=2**64 - 1, Packets=2**64 - 1, SamplingRate=2**32 - 1),
    flow(130, SrcAS=3, DstAS=2, Bytes=2**63, Packets=1, SamplingRate=2),
]
TOTAL = SOUND + FORGED + 2**64
RANGE = {"start": datetime.fromtimestamp(BASE, UTC), "end": datetime.fromtimestamp(BASE + 3600, UTC)}


@pytest.fixture(params=["flows", "hours"])
def asked(request, store):
    store.insert(FLOWS)
    store.roll_up({} if request.param == "hours" else {table.name: 0 for table in TABLES[1:]})
    tables = TABLES if request.param == "hours" else TABLES[:1]
    return QueryEngine(store, SCHEMA, lambda: tables), Asking(BASE + 7200.0)


def test_every_endpoint_has_the_same_total(asked):
    engine, asking = asked
    top = engine.top(TopQuestion(dimensions=["SrcAS"], unit="bytes", **RANGE), asking)
    assert (top.total.bytes, [row.bytes for row in top.rows]) == (TOTAL, [FORGED + 2**64, SOUND])
    assert json.loads(json.dumps(top.total.bytes)) == TOTAL
    assert all(0 <= row.share <= 1 for row in top.rows)
    assert sum(row.share for row in top.rows) == pytest.approx(1)
    near = pytest.approx(TOTAL, rel=1e-12)
    for limit_by in ("average", "maximum", "last", "p95"):
        series = engine.series(
            SeriesQuestion(dimensions=["SrcAS"], unit="bytes", limit_by=limit_by, limit=1, **RANGE), asking
        )
        assert series.total.total == near
        assert sum(row.total for row in series.rows) == near
        assert min(min(row.points) for row in series.rows) >= 0
    sankey = engine.sankey(SankeyQuestion(dimensions=["SrcAS", "DstAS"], unit="bytes", **RANGE), asking)
    assert sankey.total == near
    assert sum(node.rate for node in sankey.nodes if node.dimension == 1) == near
    field = engine.heatmap(HeatmapQuestion(down=["SrcAS"], across=["DstAS"], unit="bytes", **RANGE), asking)
    assert sum(map(sum, field.values)) == near
    times = engine.heatmap(HeatmapQuestion(down=["SrcAS"], unit="bytes", **RANGE), asking)
    assert sum(map(sum, times.values)) == near


@pytest.mark.parametrize("unit", ["bits/s", "l2-bits/s", "packets/s"])
def test_every_unit_is_wide(asked, unit):
    engine, asking = asked
    packets = 2000 + FORGED + 2
    octets = {"bits/s": 8 * TOTAL, "l2-bits/s": 8 * (TOTAL + 38 * packets), "packets/s": packets}
    top = engine.top(TopQuestion(dimensions=["SrcAS"], unit=unit, **RANGE), asking)
    series = engine.series(SeriesQuestion(unit=unit, **RANGE), asking)
    assert top.total.value == series.total.average == pytest.approx(octets[unit] / 3600, rel=1e-12)


def test_interfaces_seen_have_wide_sums(asked):
    engine, asking = asked
    (exporter,) = engine.seen(SeriesQuestion(**RANGE), asking)
    assert exporter.flows == 3


def test_a_spread_flow_is_wide(store):
    start = (BASE + 60) * 1000
    store.insert([{**FLOWS[1], "TimeFlowStart": start, "TimeFlowEnd": start + 10_000}])
    engine = QueryEngine(store, SCHEMA, lambda: TABLES)
    series = engine.series(SeriesQuestion(unit="bytes", spread=True, **RANGE), Asking(BASE + 7200.0))
    assert series.total.total == pytest.approx(FORGED, rel=1e-9)


@pytest.mark.parametrize("interval", [60, 300])
def test_a_forged_flow_of_the_period_before_leaves_the_others_as_they_are(asked, interval):
    """Its buckets were differences of a running total, which is rounded to 10¹² bytes after such a flow."""
    engine, asking = asked
    earlier = engine.series(SeriesQuestion(unit="bytes", interval_seconds=interval, **RANGE), asking)
    later = {"start": RANGE["start"] + timedelta(hours=1), "end": RANGE["end"] + timedelta(hours=1)}
    question = SeriesQuestion(unit="bytes", interval_seconds=interval, previous="hour", **later)
    previous = engine.series(question, asking).previous
    assert previous.row.points == pytest.approx(earlier.total.points, rel=1e-12)
    assert previous.row.total == pytest.approx(TOTAL, rel=1e-12)


def test_flows_after_a_forged_one_are_in_the_period_before(store):
    store.insert([*FLOWS, *(flow(second, Bytes=SOUND) for second in range(180, 3600, 60))])
    store.roll_up()
    engine = QueryEngine(store, SCHEMA, lambda: TABLES)
    later = {"start": RANGE["start"] + timedelta(hours=1), "end": RANGE["end"] + timedelta(hours=1)}
    question = SeriesQuestion(unit="bytes", interval_seconds=60, previous="hour", **later)
    points = engine.series(question, Asking(BASE + 7200.0)).previous.row.points
    assert points[3:] == [SOUND] * 57


def test_live_rates_agree():
    flows = FlowBatch(3)
    flows.put("ExporterAddress", Coded(np.zeros(3, np.int32), map_ipv4(np.array([0xC0000201], ">u4"))))
    for name in ("Bytes", "SamplingRate"):
        flows.put(name, np.array([one[name] for one in FLOWS], np.uint64))
    rates = Rates()
    rates.add(flows, 10**9)
    (rate,) = rates.all(2 * 10**9).values()
    assert rate.bits * WINDOW_S / 8 == pytest.approx(TOTAL, rel=1e-12)


def test_integers_of_128_bits_are_read_from_any_part_of_a_column():
    values = [0, 1, 2**64, 2**96 - 1, 7]
    packed = [value.to_bytes(16, "little") for value in values]
    column = pa.chunked_array([pa.array(packed[:3], pa.binary(16)), pa.array(packed[3:], pa.binary(16))])
    for start in range(5):
        part = column.slice(start)
        assert integers(part) == values[start:]
    assert integers(pa.chunked_array([[1, 2]])) == [1, 2]
