"""Benchmark of the room that flows take: column by column, as they come and when they are packed.

The same day of flows is also stored as Akvorado does it, by the same engine: its columns (those that are on by
default), types, codecs, order and rollups are facts of its documentation; see `docs/reference/performance.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from millrace.bench.day import Day, closed, stored_day
from millrace.bench.result import MILLION, Options, Result
from millrace.files import ENGINE_FOLDER
from millrace.schema import Schema
from millrace.store import RESOLUTIONS, StoreSettings, ddl
from millrace.store.embedded_engine import EmbeddedEngine, server_settings

_HOUR_S = 3600
_SHOWN = 0.05
"""Columns that take less, bytes per flow, are added up."""

_OPEN, _CLOSED, _AKVORADO = "bench_open", "bench_closed", "bench_akvorado"

_WHOLE = {"min_bytes_for_wide_part": 0, "max_bytes_to_merge_at_max_space_in_pool": 1}
"""Each column in files of its own, so that its size is known; parts as they are inserted: an hour each."""

_SETTINGS: dict[str, int | str] = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "max_partitions_per_insert_block": 0,
    "max_bytes_before_external_sort": 512 << 20,
    "min_insert_block_size_rows": 4 * MILLION,
    "min_insert_block_size_bytes": 0,
}

_LOW = "LowCardinality(String)"


def _akvorado_columns() -> Iterator[tuple[str, str, str]]:
    """Name with codec, type and expression of a column of Akvorado's, over ours."""
    yield "TimeReceived", "DateTime('UTC') CODEC(DoubleDelta, LZ4)", "toDateTime(TimeReceived, 'UTC')"
    yield "SamplingRate", "UInt64", "SamplingRate"
    yield "ExporterAddress", "LowCardinality(IPv6)", "ExporterAddress"
    for name in ("Name", "Group", "Role", "Site", "Region", "Tenant"):
        yield f"Exporter{name}", _LOW, f"Exporter{name}"
    for side in ("Src", "Dst"):
        yield f"{side}Addr", "IPv6 CODEC(ZSTD(1))", f"{side}Addr"
        yield f"{side}NetMask", "UInt8", f"{side}NetMask"
        yield f"{side}AS", "UInt32", f"{side}AS"
        for name in ("NetName", "NetRole", "NetSite", "NetRegion", "NetTenant", "GeoCity", "GeoState"):
            yield f"{side}{name}", _LOW, f"{side}{name}"
        yield f"{side}Country", "FixedString(2)", f"toFixedString({side}Country, 2)"
        yield f"{side}Port", "UInt16", f"{side}Port"
    for name in ("DstASPath", "DstCommunities"):
        yield name, "Array(UInt32)", name
    yield "DstLargeCommunities", "Array(UInt128)", "emptyArrayUInt64()::Array(UInt128)"
    for name in ("Dst1stAS", "Dst2ndAS", "Dst3rdAS"):
        yield name, "UInt32", name
    for side in ("In", "Out"):
        for name in ("Name", "Description", "Connectivity", "Provider"):
            yield f"{side}If{name}", _LOW, f"{side}If{name}"
        yield f"{side}IfSpeed", "UInt32", f"{side}IfSpeed"
        yield f"{side}IfBoundary", "Enum8('undefined' = 0, 'external' = 1, 'internal' = 2)", f"{side}IfBoundary"
    for name in ("EType", "Proto", "ForwardingStatus"):
        yield name, "UInt32", name
    for name in ("Bytes", "Packets"):
        yield name, "UInt64 CODEC(T64, LZ4)", name
    yield "FlowDirection", "Enum8('undefined' = 0, 'ingress' = 1, 'egress' = 2)", "FlowDirection"


_AKVORADO_ORDER = "toStartOfFiveMinutes(TimeReceived), ExporterAddress, InIfName, OutIfName"
_AKVORADO_MAIN_ONLY = frozenset(
    ("SrcAddr", "DstAddr", "SrcNetMask", "DstNetMask", "SrcPort", "DstPort", "DstASPath", "DstCommunities",
     "DstLargeCommunities")
)  # fmt: skip
_AKVORADO_KEY = (
    "TimeReceived", "ExporterAddress", "EType", "Proto", "InIfName", "SrcAS", "ForwardingStatus", "OutIfName", "DstAS",
    "SamplingRate",
)  # fmt: skip


def disk(options: Options) -> Iterator[Result]:
    """Bytes per flow of a day of the demo's traffic: in the store, and of each column in three layouts."""
    flows = 2 * MILLION if options.quick else 20 * MILLION
    with stored_day(flows, options.folder) as day:
        closed(day.folder)
        with _engine(day.folder) as engine:
            yield from _stored(engine, day)
            layouts = _Layouts(engine, day)
            opened, packed, akvorado = layouts.opened(), layouts.packed(), layouts.akvorado()
            yield from _compared(opened, packed, akvorado)
            yield from layouts.akvorado_rollups()
            layouts.drop()


@contextmanager
def _engine(folder: Path) -> Iterator[EmbeddedEngine]:
    settings = StoreSettings.model_validate({"memory_bytes": 8 << 30})
    engine = EmbeddedEngine(folder / ENGINE_FOLDER, server_settings(settings), 1)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def _stored(engine: EmbeddedEngine, day: Day) -> Iterator[Result]:
    """What the store itself takes."""
    total = 0.0
    tables = {"flows": ("flows_open", "flows_closed")} | {found.table: (found.table,) for found in RESOLUTIONS}
    for shown, names in tables.items():
        listed = ", ".join(map(ddl.literal, names))
        found = engine.rows(
            f"SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE active AND table IN ({listed})"  # noqa: S608 - ours
        )
        size = int(found[0][0]) / day.flows
        total += size
        yield Result(
            f"disk of {shown}", size, "bytes/flow", lower_is_better=True,
            note=f"{day.flows / MILLION:g} M flows; {int(found[0][1]):,} rows",
        )  # fmt: skip
    yield Result("disk of flows and rollups", total, "bytes/flow", 35, lower_is_better=True, note="all of the above")


class _Layouts:
    """Tables of one day of flows in several layouts."""

    def __init__(self, engine: EmbeddedEngine, day: Day) -> None:
        self._engine = engine
        self._day = day
        self._made: list[str] = []

    def opened(self) -> dict[str, float]:
        """Bytes per flow of each column of an open hour."""
        return self._of_spec(ddl.open_table(Schema(), StoreSettings()), _OPEN, "TimeReceived")

    def packed(self) -> dict[str, float]:
        """Bytes per flow of each column of a closed hour."""
        return self._of_spec(ddl.closed_table(Schema(), StoreSettings()), _CLOSED, ", ".join(ddl.CLOSED_ORDER))

    def akvorado(self) -> dict[str, float]:
        """Bytes per flow of each column of Akvorado's."""
        columns = list(_akvorado_columns())
        listed = ", ".join(f"{name} {kind}" for name, kind, _ in columns)
        self._create(
            f"CREATE TABLE {_AKVORADO} ({listed}) ENGINE = MergeTree PARTITION BY toDate(TimeReceived) "
            f"ORDER BY ({_AKVORADO_ORDER}) PRIMARY KEY toStartOfFiveMinutes(TimeReceived) "
            f"SETTINGS {ddl.setting_list(_WHOLE)}",
            _AKVORADO,
        )
        selected = ", ".join(f"{expression} AS {name}" for name, _, expression in columns)
        self._fill(_AKVORADO, [name for name, _, _ in columns], selected, _AKVORADO_ORDER)
        return self._sizes(_AKVORADO)

    def akvorado_rollups(self) -> Iterator[Result]:
        """What Akvorado's rollups take, each computed from the next finer one."""
        columns = [found for found in _akvorado_columns() if found[0] not in _AKVORADO_MAIN_ONLY]
        names = [name for name, _, _ in columns]
        source = _AKVORADO
        for resolution in RESOLUTIONS:
            table = f"{_AKVORADO}_{resolution.name}"
            order = [*_AKVORADO_KEY, *(name for name in names if _is_sorting(name))]
            listed = ", ".join(f"{name} {kind}" for name, kind, _ in columns)
            self._create(
                f"CREATE TABLE {table} ({listed}) ENGINE = SummingMergeTree((Bytes, Packets)) "
                f"PARTITION BY toDate(TimeReceived) ORDER BY ({', '.join(order)}) "
                f"PRIMARY KEY ({', '.join(_AKVORADO_KEY)})",
                table,
            )
            kept = ", ".join(name for name in names if name != "TimeReceived")
            self._engine.execute(
                f"INSERT INTO {table} (TimeReceived, {kept}) "  # noqa: S608 - ours
                f"SELECT {resolution.start_of}(TimeReceived) AS TimeReceived, {kept} FROM {source}",
                {**_SETTINGS, "min_insert_block_size_rows": MILLION},
            )
            self._engine.execute(f"OPTIMIZE TABLE {table} FINAL")
            found = self._engine.rows(
                f"SELECT sum(bytes_on_disk), sum(rows) FROM system.parts WHERE active AND table = {ddl.literal(table)}"  # noqa: S608 - ours
            )
            yield Result(
                f"disk of Akvorado's {resolution.table}", int(found[0][0]) / self._day.flows, "bytes/flow",
                lower_is_better=True, note=f"{int(found[0][1]):,} rows",
            )  # fmt: skip
            source = table

    def drop(self) -> None:
        """Remove the tables."""
        for table in self._made:
            self._engine.execute(f"DROP TABLE IF EXISTS {table} SYNC")

    def _of_spec(self, spec: ddl.TableSpec, table: str, order: str) -> dict[str, float]:
        made = replace(spec, name=table, partition="toDate(TimeReceived)", settings={**spec.settings, **_WHOLE})
        self._create(made.create, table)
        names = [column.name for column in spec.columns]
        self._fill(table, names, ", ".join(names), order)
        return self._sizes(table)

    def _create(self, statement: str, table: str) -> None:
        self._engine.execute(f"DROP TABLE IF EXISTS {table} SYNC")
        # Akvorado's exporters are of a type that the engine makes only when asked to.
        self._engine.execute(statement, {"allow_suspicious_low_cardinality_types": 1})
        self._made.append(table)

    def _fill(self, table: str, names: Sequence[str], selected: str, order: str) -> None:
        """Copy the day, an hour at a time."""
        for begin in range(self._day.stop_s - 24 * _HOUR_S, self._day.stop_s, _HOUR_S):
            within = f"TimeReceived >= toDateTime64({begin}, 3) AND TimeReceived < toDateTime64({begin + _HOUR_S}, 3)"
            self._engine.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT * FROM (SELECT {selected} FROM "  # noqa: S608 - ours
                f"(SELECT * FROM flows WHERE {within})) ORDER BY {order}",
                _SETTINGS,
            )

    def _sizes(self, table: str) -> dict[str, float]:
        rows = self._engine.rows(
            "SELECT column, sum(column_data_compressed_bytes) FROM system.parts_columns "  # noqa: S608 - ours
            f"WHERE active AND table = {ddl.literal(table)} GROUP BY column"
        )
        sizes = {name: int(size) / self._day.flows for name, size in rows}
        whole = self._engine.rows(
            f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = {ddl.literal(table)}"  # noqa: S608 - ours
        )[0][0]
        return sizes | {"": int(whole) / self._day.flows}


def _is_sorting(name: str) -> bool:
    """Whether Akvorado's rollups are sorted by a column beside their primary key."""
    attribute = name.startswith("Exporter") or name.endswith(("IfDescription", "IfSpeed", "IfBoundary"))
    return name not in _AKVORADO_KEY and name not in ("Bytes", "Packets") and not attribute


def _compared(opened: dict[str, float], packed: dict[str, float], akvorado: dict[str, float]) -> Iterator[Result]:
    """The columns that take most, and all others together."""

    def result(name: str, before: float, after: float, theirs: float | None) -> Result:
        told = "–" if theirs is None else f"{theirs:.2f}"
        return Result(
            f"disk, {name}",
            after,
            "bytes/flow",
            lower_is_better=True,
            note=f"as it comes {before:.2f}; Akvorado {told}",
        )

    small = [0.0, 0.0, 0.0]
    for name in sorted(opened, key=lambda column: -opened[column]):
        if not name:
            continue
        if opened[name] < _SHOWN:
            small = [small[0] + opened[name], small[1] + packed[name], small[2] + akvorado.get(name, 0.0)]
        else:
            yield result(name, opened[name], packed[name], akvorado.get(name))
    yield result("all other columns", *small)
    yield result("the table of flows, with marks and indices", opened[""], packed[""], akvorado[""])
