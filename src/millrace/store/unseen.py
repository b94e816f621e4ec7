"""Columns that tables have and the schema lacks.

A column leaves the schema by a slip as easily as on purpose: another
configuration file, an older program. So it stays in its tables, unseen by
questions, and its values are back when it is. Meanwhile new rows hold its
default, and rollups go on telling rows apart by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from millrace.schema import Column, Kind, Schema
from millrace.schema.column import Rollup
from millrace.store.ddl import TableSpec, literal
from millrace.store.engine import Engine
from millrace.store.resolutions import CLOSED_TABLE, OPEN_TABLE, RESOLUTIONS


@dataclass(frozen=True, slots=True)
class Unseen:
    """A stored column that the schema lacks.

    Parameters
    ----------
    table, name, type : str
    bytes : int
        What it takes on the device, compressed; 0 while its parts are young and keep all columns in one file.
    """

    table: str
    name: str
    type: str
    bytes: int


def find_unseen(engine: Engine, tables: Iterable[TableSpec]) -> list[Unseen]:
    """Columns of these tables that are not in their specification."""
    wanted = {table.name: {column.name for column in table.columns} for table in tables}
    rows = engine.rows(
        "SELECT table, name, type, data_compressed_bytes FROM system.columns WHERE database = currentDatabase() "
        f"AND table IN ({', '.join(literal(name) for name in wanted)}) ORDER BY table, position"
    )
    return [Unseen(table, name, kind, int(size)) for table, name, kind, size in rows if name not in wanted[table]]


def rolled(unseen: Iterable[Unseen], roles: Mapping[str, Rollup | None]) -> list[Column]:
    """Unseen columns that the rollups have, as they are to treat them.

    Parameters
    ----------
    unseen : iterable of Unseen
    roles : mapping
        How rollups treated each column when it was last in the schema. One that is not known
        tells rows apart, which loses nothing.
    """
    tables: dict[str, set[str]] = {}
    types: dict[str, str] = {}
    for column in unseen:
        tables.setdefault(column.name, set()).add(column.table)
        types[column.name] = column.type
    everywhere = {OPEN_TABLE, CLOSED_TABLE, *(resolution.table for resolution in RESOLUTIONS)}
    return [
        Column(name, _kind(types[name]), name, "", "Unseen", rollup="sum" if roles.get(name) == "sum" else "key")
        for name, of in tables.items()
        if of >= everywhere
    ]


def with_unseen(schema: Schema, unseen: Iterable[Column]) -> Schema:
    """The schema, and columns that only the tables have."""
    return Schema(unseen, base=schema)


def _kind(kind: str) -> Kind:
    """A kind that is stored as this type."""
    if kind.startswith("Enum8"):
        return Kind.ENUM
    plain = {"UInt8": Kind.U8, "UInt16": Kind.U16, "UInt32": Kind.U32, "UInt64": Kind.U64, "IPv6": Kind.ADDRESS}
    if kind.startswith("DateTime64"):
        return Kind.TIME_MS
    return plain.get(kind, Kind.U32_LIST if kind.startswith("Array") else Kind.TEXT)
