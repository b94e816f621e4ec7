"""Small batches of flows with every kind of column, and questions about what became of them."""

import time

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, map_ipv4
from millrace.schema import MAX_SAMPLING_RATE, Kind, Schema
from millrace.store import RESOLUTIONS

HOUR_MS = 3_600_000
NOW_MS = int(time.time() * 1000) // HOUR_MS * HOUR_MS
"""Start of this hour: an interval of every resolution begins here."""

SCHEMA = Schema()


def make_flows(rows, start_ms=NOW_MS - 2 * HOUR_MS, span_ms=60_000, seed=0):
    """Random flows; every column of the schema filled."""
    random = np.random.default_rng(seed)
    flows = FlowBatch(rows)
    for column in SCHEMA:
        flows.put(column.name, _values(column, rows, random))
    flows.put("TimeReceived", start_ms + random.integers(0, span_ms, rows))
    return flows


def few_keys(rows, start_ms=NOW_MS - 2 * HOUR_MS, span_ms=60_000, seed=0):
    """Random flows that group well: few exporters, interfaces and AS."""
    random = np.random.default_rng(seed)
    flows = FlowBatch(rows)
    flows.put("TimeReceived", start_ms + random.integers(0, span_ms, rows))
    exporter = random.integers(0, 2, rows).astype(np.int32)
    flows.put("ExporterAddress", Coded(exporter, map_ipv4(np.array([0xC0000201, 0xC0000202], ">u4"))))
    flows.put("ExporterName", Coded(exporter, ["edge-1", "edge-2"]))
    flows.put("InIf", random.integers(1, 3, rows).astype(np.uint32))
    flows.put("SrcAS", random.integers(64500, 64503, rows).astype(np.uint32))
    flows.put("Proto", random.choice(np.array([6, 17], np.uint8), rows))
    flows.put("Bytes", random.integers(40, 1_000_000, rows).astype(np.uint64))
    flows.put("Packets", random.integers(1, 1000, rows).astype(np.uint64))
    return flows


def totals(store, table, where="1", by=""):
    """(flows, bytes, packets), of a table or per `by`."""
    count = "count()" if table == "flows" else "sum(Flows)"
    group = f" GROUP BY {by} ORDER BY {by}" if by else ""
    columns = f"{by}, " if by else ""
    result = store.query(f"SELECT {columns}{count}, sum(Bytes), sum(Packets) FROM {table} WHERE {where}{group}")
    rows = [tuple(row.values()) for row in result.to_pylist()]
    return rows if by else rows[0]


def assert_rollups_agree(store):
    """Every interval of every rollup has the totals of the flows themselves."""
    for resolution in RESOLUTIONS:
        raw = totals(store, "flows", by=f"{resolution.start_of}(TimeReceived)")
        assert totals(store, resolution.table, by="TimeReceived") == raw, resolution.name


def _values(column, rows, random):
    if column.name == "SamplingRate":
        return random.integers(1, MAX_SAMPLING_RATE + 1, rows).astype(np.uint64)
    match column.kind:
        case Kind.TEXT:
            return Coded(random.integers(0, 3, rows).astype(np.int32), ["", f"{column.name} é", "x" * 200])
        case Kind.U32_LIST:
            offsets = np.zeros(rows + 1, np.int32)
            np.cumsum(random.integers(0, 4, rows), out=offsets[1:])
            return Lists(offsets, random.integers(0, 2**32, offsets[-1]).astype(np.uint32))
        case Kind.ADDRESS:
            return random.integers(0, 256, (rows, 16)).astype(np.uint8)
        case Kind.ENUM:
            return random.integers(0, len(column.values), rows).astype(np.uint8)
        case Kind.TIME_MS:
            return NOW_MS - random.integers(0, 10**9, rows)
    limit = 2**48 if column.kind is Kind.MAC else 2 ** min(62, 8 * column.kind.dtype.itemsize)
    return random.integers(0, limit, rows).astype(column.kind.dtype)
