"""Saved state is the old one or the new one, never half of one."""

import json

import pytest
from structlog.testing import capture_logs

from millrace.decode import Decoder
from millrace.pipeline import NullSink, Pipeline, PipelineSettings, StateFile
from millrace.pipeline.decoding import Decoding
from millrace.pipeline.saved import LARGEST_BYTES
from millrace.schema import Schema


def test_what_was_saved_is_loaded(tmp_path):
    file = StateFile(tmp_path / "new" / "state.json")
    assert file.load() is None
    file.save({"templates": [1, 2]})
    assert StateFile(tmp_path / "new" / "state.json").load() == {"templates": [1, 2]}


def test_a_large_state_is_written_as_json_in_pieces(tmp_path):
    state = {"format": 1, "templates": [{"id": number, "text": '"ü'} for number in range(2500)], "none": [], "x": None}
    StateFile(tmp_path / "state.json").save(state)
    assert json.loads((tmp_path / "state.json").read_text()) == state
    StateFile(tmp_path / "state.json").save({})
    assert StateFile(tmp_path / "state.json").load() == {}


GARBAGE = [
    b'{"templates": [1,',
    b"[]",
    b"17",
    b"",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"format": 2, "of": "a later one"}',
    b"[" * 200_000,
    b'{"format": 1, "templates": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    b'{"a":' * 200_000,
    b'{"format": 1, "exporters": [{"last_seen_ns": ' + b"9" * 10_000 + b"}]}",
    b'{"format": 1, "templates": [{"id": 256, "fields": "0007',
]


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_a_file_that_is_of_no_use_is_told_and_kept_beside_the_new_one(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_bytes(text)
    decoding = Decoding(lambda: Decoder(Schema()), StateFile(path))
    with capture_logs() as logs:
        decoding.restore()
    assert [line["kept_as"] for line in logs if line["log_level"] == "warning"] == [f"{path}.unused"]
    StateFile(path).save({"format": 1})
    assert (tmp_path / "state.json.unused").read_bytes() == text
    assert StateFile(path).load() == {"format": 1}


NAMED = b'{"format": 1, "interfaces": [{"exporter": "192.0.2.1", "port": 1, "index": 1, %s}]}'
WRONG_INSIDE = [
    b'{"format": 1, "exporters": {"exporter": "192.0.2.1"}, "templates": 17, "sampling": "x", "interfaces": null}',
    b'{"format": 1, "exporters": [{"exporter": ["192.0.2.1"], "last_seen_ns": 1e400}, {"exporter": null}, [[[[]]]]]}',
    b'{"format": 1, "exporters": [{"exporter": "192.0.2.1", "last_seen_ns": 1e3, "flows_since_ns": {}}]}',
    NAMED % b'"name": ["x"], "description": "\\ud800"',
    NAMED % b'"name": "\\ud800", "description": ""',
    b'{"format": 1, "templates": [' + b"{}," * 10_000 + b"{}]}",
]


@pytest.mark.parametrize("text", WRONG_INSIDE, ids=range(len(WRONG_INSIDE)))
def test_what_is_wrong_inside_is_skipped(tmp_path, text):
    path = tmp_path / "state.json"
    path.write_bytes(text)
    decoding = Decoding(lambda: Decoder(Schema()), StateFile(path))
    with capture_logs() as logs:
        decoding.restore()
    assert not logs
    assert decoding.interface_names() == {}
    decoding.save_now()


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "state.json"
    with path.open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)  # takes no room on the device
    with capture_logs() as logs:
        assert StateFile(path).load() is None
    assert f"more than {LARGEST_BYTES}" in logs[0]["reason"]
    assert not path.exists()


def test_a_file_for_which_there_is_no_memory_is_set_aside(tmp_path, monkeypatch):
    path = tmp_path / "state.json"
    path.write_text("{}")

    def exhausted(_):
        raise MemoryError

    monkeypatch.setattr("millrace.pipeline.saved.json.loads", exhausted)
    with capture_logs() as logs:
        assert StateFile(path).load() is None
    assert "MemoryError" in logs[0]["reason"]


def test_a_collector_starts_beside_any_of_them(tmp_path):
    for number, text in enumerate(GARBAGE + WRONG_INSIDE):
        data = tmp_path / str(number)
        data.mkdir()
        (data / "state.json").write_bytes(text)
        pipeline = Pipeline(
            Schema(), lambda: Decoder(Schema()), lambda flows: flows, NullSink(), PipelineSettings(),
            StateFile(data / "state.json"),
        )  # fmt: skip
        pipeline.start()
        assert pipeline.alive
        assert not pipeline.stop()


def test_a_file_that_cannot_be_read_or_set_aside_is_told_and_no_obstacle(tmp_path):
    (tmp_path / "state.json").mkdir()
    (tmp_path / "state.json.unused").write_text("in the way")
    with capture_logs() as logs:
        assert StateFile(tmp_path / "state.json").load() is None
    assert "cannot be set aside" in logs[0]["reason"]
