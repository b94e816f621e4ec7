"""Saved state is the old one or the new one, never half of one."""

from millrace.pipeline import StateFile


def test_what_was_saved_is_loaded(tmp_path):
    file = StateFile(tmp_path / "new" / "state.json")
    assert file.load() is None
    file.save({"templates": [1, 2]})
    assert StateFile(tmp_path / "new" / "state.json").load() == {"templates": [1, 2]}


def test_an_unreadable_file_is_no_state(tmp_path):
    path = tmp_path / "state.json"
    path.write_bytes(b'{"templates": [1,')
    assert StateFile(path).load() is None
    path.write_bytes(b"[]")
    assert StateFile(path).load() is None
