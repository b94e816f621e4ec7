"""Flows come back from the store as they were given."""

import numpy as np
import pytest

from millrace.batch import Coded, FlowBatch, Lists
from millrace.errors import SchemaError, ShapeError, StoreFullError
from millrace.schema import COUNTER_COLUMNS, Kind
from unit.store.made_flows import NOW_MS, SCHEMA, few_keys, make_flows, totals


def one_column(name, values, valid=None):
    rows = len(values)
    flows = FlowBatch(rows)
    flows.put("TimeReceived", np.arange(NOW_MS, NOW_MS + rows))
    flows.put(name, values, valid)
    return flows


def read(store, column):
    return store.query(f"SELECT {column} FROM flows ORDER BY TimeReceived").column(0).to_pylist()


def test_every_column_comes_back_as_it_was_given(store):
    flows = make_flows(500)
    flows.put("TimeReceived", np.arange(NOW_MS, NOW_MS + 500))
    store.insert(flows)
    stored = store.query("SELECT * FROM flows ORDER BY TimeReceived")
    given = flows.to_arrow(SCHEMA)
    assert stored.column_names == list(SCHEMA.names)
    for column in SCHEMA:
        expected = given.column(column.name)
        if column.kind in (Kind.TEXT, Kind.ENUM):
            expected = expected.cast("string")
        assert stored.column(column.name).to_pylist() == expected.to_pylist(), column.name


def test_absent_and_unknown_values_are_stored_as_the_default_of_their_column(store):
    flows = one_column("SamplingRate", np.array([5, 0], np.uint64), np.array([True, False]))
    flows.put("SrcASName", Coded(np.array([0, 0], np.int32), ["known"]), np.array([True, False]))
    store.insert(flows)
    assert read(store, "SamplingRate") == [5, 1]
    assert read(store, "SrcASName") == ["known", ""]
    store.insert(one_column("Proto", np.array([6], np.uint8)))
    assert store.query("SELECT SamplingRate, DstASPath, SrcAddr, InIfName FROM flows WHERE Proto = 6").to_pylist() == [
        {"SamplingRate": 1, "DstASPath": [], "SrcAddr": bytes(16), "InIfName": ""}
    ]


def test_dictionary_coded_addresses_with_unknown_rows_are_zero_there(store):
    values = Coded(np.array([0, 1, 0], np.int32), np.arange(32, dtype=np.uint8).reshape(2, 16))
    store.insert(one_column("NextHop", values, np.array([True, True, False])))
    assert read(store, "NextHop") == [bytes(range(16)), bytes(range(16, 32)), bytes(16)]


@pytest.mark.parametrize("count", [1, 254, 255, 256, 300, 5000, 70_000])
def test_text_dictionaries_of_any_length(store, count):
    values = [f"text {index}" for index in range(count)]
    codes = np.array([0, count - 1, count // 2], np.int32)
    store.insert(one_column("InIfDescription", Coded(codes, values)))
    assert read(store, "InIfDescription") == [values[code] for code in codes]


def test_long_dictionary_with_every_code_used(store):
    values = [f"text {index}" for index in range(70_000)]
    codes = np.arange(70_000, dtype=np.int32)[::-1].copy()
    store.insert(one_column("InIfDescription", Coded(codes, values)))
    assert read(store, "InIfDescription") == values[::-1]


def test_texts_with_odd_content(store):
    values = ["", "tab\tnew\nline", "quote ' and \\", "x" * 100_000, "日本語", "null\0byte"]
    store.insert(one_column("InIfDescription", Coded(np.arange(6, dtype=np.int32), values)))
    assert read(store, "InIfDescription") == values


def test_empty_dictionary_is_the_empty_text(store):
    store.insert(one_column("InIfName", Coded(np.zeros(2, np.int32), [])))
    assert read(store, "InIfName") == ["", ""]


def test_lists_that_begin_inside_their_values(store):
    values = Lists(np.array([2, 3, 3, 5], np.int32), np.arange(9, dtype=np.uint32))
    store.insert(one_column("MPLSLabels", values))
    assert read(store, "MPLSLabels") == [[2], [], [3, 4]]


def test_sliced_and_big_endian_arrays(store):
    flows = one_column("SrcAS", np.arange(10, dtype=">u4")[::2])
    store.insert(flows)
    assert read(store, "SrcAS") == [0, 2, 4, 6, 8]


def test_an_enum_code_without_a_name_is_stored_as_the_first(store):
    store.insert(one_column("FlowDirection", np.array([2, 77, 255], np.uint8)))
    assert read(store, "FlowDirection") == ["egress", "undefined", "undefined"]


def test_a_code_outside_its_dictionary_is_refused(store):
    with pytest.raises(ShapeError, match="InIfName"):
        store.insert(one_column("InIfName", Coded(np.array([3], np.int32), ["a", "b"])))
    assert totals(store, "flows")[0] == 0


def test_a_column_that_the_schema_lacks_is_refused(store):
    with pytest.raises(SchemaError, match="SrcAsn"):
        store.insert(one_column("SrcAsn", np.array([3], np.uint32)))


def test_an_empty_batch_stores_nothing(store):
    store.insert(FlowBatch(0))
    store.insert(few_keys(0))
    assert totals(store, "flows")[0] == 0


def test_flows_without_a_time_are_stored_now(store):
    flows = FlowBatch(2)
    flows.put("Proto", np.array([6, 17], np.uint8))
    store.insert(flows)
    assert store.query("SELECT count() AS n FROM flows WHERE TimeReceived > now() - 60").to_pylist() == [{"n": 2}]


def test_the_same_token_is_stored_once_and_equal_batches_without_token_each_time(store):
    flows = few_keys(100)
    store.insert(flows, token="a")
    store.insert(flows, token="a")
    assert totals(store, "flows")[0] == 100
    store.insert(flows)
    store.insert(flows)
    store.insert(flows, token="b")
    assert totals(store, "flows")[0] == 400


def test_a_token_counts_after_a_restart(open_store):
    flows = few_keys(100)
    open_store().insert(flows, token="a")
    store = open_store()
    store.insert(flows, token="a")
    assert totals(store, "flows")[0] == 100


def test_a_batch_over_many_days_with_a_token_is_stored_once(store):
    flows = few_keys(1000, NOW_MS - 12 * 86_400_000, 11 * 86_400_000)
    store.insert(flows, token="days")
    store.insert(flows, token="days")
    assert totals(store, "flows") == (
        1000,
        int(flows.columns["Bytes"].sum()),
        int(flows.columns["Packets"].sum()),
    )


def test_rates_are_stored_within_bounds(store):
    """Whatever a source says: sums are exact for rates below 2³², and none of 0 hides a flow."""
    flows = one_column("SamplingRate", np.array([0, 1, 2**32 - 1, 2**32, 2**64 - 1], np.uint64))
    store.insert(flows)
    assert read(store, "SamplingRate") == [1, 1, 2**32 - 1, 2**32 - 1, 2**32 - 1]
    assert flows.columns["SamplingRate"].tolist()[0] == 0


def test_interface_counters(store):
    counters = FlowBatch(2)
    for column in COUNTER_COLUMNS:
        counters.put(column.name, np.ones((2, 16) if column.kind is Kind.ADDRESS else 2, column.kind.dtype))
    counters.put("TimeReceived", np.array([NOW_MS, NOW_MS + 1]))
    store.insert_counters(counters)
    store.insert_counters(FlowBatch(0))
    found = store.query("SELECT * FROM interface_counters")
    assert found.column_names == [column.name for column in COUNTER_COLUMNS]
    assert found.column("InOctets").to_pylist() == [1, 1]


def test_less_free_space_than_the_setting_asks_for_refuses_inserts(open_store):
    store = open_store(min_free_bytes=2**60)
    with pytest.raises(StoreFullError, match="min_free_bytes"):
        store.insert(few_keys(10))
    assert "MiB free" in store.status().last_error
    assert any("MiB free" in error for error in store.maintain(NOW_MS).errors)
    store = open_store()
    store.insert(few_keys(10))
    assert store.status().last_error == ""
