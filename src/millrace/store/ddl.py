"""Tables as data, and the SQL that creates them. Knows no engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from millrace.schema import COUNTER_COLUMNS, Column, Kind, Schema
from millrace.store.config import StoreSettings
from millrace.store.resolutions import CLOSED_TABLE, COUNTER_TABLE, OPEN_TABLE, RESOLUTIONS, Resolution

SCHEMA_VERSION = 2
"""Raised when the order or the partitions of a table change in a way that columns do not show."""

STATE_TABLE = "millrace_state"
"""Small facts the store must remember, by key."""

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """A column as ClickHouse sees it.

    Parameters
    ----------
    name, type : str
    codec : str
        Inside of ``CODEC(…)``.
    default : str
        Expression, or empty for the default of the type.
    """

    name: str
    type: str
    codec: str = "LZ4"
    default: str = ""

    @property
    def sql(self) -> str:
        """Definition inside CREATE and ALTER."""
        default = f" DEFAULT {self.default}" if self.default else ""
        return f"{quote(self.name)} {self.type}{default} CODEC({self.codec})"


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table: what migrations compare with what is there.

    Parameters
    ----------
    name : str
    columns : tuple of ColumnSpec
        In storage order.
    order, partition : tuple of str, str
        Sorting key and partition expression.
    keep_days : int, optional
        Days after ``TimeReceived`` at which rows expire (see `retention`).
    settings : mapping
        Settings of the MergeTree engine.
    indices : tuple of str
        Skipping indices, as inside CREATE.
    earlier_partition : str
        Partition expression of an earlier version, which is taken as it is.
    """

    name: str
    columns: tuple[ColumnSpec, ...]
    order: tuple[str, ...]
    partition: str = ""
    keep_days: int | None = None
    settings: Mapping[str, int | str] = field(default_factory=dict)
    indices: tuple[str, ...] = ()
    earlier_partition: str = ""

    @property
    def create(self) -> str:
        """CREATE TABLE statement."""
        columns = ",\n    ".join((*(column.sql for column in self.columns), *self.indices))
        partition = f"\nPARTITION BY {self.partition}" if self.partition else ""
        return (
            f"CREATE TABLE IF NOT EXISTS {quote(self.name)}\n(\n    {columns}\n)\nENGINE = MergeTree{partition}\n"
            f"ORDER BY ({', '.join(self.order)})\nSETTINGS {setting_list(self.settings)}"
        )


def quote(name: str) -> str:
    """Quote an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(text: str) -> str:
    """Quote a string."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def setting_list(settings: Mapping[str, int | str]) -> str:
    """``name = value`` pairs of a SETTINGS clause."""
    return ", ".join(
        f"{name} = {literal(value) if isinstance(value, str) else value}" for name, value in settings.items()
    )


def tables(schema: Schema, settings: StoreSettings) -> Iterator[TableSpec]:
    """Every table that a store of this schema has, sources before what is computed from them."""
    yield state_table()
    yield open_table(schema, settings)
    yield closed_table(schema, settings)
    for resolution in RESOLUTIONS:
        yield rollup_table(schema, resolution, settings)
    yield counter_table(settings)


def state_table() -> TableSpec:
    """Facts by key; the row with the highest version counts."""
    columns = (
        ColumnSpec("Key", "String"),
        ColumnSpec("Value", "String"),
        ColumnSpec("Version", "UInt64"),
    )
    return TableSpec(STATE_TABLE, columns, ("Key", "Version"), settings={"auto_statistics_types": ""})


def open_table(schema: Schema, settings: StoreSettings) -> TableSpec:
    """Flows of open hours.

    Sorted by time alone: batches come in that order, so inserts need no sort
    and merges copy runs. Partitioned by the hour, since an hour goes when it is closed.
    """
    columns = tuple(column_spec(column) for column in schema)
    return TableSpec(
        OPEN_TABLE,
        columns,
        ("TimeReceived",),
        "toStartOfHour(TimeReceived)",
        settings.retention_raw_days,
        _merge_tree(settings),
        earlier_partition="toDate(TimeReceived)",
    )


CLOSED_ORDER = ("toStartOfFiveMinutes(TimeReceived)", "ExporterAddress", "InIf", "OutIf", "TimeReceived")
"""How closed hours are sorted: as they compress best, and near to each other what is asked for together."""

_CLOSED_KEY = 4
"""So much of that order is kept in memory, and by merges."""

_ADDRESSES = ("SrcAddr", "DstAddr")


def closed_table(schema: Schema, settings: StoreSettings) -> TableSpec:
    """Flows of closed hours: written once, read often."""
    columns = tuple(_packed(column_spec(column)) for column in schema)
    return TableSpec(
        CLOSED_TABLE,
        columns,
        CLOSED_ORDER[:_CLOSED_KEY],
        "toDate(TimeReceived)",
        settings.retention_raw_days,
        {**_merge_tree(settings), "min_bytes_for_wide_part": 128 * _MIB},
        # Of indices with larger granules the engine makes no use for "one address or the other" (26.9).
        tuple(f"INDEX {name} {quote(name)} TYPE bloom_filter(0.025) GRANULARITY 1" for name in _ADDRESSES),
    )


def _packed(column: ColumnSpec) -> ColumnSpec:
    """How a closed hour keeps a column."""
    if column.name in _ALWAYS_READ:
        return replace(column, codec=_ALWAYS_READ[column.name])
    dense = _denser(column)
    # Times go forward inside of an interface, but by uneven steps.
    return replace(dense, codec=dense.codec.replace("DoubleDelta", "Delta(8)"))


_ALWAYS_READ = dict.fromkeys(("TimeReceived", "Bytes", "Packets"), "T64, LZ4")
"""What every question reads is quick to read before it is small: half of the time of ZSTD(1) for 0.8 bytes a flow."""


def _denser(column: ColumnSpec) -> ColumnSpec:
    return column if column.name in _RUNS else replace(column, codec=column.codec.replace("LZ4", "ZSTD(1)"))


_RUNS = frozenset({"SamplingRate"})
"""Wide numbers that hardly change from row to row: LZ4 keeps such runs in a tenth of the room of ZSTD(1),
and reads them in a tenth of the time. Every question reads this one."""


def rollup_table(schema: Schema, resolution: Resolution, settings: StoreSettings) -> TableSpec:
    """One rollup: keys, sums, and the number of flows.

    The sorting key is short: sorting on all keys costs more than the grouping.
    """
    keys = (_denser(column_spec(column)) for column in schema if column.rollup == "key")
    # Sums are what every question reads: they are quick to read before they are small.
    sums = (ColumnSpec(column.name, "UInt64", "T64, LZ4") for column in schema if column.rollup == "sum")
    columns = (
        ColumnSpec("TimeReceived", "DateTime('UTC')", "DoubleDelta, ZSTD(1)"),
        *keys,
        *sums,
        ColumnSpec("Flows", "UInt64", "T64, LZ4"),
    )
    days = {
        "1m": settings.retention_1m_days,
        "5m": settings.retention_5m_days,
        "1h": settings.retention_1h_days,
    }[resolution.name]
    order = ("TimeReceived", "ExporterAddress", "InIf", "SrcAS")
    return TableSpec(resolution.table, columns, order, resolution.partition, days, _merge_tree(settings))


def counter_table(settings: StoreSettings) -> TableSpec:
    """Interface counters."""
    columns = tuple(column_spec(column) for column in COUNTER_COLUMNS)
    order = ("ExporterAddress", "IfIndex", "TimeReceived")
    days = settings.retention_counters_days
    return TableSpec(COUNTER_TABLE, columns, order, "toMonday(TimeReceived)", days, _merge_tree(settings))


def column_spec(column: Column) -> ColumnSpec:
    """A column of the schema as ClickHouse sees it."""
    default = str(column.default) if column.default and column.kind not in (Kind.TEXT, Kind.U32_LIST) else ""
    return ColumnSpec(column.name, column.clickhouse, column.codec, default)


def _merge_tree(settings: StoreSettings) -> dict[str, int | str]:
    return {
        # Rollups ask for the rows of a range of inserts, also after merges.
        "enable_block_number_column": 1,
        "non_replicated_deduplication_window": 1000,
        # One file per part while it is young: a part has some 90 columns.
        "min_bytes_for_wide_part": 1024 * _MIB,
        # Merge many parts at once and stop at a size: each row is rewritten about twice.
        "merge_selector_base": 10,
        "max_bytes_to_merge_at_max_space_in_pool": 4096 * _MIB,
        # A merge takes 5 to 8 MiB for each of them: of a hundred young parts, as by default, half a gigabyte.
        "max_parts_to_merge_at_once": 25,
        "auto_statistics_types": "",
        # Open with what is readable, whatever the size of a part that is not.
        "max_suspicious_broken_parts_bytes": 1 << 50,
        # What a torn merge was made of must be there when it is noticed (`torn`); by default it is kept for no time.
        "old_parts_lifetime": 480,
        "fsync_after_insert": int(settings.fsync),
        "fsync_part_directory": int(settings.fsync),
    }
