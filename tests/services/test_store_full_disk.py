"""A full device: refused with a clear error, nothing stored is lost, it goes on by itself."""

import subprocess

import pytest

from millrace.errors import StoreFullError
from millrace.store import EmbeddedStore, StoreSettings
from unit.store.made_flows import NOW_MS, SCHEMA, assert_rollups_agree, make_flows, totals

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
