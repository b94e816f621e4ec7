"""A start with another configuration, or another version, deletes nothing."""

import json

import numpy as np
import pytest

from millrace.batch import Coded
from millrace.errors import StoreLossError
from millrace.schema import Column, Kind, Schema
from millrace.store import RESOLUTIONS
from millrace.store.faults import EngineError
from unit.store.made_flows import HOUR_MS, NOW_MS, assert_rollups_agree, few_keys, totals

DAY_MS = 24 * HOUR_MS


def own(name, kind=Kind.U32, rollup=None):
    return Column(name, kind, name, "A user's column.", "Own columns", rollup=rollup)


def audited(folder):
    path = folder / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def values(store, column):
    return store.query(f"SELECT {column} FROM flows ORDER BY TimeReceived").column(column).to_pylist()


def coloured(rows, start_ms, seed=0):
    flows = few_keys(rows, start_ms, seed=seed)
    flows.put("Colour", (np.arange(rows) + 1).astype(np.uint32))
    flows.put("Shape", Coded((np.arange(rows) % 2).astype(np.int32), ["round", "square"]))
    return flows


def test_columns_that_the_configuration_forgets_are_back_when_it_has_them_again(open_store):
    wide = Schema([own("Colour"), own("Shape", Kind.TEXT)])
    store = open_store(wide)
    store.insert(coloured(20, NOW_MS - 3 * HOUR_MS))
    before = sorted(values(store, "Colour"))

    store = open_store()
    store.insert(few_keys(10, NOW_MS - 2 * HOUR_MS, seed=1))
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)
    assert store.query("SELECT * FROM flows WHERE SrcAS > 0").num_rows == 30

    store = open_store(wide)
    assert sorted(values(store, "Colour")) == [0] * 10 + before
    assert sorted(set(values(store, "Shape"))) == ["", "round", "square"]
    store.insert(coloured(5, NOW_MS - HOUR_MS, seed=2))
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    assert_rollups_agree(store)


def test_rollups_tell_rows_apart_by_a_column_that_the_schema_lacks(open_store):
    """Flows that wait when the column is forgotten, and flows that come late, keep their values in every rollup."""
    wide = Schema([own("Colour", rollup="key"), own("Weight", Kind.U64, rollup="sum")])
    store = open_store(wide)
    flows = few_keys(300, NOW_MS - 3 * HOUR_MS)
    flows.put("Colour", (np.arange(300) % 3).astype(np.uint32))
    flows.put("Weight", np.full(300, 7, np.uint64))
    store.insert(flows)

    store = open_store()
    store.insert(few_keys(50, NOW_MS - 2 * HOUR_MS, seed=1))
    store.wait_until_rolled_up(NOW_MS)

    store = open_store(wide)
    for resolution in RESOLUTIONS:
        assert totals(store, resolution.table, by="Colour") == totals(store, "flows", by="Colour")
        weights = store.query(f"SELECT sum(Weight) AS w FROM {resolution.table}").to_pylist()
        assert weights == [{"w": 2100}]
    assert_rollups_agree(store)


def test_a_shorter_retention_than_before_is_refused_with_what_would_be_lost(open_store, folder):
    store = open_store(retention_raw_days=60)
    store.insert(few_keys(600, NOW_MS - 40 * DAY_MS))
    store.insert(few_keys(400, NOW_MS - DAY_MS))
    store.wait_until_rolled_up(NOW_MS)
    store.maintain(NOW_MS)
    assert totals(store, "flows")[0] == 1000

    with pytest.raises(StoreLossError) as refused:
        open_store()
    said = str(refused.value)
    assert "table flows was kept for 60 days and would be for 15" in said
    assert "600 rows" in said
    assert "millrace store prune" in said
    assert "allow_shorter_retention" in said
    assert "flows_1m0s" not in said

    store = open_store(retention_raw_days=60)
    store.maintain(NOW_MS + HOUR_MS)
    assert totals(store, "flows")[0] == 1000
    assert not [line for line in audited(folder) if line["table"] == "flows"]


def test_what_would_be_lost_is_told_also_where_the_retention_clock_lags_behind(open_store):
    """After a long pause nothing expires at once; it would all the same."""
    store = open_store(retention_raw_days=60)
    store.insert(few_keys(10, NOW_MS - 50 * DAY_MS))
    store.wait_until_rolled_up(NOW_MS - 50 * DAY_MS + HOUR_MS)
    store.insert(few_keys(10, NOW_MS - HOUR_MS))
    with pytest.raises(StoreLossError, match="losing 10 rows"):
        open_store(retention_raw_days=20)


def test_a_shorter_retention_is_refused_before_anything_is_old_enough(open_store):
    open_store(retention_raw_days=60).insert(few_keys(10, NOW_MS - DAY_MS))
    with pytest.raises(StoreLossError, match="nothing yet, but all that gets older than 15 days"):
        open_store()
    open_store(retention_raw_days=61)


def test_a_shorter_retention_that_is_allowed_counts_and_is_written_down(open_store, folder):
    store = open_store(retention_raw_days=60)
    store.insert(few_keys(600, NOW_MS - 40 * DAY_MS))
    store.insert(few_keys(400, NOW_MS - DAY_MS))
    store.wait_until_rolled_up(NOW_MS)
    store = open_store(allow_shorter_retention=True)
    store.maintain(NOW_MS)
    assert totals(store, "flows")[0] == 400
    acts = {(line["act"], line["table"]): line for line in audited(folder)}
    assert ("keep", "flows") in acts
    gone = acts["retention", "flows"]
    assert gone["rows"] == 600
    assert gone["bytes"] > 0
    assert gone["oldest_ms"] <= NOW_MS - 40 * DAY_MS + 60_000
    assert gone["reason"] == "older than 15 days"
    open_store()


def test_a_store_of_an_earlier_version_says_what_it_kept_by_what_is_there(open_store):
    store = open_store(retention_raw_days=60)
    store.insert(few_keys(600, NOW_MS - 40 * DAY_MS))
    store.insert(few_keys(400, NOW_MS - DAY_MS))
    store._engine.execute("DELETE FROM millrace_state WHERE Key LIKE 'retention%'")
    with pytest.raises(StoreLossError, match="600 rows"):
        open_store()


def test_a_longer_retention_counts_once_it_keeps_something(open_store):
    """`load` without the configuration must not keep the collector from starting with it afterwards."""
    store = open_store(retention_raw_days=5)
    store.insert(few_keys(10, NOW_MS))
    open_store(retention_raw_days=60).insert(few_keys(10, NOW_MS))
    open_store(retention_raw_days=5)
    open_store(retention_raw_days=60).insert(few_keys(10, NOW_MS - 30 * DAY_MS))
    with pytest.raises(StoreLossError, match="for 60 days"):
        open_store(retention_raw_days=5)


def test_flows_are_stored_though_the_promise_to_keep_them_cannot_be_written_down(open_store, monkeypatch):
    open_store(retention_raw_days=5).insert(few_keys(10, NOW_MS))
    store = open_store(retention_raw_days=60)
    put = store._state.put

    def full(key, value):
        raise EngineError.of("Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space")

    with monkeypatch.context() as device:
        device.setattr(store._state, "put", full)
        store.insert(few_keys(10, NOW_MS - 30 * DAY_MS), token="a")
    assert totals(store, "flows")[0] == 20
    assert store._state.put == put
    # Written down as soon as that is possible.
    store.insert(few_keys(10, NOW_MS - 30 * DAY_MS), token="b")
    with pytest.raises(StoreLossError, match="for 60 days"):
        open_store(retention_raw_days=5)


@pytest.mark.parametrize("newer", ["version", "column"])
def test_a_store_that_a_newer_version_wrote_is_refused(open_store, newer):
    store = open_store()
    store.insert(few_keys(10))
    recorded = store._state.get("schema")
    if newer == "version":
        recorded["version"] += 1
    else:
        recorded["columns"]["Tomorrow"] = {"rollup": "key", "own": False}
    store._state.put("schema", recorded)
    with pytest.raises(StoreLossError, match=r"newer version.*allow_newer_store"):
        open_store()
    store = open_store(allow_newer_store=True)
    store.insert(few_keys(10))
    assert totals(store, "flows")[0] == 20
    with pytest.raises(StoreLossError, match="newer version"):
        open_store()


def test_a_part_that_cannot_be_loaded_is_written_down_once(open_store, folder):
    import os

    store = open_store()
    store.insert(few_keys(100, NOW_MS - 50 * HOUR_MS))
    store.insert(few_keys(70))
    path = store.query("SELECT path FROM system.parts WHERE active AND table = 'flows_open' ORDER BY name")["path"][0]
    store.stop()
    os.truncate(f"{path}/columns.txt", 3)
    for _ in range(2):
        assert totals(open_store(), "flows")[0] == 70
    assert [(line["act"], line["table"]) for line in audited(folder)] == [("set-aside", "flows")]
