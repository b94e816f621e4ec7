"""The file sink: what is written reads back equal, whatever happens on the way."""

import errno
import json
import os
import re
import resource
import stat
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import FlowBatch
from millrace.errors import SinkError
from millrace.schema import Schema
from millrace.sinks import FileSink
from unit.sinks.flow_rows import SCHEMA, a_value, as_json, as_parquet, batch_of, some_rows

NEVER = 1 << 40
FORMATS = ["jsonl", "parquet"]
FEW = (
    "TimeReceived", "SrcAddr", "DstAddr", "SrcMAC", "FlowProtocol", "ExporterName", "Bytes", "SrcPort", "Proto",
    "SrcAS", "DstASPath", "DstCommunities",
)  # fmt: skip
"""A column or two of each kind."""


def sink_in(folder, file_format="jsonl", *, schema=SCHEMA, rotate_bytes=NEVER, rotate_s=3600.0, name="test"):
    return FileSink(name, folder, file_format, schema, rotate_bytes, rotate_s)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def read(folder):
    """Rows of all finished files, in the order of their names."""
    rows = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".jsonl":
            rows += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        elif path.suffix == ".parquet":
            rows += pq.read_table(path).to_pylist()
    return rows


def expected(rows, file_format, columns=None):
    return as_json(rows) if file_format == "jsonl" else as_parquet(rows, columns=columns)


def written(folder, file_format, *batches, **options):
    sink = sink_in(folder, file_format, **options)
    sink.open()
    for batch in batches:
        sink.write(batch)
    sink.close()
    return read(folder)


@pytest.mark.parametrize("file_format", FORMATS)
def test_flows_with_any_of_all_columns_read_back_equal(tmp_path, file_format):
    parts = [some_rows(100, seed) for seed in range(3)]
    rows = written(tmp_path, file_format, *map(batch_of, parts))
    assert rows == expected([row for part in parts for row in part], file_format)


@pytest.mark.parametrize("file_format", FORMATS)
@given(
    st.lists(st.lists(st.sets(st.sampled_from(FEW)), min_size=1, max_size=6), max_size=3),
    st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_any_flows_in_any_batches_read_back_equal(tmp_path_factory, file_format, parts, random):
    folder = tmp_path_factory.mktemp("files")
    rows = [[{name: a_value(random, SCHEMA[name]) for name in FEW if name in row} for row in part] for part in parts]
    schema = Schema(base=[SCHEMA[name] for name in FEW])
    found = written(folder, file_format, *map(batch_of, rows), schema=schema)
    assert found == expected([row for part in rows for row in part], file_format, FEW)


@pytest.mark.parametrize("file_format", FORMATS)
def test_only_chosen_columns_are_written_and_in_their_order(tmp_path, file_format):
    chosen = Schema(base=[SCHEMA["Bytes"], SCHEMA["SrcAddr"]])
    rows = written(tmp_path, file_format, batch_of(some_rows(20, known=1.0)), schema=chosen)
    assert {tuple(row) for row in rows} == {("Bytes", "SrcAddr")}
    assert [row["Bytes"] for row in rows] == [row["Bytes"] for row in some_rows(20, known=1.0)]


def test_a_flow_that_tells_nothing_is_a_line_all_the_same(tmp_path):
    assert written(tmp_path, "jsonl", FlowBatch(2)) == [{}, {}]


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_large_batch_is_written_in_parts_and_rotated_in_between(tmp_path, monkeypatch, file_format):
    monkeypatch.setattr("millrace.sinks.file._ROWS_AT_ONCE", 100)
    monkeypatch.setattr("millrace.sinks.part.ROW_GROUP_ROWS", 300)
    rows = some_rows(450)
    found = written(tmp_path, file_format, batch_of(rows), rotate_bytes=1000)
    assert len(names(tmp_path)) == (5 if file_format == "jsonl" else 2)
    assert found == expected(rows, file_format)


def test_a_name_of_an_enumeration_that_does_not_exist_is_the_first_one_as_in_the_store(tmp_path):
    batch = batch_of([{"FlowProtocol": "ipfix", "Bytes": 1}, {"FlowProtocol": "sflow-v5", "Bytes": 2}])
    batch.columns["FlowProtocol"][1] = 77
    assert [row["FlowProtocol"] for row in written(tmp_path, "parquet", batch)] == ["ipfix", "unknown"]
    assert batch.columns["FlowProtocol"][1] == 77


def test_nothing_is_written_until_a_flow_comes(tmp_path):
    assert written(tmp_path / "files", "parquet") == []
    assert names(tmp_path / "files") == []


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_that_is_large_enough_is_followed_by_another(tmp_path, file_format):
    sink = sink_in(tmp_path, file_format, rotate_bytes=1)
    batches = [some_rows(10, seed) for seed in range(3)]
    for batch in batches:
        sink.write(batch_of(batch))
        sink.tend()
    sink.close()
    assert read(tmp_path) == expected([row for batch in batches for row in batch], file_format)
    assert all(re.fullmatch(rf"test-\d{{8}}T\d{{6}}Z-00000\d\.{file_format}", name) for name in names(tmp_path))
    assert len(names(tmp_path)) == (3 if file_format == "jsonl" else 1)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_that_is_old_enough_is_finished_though_no_flow_comes(tmp_path, file_format):
    sink = sink_in(tmp_path, file_format, rotate_s=0.0)
    sink.write(batch_of(some_rows(3)))
    assert sink.unfinished == 3
    assert sink.tend()
    assert sink.unfinished == 0
    assert read(tmp_path) == expected(some_rows(3), file_format)
    assert not sink.tend()


def test_a_file_has_its_name_only_when_it_is_whole_and_nobody_else_can_read_it(tmp_path):
    folder = tmp_path / "new" / "files"
    before = os.umask(0)
    try:
        sink = sink_in(folder)
        sink.open()
        sink.write(batch_of(some_rows(3)))
    finally:
        os.umask(before)
    (partial,) = folder.iterdir()
    assert partial.name.endswith(".jsonl.partial")
    assert stat.S_IMODE(partial.stat().st_mode) == 0o600
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]
    sink.close()
    assert names(folder) == [partial.name.removesuffix(".partial")]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o750)
    written(tmp_path, "jsonl", batch_of(some_rows(1)))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_what_a_crash_left_is_kept_aside_and_what_is_not_ours_is_left(tmp_path):
    left = tmp_path / "test-20260101T000000Z-000007.jsonl.partial"
    left.write_text('{"Bytes":1}\n{"Byt')
    (tmp_path / "test-20260101T000000Z-000008.parquet.partial").touch()
    others = [
        "other-20260101T000000Z-000001.jsonl.partial",
        "test-a-20260101T000000Z-000001.jsonl.partial",
        "mine.partial",
    ]
    for name in others:
        (tmp_path / name).write_text("x")
    sink_in(tmp_path).open()
    assert names(tmp_path) == sorted(["test-20260101T000000Z-000007.jsonl.incomplete", *others])
    assert left.with_name("test-20260101T000000Z-000007.jsonl.incomplete").read_text() == '{"Bytes":1}\n{"Byt'


def test_a_file_that_somebody_still_writes_is_no_leftover(tmp_path):
    first, second = sink_in(tmp_path), sink_in(tmp_path)
    first.write(batch_of(some_rows(2, seed=1)))
    second.open()
    second.write(batch_of(some_rows(2, seed=2)))
    assert [name.endswith(".partial") for name in names(tmp_path)] == [True, True]
    first.close()
    second.close()
    assert len(read(tmp_path)) == 4


def test_no_file_is_ever_replaced(tmp_path):
    sink = sink_in(tmp_path)
    sink.write(batch_of(some_rows(1)))
    (partial,) = tmp_path.iterdir()
    final = partial.with_name(partial.name.removesuffix(".partial"))
    final.write_text("somebody's\n")
    sink.close()
    assert final.read_text() == "somebody's\n"
    assert names(tmp_path) == sorted([final.name, f"{final.stem}-2.jsonl"])


def test_numbers_that_are_taken_are_left_out(tmp_path, monkeypatch):
    class Now:
        @staticmethod
        def now(zone):
            from datetime import datetime

            return datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone)

    monkeypatch.setattr("millrace.sinks.folder.datetime", Now)
    for end in ("1.jsonl", "2.jsonl.incomplete", "3.jsonl.partial"):
        (tmp_path / f"test-20260102T030405Z-00000{end}").write_text("x")
    sink = sink_in(tmp_path)
    sink.write(batch_of(some_rows(1)))
    sink.close()
    assert "test-20260102T030405Z-000004.jsonl" in names(tmp_path)
    assert len(names(tmp_path)) == 4


@contextmanager
def a_full_disk(monkeypatch, room):
    """The device takes so many bytes more."""
    write, left = os.pwrite, [room]

    def full(fd, data, offset):
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(fd, data[: left[0]], offset)
        left[0] -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr("millrace.sinks.part.os.pwrite", full)
        yield


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("room", [0, 1, 777])
def test_after_a_full_disk_every_flow_is_there_once(tmp_path, monkeypatch, file_format, room):
    sink = sink_in(tmp_path, file_format)
    first, second = batch_of(some_rows(30, 1)), batch_of(some_rows(30, 2))
    sink.write(first)
    with a_full_disk(monkeypatch, room):
        for _ in range(3):
            with pytest.raises(SinkError, match="No space left on device; make room") as caught:
                # Parquet is written in groups of rows, so that only the end needs room.
                sink.write(second) if file_format == "jsonl" else sink.close()
            assert caught.value.transient
        assert read(tmp_path) == []
    sink.write(second)
    sink.close()
    assert read(tmp_path) == expected(some_rows(30, 1) + some_rows(30, 2), file_format)


def test_a_file_that_may_not_grow_is_kept_aside_and_the_next_flows_go_to_another(tmp_path):
    sink = sink_in(tmp_path)
    rows = some_rows(200)
    sink.write(batch_of(rows[:10]))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        with pytest.raises(SinkError, match="smaller rotate_mib") as caught:
            sink.write(batch_of(rows[10:]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (caught.value.transient, caught.value.lost) == (False, 10)
    (aside,) = tmp_path.iterdir()
    assert aside.name.endswith(".jsonl.incomplete")
    assert [json.loads(line) for line in aside.read_text().splitlines()[:10]] == as_json(rows[:10])
    sink.write(batch_of(rows[:5]))
    sink.close()
    assert read(tmp_path) == as_json(rows[:5])


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path):
    (tmp_path / "taken").write_text("a file")
    for folder in (tmp_path / "taken", tmp_path / "taken" / "below"):
        with pytest.raises(SinkError, match=r"taken.*choose another folder") as caught:
            sink_in(folder).open()
        assert not caught.value.transient


def test_a_folder_that_went_away_is_made_again(tmp_path):
    folder = tmp_path / "files"
    sink = sink_in(folder)
    sink.open()
    folder.rmdir()
    sink.write(batch_of(some_rows(2)))
    sink.close()
    assert read(folder) == as_json(some_rows(2))


@pytest.mark.parametrize("file_format", FORMATS)
def test_rows_that_are_wrong_in_themselves_cost_no_others(tmp_path, file_format):
    sink = sink_in(tmp_path, file_format)
    sink.write(batch_of(some_rows(3, 1)))
    wrong = batch_of(some_rows(3, 2, known=1.0))
    wrong.columns["ExporterName"].codes[1] = 99
    with pytest.raises(Exception, match=r"99|out of bounds"):
        sink.write(wrong)
    sink.write(batch_of(some_rows(3, 3)))
    sink.close()
    assert read(tmp_path) == expected(some_rows(3, 1) + some_rows(3, 3), file_format)
