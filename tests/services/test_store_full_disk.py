"""A full device: refused with a clear error, nothing stored is lost, it goes on by itself."""

import json
import subprocess

import pytest

from millrace.errors import StoreFullError
from millrace.store import EmbeddedStore, StoreSettings
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, make_flows, totals

from .conftest import need


@pytest.fixture
def small_device(tmp_path):
    """A file system of 64 MiB."""
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    need(mounted.returncode == 0, "no right to mount a small file system")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def fill(store, rows=20_000):
    """Insert until the device refuses; the batches that were acknowledged."""
    for number in range(100):
        try:
            store.insert(make_flows(rows, seed=number), token=str(number))
        except StoreFullError as error:
            return number, str(error)
    pytest.fail("the device never filled up")


@pytest.mark.parametrize("min_free_bytes", [0, 16 * 2**20])
def test_a_full_device_refuses_and_resumes(small_device, min_free_bytes):
    ballast = small_device / "ballast"
    with EmbeddedStore(small_device / "data", SCHEMA, StoreSettings(min_free_bytes=min_free_bytes)) as store:
        ballast.write_bytes(bytes(16 * 2**20))
        acknowledged, message = fill(store)
        assert acknowledged > 0
        assert "free some space" in message
        assert store.status().last_error
        assert totals(store, "flows")[0] == acknowledged * 20_000
        store.maintain(NOW_MS)

        ballast.unlink()
        store.insert(make_flows(20_000, seed=acknowledged), token=str(acknowledged))
        assert totals(store, "flows")[0] == (acknowledged + 1) * 20_000

        subprocess.run(["mount", "-o", "remount,size=512m", str(small_device)], check=True)
        store.wait_until_rolled_up(NOW_MS)
        assert_rollups_agree(store)
    with EmbeddedStore(small_device / "data", SCHEMA) as store:
        assert totals(store, "flows")[0] == (acknowledged + 1) * 20_000


@pytest.mark.parametrize("min_free_bytes", [0, 16 * 2**20])
def test_a_full_device_lets_the_oldest_go_where_that_is_wanted(small_device, min_free_bytes):
    """Ten times as much as fits; the newest is there, and the rollups count what they kept once."""
    settings = StoreSettings(min_free_bytes=min_free_bytes, when_full="drop-oldest")
    rows, batches = 20_000, 25
    with EmbeddedStore(small_device / "data", SCHEMA, settings) as store:
        for number in range(batches):
            store.insert(make_flows(rows, NOW_MS + number * HOUR_MS, seed=number), token=str(number))
            store.maintain(NOW_MS + number * HOUR_MS + 600_000)
        hour = f"intDiv(toUnixTimestamp(TimeReceived) - {NOW_MS // 1000}, 3600)"
        kept = dict(totals_by_hour(store, "flows", f"{hour} AS h, count() AS n"))
        assert kept[batches - 1] == rows
        assert sorted(kept) == list(range(min(kept), batches)), "a gap: not the oldest went"
        assert min(kept) > 0, "all of it fitted: the test shows nothing"
        for table in ("flows_1m0s", "flows_5m0s", "flows_1h0m0s"):
            assert {n for _, n in totals_by_hour(store, table, f"{hour} AS h, sum(Flows) AS n")} <= {rows}
    lines = [json.loads(line) for line in (small_device / "data" / "audit.jsonl").read_text().splitlines()]
    assert {line["act"] for line in lines} == {"drop-oldest"}
    assert sum(line["rows"] for line in lines if line["table"] == "flows") == (batches - len(kept)) * rows


def totals_by_hour(store, table, what):
    return [(row["h"], row["n"]) for row in store.query(f"SELECT {what} FROM {table} GROUP BY h").to_pylist()]
