"""Saved state is the old one or the new one, never half of one."""

import json

from millrace.pipeline import StateFile


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


def test_an_unreadable_file_is_no_state(tmp_path):
    path = tmp_path / "state.json"
    path.write_bytes(b'{"templates": [1,')
    assert StateFile(path).load() is None
    path.write_bytes(b"[]")
    assert StateFile(path).load() is None
