"""Tables as files: CSV, JSON lines, Parquet and Arrow, part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from millrace.formats.csv import CsvWriter, finite
from millrace.formats.jsonl import json_lines

FileFormat = Literal["csv", "jsonl", "parquet", "arrow"]
"""CSV (RFC 4180), JSON lines, Apache Parquet, Arrow IPC stream."""


class PartWriter(Protocol):
    """Makes a file of tables that have one schema."""

    def write(self, table: pa.Table) -> bytes:
        """Bytes that the rows of a table add to the file."""

    def close(self) -> bytes:
        """Bytes at the end of the file."""


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
            # Coded texts of later tables have other codes.
            options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True, unify_dictionaries=True)
            return _ContainerWriter(lambda sink: pa.ipc.new_stream(sink, schema, options=options))


def write_table(table: pa.Table, file_format: FileFormat) -> bytes:
    """One table as a whole file; see `writer`."""
    made = writer(file_format, table.schema)
    return made.write(table) + made.close()


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


class _Outbox:
    """What Arrow takes for a file, whose content is taken away while it is written."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._length = 0

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Everything is there."""

    def close(self) -> None:
        """What is left can still be taken."""

    def write(self, data: bytes | memoryview) -> int:
        part = bytes(data)
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
