"""Flows deleted on purpose are gone from every table; every other flow is still counted once."""

import json
import os
import pwd
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from millrace.batch import Coded, map_ipv4
from millrace.errors import StoreError
from millrace.schema import Column, Kind, Schema
from millrace.store import RESOLUTIONS, Doomed, Maintenance
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, totals

DAY_MS = 24 * HOUR_MS
MINUTE_MS = 60_000
TABLES = ("flows", *(resolution.table for resolution in RESOLUTIONS))
KEYS = "ExporterAddress, ExporterName, InIf, SrcAS, Proto"
HOST = Doomed("SrcAddr = 198.51.100.1", "SrcAddr = {p0:IPv6}", {"p0": "::ffff:198.51.100.1"}, ("SrcAddr",))
SYSTEM = Doomed("SrcAS = 64501", "SrcAS = {p0:UInt32}", {"p0": 64501}, ("SrcAS",))
FOREVER_MS = (2**32 - 1) * 1000


def hosts(rows, start_ms=NOW_MS - 2 * HOUR_MS, span_ms=MINUTE_MS, seed=0):
    """Flows of three hosts."""
    flows = few_keys(rows, start_ms, span_ms, seed)
    addresses = map_ipv4(np.array([0xC6336401, 0xC6336402, 0xC6336403], ">u4"))
    flows.put("SrcAddr", Coded((np.arange(rows) % 3).astype(np.int32), addresses))
    return flows


def limited(doomed, start_ms=0, end_ms=FOREVER_MS):
    return Doomed(doomed.text, doomed.condition, doomed.parameters, doomed.columns, start_ms, end_ms)


def count(store, where, table="flows"):
    return totals(store, table, where=where)[0]


def assert_keys_agree(store):
    for resolution in RESOLUTIONS:
        by = f"{resolution.start_of}(TimeReceived)"
        names = f"{KEYS}, "
        raw = totals(store, "flows", by=names + by)
        assert totals(store, resolution.table, by=names + "TimeReceived") == raw, resolution.name


@pytest.mark.variants(2)
@pytest.mark.parametrize("doomed", [HOST, SYSTEM], ids=["flows only", "keys"])
@pytest.mark.parametrize(
    ("start_ms", "end_ms"),
    [
        (0, FOREVER_MS),
        (NOW_MS - 3 * HOUR_MS + 17 * MINUTE_MS + 1234, NOW_MS - HOUR_MS - 7_777),
        (NOW_MS - 3 * HOUR_MS, NOW_MS - 2 * HOUR_MS),
        (NOW_MS - 3 * HOUR_MS + 5, NOW_MS - 3 * HOUR_MS + 20_000),
    ],
    ids=["all", "odd", "whole hour", "seconds"],
)
def test_what_was_asked_for_goes_and_all_else_is_counted_once(store, doomed, start_ms, end_ms):
    for seed in range(4):
        store.insert(hosts(600, NOW_MS - 4 * HOUR_MS, 4 * HOUR_MS, seed))
        if seed == 2:
            store.wait_until_rolled_up(NOW_MS - HOUR_MS)
    asked = limited(doomed, start_ms, end_ms)
    where = (
        f"TimeReceived >= fromUnixTimestamp64Milli({start_ms}) AND TimeReceived < fromUnixTimestamp64Milli({end_ms})"
        f" AND {'SrcAS = 64501' if doomed is SYSTEM else 'SrcAddr = toIPv6(' + repr('::ffff:198.51.100.1') + ')'}"
    )
    matching = count(store, where)
    assert matching > 0

    assert store.forecast_deletion(asked).flows == matching
    done = store.delete(asked)
    assert done.flows == matching
    assert done.rolled == dict.fromkeys(TABLES[1:], matching)
    assert done.notes == ()
    assert count(store, where) == 0
    assert totals(store, "flows")[0] == 2400 - matching
    assert_rollups_agree(store)
    assert_keys_agree(store)

    store.insert(hosts(300, NOW_MS - 4 * HOUR_MS, 4 * HOUR_MS, 9))
    store.wait_until_rolled_up(NOW_MS + HOUR_MS)
    assert_rollups_agree(store)
    assert_keys_agree(store)


@pytest.mark.variants(1)
@pytest.mark.parametrize("doomed", [HOST, limited(SYSTEM, NOW_MS - 4 * HOUR_MS + 777_777)], ids=["flows only", "keys"])
def test_many_flows_go_in_pieces(store, monkeypatch, doomed):
    monkeypatch.setattr("millrace.store.deletion._PIECE_FLOWS", 150)
    store.insert(hosts(1200, NOW_MS - 4 * HOUR_MS, 4 * HOUR_MS))
    done = store.delete(doomed)
    assert done.flows > 300
    assert store.forecast_deletion(doomed).rolled == dict.fromkeys(TABLES[1:], 0)
    assert totals(store, "flows")[0] == 1200 - done.flows
    assert_rollups_agree(store)
    assert_keys_agree(store)


def test_nothing_that_matches_changes_nothing(store):
    store.insert(hosts(60))
    done = store.delete(limited(SYSTEM, NOW_MS, NOW_MS + HOUR_MS))
    assert done.flows == 0
    assert totals(store, "flows")[0] == 60


def test_a_bogus_record_goes_and_what_it_was_added_to_is_right_again(store):
    """What is left of its group is more than one row of a rollup is given."""
    one = few_keys(3)
    for name in ("SrcAS", "InIf", "Proto"):
        one.put(name, np.full(3, 7, one.columns[name].dtype))
    for name in ("ExporterAddress", "ExporterName"):
        one.put(name, Coded(np.zeros(3, np.int32), one.columns[name].values))
    one.put("Bytes", np.array([2**63, 1000, 2**62], np.uint64))
    store.insert(few_keys(500))
    store.insert(one)
    done = store.delete(Doomed("", "Bytes = {p0:UInt64}", {"p0": 2**62}, ("Bytes",)))
    assert done.rolled == dict.fromkeys(TABLES[1:], 1)
    for table in TABLES:
        assert count(store, "SrcAS = 7", table) == 2
        total = store.query(f"SELECT toString(sum(toUInt128(Bytes))) AS n FROM {table} WHERE SrcAS = 7")["n"][0].as_py()
        assert int(total) == 2**63 + 1000, table


def test_flows_that_expired_are_removed_from_the_rollups_by_their_keys(open_store):
    store = open_store(retention_raw_days=2)
    store.insert(hosts(300, NOW_MS - 6 * DAY_MS))
    store.insert(hosts(300))
    store.wait_until_rolled_up(NOW_MS)
    store.maintain(NOW_MS)
    assert count(store, "true") == 300
    old = f"TimeReceived < toDateTime({(NOW_MS - 5 * DAY_MS) // 1000})"
    before = {table: count(store, f"SrcAS = 64501 AND {old}", table) for table in TABLES[1:]}
    assert min(before.values()) > 0

    done = store.delete(SYSTEM)
    assert done.notes == ()
    for table in TABLES:
        assert count(store, "SrcAS = 64501", table) == 0
    assert done.rolled["flows_1h0m0s"] == done.flows + before["flows_1h0m0s"]

    said = store.delete(HOST).notes
    assert any("flows_1h0m0s" in note and "SrcAddr" in note for note in said)
    assert count(store, old, "flows_1h0m0s") == 300 - before["flows_1h0m0s"]


def test_an_interval_that_is_only_left_as_a_whole_stays_and_that_is_said(open_store):
    store = open_store(retention_raw_days=2)
    store.insert(hosts(300, NOW_MS - 6 * DAY_MS, 2 * HOUR_MS))
    store.insert(hosts(300))
    store.wait_until_rolled_up(NOW_MS)
    store.maintain(NOW_MS)
    done = store.delete(limited(SYSTEM, NOW_MS - 6 * DAY_MS + HOUR_MS // 2))
    assert any("flows_1h0m0s keeps its interval of 3600 s" in note for note in done.notes)
    left = f"SrcAS = 64501 AND TimeReceived < toDateTime({(NOW_MS - 5 * DAY_MS) // 1000})"
    assert count(store, left, "flows_1h0m0s") > 0
    assert (
        count(
            store,
            left + f" AND TimeReceived >= toDateTime({(NOW_MS - 6 * DAY_MS + HOUR_MS // 2) // 1000})",
            "flows_5m0s",
        )
        == 0
    )


class KilledError(BaseException):
    """Ends everything, as `kill -9` does."""


POINTS = (
    "INSERT INTO millrace_deletion SELECT '5m'",
    'INSERT INTO millrace_state SELECT \'deletion\', .*"step": "1m"',
    "INSERT INTO flows_1m0s",
    'INSERT INTO millrace_state SELECT \'deletion\', .*"step": "1m".*"written"',
    "ALTER TABLE flows_5m0s",
    "INSERT INTO millrace_state SELECT 'rollup:1h'",
    'INSERT INTO millrace_state SELECT \'deletion\', .*"step": "flows"',
    "ALTER TABLE `?flows_open`? DELETE",
    "DROP TABLE IF EXISTS millrace_deletion",
)


@pytest.mark.variants(3)
@pytest.mark.parametrize(("point", "after"), [(point, bool(index % 2)) for index, point in enumerate(POINTS)])
def test_wherever_it_is_killed_it_is_finished_later(store, monkeypatch, point, after):
    """As a start does it; a process that is really killed is in the service tests."""
    doomed = HOST if after else limited(SYSTEM, NOW_MS - 2 * HOUR_MS + 20_000)
    store.insert(hosts(400))
    store._drain()
    expected = 400 - store.forecast_deletion(doomed).flows
    execute = store._engine.execute
    killed = []

    def unreliable(sql, settings=None, parameters=None):
        # The first time that the table of a deletion goes is before it is made.
        hit = re.match(point, sql) and ("written" in point or '"written"' not in sql)
        hit = hit and not (sql.startswith("DROP") and store._state.get("deletion").get("step") != "record")
        if hit and not after:
            killed.append(sql)
            raise KilledError
        execute(sql, settings, parameters)
        if hit:
            killed.append(sql)
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(store._engine, "execute", unreliable)
        with pytest.raises(KilledError):
            store.delete(doomed)
    assert killed
    assert store._deleter().finish()
    store._roller.start()
    assert totals(store, "flows")[0] == expected
    assert store.forecast_deletion(doomed).flows == 0
    assert store._state.get("deletion") == {}
    assert_rollups_agree(store)
    assert_keys_agree(store)


def audited(folder):
    path = folder / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_it_is_written_down_who_deleted_what_and_when(open_store, folder):
    store = open_store()
    store.insert(hosts(300))
    done = store.delete(HOST)
    begun, flows, *rolled = audited(folder)
    assert (begun["act"], flows["act"]) == ("delete-begun", "delete")
    assert begun["id"] == flows["id"]
    assert flows["rows"] == begun["rows"] == done.flows == 100
    assert flows["filter"] == "SrcAddr = 198.51.100.1"
    assert flows["who"]
    assert abs(flows["time_ms"] / 1000 - datetime.now(UTC).timestamp()) < 600
    assert [line["table"] for line in rolled] == list(TABLES[1:])


def test_who_deleted_is_who_ran_it_whatever_the_environment_says(open_store, folder, monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    monkeypatch.delenv("SUDO_USER", raising=False)
    store = open_store()
    store.insert(hosts(300))
    store.delete(HOST)
    assert {line["who"] for line in audited(folder)} == {pwd.getpwuid(os.getuid()).pw_name}


def test_what_cannot_be_written_down_is_not_done(open_store, folder):
    store = open_store()
    store.insert(hosts(300))
    (folder / "audit.jsonl").mkdir()
    with pytest.raises(StoreError, match="nothing was deleted"):
        store.delete(HOST)
    assert totals(store, "flows")[0] == 300
    assert store._state.get("deletion") == {}


def test_flows_stored_meanwhile_are_rolled_up_once(store):
    """The roller goes on where it was, whatever was written anew."""
    store.insert(hosts(300))
    store.delete(HOST)
    done = Maintenance()
    assert store._roller.drain(done)
    assert done.rolled_up_rows == {}
    store.insert(hosts(300, seed=1))
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)


def carried(store, name):
    """Make the rollups those of a program that took this column from one row of each group, and kept no record."""
    for resolution in RESOLUTIONS:
        table = resolution.table
        keys = [column.name for column in SCHEMA if column.rollup == "key" and column.name != name]
        listed = ", ".join(f"`{key}`" for key in ["TimeReceived", *keys])
        last = store._engine.rows(f"SELECT max(max_block_number) FROM system.parts WHERE active AND table = '{table}'")
        store._engine.execute(
            f"INSERT INTO {table} ({listed}, `{name}`, Bytes, Packets, Flows) SELECT {listed}, any(`{name}`), "
            f"sum(Bytes), sum(Packets), sum(Flows) FROM {table} GROUP BY {listed}"
        )
        store._engine.execute(f"ALTER TABLE {table} DELETE WHERE _block_number <= {last[0][0]}", {"mutations_sync": 1})
        for reader in RESOLUTIONS:
            if reader.source == table:
                store._state.put(f"rollup:{reader.name}", {"done": 10**9})
    for table in TABLES:
        store._state.put(f"columns:{table}", {})


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    "doomed",
    [HOST, Doomed("InIfProvider = alpha", "InIfProvider = {p0:String}", {"p0": "alpha"}, ("InIfProvider",))],
    ids=["flows only", "carried"],
)
def test_rollups_of_an_earlier_version_lose_what_the_flows_lose(open_store, doomed):
    """Their rows are not told apart by names: neither the names nor a hash of them says what is in them."""
    store = open_store()
    flows = hosts(600, NOW_MS - 4 * HOUR_MS, 2 * HOUR_MS)
    flows.put("InIfProvider", Coded((np.arange(600) // 3 % 3).astype(np.int32), ["alpha", "beta", "gamma"]))
    store.insert(flows)
    store.wait_until_rolled_up(NOW_MS)
    carried(store, "InIfProvider")
    assert_keys_agree(store)
    store = open_store()
    later = hosts(300, NOW_MS - HOUR_MS, 20 * MINUTE_MS, seed=1)
    later.put("InIfProvider", Coded((np.arange(300) // 3 % 2).astype(np.int32), ["alpha", "beta"]))
    store.insert(later)
    store.wait_until_rolled_up(NOW_MS)
    matching = count(store, "InIfProvider = 'alpha'" if doomed is not HOST else "SrcAddr = toIPv6('198.51.100.1')")
    assert matching > 200
    done = store.delete(doomed)
    assert done.flows == matching
    assert done.rolled == dict.fromkeys(TABLES[1:], matching)
    assert_keys_agree(store)
    assert totals(store, "flows")[0] == 900 - matching
    # Where names are told they tell rows apart.
    since = f"TimeReceived >= fromUnixTimestamp64Milli({NOW_MS - HOUR_MS})"
    raw = totals(store, "flows", since, by="InIfProvider")
    assert totals(store, "flows_1h0m0s", since, by="InIfProvider") == raw


def test_flows_that_do_not_tell_a_column_do_not_match_a_filter_of_it(open_store):
    open_store().insert(hosts(60))
    tenant = Column("Tenant", Kind.TEXT, "Tenant", "Whose it is.", "User", rollup="key")
    store = open_store(Schema([tenant]))
    later = hosts(30, NOW_MS - HOUR_MS)
    later.put("Tenant", Coded(np.zeros(30, np.int32), ["A"]))
    store.insert(later)
    doomed = Doomed("Tenant != B", "Tenant != {p0:String}", {"p0": "B"}, ("Tenant",))
    found = store.forecast_deletion(doomed)
    assert found.flows == 30
    assert re.fullmatch(r"flows before .* UTC do not tell Tenant: none of them matches", found.notes[0])
    store.delete(doomed)
    assert [totals(store, table)[0] for table in TABLES] == [60] * 4
