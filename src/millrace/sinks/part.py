"""One file while it is written."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pyarrow as pa

from millrace.formats import writer
from millrace.sinks.config import FileFormat

ROW_GROUP_ROWS = 65_536
ROW_GROUP_BYTES = 32 << 20
"""Rows of Parquet are gathered up to either bound: small groups compress badly and are slow to read. Until its end a
Parquet file is unreadable anyhow, so that nothing more is lost in a crash."""


class PartFile:
    """Appends tables to a file, and never has half of one in it for good.

    What the device does not take is held, and goes first the next time:
    `flush` and `end` may be called again after an OSError and go on where
    they stopped.

    Parameters
    ----------
    fd : int
        Of an empty file, for writing; closed by `close`.
    path : Path
    file_format : FileFormat
    schema : pyarrow.Schema
        Of every table.

    Attributes
    ----------
    path : Path
    rows : int
        Rows put into it.
    nbytes : int
        Bytes that the device has taken.
    ended : bool
        Whether nothing more may be put into it.
    """

    def __init__(self, fd: int, path: Path, file_format: FileFormat, schema: pa.Schema) -> None:
        self._fd = fd
        self.path = path
        self._writer = writer(file_format, schema)
        self._gathers = file_format == "parquet"
        self._gathered: list[pa.Table] = []
        self._gathered_rows = self._gathered_bytes = 0
        self._held = memoryview(b"")
        self._began = time.monotonic()
        self.rows = 0
        self.nbytes = 0
        self.ended = False

    @property
    def age_s(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began

    def put(self, table: pa.Table) -> None:
        """Add rows; `flush` writes them. What was put before must be flushed."""
        self.rows += table.num_rows
        if not self._gathers:
            self._held = memoryview(self._writer.write(table))
            return
        self._gathered.append(table)
        self._gathered_rows += table.num_rows
        self._gathered_bytes += table.nbytes
        if self._gathered_rows >= ROW_GROUP_ROWS or self._gathered_bytes >= ROW_GROUP_BYTES:
            self._held = memoryview(self._row_group())

    def flush(self) -> None:
        """Write what is held.

        Raises
        ------
        OSError
            When the device refuses.
        """
        while self._held:
            written = os.pwrite(self._fd, self._held, self.nbytes)
            self.nbytes += written
            self._held = self._held[written:]

    def end(self) -> None:
        """Write the end of the file, and wait until the device has all of it.

        Raises
        ------
        OSError
            When the device refuses.
        """
        self.flush()
        if not self.ended:
            self._held = memoryview(self._row_group() + self._writer.close())
            self.ended = True
        self.flush()
        os.fsync(self._fd)

    def close(self) -> None:
        """Close the file as it is, which also ends its lock."""
        os.close(self._fd)

    def _row_group(self) -> bytes:
        if not self._gathered:
            return b""
        # Texts of the tables are coded differently.
        table = pa.concat_tables(self._gathered).unify_dictionaries().combine_chunks()
        self._gathered.clear()
        self._gathered_rows = self._gathered_bytes = 0
        return self._writer.write(table)
