"""A device that fills up while the engine writes: it does not notice, so the store does.

A limit on the size of files stands for the full device: writes beyond it fail in the same way.
"""

import resource
import signal
import threading
import time
from contextlib import contextmanager, suppress

import numpy as np
import pytest

from millrace.errors import StoreFullError
from millrace.store import RAW_TABLE, RESOLUTIONS
from millrace.store.faults import EngineError, TornError
from millrace.store.gate import Gate
from millrace.store.resolutions import OPEN_TABLE
from millrace.store.tokens import Tokens
from unit.store.made_flows import HOUR_MS, NOW_MS, assert_rollups_agree, few_keys, totals

NO_ROOM = 2_048
"""Bytes of a file: more than the block of a few rows that is handed to the engine, less than a part of them."""

TABLES = [OPEN_TABLE, *(resolution.table for resolution in RESOLUTIONS)]

MIDNIGHT_MS = NOW_MS // 86_400_000 * 86_400_000


@contextmanager
def files_end_at(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def detached(store):
    return store.query("SELECT name FROM system.detached_parts").to_pylist()


def test_flows_that_could_not_be_written_whole_are_refused_and_stored_later(open_store):
    store = open_store()
    store.insert(few_keys(5, seed=1), token="first")
    for _ in range(3):
        with files_end_at(NO_ROOM), pytest.raises(StoreFullError, match="none of them are stored"):
            store.insert(few_keys(7, seed=2), token="second")
    assert totals(store, RAW_TABLE) == totals_of(few_keys(5, seed=1))
    store.insert(few_keys(7, seed=2), token="second")
    assert totals(store, RAW_TABLE) == totals_of(few_keys(5, seed=1), few_keys(7, seed=2))
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)
    assert not detached(store)


def test_parts_come_back_where_a_merge_could_not_be_written_whole(open_store):
    store, batches = torn_merge(open_store)
    store.maintain(NOW_MS - HOUR_MS)
    assert store._engine.torn.found
    assert totals(store, RAW_TABLE) == totals_of(*batches)
    assert not detached(store)
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)
    store = open_store()
    assert totals(store, RAW_TABLE) == totals_of(*batches)
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)


@pytest.mark.long
@pytest.mark.slow
def test_parts_come_back_where_it_takes_a_while_until_a_torn_merge_is_noticed(open_store):
    """The engine removes the parts that it merged when it comes to it, by itself within some 40 seconds."""
    store, batches = torn_merge(open_store)
    end = time.monotonic() + 50
    while time.monotonic() < end and merged_parts(store):
        time.sleep(1)
    store.maintain(NOW_MS - HOUR_MS)
    assert store._engine.torn.found
    assert totals(store, RAW_TABLE) == totals_of(*batches)


def merged_parts(store):
    return store.query(f"SELECT name FROM system.parts WHERE table = '{OPEN_TABLE}' AND NOT active").num_rows


@pytest.mark.parametrize("table", TABLES)
def test_an_older_store_keeps_merged_parts_from_now_on(open_store, table):
    store = open_store()
    with store._engine._writer() as connection:
        connection.execute(f"ALTER TABLE {table} MODIFY SETTING old_parts_lifetime = 0")
    store = open_store()
    said = store.query(f"SELECT engine_full FROM system.tables WHERE name = '{table}'").to_pylist()
    assert "old_parts_lifetime = 480" in said[0]["engine_full"]


def torn_merge(open_store):
    """A store in which a merge was not written whole, and the batches in it."""
    store = open_store()
    batches = [few_keys(6, seed=seed) for seed in range(12)]
    for number, flows in enumerate(batches):
        store.insert(flows, token=str(number))
    store.maintain(NOW_MS - HOUR_MS)
    with files_end_at(NO_ROOM):
        merge_unnoticed(store)
    return store, batches


def merge_unnoticed(store):
    """Merge as the background does: nobody waits for it."""
    with store._engine._writer() as connection, suppress(EngineError):
        connection.execute(f"OPTIMIZE TABLE {OPEN_TABLE} FINAL")


def test_a_rollup_that_could_not_be_written_whole_is_redone(open_store):
    store = open_store()
    for seed in range(4):
        store.insert(few_keys(50, seed=seed), token=str(seed))
    with files_end_at(NO_ROOM):
        done = store.maintain(NOW_MS)
    assert done.errors
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)
    store = open_store()
    assert_rollups_agree(store)


@pytest.mark.parametrize(
    "partition",
    [str(MIDNIGHT_MS // 1000), np.datetime_as_string(np.datetime64(MIDNIGHT_MS, "ms"), unit="D").replace("-", "")],
    ids=["hour", "day, of an earlier version"],
)
def test_only_the_rows_of_a_torn_partition_are_stored_again(partition):
    tokens = Tokens()
    flows = few_keys(40, start_ms=MIDNIGHT_MS - 30_000, span_ms=60_000)
    assert tokens.rest("a", flows) == ("a", flows)
    tokens.torn("a", TornError(OPEN_TABLE, (partition,)))
    token, left = tokens.rest("a", flows)
    assert token == "a/1"
    expected = flows.columns["TimeReceived"][flows.columns["TimeReceived"] >= MIDNIGHT_MS]
    assert left.columns["TimeReceived"].tolist() == expected.tolist()
    assert 0 < len(left) < len(flows)
    tokens.done("a")
    assert tokens.rest("a", flows) == ("a", flows)


def test_nothing_passes_a_closed_gate_and_closing_waits_for_what_is_inside():
    gate, seen = Gate(), []
    inside, leave = threading.Event(), threading.Event()

    def pass_slowly():
        with gate.passing():
            inside.set()
            leave.wait(10)
            seen.append("left")

    def close():
        with gate.closed():
            seen.append("alone")

    slow = threading.Thread(target=pass_slowly)
    slow.start()
    inside.wait(10)
    closing = threading.Thread(target=close)
    closing.start()
    closing.join(0.1)
    assert not seen
    leave.set()
    slow.join(10)
    closing.join(10)
    with gate.passing():
        seen.append("passed")
    assert seen == ["left", "alone", "passed"]


def totals_of(*batches):
    columns = [batch.columns for batch in batches]
    return (
        sum(len(batch) for batch in batches),
        sum(int(part["Bytes"].sum()) for part in columns),
        sum(int(part["Packets"].sum()) for part in columns),
    )
