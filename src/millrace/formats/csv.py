"""CSV (RFC 4180) that no spreadsheet runs: texts come from the network (descriptions, names)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

_FORMULA = r"^([=+\-@\t\r\n＝＋－＠])"
"""How a cell begins that a spreadsheet takes for a formula (OWASP, "CSV Injection"); full-width signs included."""


class CsvWriter:
    """CSV with a header row; texts that a spreadsheet would take for a formula get an apostrophe in front.

    Lists are joined by spaces, times are ISO 8601, unknown values are empty.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of every table that is written: numbers, texts (also coded), timestamps, lists of numbers or texts.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._head = b",".join(_name(name) for name in schema.names) + b"\n"

    def write(self, table: pa.Table) -> bytes:
        """Lines of a table; the first time the header too."""
        columns = [_cells(table.column(place)) for place in range(table.num_columns)]
        out = pa.BufferOutputStream()
        options = pacsv.WriteOptions(include_header=False)
        # In one piece: of an empty piece before others Arrow writes kilobytes of whatever is in memory.
        cells = pa.Table.from_arrays(columns, names=table.column_names).combine_chunks()
        pacsv.write_csv(cells, out, options)
        lines: bytes = out.getvalue().to_pybytes()
        return self._take_head() + lines

    def close(self) -> bytes:
        """The header, if nothing was written."""
        return self._take_head()

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head


def finite(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The same without what is no number: text has no sign for it that all readers know."""
    return pc.if_else(pc.is_finite(column), column, None) if pa.types.is_floating(column.type) else column


def _name(name: str) -> bytes:
    text: str = _defused(pa.array([name]))[0].as_py()
    return '"{}"'.format(text.replace('"', '""')).encode()


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _cells(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        local = column.cast(pa.timestamp(kind.unit)).cast(pa.string())
        return pc.binary_join_element_wise(pc.replace_substring(local, " ", "T"), "Z", "")
    if pa.types.is_list(kind):
        texts = [
            pc.binary_join(pa.ListArray.from_arrays(chunk.offsets, chunk.values.cast(pa.string())), " ")
            for chunk in column.chunks
        ]
        return _defused(pa.chunked_array(texts, pa.string()))
    return _defused(column) if pa.types.is_string(kind) else finite(column)


def _defused(texts: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Texts that no spreadsheet runs."""
    return pc.replace_substring_regex(texts, _FORMULA, r"'\1")
