"""Exporters and interfaces of which flows are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from millrace.query.render import json_columns
from millrace.query.results import SeenExporter, SeenInterface, moment
from millrace.query.selection import Selection
from millrace.query.source import SECOND, answering, relation
from millrace.query.sql import Parameters, identifier
from millrace.query.tables import Table, plan
from millrace.query.units import OCTETS
from millrace.query.wide import integers
from millrace.schema import Schema

MAX_SEEN = 10_000
"""Exporters, and interfaces of each side, that are listed."""

_EXPORTER = ("ExporterName", "ExporterGroup", "ExporterRole", "ExporterSite", "ExporterRegion", "ExporterTenant")
_INTERFACE = ("Name", "Description", "Speed", "Boundary")


class SeenStatement:
    """SQL of who was seen in a range of time, and the shape of the answer."""

    def __init__(self, selection: Selection, schema: Schema, tables: Sequence[Table]) -> None:
        self._schema = schema
        self._selection = selection
        self._tables = tables
        self.parameters = Parameters()
        self.exporters_sql, _ = self._build(["ExporterAddress"], _EXPORTER)
        built = {
            side: self._build(["ExporterAddress", f"{side}If"], [f"{side}If{attribute}" for attribute in _INTERFACE])
            for side in ("In", "Out")
        }
        self.interfaces_sql = {side: sql for side, (sql, _) in built.items()}
        self._seconds = {side: seconds for side, (_, seconds) in built.items()}

    def _build(self, keys: Sequence[str], attributes: Sequence[str]) -> tuple[str, int]:
        """SQL, and the seconds of its range for which there are data."""
        columns = [self._schema[name] for name in (*keys, *attributes)]
        # What the latest row says of the others is shown, and no flow is told apart by it.
        needed = [*(self._schema[name] for name in keys), *self._selection.columns]
        usable = answering(self._tables, needed, self._selection.end)
        chosen = plan(usable, self._selection.start, self._selection.end)
        begin, end = self._selection.covered(chosen.start, chosen.end)
        selects = [identifier(column.name) for column in columns]
        source = relation(chosen, selects, self._selection.condition(self.parameters), self.parameters)
        listed = ", ".join(identifier(name) for name in keys)
        # The attributes of the latest row: names change.
        shown = ", ".join(f"argMax({identifier(name)}, {SECOND}) AS {identifier('_' + name)}" for name in attributes)
        sql = (
            f"SELECT {listed}, {shown}, max({SECOND}) AS _last, sum(Flows) AS _flows, "  # noqa: S608 - no value in it
            f"sum({OCTETS}) AS _bytes FROM ({source}) GROUP BY {listed} ORDER BY {listed} LIMIT {MAX_SEEN}"
        )
        return sql, max(1, end - begin)

    def shape(self, exporters: pa.Table, interfaces: dict[str, pa.Table]) -> list[SeenExporter]:
        """Make the answer of what the store gave."""
        found: dict[str, SeenExporter] = {}
        for row, last, flows, _ in self._rows(exporters, ["ExporterAddress"], _EXPORTER):
            address, name, group, role, site, region, tenant = (str(value or "") for value in row)
            found[address] = SeenExporter(address, name, group, role, site, region, tenant, moment(last), flows)
        seen: dict[tuple[str, int], dict[str, tuple[list[object], int, int]]] = {}
        for side, table in interfaces.items():
            attributes = [f"{side}If{attribute}" for attribute in _INTERFACE]
            for row, last, _, octets in self._rows(table, ["ExporterAddress", f"{side}If"], attributes):
                seen.setdefault((str(row[0]), int(str(row[1]))), {})[side] = (row[2:], last, octets)
        for (address, index), sides in sorted(seen.items()):
            if address in found and index:  # interface 0 means that it is not known
                found[address].interfaces.append(_interface(index, sides, self._seconds))
        return list(found.values())

    def _rows(
        self, table: pa.Table, keys: Sequence[str], attributes: Sequence[str]
    ) -> list[tuple[list[object], int, int, int]]:
        columns = {name: self._schema[name] for name in keys}
        columns |= {f"_{name}": self._schema[name] for name in attributes}
        sums = zip(*(integers(table.column(name)) for name in ("_last", "_flows", "_bytes")), strict=True)
        rows = json_columns(columns, table)
        return [(list(row.values()), *amounts) for row, amounts in zip(rows, sums, strict=True)]


def _interface(
    index: int, sides: dict[str, tuple[list[object], int, int]], seconds: Mapping[str, int]
) -> SeenInterface:
    bytes_in, bytes_out = (sides[side][2] if side in sides else 0 for side in ("In", "Out"))
    (name, description, speed, boundary), last, _ = max(sides.values(), key=lambda side: side[1])
    return SeenInterface(
        index=index,
        name=str(name or ""),
        description=str(description or ""),
        speed_mbps=int(str(speed or 0)),
        boundary=str(boundary),
        last_seen=moment(last),
        bytes_in=bytes_in,
        bytes_out=bytes_out,
        in_bits_per_second=8 * bytes_in / seconds["In"],
        out_bits_per_second=8 * bytes_out / seconds["Out"],
    )
