"""Sinks of the configuration beside the store: they agree with it, and what becomes of them costs it nothing."""

import errno
import json
import os
import time

import pyarrow.parquet as pq
import pytest

from millrace.app.application import Application
from millrace.app.loading import load_captures
from millrace.app.settings import Settings
from millrace.app.sinks import make_sinks
from millrace.errors import ConfigError
from millrace.generate import LoadPool, write_capture

COLUMNS = ["TimeReceived", "ExporterAddress", "SrcAddr", "DstAddr", "SrcPort", "DstPort", "Proto", "Bytes", "Packets"]


class FullDisk:
    """What files of sinks are written with, on a device that takes nothing."""

    fsync, close = os.fsync, os.close

    @staticmethod
    def pwrite(fd, data, offset):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def settings_of(folder, **sinks):
    return Settings.model_validate(
        {
            "data": folder / "data",
            "receive": {"listeners": ["127.0.0.1:0"]},
            "api": {"enabled": False},
            "pipeline": {"flush_interval_s": 0.05, "retry_interval_s": 0.05, "stop_timeout_s": 1},
            "sinks": sinks,
        }
    )


def to(folder, file_format="jsonl", **more):
    return {"kind": "file", "format": file_format, "folder": folder, **more}


@pytest.fixture
def run():
    """Starts applications, and stops them."""
    made = []

    def run(settings):
        application = Application(settings)
        made.append(application)
        application.start()
        return application

    yield run
    for application in made:
        application.pipeline.give_up_waiting()
        application.stop()


def feed(application, times=1):
    """240 flows each time."""
    pool, now_ns = LoadPool("ipfix", datagrams=10), time.time_ns()
    application.pipeline.put(pool.preamble(now_ns).batch("192.0.2.1", time_ns=now_ns))
    for _ in range(times):
        application.pipeline.put(pool.take(10, now_ns).batch("192.0.2.1", time_ns=now_ns))


def lines(folder):
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def table(folder):
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def values(rows):
    """Rows of the columns that are compared, in an order of their own; times as texts."""

    def text(value):
        if value is None:
            # The store has no unknown values.
            return 0
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if hasattr(value, "isoformat") else value

    return sorted(tuple(text(row.get(name)) for name in COLUMNS) for row in rows)


def stored(settings):
    application = Application(settings)
    application.store.start()
    shown = ", ".join(
        f"replaceOne(toString({name}), '::ffff:', '') AS {name}" if name.endswith(("Addr", "Address")) else name
        for name in COLUMNS
    )
    try:
        return application.store.query(f"SELECT {shown} FROM (SELECT * FROM flows)").to_pylist()
    finally:
        application.store.stop()


def test_a_load_reads_back_equal_from_the_store_parquet_and_json_lines(tmp_path):
    capture = write_capture(tmp_path / "made.pcap", flows=4000, start_s=int(time.time()) - 900)
    settings = settings_of(
        tmp_path,
        lines=to(tmp_path / "lines", rotate_mib=1, queue_mib=1),
        table=to(tmp_path / "table", "parquet", queue_mib=1),
        some=to(tmp_path / "some", columns=["Bytes", "Proto"], filter="Proto = udp"),
    )
    loaded = load_captures(settings, [capture])
    assert loaded.flows > 3000
    assert loaded.unwritten == {}
    found = values(stored(settings))
    assert len(found) == loaded.flows
    assert values(lines(tmp_path / "lines")) == found
    assert values(table(tmp_path / "table")) == found
    udp = sorted(row[COLUMNS.index("Bytes")] for row in found if row[COLUMNS.index("Proto")] == 17)
    assert sorted(row["Bytes"] for row in lines(tmp_path / "some")) == udp
    assert {tuple(row) for row in lines(tmp_path / "some")} == {("Bytes", "Proto")}
    assert loaded.written == {"lines": len(found), "table": len(found), "some": len(udp)}


def test_a_collector_writes_what_it_stores(tmp_path, run):
    settings = settings_of(tmp_path, archive=to(tmp_path / "files"))
    application = run(settings)
    feed(application, 4)
    wait_for(lambda: application.pipeline.sinks[0].written == 960)
    assert application.health.report().components["sink-archive"].status == "ok"
    metrics = application.metrics.render()[0].decode()
    assert 'millrace_sinks_written_flows_total{sink="archive"} 960.0' in metrics
    assert 'millrace_threads_restarts_total{thread="sink-archive"} 0.0' in metrics
    application.stop()
    assert values(lines(tmp_path / "files")) == values(stored(settings))


@pytest.mark.parametrize("when_full", ["drop", "wait"])
def test_a_sink_without_a_folder_costs_the_store_nothing_and_health_says_it(tmp_path, run, when_full):
    (tmp_path / "taken").write_text("a file")
    application = run(settings_of(tmp_path, archive=to(tmp_path / "taken", when_full=when_full)))
    feed(application, 4)
    (branch,) = application.pipeline.sinks
    wait_for(lambda: application.pipeline.writer.stored == 960)
    wait_for(lambda: branch.dropped == {"sink-refused": 960})
    report = application.health.report()
    assert report.status == "degraded"
    assert "choose another folder" in report.components["sink-archive"].reasons[0]
    assert {name for name, told in report.components.items() if told.status != "ok"} == {"sink-archive"}
    metrics = application.metrics.render()[0].decode()
    assert 'millrace_sinks_dropped_flows_total{reason="sink-refused",sink="archive"} 960.0' in metrics
    application.stop()
    assert not application.unstored
    assert application.failed_stops == []


def test_a_full_disk_costs_the_store_nothing_and_is_over_when_there_is_room(tmp_path, run, monkeypatch):
    settings = settings_of(tmp_path, archive=to(tmp_path / "files"))
    application = run(settings)
    (branch,) = application.pipeline.sinks
    with monkeypatch.context() as patch:
        patch.setattr("millrace.sinks.part.os", FullDisk)
        feed(application, 4)
        wait_for(lambda: application.pipeline.writer.stored == 960)
        wait_for(lambda: "make room" in str(application.health.report().components["sink-archive"].reasons))
        assert branch.waiting_rows == 960
        assert application.health.report().components["writer"].status == "ok"
    wait_for(lambda: branch.written == 960, seconds=20)
    assert application.health.report().components["sink-archive"].status == "ok"
    application.stop()
    assert values(lines(tmp_path / "files")) == values(stored(settings))


def test_a_load_with_a_full_disk_is_stored_and_says_what_the_sink_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("millrace.sinks.part.os", FullDisk)
    monkeypatch.setattr("millrace.pipeline.pipeline._GRACE_S", 0.5)
    capture = write_capture(tmp_path / "made.pcap", flows=1000, start_s=int(time.time()) - 900)
    settings = settings_of(tmp_path, archive=to(tmp_path / "files", queue_mib=1))
    loaded = load_captures(settings, [capture])
    assert (loaded.lost, loaded.written["archive"]) == (0, 0)
    assert loaded.unwritten["archive"] == loaded.flows == len(stored(settings))
    assert lines(tmp_path / "files") == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"columns": ["SrcAsn"]}, r"sinks\.archive\.columns: unknown column 'SrcAsn'; did you mean 'SrcAS'\?"),
        ({"filter": "Proto = "}, r"sinks\.archive\.filter: line 1, column \d+: "),
        ({"filter": "Nothing = 1"}, r"sinks\.archive\.filter: .*'Nothing'"),
        ({"folder": "data"}, r"sinks\.archive\.folder: .*data is the data folder, or in it"),
        ({"folder": "data/files"}, r"sinks\.archive\.folder: .*choose a folder of its own"),
        ({"folder": "elsewhere/../data"}, r"sinks\.archive\.folder: .*is the data folder"),
    ],
)
def test_what_is_wrong_with_a_sink_is_said_before_anything_starts(tmp_path, wrong, said):
    if "folder" in wrong:
        wrong = {"folder": tmp_path / wrong["folder"]}
    settings = settings_of(tmp_path, archive={**to(tmp_path / "files"), **wrong})
    with pytest.raises(ConfigError, match=said):
        make_sinks(settings)
    with pytest.raises(ConfigError, match=said):
        Application(settings)
    assert not (tmp_path / "data").exists()


def test_columns_and_names_of_the_configuration_can_be_used(tmp_path):
    settings = Settings.model_validate(
        {
            "data": tmp_path / "data",
            "schema": {"columns": [{"name": "FlowId", "type": "u64", "element": {"id": 148}}]},
            "as_names": {64500: "Example Net"},
            "sinks": {"archive": to(tmp_path, columns=["FlowId"], filter="SrcAS = 'Example Net' OR FlowId > 5")},
        }
    )
    assert [branch.sink_name for branch in make_sinks(settings)] == ["archive"]
