"""Values for JSON."""

import numpy as np
import pyarrow as pa
import pytest

from millrace.batch import Coded, FlowBatch, Lists, address_bytes
from millrace.query import json_columns, json_values
from millrace.schema import Schema

SCHEMA = Schema()


def test_batch_shows_as_people_write_it_and_unknown_is_none():
    batch = FlowBatch(2)
    known = np.array([True, False])
    packed = np.frombuffer(address_bytes("192.0.2.1") + address_bytes("2001:db8::1"), np.uint8).reshape(2, 16)
    batch.put("TimeReceived", np.array([1_767_268_800_123, 0]), known)
    batch.put("SrcAddr", packed)
    batch.put("SrcMAC", np.array([0xABC, 1], np.uint64), known)
    batch.put("FlowDirection", np.array([1, 0], np.uint8))
    batch.put("ExporterName", Coded(np.array([0, 0], np.int32), ["edge"]), known)
    batch.put("DstCommunities", Lists(np.array([0, 1, 1], np.int32), np.array([(1 << 16) | 2], np.uint32)))
    names = list(batch.columns)
    rows = json_columns({name: SCHEMA[name] for name in names}, batch.to_arrow(SCHEMA))
    assert [tuple(row.values()) for row in rows] == [
        ("2026-01-01T12:00:00.123Z", "192.0.2.1", "00:00:00:00:0a:bc", "ingress", "edge", ["1:2"]),
        (None, "2001:db8::1", None, "undefined", None, []),
    ]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("SrcAddr", pa.array(["::ffff:1.2.3.4", "2001:db8::1"]), ["1.2.3.4", "2001:db8::1"]),
        ("FlowDirection", pa.array([2, 0], pa.int8()), ["egress", "undefined"]),
        ("TimeReceived", pa.array([1_767_268_800], pa.timestamp("s", "UTC")), ["2026-01-01T12:00:00.000Z"]),
        ("TimeFlowEnd", pa.array([0], pa.timestamp("ms", "UTC")), [None]),
        ("SrcMAC", pa.array([2**60], pa.uint64()), ["0x1000000000000000"]),
    ],
)
def test_other_forms_that_stores_give(name, values, expected):
    assert json_values(SCHEMA[name], values) == expected
