"""The data folder: one process at a time, restarts, status, damage."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from millrace.errors import QueryError, StoreCorruptError, StoreError, StoreLockedError
from millrace.schema import Schema
from millrace.store import EmbeddedStore, local_sql
from millrace.store.sql_server import LENGTH
from unit.store.made_flows import HOUR_MS, NOW_MS, SCHEMA, assert_rollups_agree, few_keys, totals


def part_folders(store, table="flows_open"):
    rows = store.query(f"SELECT path FROM system.parts WHERE active AND table = '{table}' ORDER BY name")
    return rows.column("path").to_pylist()


def test_flows_are_there_after_a_restart(open_store):
    flows = few_keys(100)
    open_store().insert(flows)
    assert totals(open_store(), "flows") == (
        100,
        int(flows.columns["Bytes"].sum()),
        int(flows.columns["Packets"].sum()),
    )


def test_a_second_store_is_refused_with_folder_and_process(open_store, folder):
    open_store()
    with pytest.raises(StoreLockedError, match=rf"{folder}.*{os.getpid()}"):
        EmbeddedStore(folder, SCHEMA).start()
    code = (
        "import sys; from pathlib import Path; from millrace.schema import Schema; from millrace.store import *\n"
        "try: EmbeddedStore(Path(sys.argv[1]), Schema()).start()\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True).stdout
    assert said.startswith("StoreLockedError")
    assert str(os.getpid()) in said


def test_a_second_folder_in_one_process_is_refused(open_store, tmp_path):
    open_store()
    with pytest.raises(StoreError, match="another data folder"):
        EmbeddedStore(tmp_path / "other", SCHEMA).start()
    EmbeddedStore(tmp_path / "other", SCHEMA).stop()


def test_a_stopped_store_says_so(open_store):
    store = open_store()
    store.stop()
    with pytest.raises(StoreError, match="not started"):
        store.query("SELECT 1")
    with pytest.raises(StoreError, match="not started"):
        store.insert(few_keys(1))
    store.start()
    assert store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_a_folder_with_odd_characters_in_its_name(shared_store, tmp_path):
    shared_store.close()
    with EmbeddedStore(tmp_path / "a b & é % + #", SCHEMA) as store:
        store.insert(few_keys(3))
        assert totals(store, "flows")[0] == 3
    with pytest.raises(StoreError, match=r"\?"):
        EmbeddedStore(tmp_path / "a?b", SCHEMA).start()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(shared_store, tmp_path):
    shared_store.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        EmbeddedStore(tmp_path / "file" / "data", SCHEMA).start()


@pytest.mark.parametrize("kind", ["tables", "file"])
def test_a_folder_of_another_program_is_refused_and_left_as_it_is(shared_store, tmp_path, kind):
    shared_store.close()
    folder = tmp_path / "theirs"
    folder.mkdir()
    if kind == "file":
        (folder / "clickhouse").write_text("theirs")
    else:
        with EmbeddedStore(tmp_path / "data", SCHEMA) as theirs:
            theirs._engine.execute("CREATE TABLE secrets (x UInt8) ENGINE = MergeTree ORDER BY x")
        shutil.copytree(tmp_path / "data" / "clickhouse", folder / "clickhouse", symlinks=True)
    before = sorted(str(path) for path in folder.rglob("*"))
    with pytest.raises(StoreError, match=r"folder of another program.*millrace\.lock"):
        EmbeddedStore(folder, SCHEMA).start()
    with pytest.raises(StoreError, match=r"folder of another program|no folder 'clickhouse'"):
        local_sql(folder, "SELECT 1")
    assert sorted(str(path) for path in folder.rglob("*")) == before
    if kind == "tables":
        # What it says helps.
        (folder / "millrace.lock").touch()
        with EmbeddedStore(folder, SCHEMA):
            pass


def test_status_tells_sizes_and_extents(store):
    assert store.status().tables["flows"].oldest_ms is None
    store.insert(few_keys(1000, NOW_MS - HOUR_MS, HOUR_MS))
    status = store.status()
    flows = status.tables["flows"]
    assert flows.rows == 1000
    assert flows.parts >= 1
    assert flows.bytes_on_disk > 1000
    assert NOW_MS - HOUR_MS <= flows.oldest_ms < flows.newest_ms < NOW_MS
    assert set(status.tables) == {"flows", "flows_1m0s", "flows_5m0s", "flows_1h0m0s", "interface_counters"}
    assert 0 < status.free_bytes <= status.total_bytes
    assert status.rolled_up_to_ms == {"1m": None, "5m": None, "1h": None}


def test_an_unreadable_part_is_set_aside_and_reported_and_the_rest_is_read(open_store):
    store = open_store()
    store.insert(few_keys(100, NOW_MS - 50 * HOUR_MS))
    store.insert(few_keys(70))
    damaged = part_folders(store)[0]
    store.stop()
    os.truncate(f"{damaged}/columns.txt", 3)
    store = open_store()
    assert totals(store, "flows")[0] == 70
    assert store.status().tables["flows"].detached == 1
    store.insert(few_keys(5))
    assert totals(store, "flows")[0] == 75


def test_damaged_values_are_an_error_of_the_store_and_the_rest_is_read(open_store):
    store = open_store()
    store.insert(few_keys(1000, NOW_MS - 50 * HOUR_MS))
    store.insert(few_keys(70))
    damaged = part_folders(store)[0]
    store.stop()
    with (Path(damaged) / "data.bin").open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        file.write(b"\xff" * size)
    store = open_store()
    with pytest.raises(StoreCorruptError, match="cannot be read"):
        store.query("SELECT sum(SrcAS), sum(Bytes) FROM flows")
    recent = f"TimeReceived > toDateTime({NOW_MS // 1000 - 86_400})"
    assert totals(store, "flows", where=recent)[0] == 70
    assert any("set aside" in error for error in store.maintain(NOW_MS).errors)
    assert store.status().tables["flows"].detached == 1
    assert totals(store, "flows")[0] == 70
    store.wait_until_rolled_up(NOW_MS)
    assert_rollups_agree(store)


def test_a_plan_whose_flows_are_damaged_does_not_keep_the_folder_from_opening(open_store):
    store = open_store()
    store.insert(few_keys(1000, NOW_MS - 50 * HOUR_MS))
    store._state.put("rollup:1m", {"done": 0, "plan": {"upto": 1, "target": 0}})
    damaged = part_folders(store)[0]
    store.stop()
    with (Path(damaged) / "data.bin").open("r+b") as file:
        file.write(b"\xff" * 4096)
    store = open_store()
    store.insert(few_keys(70))
    store.maintain(NOW_MS)
    store.wait_until_rolled_up(NOW_MS)
    assert totals(store, "flows")[0] == 70
    assert_rollups_agree(store)


def test_local_sql_asks_the_process_that_holds_the_folder_or_opens_it(open_store, folder):
    store = open_store()
    store.insert(few_keys(7))
    assert local_sql(folder, "SELECT count() FROM flows", "TSV") == b"7\n"
    with pytest.raises(QueryError, match="nonsense"):
        local_sql(folder, "SELECT nonsense FROM flows")
    with pytest.raises(QueryError, match="only statements that read"):
        local_sql(folder, "DROP TABLE flows")
    store.stop()
    assert local_sql(folder, "SELECT count() FROM flows", "TSV") == b"7\n"
    assert not (folder / "millrace.sock").exists()


def test_the_socket_belongs_to_its_user_and_survives_large_answers_and_broken_requests(open_store, folder):
    import socket

    open_store()
    path = folder / "millrace.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    for request in (b"", b"\0" * 4, b"\xff" * 8, (5).to_bytes(8, "big") + b"{nope"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(request)
    answer = local_sql(folder, "SELECT number FROM numbers(1000000)", "TSV")
    assert answer.count(b"\n") == 1_000_000


@pytest.mark.parametrize("outside", [False, True])
def test_whoever_leaves_has_the_statement_ended(open_store, folder, outside):
    """Ctrl-C at `millrace sql`; what nobody waits for would hold a connection of the engine until it is through."""
    store = open_store(query_connections=1)
    endless = "SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) % 7 = 3"
    request = json.dumps({"sql": endless, "format": "TSV", "outside": outside}).encode()

    def running():
        return store._engine.rows("SELECT 1 FROM system.processes WHERE query LIKE 'SELECT count() FROM numbers(%'")

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(folder / "millrace.sock"))
        client.sendall(LENGTH.pack(len(request)) + request)
        end = time.monotonic() + 10
        while not running():
            assert time.monotonic() < end
    assert local_sql(folder, "SELECT 7", "TSV") == b"7\n"
    assert not running()


@pytest.mark.parametrize("error", [OSError(24, "Too many open files"), SystemExit(1)])
def test_the_socket_goes_on_after_an_error_which_is_told_until_it_is_over(shared_store, folder, monkeypatch, error):
    failing = [True]

    def flaky(call):
        def failing_call(listener):
            if failing and listener.family == socket.AF_UNIX:
                raise error
            return call(listener)

        return failing_call

    monkeypatch.setattr("millrace.store.sql_server._ERROR_PAUSE_S", 0.02)
    monkeypatch.setattr(socket.socket, "accept", flaky(socket.socket.accept))
    monkeypatch.setattr(socket.socket, "dup", flaky(socket.socket.dup))

    def wait_for(status):
        end = time.monotonic() + 5
        while store.sql.condition().status != status:
            assert time.monotonic() < end

    with EmbeddedStore(folder, Schema()) as store:
        wait_for("degraded")
        assert str(error) in store.sql.condition().reasons[0]
        failing.clear()
        # Also while nobody comes.
        wait_for("ok")
        assert local_sql(folder, "SELECT 7", "TSV") == b"7\n"


def test_the_socket_works_in_a_folder_with_a_long_name(shared_store, tmp_path):
    shared_store.close()
    folder = tmp_path / ("long" * 20) / ("name" * 20)
    with EmbeddedStore(folder, SCHEMA):
        assert local_sql(folder, "SELECT 1", "TSV") == b"1\n"


def test_local_sql_on_something_else_says_so(tmp_path):
    with pytest.raises(StoreError, match="not a data folder"):
        local_sql(tmp_path, "SELECT 1")


def test_a_socket_file_without_a_server_is_replaced(open_store, folder):
    folder.mkdir()
    (folder / "millrace.sock").write_text("left over")
    open_store()
    assert local_sql(folder, "SELECT 1", "TSV") == b"1\n"
