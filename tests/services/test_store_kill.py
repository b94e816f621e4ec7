"""What was acknowledged survives `kill -9`, and the rollups count it once."""

import random
import signal
import subprocess
import sys
import time

from millrace.store import EmbeddedStore
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, totals

WRITER = """
import sys, threading, time
from pathlib import Path
from millrace.store import EmbeddedStore, StoreSettings
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, few_keys

# Hours stay open: the engine forgets the tokens of what is closed.
store = EmbeddedStore(Path(sys.argv[1]), SCHEMA, StoreSettings(close_after_seconds=86_400))
store.start()

def maintain():
    clock = NOW_MS
    while True:
        clock += 60_000
        store.maintain(clock)

threading.Thread(target=maintain, daemon=True).start()
for number in range(int(sys.argv[2]), 10**9):
    store.insert(few_keys(200, NOW_MS - HOUR_MS, 2 * HOUR_MS, seed=number), token=str(number))
    print(number, flush=True)
"""


def run_until_killed(folder, first, seconds, program=WRITER):
    """Insert from `first` on in another process, kill it; the last number it acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(folder), str(first)],
        stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "tests:src"},
    )  # fmt: skip
    acknowledged = int(writer.stdout.readline())
    time.sleep(seconds)
    writer.send_signal(signal.SIGKILL)
    for line in writer.stdout.read().splitlines():
        acknowledged = int(line)
    writer.wait()
    writer.stdout.close()
    return acknowledged


def test_ten_kills_lose_nothing_that_was_acknowledged_and_count_nothing_twice(tmp_path):
    """The writer repeats the batch that was in flight, under the same token, as a pipeline would."""
    chance = random.Random(7)
    following = 0
    for _ in range(10):
        following = run_until_killed(tmp_path, following, chance.uniform(0.0, 0.4)) + 1
    with EmbeddedStore(tmp_path, SCHEMA) as store:
        # Of a batch that lies on both sides of midnight one side may be stored; the repetition adds the other.
        assert 200 * following <= totals(store, "flows")[0] <= 200 * (following + 1)
        store.insert(few_keys(200, NOW_MS - HOUR_MS, 2 * HOUR_MS, seed=following), token=str(following))
        assert totals(store, "flows")[0] == 200 * (following + 1)
        store.wait_until_rolled_up(NOW_MS + 3 * HOUR_MS)
        assert_rollups_agree(store)
        assert store.status().tables["flows"].detached == 0


INSERT = "store.insert(few_keys(200, NOW_MS - HOUR_MS, 2 * HOUR_MS, seed=number), token=str(number))"

CLOSING_WRITER = (
    WRITER.replace("86_400", "600")
    .replace(
        "store.start()",
        """
import numpy as np
from millrace.store import closing
closing.PASS_ROWS, closing._SETTLE_S = 2_000, 0.0
store.start()""",
    )
    .replace(
        INSERT,
        """
    flows = few_keys(200, NOW_MS - HOUR_MS, 2 * HOUR_MS, seed=number)
    flows.put("ObservationDomain", np.full(200, number, np.uint32))
    store.insert(flows)""",
    )
)


def test_ten_kills_while_hours_are_closed_lose_and_double_nothing(tmp_path):
    """Every batch has a number; nobody repeats the one that was in flight."""
    chance = random.Random(8)
    acknowledged, following = set(), 0
    for _ in range(10):
        last = run_until_killed(tmp_path, following, chance.uniform(0.2, 0.8), CLOSING_WRITER)
        acknowledged |= set(range(following, last + 1))
        following = last + 2
    with EmbeddedStore(tmp_path, SCHEMA) as store:
        store.wait_until_rolled_up(NOW_MS + 3 * HOUR_MS)
        found = store.query("SELECT ObservationDomain AS number, count() AS flows FROM flows GROUP BY number")
        flows = dict(zip(found["number"].to_pylist(), found["flows"].to_pylist(), strict=True))
        assert {flows[number] for number in acknowledged} == {200}
        assert max(flows.values()) == 200
        assert_rollups_agree(store)
        assert int(store._engine.rows("SELECT count() FROM flows_closed")[0][0]) > 1_000
