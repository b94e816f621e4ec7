"""JSON lines hold the values that went in, whatever the strings contain."""

import json

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from millrace.batch import Coded, FlowBatch, Lists, address_bytes
from millrace.formats import json_lines, readable
from millrace.schema import Schema

SCHEMA = Schema()


def _rows(batch):
    table = readable(batch.to_arrow(SCHEMA, missing=False), SCHEMA)
    return [json.loads(line) for line in json_lines(table).splitlines()]


def test_values_read_as_people_write_them():
    batch = FlowBatch(2)
    batch.put("TimeReceived", np.array([1_700_000_000_123, 0]), np.array([True, False]))
    batch.put(
        "SrcAddr", np.frombuffer(address_bytes("192.0.2.1") + address_bytes("2001:db8::1"), np.uint8).reshape(2, 16)
    )
    batch.put("SrcMAC", np.array([0x020000000001, 0], np.uint64), np.array([True, False]))
    batch.put("FlowProtocol", np.array([5, 6], np.uint8))
    batch.put("MPLSLabels", Lists(np.array([0, 2, 2], np.int32), np.array([16, 17], np.uint32)))
    assert _rows(batch) == [
        {
            "TimeReceived": "2023-11-14T22:13:20.123Z",
            "SrcAddr": "192.0.2.1",
            "SrcMAC": "02:00:00:00:00:01",
            "FlowProtocol": "ipfix",
            "MPLSLabels": [16, 17],
        },
        {"SrcAddr": "2001:db8::1", "FlowProtocol": "sflow-v5", "MPLSLabels": []},
    ]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_any_text_is_escaped(names):
    batch = FlowBatch(len(names))
    batch.put("ExporterName", Coded(np.arange(len(names), dtype=np.int32), names))
    assert [row["ExporterName"] for row in _rows(batch)] == names


def test_chunked_tables_and_empty_ones():
    assert json_lines(pa.table({"a": pa.array([], pa.int64())})) == b""
    table = pa.concat_tables([pa.table({"a": [1]}), pa.table({"a": [None, 3]}, schema=pa.schema({"a": pa.int64()}))])
    assert [json.loads(line) for line in json_lines(table).splitlines()] == [{"a": 1}, {}, {"a": 3}]


def test_rows_of_which_nothing_is_known_are_empty_objects():
    assert json_lines(pa.table({"a": pa.nulls(2, pa.int64()), "b": pa.nulls(2, pa.string())})) == b"{}\n{}\n"
