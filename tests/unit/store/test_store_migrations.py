"""An older folder is brought to the schema of today, and nothing in it is lost."""

from dataclasses import replace

import numpy as np
import pytest

from millrace.batch import Coded
from millrace.errors import StoreError
from millrace.schema import COLUMNS, Column, Kind, Schema
from millrace.store import RESOLUTIONS, Maintenance
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, totals

DAY_MS = 24 * HOUR_MS


def user_column(name, kind=Kind.U8, rollup="key", **more):
    return Column(name, kind, name, "A user's column.", "User", rollup=rollup, **more)


def columns_of(store, table):
    return store.query(f"SELECT * FROM {table} LIMIT 0").column_names


def test_an_older_schema_with_data_in_it(open_store):
    """Fewer built-in columns, another user column, a narrower type, fewer enumeration values, another codec."""
    changed = {
        "SrcASName": None,
        "VNI": None,
        "ForwardingStatus": {"codec": "ZSTD(1)"},
        "TCPFlags": {"kind": Kind.U8},
        "TunnelType": {"values": ("none", "ipip", "gre")},
    }
    older = [
        replace(column, **(changed.get(column.name) or {}))
        for column in COLUMNS
        if changed.get(column.name, "kept") is not None
    ]
    store = open_store(Schema([user_column("Colour")], base=older))
    flows = few_keys(1000, NOW_MS - 2 * HOUR_MS, HOUR_MS)
    flows.put("TCPFlags", np.full(1000, 18, np.uint8))
    flows.put("TunnelType", np.full(1000, 2, np.uint8))
    flows.put("Colour", np.ones(1000, np.uint8))
    store.insert(flows)
    store.wait_until_rolled_up(NOW_MS)
    before = [totals(store, table, by="ExporterName, SrcAS, Proto") for table in ("flows", "flows_1m0s")]

    store = open_store(Schema([user_column("Shape", Kind.TEXT, "key")]), retention_1h_days=1825)
    assert [totals(store, table, by="ExporterName, SrcAS, Proto") for table in ("flows", "flows_1m0s")] == before
    assert set(columns_of(store, "flows")) == {*SCHEMA.names, "Shape", "Colour"}
    kept = store.query("SELECT DISTINCT TCPFlags, TunnelType, VNI, SrcASName, Shape FROM flows").to_pylist()
    assert kept == [{"TCPFlags": 18, "TunnelType": "gre", "VNI": 0, "SrcASName": "", "Shape": ""}]

    more = few_keys(500, NOW_MS - HOUR_MS // 2, seed=1)
    more.put("TCPFlags", np.full(500, 500, np.uint16))
    more.put("Shape", Coded(np.zeros(500, np.int32), ["round"]))
    store.insert(more)
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    assert_rollups_agree(store)
    assert totals(store, "flows_1h0m0s", by="Shape")[1][:2] == ("round", 500)


def test_opening_again_changes_nothing(open_store, monkeypatch):
    open_store()
    statements = []
    execute = type(open_store()._engine).execute
    monkeypatch.setattr(
        "millrace.store.embedded_engine.EmbeddedEngine.execute",
        lambda self, sql, settings=None: (statements.append(sql), execute(self, sql, settings)),
    )
    open_store()
    assert statements == []


def test_the_schema_is_recorded(open_store):
    first = open_store()._state.get("schema")
    assert first["version"] == 2
    assert open_store(Schema([user_column("Colour")]))._state.get("schema") != first


def test_a_change_that_would_lose_values_is_refused_and_nothing_is_changed(open_store):
    store = open_store(Schema([user_column("Colour", Kind.U32), user_column("Other")]))
    store.insert(few_keys(10))
    with pytest.raises(StoreError, match=r"'Colour'.*another name"):
        open_store(Schema([user_column("Colour", Kind.U8)]))
    store = open_store(Schema([user_column("Colour", Kind.U32), user_column("Other")]))
    assert totals(store, "flows")[0] == 10
    assert columns_of(store, "flows")[-2:] == ["Colour", "Other"]


def test_another_order_is_refused(open_store, monkeypatch):
    open_store()
    from millrace.store import ddl

    monkeypatch.setattr(
        "millrace.store.ddl.open_table",
        lambda schema, settings, make=ddl.open_table: replace(make(schema, settings), order=("SrcAS", "TimeReceived")),
    )
    with pytest.raises(StoreError, match="cannot be changed in place"):
        open_store()


def test_a_setting_of_the_tables_follows_the_configuration(open_store):
    open_store()
    store = open_store(fsync=True)
    assert "fsync_after_insert = 1" in store.execute_local("SHOW CREATE TABLE flows_open", "TSVRaw").decode()
    store.insert(few_keys(10))
    assert totals(store, "flows")[0] == 10


def test_each_resolution_is_kept_for_its_retention(open_store):
    ages = (1, 10, 40, 200, 1000)
    store = open_store(retention_raw_days=3650, retention_1h_days=3650)
    for days in ages:
        store.insert(few_keys(100, NOW_MS - days * DAY_MS))
    store.wait_until_rolled_up(NOW_MS)
    store = open_store(retention_1h_days=365, allow_shorter_retention=True)
    store.maintain(NOW_MS)
    kept = {table: totals(store, table)[0] // 100 for table in ("flows", *(r.table for r in RESOLUTIONS))}
    assert kept == {"flows": 2, "flows_1m0s": 1, "flows_5m0s": 3, "flows_1h0m0s": 4}


def test_five_years_of_hours_are_possible(open_store):
    store = open_store(retention_raw_days=3650, retention_1m_days=3650, retention_5m_days=3650, retention_1h_days=1830)
    store.insert(few_keys(70, NOW_MS - 1820 * DAY_MS, 1819 * DAY_MS))
    store.wait_until_rolled_up(NOW_MS)
    store.maintain(NOW_MS + HOUR_MS)
    assert totals(store, "flows_1h0m0s") == totals(store, "flows")
    partitions = store.query(
        "SELECT uniqExact(partition) AS n FROM system.parts WHERE active AND table = 'flows_1h0m0s'"
    )
    assert partitions.to_pylist()[0]["n"] <= 62


def test_expired_flows_stay_until_they_are_rolled_up(open_store):
    store = open_store(retention_raw_days=1, retention_5m_days=365)
    store.insert(few_keys(100, NOW_MS - 30 * DAY_MS))
    store.insert(few_keys(1, NOW_MS))
    store._keeper.expire(NOW_MS, Maintenance())
    assert totals(store, "flows")[0] == 101
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    store.maintain(NOW_MS + 2 * HOUR_MS)
    assert totals(store, "flows")[0] == 1
    assert totals(store, "flows_1h0m0s")[0] == 101
