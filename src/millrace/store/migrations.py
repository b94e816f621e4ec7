"""Brings the tables of a data folder to what the schema wants.

Adding columns, widening types, changing codecs and settings keep every row. A
column that the schema lacks stays where it is, with its values (see `unseen`).
What ClickHouse could only do by losing values is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from millrace.errors import StoreError
from millrace.store import faults
from millrace.store.ddl import ColumnSpec, TableSpec, literal, quote, setting_list
from millrace.store.engine import Engine

_WIDTHS = {"UInt8": 8, "UInt16": 16, "UInt32": 32, "UInt64": 64}


@dataclass(frozen=True, slots=True)
class TableFound:
    """A table as the engine describes it."""

    columns: Mapping[str, ColumnSpec]
    order: str
    partition: str
    engine: str


def migrate(engine: Engine, wanted: Iterable[TableSpec]) -> list[str]:
    """Create and alter tables; the statements that were run.

    Raises
    ------
    StoreError
        If a change would lose data; nothing of that table was altered.
    """
    statements: list[str] = []
    for table in wanted:
        found = describe(engine, table.name)
        steps = [table.create] if found is None else plan(table, found)
        for step in steps:
            with faults.refusing(f"changing table {table.name!r} ({step})"):
                engine.execute(step)
        statements += steps
    return statements


def describe(engine: Engine, name: str) -> TableFound | None:
    """Columns and keys of a table; None if there is no such table."""
    where = f"database = currentDatabase() AND table = {literal(name)}"
    columns = engine.rows(
        f"SELECT name, type, compression_codec, default_expression FROM system.columns WHERE {where} ORDER BY position"
    )
    if not columns:
        return None
    facts = engine.rows(
        "SELECT sorting_key, partition_key, engine_full FROM system.tables "
        f"WHERE database = currentDatabase() AND name = {literal(name)}"
    )[0]
    specs = {
        column: ColumnSpec(column, kind, codec.removeprefix("CODEC(").removesuffix(")"), default)
        for column, kind, codec, default in columns
    }
    return TableFound(specs, facts[0], facts[1], facts[2])


def plan(table: TableSpec, found: TableFound) -> list[str]:
    """ALTER statements that lead from what is there to what is wanted.

    Raises
    ------
    StoreError
        If the order, the partitions or a type cannot be changed in place.
    """
    partitions = {_key(table.partition), _key(table.earlier_partition or table.partition)}
    if _key(found.order) != _key(", ".join(table.order)) or _key(found.partition) not in partitions:
        raise StoreError(
            f"table {table.name!r} is sorted by ({found.order}) and partitioned by ({found.partition}), wanted is "
            f"({', '.join(table.order)}) and ({table.partition}), which cannot be changed in place; "
            "start with an empty data folder, or open this one with the version that made it"
        )
    steps = [*_changed(table, found), *_added(table, found)]
    alter = f"ALTER TABLE {quote(table.name)} "
    statements = [alter + ", ".join(steps)] if steps else []
    settings = _settings(table, found)
    if settings:
        statements.append(f"{alter}MODIFY SETTING {setting_list(settings)}")
    return statements


def _added(table: TableSpec, found: TableFound) -> list[str]:
    steps = []
    before = ""
    for column in table.columns:
        if column.name not in found.columns:
            place = f"AFTER {quote(before)}" if before else "FIRST"
            steps.append(f"ADD COLUMN {column.sql} {place}")
        before = column.name
    return steps


def _changed(table: TableSpec, found: TableFound) -> list[str]:
    steps = []
    for column in table.columns:
        old = found.columns.get(column.name)
        if old is None or old == column:
            continue
        if not _widens(old.type, column.type):
            raise StoreError(
                f"column {column.name!r} of table {table.name!r} is stored as {old.type} and cannot become "
                f"{column.type} without losing values; give the new column another name, or take it out of the "
                "configuration and drop what is stored of it with 'millrace store prune --columns'"
            )
        if old.type != column.type and column.name in table.order:
            raise StoreError(f"column {column.name!r} sorts table {table.name!r}; its type cannot change")
        steps.append(f"MODIFY COLUMN {column.sql}")
    return steps


def _widens(old: str, new: str) -> bool:
    """Whether every value of a type keeps its meaning in another."""
    if old == new:
        return True
    if old in _WIDTHS and new in _WIDTHS:
        return _WIDTHS[old] < _WIDTHS[new]
    if {old, new} == {"String", "LowCardinality(String)"}:
        return True
    if old.startswith("Enum8(") and new.startswith("Enum8("):
        return _enum(old).items() <= _enum(new).items()
    return False


def _enum(kind: str) -> dict[str, str]:
    return dict(re.findall(r"'((?:[^'\\]|\\.)*)' = (-?\d+)", kind))


def _settings(table: TableSpec, found: TableFound) -> dict[str, int | str]:
    """Settings that differ; the engine prints the ones given at creation."""
    clause = found.engine.partition(" SETTINGS ")[2]
    there = {name: value.strip("'") for name, value in re.findall(r"(\w+) = ('[^']*'|[^,\s]+)", clause)}
    return {name: value for name, value in table.settings.items() if there.get(name) != str(value)}


def _key(expression: str) -> str:
    return re.sub(r"[\s()]", "", expression)
