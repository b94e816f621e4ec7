"""The command line does what its help says, and user errors end with a sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.ipc
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from millrace.cli.main import app
from millrace.errors import MillraceError
from millrace.generate import write_capture

MILLRACE = Path(sys.executable).with_name("millrace")


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    return write_capture(tmp_path_factory.mktemp("capture") / "mix.pcap", flows=400, seed=3)


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


def test_decode_prints_a_table_and_says_what_it_held(capture):
    result = run("decode", capture)
    assert "SrcAddr" in result.stdout
    assert "flows from" in result.stderr


def test_decode_writes_json_lines(capture):
    rows = [json.loads(line) for line in run("decode", capture, "--format", "jsonl", "--quiet").stdout.splitlines()]
    assert len(rows) > 300
    assert {row["FlowProtocol"] for row in rows} >= {"ipfix", "netflow-v9", "sflow-v5"}
    assert all("." in row["SrcAddr"] or ":" in row["SrcAddr"] for row in rows)


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_decode_writes_files(capture, tmp_path, kind):
    path = tmp_path / f"flows.{kind}"
    run("decode", capture, "--format", kind, "--output", path)
    rows = len(run("decode", capture, "--format", "jsonl", "--quiet").stdout.splitlines())
    if kind == "parquet":
        assert pyarrow.parquet.read_table(path).num_rows == rows
    elif kind == "arrow":
        assert pyarrow.ipc.open_stream(path).read_all().num_rows == rows
    else:
        assert len(path.read_text().splitlines()) == rows + 1


def test_decode_raw_shows_fields_by_their_iana_names(capture):
    text = run("decode", capture, "--raw").stdout
    datagrams = [json.loads(line) for line in text.splitlines()]
    assert len(datagrams) > 10
    assert "octetDeltaCount" in text


def test_read_gives_the_same_flows_as_decode(capture):
    import millrace

    rows = len(run("decode", capture, "--format", "jsonl", "--quiet").stdout.splitlines())
    assert millrace.read(capture).num_rows == rows
    assert millrace.read(capture, columns=["SrcAddr"], text=True).column_names == ["SrcAddr"]


def test_a_file_that_is_no_capture_is_named(tmp_path):
    path = tmp_path / "broken.pcap"
    path.write_bytes(b"\xd4\xc3\xb2\xa1" + b"\xff" * 100)
    result = CliRunner().invoke(app, ["decode", str(path)])
    assert isinstance(result.exception, MillraceError)
    assert str(path) in str(result.exception)


def test_load_stores_what_decode_shows(capture, tmp_path):
    rows = len(run("decode", capture, "--format", "jsonl", "--quiet").stdout.splitlines())
    data = tmp_path / "data"
    assert f"{rows} flows" in run("load", capture, "--data", data, "--end-now").stderr
    query = "SELECT count() AS n, max(TimeReceived) > now() - 60 AS recent FROM flows"
    assert run("sql", "--data", data, "--format", "TSV", query).stdout == f"{rows}\t1\n"


def test_load_warns_of_flows_that_the_store_does_not_keep(capture, tmp_path):
    assert "--end-now" in run("load", capture, "--data", tmp_path / "data").stderr


def test_config_show_and_schema_and_check(tmp_path):
    config = tmp_path / "millrace.yaml"
    config.write_text("receive:\n  listeners: [2055]\n")
    assert run("config", "check", "-c", config).stdout == "the configuration is right\n"
    assert "2055" in run("config", "show", "-c", config).stdout
    assert json.loads(run("config", "schema").stdout)["properties"]["receive"]


def test_an_unknown_key_is_refused_with_the_nearest_right_one(tmp_path):
    config = tmp_path / "millrace.yaml"
    config.write_text("receive:\n  listners: [2055]\n")
    done = subprocess.run([MILLRACE, "config", "check", "-c", config], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 1
    assert "did you mean 'listeners'" in done.stderr
    assert "line 2" in done.stderr
    assert "Traceback" not in done.stderr


def test_generate_writes_equal_captures_for_equal_seeds(tmp_path):
    for name in ("a", "b"):
        run("generate", "--write", tmp_path / name, "--count", 100, "--seed", 5, "--protocol", "ipfix")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_every_command_has_help():
    for command in ("serve", "demo", "decode", "load", "replay", "generate", "top", "sql", "bench", "config"):
        assert len(run(command, "--help").stdout) > 200


def test_top_says_when_no_collector_answers():
    result = CliRunner().invoke(app, ["top", "--once", "--url", "http://127.0.0.1:9"])
    assert "no collector answers" in str(result.exception)


def test_the_version_is_printed():
    assert run("--version").stdout.startswith("millrace 0.")
