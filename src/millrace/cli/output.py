"""Writes flows as a table, JSON lines, CSV, Parquet or Arrow."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from millrace.batch import FlowBatch
from millrace.formats import FileFormat, PartWriter, readable, writer
from millrace.schema import Schema

NOT_ALL_STORED = 3
"""Exit status: something that was received could not be stored, which the log tells."""


class Format(StrEnum):
    """Output formats of `millrace decode`."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    ARROW = "arrow"


_FILES: dict[Format, FileFormat] = {
    Format.JSONL: "jsonl", Format.CSV: "csv", Format.PARQUET: "parquet", Format.ARROW: "arrow",
}  # fmt: skip

SHOWN = (
    "TimeReceived", "ExporterAddress", "FlowProtocol", "SrcAddr", "SrcPort", "DstAddr", "DstPort", "Proto", "Packets",
    "Bytes", "SamplingRate", "InIf", "OutIf", "SrcAS", "DstAS",
)  # fmt: skip
"""Columns of the table format, as far as a capture fills them."""


class FlowOutput:
    """Writes batches of flows to a file or standard output.

    Parameters
    ----------
    kind : Format
    schema : Schema
    path : Path, optional
        Standard output when None.
    """

    def __init__(self, kind: Format, schema: Schema, path: Path | None) -> None:
        self._kind = kind
        self._schema = schema
        self._path = path
        self._file: BinaryIO | _Shown | None = None
        self._writer: PartWriter | None = None

    def __enter__(self) -> Self:
        if self._path:
            self._file = self._path.open("wb")
        elif self._kind in (Format.CSV, Format.JSONL):
            self._file = _Shown()
        else:
            self._file = sys.stdout.buffer
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        if self._writer is not None:
            self._file.write(self._writer.close())
        self._file.flush()
        if self._path:
            self._file.close()

    def write(self, flows: FlowBatch) -> None:
        """Write a batch."""
        assert self._file is not None
        kind = _FILES.get(self._kind)
        if kind is None:
            self._file.write(self._drawn(flows))
            return
        # Lines leave out what is unknown; files of one schema need every column in every batch.
        table = readable(flows.to_arrow(self._schema, missing=kind != "jsonl"), self._schema)
        if self._writer is None:
            self._writer = writer(kind, table.schema)
        self._file.write(self._writer.write(table))

    def _drawn(self, flows: FlowBatch) -> bytes:
        table = flows.to_arrow(self._schema, missing=False)
        table = readable(table.select([name for name in SHOWN if name in table.column_names]), self._schema)
        console = Console(width=200) if self._path else Console()
        with console.capture() as capture:
            console.print(_rich_table(table))
        return capture.get().encode()


class _Shown:
    """Standard output for text that exporters wrote."""

    def write(self, text: bytes) -> None:
        write_answer(text)

    def flush(self) -> None:
        sys.stdout.buffer.flush()

    def close(self) -> None:
        """It stays open."""


def _rich_table(table: pa.Table) -> Table:
    shown = Table(box=None, header_style="bold")
    for name in table.column_names:
        numeric = pa.types.is_integer(table.schema.field(name).type)
        shown.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in table.to_pylist():
        shown.add_row(*(shown_text(_cell(value)) for value in row.values()))
    return shown


def shown_text(text: str) -> Text:
    """Text for the terminal as it is: exporters and agents write names, which must neither style nor steer it."""
    return Text(_harmless(text))


def write_answer(answer: bytes) -> None:
    """Write lines to standard output: as they are, but on a terminal without what steers one."""
    if sys.stdout.isatty():
        answer = harmless_lines(answer.decode("utf-8", "replace")).encode()
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def harmless_lines(text: str) -> str:
    """Lines without what steers a terminal."""
    return _harmless(text, spared="\n\t")


def _harmless(text: str, spared: str = "") -> str:
    return "".join(sign if sign.isprintable() or sign in spared else "\ufffd" for sign in text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    isoformat = getattr(value, "isoformat", None)
    if isoformat is not None:
        return str(isoformat(sep=" ", timespec="milliseconds")).removesuffix("+00:00")
    return str(value)
