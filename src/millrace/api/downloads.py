"""Tables as files: CSV, JSON lines, Parquet and Arrow, part by part."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from millrace.formats import CsvWriter, finite, json_lines

FileFormat = Literal["csv", "jsonl", "parquet", "arrow"]
"""CSV (RFC 4180), JSON lines, Apache Parquet, Arrow IPC stream."""

_MEDIA_TYPES: dict[FileFormat, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}


class PartWriter(Protocol):
    """Makes a file of tables that have one schema."""

    def write(self, table: pa.Table) -> bytes:
        """Bytes that the rows of a table add to the file."""

    def close(self) -> bytes:
        """Bytes at the end of the file."""


def media_type(file_format: FileFormat) -> str:
    """Media type of a format, for the header of a response."""
    return _MEDIA_TYPES[file_format]


def media_types() -> list[str]:
    """Media types of all formats, without parameters."""
    return [kind.partition(";")[0] for kind in _MEDIA_TYPES.values()]


def disposition(stem: str, start: str, end: str, file_format: FileFormat) -> str:
    """``Content-Disposition`` of a download that is named after its range.

    Parameters
    ----------
    stem : str
        What is in it (``flows``).
    start, end : str
        ISO 8601.
    """
    first, last = (re.sub(r"[^0-9TZ]", "", re.sub(r"\.[0-9]+", "", moment)) for moment in (start, end))
    return f'attachment; filename="millrace-{stem}-{first}-{last}.{file_format}"'


def writer(file_format: FileFormat, schema: pa.Schema) -> PartWriter:
    """Writer of a file.

    Parameters
    ----------
    file_format : str
    schema : pyarrow.Schema
        Of every table that is written: numbers, texts (also coded), timestamps, lists of numbers or texts.
    """
    match file_format:
        case "csv":
            return CsvWriter(schema)
        case "jsonl":
            return _JsonLinesWriter()
        case "parquet":
            return _ContainerWriter(lambda sink: pq.ParquetWriter(sink, schema, compression="zstd"))
        case "arrow":
            return _ContainerWriter(lambda sink: pa.ipc.new_stream(sink, schema))


def write_table(table: pa.Table, file_format: FileFormat) -> bytes:
    """One table as a whole file; see `writer`."""
    made = writer(file_format, table.schema)
    return made.write(table) + made.close()


def write_tables(tables: Iterator[pa.Table], schema: pa.Schema, file_format: FileFormat) -> Iterator[bytes]:
    """Several tables as one file, part by part; see `writer`."""
    made = writer(file_format, schema)
    for table in tables:
        yield made.write(table)
    yield made.close()


class _JsonLinesWriter:
    """JSON lines; unknown values are left out."""

    def write(self, table: pa.Table) -> bytes:
        columns = [finite(column) for column in table.columns]
        return json_lines(pa.Table.from_arrays(columns, names=table.column_names))

    def close(self) -> bytes:
        return b""


class _ContainerWriter:
    """Binary formats, whose libraries write to a file."""

    def __init__(self, start: Callable[[_Outbox], pa.ipc.RecordBatchStreamWriter | pq.ParquetWriter]) -> None:
        self._outbox = _Outbox()
        self._inner = start(self._outbox)

    def write(self, table: pa.Table) -> bytes:
        if table.num_rows:
            self._inner.write_table(table)
        return self._outbox.take()

    def close(self) -> bytes:
        self._inner.close()
        return self._outbox.take()


class _Outbox(io.RawIOBase):
    """A file whose content is taken away while it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # any buffer, as RawIOBase has it
        self._parts.append(part)
        self._length += len(part)
        return len(part)

    def tell(self) -> int:
        return self._length

    def take(self) -> bytes:
        """What was written since the last time."""
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken
