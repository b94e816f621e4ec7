"""`kill -9` while the store deletes on purpose, makes room, or opens with columns that are gone."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from millrace.batch import Coded, map_ipv4
from millrace.store import RESOLUTIONS, Doomed, EmbeddedStore, StoreSettings
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, totals

HOST = "toIPv6('::ffff:198.51.100.1')"
KEYS = "ExporterAddress, ExporterName, InIf, SrcAS, Proto"

DELETER = """
import sys
from pathlib import Path
from millrace.store import Doomed, EmbeddedStore
from unit.store.made_flows import SCHEMA

store = EmbeddedStore(Path(sys.argv[1]), SCHEMA)
store.start()
print("begins", flush=True)
condition, parameters = sys.argv[2], {"p0": sys.argv[3]}
store.delete(Doomed(condition, condition, parameters, (sys.argv[4],)))
print("done", flush=True)
"""

FILLER = """
import sys
from pathlib import Path
from millrace.store import EmbeddedStore, StoreSettings
from millrace.telemetry import setup_logging
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, make_flows

BEGIN_MS = NOW_MS - 600 * HOUR_MS
setup_logging("error")
store = EmbeddedStore(Path(sys.argv[1]), SCHEMA, StoreSettings(max_bytes=8 * 2**20, when_full="drop-oldest"))
store.start()
for number in range(int(sys.argv[2]), 10**9):
    store.insert(make_flows(5000, BEGIN_MS + number * HOUR_MS, seed=number), token=str(number))
    print(number, flush=True)
    store.maintain(BEGIN_MS + number * HOUR_MS + 90_000)
"""

BEGIN_MS = NOW_MS - 600 * HOUR_MS
"""An hour for every insert: none of them is in the future, whose rows do not count as the newest."""


def process(code, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "tests:src"},
    )  # fmt: skip


def hosts(rows, seed):
    flows = few_keys(rows, NOW_MS - 6 * HOUR_MS, 5 * HOUR_MS, seed=seed)
    addresses = map_ipv4(np.array([0xC6336401, 0xC6336402, 0xC6336403], ">u4"))
    flows.put("SrcAddr", Coded((np.arange(rows) % 3).astype(np.int32), addresses))
    return flows


def assert_keys_agree(store):
    for resolution in RESOLUTIONS:
        raw = totals(store, "flows", by=f"{KEYS}, {resolution.start_of}(TimeReceived)")
        assert totals(store, resolution.table, by=f"{KEYS}, TimeReceived") == raw, resolution.name


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("condition", "value", "column"),
    [("SrcAddr = {p0:IPv6}", "::ffff:198.51.100.1", "SrcAddr"), ("SrcAS = {p0:UInt32}", "64501", "SrcAS")],
    ids=["flows only", "keys"],
)
def test_a_deletion_that_is_killed_is_finished_by_the_next_start(tmp_path, condition, value, column):
    chance = random.Random(column)
    where = condition.replace("{p0:IPv6}", HOST).replace("{p0:UInt32}", value)
    doomed = Doomed(condition, condition, {"p0": value}, (column,))
    finished = 0
    for attempt in range(4):
        with EmbeddedStore(tmp_path, SCHEMA) as store:
            store.insert(hosts(900, attempt))
            store.wait_until_rolled_up(NOW_MS)
            left = totals(store, "flows", where=f"NOT ({where})")[0]
            matching = totals(store, "flows", where=where)[0]
        deleter = process(DELETER, tmp_path, condition, value, column)
        assert deleter.stdout.readline() == "begins\n"
        time.sleep(chance.uniform(0.0, 2.5))
        deleter.send_signal(signal.SIGKILL)
        said = deleter.stdout.read()
        deleter.wait()
        deleter.stdout.close()
        with EmbeddedStore(tmp_path, SCHEMA) as store:
            gone = totals(store, "flows", where=where)[0] == 0
            assert gone or totals(store, "flows", where=where)[0] == matching, "half of them are gone"
            assert gone or "done" not in said
            assert totals(store, "flows", where=f"NOT ({where})")[0] == left
            store.wait_until_rolled_up(NOW_MS)
            assert_rollups_agree(store)
            assert_keys_agree(store)
            store.delete(doomed)
            assert totals(store, "flows")[0] == left
            assert_keys_agree(store)
            finished += gone
    assert finished, "no deletion got as far as to be noticed"


@pytest.mark.timeout(300)
def test_a_full_store_that_is_killed_while_it_makes_room_has_the_newest_and_counts_them_once(tmp_path):
    chance = random.Random(11)
    following = 0
    for _ in range(5):
        filler = process(FILLER, tmp_path, following)
        acknowledged = int(filler.stdout.readline())
        time.sleep(chance.uniform(1.0, 4.0))
        filler.send_signal(signal.SIGKILL)
        for line in filler.stdout.read().splitlines():
            acknowledged = int(line)
        filler.wait()
        filler.stdout.close()
        following = acknowledged + 1
    settings = StoreSettings(max_bytes=64 * 2**20, when_full="drop-oldest")
    with EmbeddedStore(tmp_path, SCHEMA, settings) as store:
        hour = "intDiv(toUnixTimestamp(TimeReceived), 3600)"
        raw = dict(
            store.query(f"SELECT {hour} AS h, count() AS n FROM flows GROUP BY h")
            .select(["h", "n"])
            .to_pydict()
            .items()
        )
        hours = dict(zip(raw["h"], raw["n"], strict=True))
        newest = BEGIN_MS // HOUR_MS + acknowledged
        assert hours[newest] == 5000
        assert all(count == 5000 for hour, count in hours.items() if hour <= newest)
        kept = [hour for hour in hours if hour <= newest]
        assert sorted(kept) == list(range(min(kept), newest + 1)), "a gap: not the oldest went"
        store.wait_until_rolled_up(BEGIN_MS + (following + 2) * HOUR_MS)
        for resolution in RESOLUTIONS:
            found = store.query(f"SELECT {hour} AS h, sum(Flows) AS n FROM {resolution.table} GROUP BY h").to_pydict()
            assert all(count == 5000 for count in found["n"]), "a flow was counted twice or not at all"
    dropped = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert {line["act"] for line in dropped} == {"drop-oldest"}
    assert any(line["table"] == "flows" for line in dropped)
