"""Stores of earlier versions: where their flows were, and how they come to be where they are now.

Version 1 kept every flow in one table ``flows``, sorted by time in partitions of a day.
Nothing of it is copied at the start: the table gets another name, is read as
before, and its flows are closed like those of any hour that is over (see
`millrace.store.closing`), oldest first, while new ones are collected.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from millrace.store import migrations
from millrace.store.ddl import TableSpec
from millrace.store.engine import Engine
from millrace.store.resolutions import BEFORE_TABLE, OPEN_TABLE, RAW_TABLE

_OLD_PARTITION = "toDate(TimeReceived)"


def with_before(engine: Engine, tables: Sequence[TableSpec]) -> Iterator[TableSpec]:
    """The tables, and the one that was put aside, if it is there: it has the columns of the table of open hours."""
    yield from tables
    if migrations.describe(engine, BEFORE_TABLE) is not None:
        yield from (replace(table, name=BEFORE_TABLE) for table in tables if table.name == OPEN_TABLE)


def adopt(engine: Engine) -> None:
    """Take the table of version 1, if there is one, for the table of open hours."""
    found = migrations.describe(engine, RAW_TABLE)
    if found is not None and found.partition == _OLD_PARTITION:
        engine.execute(f"RENAME TABLE {RAW_TABLE} TO {OPEN_TABLE}")


def is_old(engine: Engine) -> bool:
    """Whether the table of open hours is one of version 1."""
    found = migrations.describe(engine, OPEN_TABLE)
    return found is not None and found.partition == _OLD_PARTITION


def set_apart(engine: Engine) -> None:
    """Put the table of version 1 aside, when all of it is in the rollups; the table of open hours is made anew."""
    engine.execute(f"RENAME TABLE {OPEN_TABLE} TO {BEFORE_TABLE}")
