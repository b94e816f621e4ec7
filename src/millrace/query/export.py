"""Stored flows as tables for files: the same values as in a search, with types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from millrace.lang import Filter, columns_of
from millrace.query.questions import ExportQuestion
from millrace.query.render import json_values
from millrace.query.results import moment
from millrace.query.search import Ask, Cursor, FlowReader, shown_columns
from millrace.query.source import told_from
from millrace.query.tables import Table
from millrace.schema import Column, Kind, Schema

EXPORT_ROWS = 20_000
"""Flows that are in memory at the same time."""

_TYPES: dict[Kind, pa.DataType] = {
    Kind.ADDRESS: pa.string(),
    Kind.MAC: pa.string(),
    Kind.ENUM: pa.string(),
    Kind.TEXT: pa.string(),
}


@dataclass(frozen=True, slots=True)
class Export:
    """Flows for a file.

    Attributes
    ----------
    start, end : str
        Range that was asked for.
    schema : pyarrow.Schema
        Of every table.
    tables : iterator of pyarrow.Table
        The latest flows first, a window of time each (which may have none);
        asks the store as it goes. Raises QueryError and StoreError.
    """

    start: str
    end: str
    schema: pa.Schema
    tables: Iterator[pa.Table]


def export(
    question: ExportQuestion,
    filter: Filter,  # noqa: A002 - the field's word
    schema: Schema,
    raw: Table,
    now: float,
    ask: Ask,
) -> Export:
    """Flows for a file; the parameters are those of `search`.

    Raises
    ------
    QueryError
        If the question names something unknown, or asks by what no flow of the range tells.
    """
    columns = shown_columns(question.columns, schema)
    start, end = question.span(now)
    reader = FlowReader(columns, filter, raw, told_from(raw, columns_of(filter), start, end), ask)
    tables = _tables(reader, columns, Cursor(end * 1000 - 1), question.limit)
    return Export(moment(start), moment(end), export_schema(columns), tables)


def _tables(reader: FlowReader, columns: Sequence[Column], start: Cursor, limit: int) -> Iterator[pa.Table]:
    left = limit
    for flows, _ in reader.windows(start, min(limit, EXPORT_ROWS)):
        if flows is None:
            yield export_schema(columns).empty_table()
            continue
        yield shown_table(flows.slice(0, left), columns)
        left -= flows.num_rows
        if left <= 0:
            return


def export_schema(columns: Sequence[Column]) -> pa.Schema:
    """Arrow schema of an export; title and description as metadata.

    Addresses, MAC addresses, names of enumerations and communities are texts,
    as data frames want them; times are timestamps in UTC.
    """
    return pa.schema(
        pa.field(column.name, _type(column), metadata={"title": column.title, "description": column.description})
        for column in columns
    )


def shown_table(flows: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """Columns of a table of the store as an export shows them; unknown times are null."""
    shown = [_shown(column, flows.column(column.name)) for column in columns]
    return pa.Table.from_arrays(shown, schema=export_schema(columns))


def _type(column: Column) -> pa.DataType:
    if column.display == "community":
        return pa.list_(pa.string())
    return _TYPES.get(column.kind, column.kind.arrow)


def _shown(column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if column.kind is Kind.TIME_MS:
        moments = values.cast(_type(column))
        # A store has no nulls: where a time is unknown it holds 1970.
        return pc.if_else(pc.equal(moments.cast(pa.int64()), 0), None, moments)
    if column.display == "community":
        return pa.array(json_values(column, values), _type(column))
    if column.kind in (Kind.ADDRESS, Kind.MAC, Kind.ENUM):
        return _by_distinct(values, partial(json_values, column), _type(column))
    return values.cast(_type(column))


def _by_distinct(values: pa.ChunkedArray, show: Callable[[pa.Array], list[Any]], kind: pa.DataType) -> pa.Array:
    """Show each distinct value once."""
    coded = values.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    return pa.array(show(coded.dictionary), kind).take(coded.indices)
