"""What is said about mistakes in `sinks` of the configuration."""

import pytest

from millrace.app.settings import Settings
from millrace.config import load
from millrace.errors import ConfigError

RIGHT = {"kind": "file", "format": "parquet", "folder": "/var/lib/flows"}


def loaded(tmp_path, name="archive", **changes):
    path = tmp_path / "millrace.yaml"
    values = {**RIGHT, **changes}
    lines = [f"    {key}: {value}" for key, value in values.items() if value is not None]
    path.write_text("\n".join(["sinks:", f"  {name}:", *lines, ""]))
    return load(Settings, path, {})


def test_a_sink_needs_little_and_loses_rather_than_holding_up_anybody(tmp_path):
    sink = loaded(tmp_path).sinks["archive"]
    assert (sink.when_full, sink.queue_mib, sink.rotate_seconds) == ("drop", 128, 300)
    assert (sink.columns, sink.filter) == ((), "")


def test_no_sink_is_there_by_default():
    assert Settings().sinks == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "kafka"}, "sinks.archive.kind: input should be 'file', not 'kafka'"),
        ({"kind": None}, "sinks.archive.kind: required, but not set"),
        ({"folder": None}, "sinks.archive.folder: required, but not set"),
        ({"format": "csv"}, "sinks.archive.format: input should be 'jsonl' or 'parquet', not 'csv'"),
        ({"when_full": "spool"}, "sinks.archive.when_full: input should be 'drop' or 'wait', not 'spool'"),
        ({"queue_mib": 0}, "sinks.archive.queue_mib: input should be greater than or equal to 1, not 0"),
        ({"rotate_second": 5}, "sinks.archive.rotate_second: unknown key"),
        ({"columns": "[Bytes, Bytes]"}, "sinks.archive.columns: column 'Bytes' is named twice"),
        ({"name": "My Sink"}, "sinks.My Sink"),
        ({"name": "../up"}, "sinks.../up"),
    ],
)
def test_mistakes_are_told_with_key_and_place(tmp_path, changes, said):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, **changes)
    assert said in str(caught.value)
    assert "millrace.yaml line " in str(caught.value)
