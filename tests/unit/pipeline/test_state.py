"""Saved state is the old one or the new one, never half of one."""

import json

import pytest
from structlog.testing import capture_logs

from millrace.decode import Decoder
from millrace.pipeline import StateFile
from millrace.pipeline.decoding import Decoding
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


def test_a_file_that_cannot_be_read_or_set_aside_is_told_and_no_obstacle(tmp_path):
    (tmp_path / "state.json").mkdir()
    (tmp_path / "state.json.unused").write_text("in the way")
    with capture_logs() as logs:
        assert StateFile(tmp_path / "state.json").load() is None
    assert "cannot be set aside" in logs[0]["reason"]
