"""What `millrace decode` writes of texts that exporters chose."""

import csv
import io
import sys

import numpy as np
import pytest

from millrace.batch import Coded, FlowBatch
from millrace.cli.output import FlowOutput, Format, write_answer
from millrace.formats import readable, write_table
from millrace.schema import Schema

SCHEMA = Schema()


def flows(text):
    batch = FlowBatch(2)
    batch.put("InIfDescription", Coded(np.array([0, 1], np.int32), ["harmless", text]))
    batch.put("Bytes", np.array([1, 2], np.uint64))
    batch.put("TimeReceived", np.array([1_767_268_800_123] * 2, np.int64))
    return batch


def written(path, *batches):
    with FlowOutput(Format.CSV, SCHEMA, path) as output:
        for batch in batches:
            output.write(batch)
    return path.read_bytes()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("x")'])
def test_csv_runs_nothing_in_a_spreadsheet(tmp_path, text):
    written(tmp_path / "flows.csv", flows(text))
    with (tmp_path / "flows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["InIfDescription"] for row in rows] == ["harmless", f"'{text}"]
    assert [(row["Bytes"], row["TimeReceived"]) for row in rows] == [
        ("1", "2026-01-01T12:00:00.123Z"),
        ("2", "2026-01-01T12:00:00.123Z"),
    ]


def test_csv_is_that_of_the_http_interface_with_one_header(tmp_path):
    batch = flows("=x")
    table = readable(batch.to_arrow(SCHEMA), SCHEMA)
    whole = write_table(table, "csv")
    head, _, rows = whole.partition(b"\n")
    assert written(tmp_path / "flows.csv", batch, batch) == head + b"\n" + rows + rows


@pytest.mark.parametrize("terminal", [True, False])
def test_what_exporters_write_does_not_steer_a_terminal(monkeypatch, terminal):
    answer = "│ \x1b]0;title\x07\x1b[31mred\u202e │ 1\t2 │\n".encode()
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(out, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    write_answer(answer)
    written = out.buffer.getvalue()
    if not terminal:
        assert written == answer
        return
    assert written.decode() == "│ �]0;title��[31mred� │ 1\t2 │\n"


@pytest.mark.parametrize("kind", [Format.CSV, Format.JSONL])
def test_nor_do_flows_that_are_decoded_to_one(monkeypatch, kind):
    batch = flows("\x1b]0;title\x07 \x9b31mred\u202e")
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(out, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", out)
    with FlowOutput(kind, SCHEMA, None) as output:
        output.write(batch)
    text = out.buffer.getvalue().decode()
    assert "harmless" in text
    assert not {"\x9b", "\u202e", "\x07"} & set(text)
    assert "\x1b]" not in text
