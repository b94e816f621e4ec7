"""Tables as files."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from millrace.formats import write_table, writer

FORMATS = ("csv", "jsonl", "parquet", "arrow")

TABLE = pa.table(
    {
        "Time": pa.array([1_767_268_800_123, None], pa.timestamp("ms", tz="UTC")),
        "Name": pa.array(['a "b",\nc', ""]).dictionary_encode(),
        "Path": pa.array([[1, 2], []], pa.list_(pa.uint32())),
        "Communities": pa.array([["64500:1", '"'], None], pa.list_(pa.string())),
        "Rate": [1.5, float("nan")],
        "Count": pa.array([2**64 - 1, None], pa.uint64()),
        "Other": [True, False],
    }
)


def cells(content):
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_csv_is_read_back_by_a_csv_reader():
    assert cells(write_table(TABLE, "csv")) == [
        TABLE.column_names,
        ["2026-01-01T12:00:00.123Z", 'a "b",\nc', "1 2", '64500:1 "', "1.5", str(2**64 - 1), "true"],
        ["", "", "", "", "", "", "false"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", '=HYPERLINK("x")'])
def test_csv_runs_nothing_in_a_spreadsheet(text):
    for column in (pa.array([text]), pa.array([text]).dictionary_encode(), pa.array([[text]], pa.list_(pa.string()))):
        assert cells(write_table(pa.table({"Name": column}), "csv"))[1] == ["'" + text]


def test_csv_leaves_negative_numbers_and_harmless_texts_alone():
    table = pa.table({"n": [-1, 1], "f": [-1.5, 0.5], "t": ["a=b", "et-0/0/1"]})
    assert cells(write_table(table, "csv"))[1:] == [["-1", "-1.5", "a=b"], ["1", "0.5", "et-0/0/1"]]


def test_json_lines_are_json_and_leave_out_what_is_unknown():
    first, second = (json.loads(line) for line in write_table(TABLE, "jsonl").splitlines())
    assert first == {
        "Time": "2026-01-01T12:00:00.123Z",
        "Name": 'a "b",\nc',
        "Path": [1, 2],
        "Communities": ["64500:1", '"'],
        "Rate": 1.5,
        "Count": 2**64 - 1,
        "Other": True,
    }
    assert second == {"Name": "", "Path": [], "Other": False}


def test_parquet_and_arrow_keep_types_and_values():
    for table in (
        pq.read_table(io.BytesIO(write_table(TABLE, "parquet"))),
        pa.ipc.open_stream(write_table(TABLE, "arrow")).read_all(),
    ):
        assert table.schema.field("Time").type == pa.timestamp("ms", tz="UTC")
        assert table.drop_columns(["Rate"]).to_pylist() == TABLE.drop_columns(["Rate"]).to_pylist()


@pytest.mark.parametrize("file_format", FORMATS)
def test_parts_make_the_same_file_as_the_whole(file_format):
    table = pa.table({"n": pa.array(range(100)), "t": [str(n) for n in range(100)]})
    made = writer(file_format, table.schema)
    content = b"".join(made.write(table.slice(at, 7)) for at in range(0, 100, 7)) + made.close()
    match file_format:
        case "parquet":
            assert pq.read_table(io.BytesIO(content)).equals(table)
        case "arrow":
            assert pa.ipc.open_stream(content).read_all().equals(table)
        case _:
            assert content == write_table(table, file_format)


@pytest.mark.parametrize("file_format", FORMATS)
def test_pieces_without_rows_add_nothing(file_format):
    """Arrow fills a CSV file with thousands of zero bytes where the first piece of a table is empty."""
    empty = TABLE.schema.empty_table()
    table = pa.concat_tables([empty, TABLE.slice(0, 0), TABLE.slice(0, 1), TABLE.slice(0, 0), TABLE.slice(1)])
    content = write_table(table, file_format)
    if file_format in ("csv", "jsonl"):
        assert content == write_table(TABLE, file_format)
    else:
        found = (
            pq.read_table(io.BytesIO(content)) if file_format == "parquet" else pa.ipc.open_stream(content).read_all()
        )
        assert found.drop_columns(["Rate"]).to_pylist() == TABLE.drop_columns(["Rate"]).to_pylist()


@pytest.mark.parametrize("file_format", FORMATS)
def test_nothing_is_a_file_as_well(file_format):
    content = write_table(TABLE.schema.empty_table(), file_format)
    match file_format:
        case "csv":
            assert cells(content) == [TABLE.column_names]
        case "jsonl":
            assert content == b""
        case "parquet":
            assert pq.read_table(io.BytesIO(content)).num_rows == 0
        case "arrow":
            assert pa.ipc.open_stream(content).read_all().num_rows == 0


def test_parts_leave_the_memory_as_they_are_taken():
    made = writer("parquet", pa.schema([("n", pa.int64())]))
    sizes = [len(made.write(pa.table({"n": list(range(1000))}))) for _ in range(5)]
    assert all(sizes)
    assert max(sizes) < 5 * min(sizes)


@pytest.mark.parametrize("file_format", FORMATS)
def test_coded_texts_may_have_other_codes_in_every_part(file_format):
    parts = [pa.table({"t": pa.array(texts).dictionary_encode()}) for texts in (["a", "b", "a"], ["c", "b"], ["a"])]
    made = writer(file_format, parts[0].schema)
    content = b"".join(made.write(part) for part in parts) + made.close()
    match file_format:
        case "csv":
            found = [row[0] for row in cells(content)[1:]]
        case "jsonl":
            found = [json.loads(line)["t"] for line in content.splitlines()]
        case "parquet":
            found = pq.read_table(io.BytesIO(content))["t"].to_pylist()
        case "arrow":
            found = pa.ipc.open_stream(content).read_all()["t"].to_pylist()
    assert found == ["a", "b", "a", "c", "b", "a"]
