"""A full store: the newest is refused, or the oldest goes, as was chosen."""

import json
import time

import pytest

from millrace.errors import StoreFullError
from unit.store.made_flows import HOUR_MS, NOW_MS, few_keys, make_flows, totals

BOUND = 6 * 2**20
ROWS = 5_000


def audited(folder):
    path = folder / "audit.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def hourly(number):
    return make_flows(ROWS, NOW_MS - (40 - number) * HOUR_MS, seed=number)


def fill(store):
    """Insert until the store refuses: how many batches it took, and what it said."""
    for number in range(40):
        try:
            store.insert(hourly(number))
        except StoreFullError as error:
            return number, str(error)
    pytest.fail("the store never filled up")


def used(store):
    return int(store.query("SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active")["n"][0].as_py())


def test_by_default_the_newest_flows_are_refused_and_nothing_is_deleted(open_store, folder):
    store = open_store(max_bytes=BOUND)
    accepted, said = fill(store)
    assert accepted > 0
    assert "max_bytes" in said
    assert "when_full: drop-oldest" in said
    store.maintain(NOW_MS)
    assert totals(store, "flows")[0] == accepted * ROWS
    assert audited(folder) == []
    store = open_store(max_bytes=10 * BOUND)
    store.insert(hourly(accepted))
    assert totals(store, "flows")[0] == (accepted + 1) * ROWS


@pytest.mark.variants(1)
@pytest.mark.parametrize("maintained", [False, True])
def test_the_oldest_flows_go_so_that_the_newest_are_stored(open_store, folder, maintained):
    store = open_store(max_bytes=BOUND, when_full="drop-oldest")
    for number in range(30):
        store.insert(hourly(number))
        if maintained:
            store.maintain(NOW_MS - (39 - number) * HOUR_MS + 600_000)
    kept = store.query("SELECT DISTINCT intDiv(toUnixTimestamp(TimeReceived), 3600) AS hour FROM flows ORDER BY hour")
    hours = kept["hour"].to_pylist()
    newest = NOW_MS // HOUR_MS - 11
    assert hours == list(range(newest - len(hours) + 1, newest + 1)), "the latest hours without a gap"
    assert 1 <= len(hours) < 30
    assert used(store) <= BOUND * 1.5

    dropped = [line for line in audited(folder) if line["table"] == "flows"]
    assert {line["act"] for line in dropped} == {"drop-oldest"}
    assert sum(line["rows"] for line in dropped) == (30 - len(hours)) * ROWS
    assert all("max_bytes" in line["reason"] and line["bytes"] > 0 for line in dropped)
    assert not store.status().last_error


def test_flows_that_gave_way_are_in_the_rollups_as_long_as_these_have_room(open_store, folder):
    store = open_store(max_bytes=BOUND, when_full="drop-oldest")
    flows = 0
    for number in range(12):
        store.insert(few_keys(100_000, NOW_MS - (40 - number) * HOUR_MS, seed=number))
        flows += 100_000
    store.wait_until_rolled_up(NOW_MS)
    gone = {
        table: sum(line["rows"] for line in audited(folder) if line["table"] == table)
        for table in ("flows", "flows_1h0m0s")
    }
    assert gone["flows"] > 0
    assert gone["flows_1h0m0s"] == 0
    assert totals(store, "flows_1h0m0s")[0] == flows


def test_what_no_rollup_has_taken_stays(open_store, monkeypatch):
    store = open_store(max_bytes=BOUND, when_full="drop-oldest")
    monkeypatch.setattr(store._roller, "drain", lambda done: False)
    accepted, said = fill(store)
    assert "nothing that is rolled up is left" in said
    assert totals(store, "flows")[0] == accepted * ROWS


def test_rows_of_the_far_future_do_not_let_the_newest_flows_go_first(open_store, folder):
    store = open_store()
    now_ms = int(time.time() * 1000)
    for number in range(4):
        store.insert(make_flows(ROWS, now_ms - (90 - number) * HOUR_MS, seed=number))
    store.insert(few_keys(5, now_ms + 20 * 365 * 24 * HOUR_MS))
    store.wait_until_rolled_up(now_ms - 48 * HOUR_MS)
    store.insert(make_flows(ROWS, now_ms - 120_000, seed=9))
    store.wait_until_rolled_up(now_ms)
    flows = store.query(
        "SELECT sum(bytes_on_disk) AS n FROM system.parts WHERE active AND match(table, '^flows_[a-z]')"
    )
    store = open_store(max_bytes=used(store) - int(flows["n"][0].as_py()), when_full="drop-oldest")
    store.maintain(now_ms)
    gone = {line["table"] for line in audited(folder)}
    assert "flows" in gone
    assert gone > {"flows"}, "old rollups went before the newest flows"
    assert totals(store, "flows", "TimeReceived > now() - 3600 AND TimeReceived <= now()")[0] == ROWS
