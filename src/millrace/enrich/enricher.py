"""Fill the columns of a batch of flows that look-ups tell: exporters and interfaces, then whatever follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from millrace.batch import Coded, FlowBatch, address_text, plain
from millrace.batch.arrays import I64, U32, AnyArray, Bool
from millrace.decode.exporters import number_exporters
from millrace.enrich.metadata import StaticMetadata
from millrace.enrich.plausibility import mark_implausible
from millrace.enrich.table import (
    EXPORTER_TEXTS,
    INTERFACE_TEXTS,
    NO_INTERFACE,
    LearnedNames,
    MetadataTable,
    build_table,
    find_rows,
)
from millrace.schema import SAMPLING_SOURCES

MAX_REMEMBERED = 65_536
"""Exporters whose look-up is remembered; a flood of spoofed sources must not fill the memory."""

_SOURCE_UNKNOWN = SAMPLING_SOURCES.index("unknown")
_SOURCE_CONFIGURED = SAMPLING_SOURCES.index("configured")

_SIDES = ("In", "Out")

Filler: TypeAlias = "Callable[[FlowBatch], None]"
"""Puts further columns into a batch that nobody else reads yet; writes to none of its arrays."""


class Enricher:
    """Adds what is known of exporters and interfaces to flows, then what the fillers know, and marks implausible ones.

    ``ExporterName`` is the address where no name is known, so that every flow
    can be told apart by it; the other exporter columns are then unknown. The
    columns of an interface about which nothing is known are unknown; those of
    a known one are empty where an attribute is not. No flow is ever left out.

    Safe to use from several threads. Immutable but for a bounded memory.

    Parameters
    ----------
    metadata : StaticMetadata
    names : mapping, optional
        Interface names that exporters announced; the configured ones win.
    fillers : sequence of Filler, optional
        Called in order, each after those whose columns it reads.
    """

    def __init__(
        self, metadata: StaticMetadata, names: LearnedNames | None = None, fillers: Sequence[Filler] = ()
    ) -> None:
        self._metadata = metadata
        self._fillers = tuple(fillers)
        self._table = build_table(metadata, names or {})
        self._remembered: dict[bytes, tuple[int, int]] = {}

    def with_names(self, names: LearnedNames) -> Enricher:
        """The same with other announced names; costs a few µs per interface, so not for every batch."""
        return Enricher(self._metadata, names, self._fillers)

    def enrich(self, flows: FlowBatch) -> FlowBatch:
        """New batch with the columns that look-ups fill; shares every other column.

        Parameters
        ----------
        flows : FlowBatch
            Exporters and interfaces need ``ExporterAddress``; ``InIf`` and ``OutIf`` if known. Not modified.
        """
        if not flows.rows:
            return flows
        out = FlowBatch(flows.rows, dict(flows.columns), dict(flows.valid), flows.datagram)
        self._fill_exporters(out)
        for fill in self._fillers:
            fill(out)
        mark_implausible(out)
        return out

    def _fill_exporters(self, out: FlowBatch) -> None:
        addresses = out.columns.get("ExporterAddress")
        if addresses is None:
            return
        assert isinstance(addresses, Coded | np.ndarray)
        distinct, codes = _number(addresses)
        known = np.array([self._find(address) for address in distinct], np.int64).reshape(-1, 2)
        exporter, scope = known[:, 0], known[:, 1]
        table = self._table
        rows = self._interfaces(out, scope, codes)
        texts = _Texts(table, exporter, distinct, rows)
        _put_exporter(out, codes, exporter, texts)
        for side, row in rows.items():
            _put_interface(out, side, row, table, texts)
        default, forced = table.default_rate[exporter], table.forced_rate[exporter]
        if default.any() or forced.any():
            _put_sampling(out, default[codes], forced[codes])

    def _interfaces(self, out: FlowBatch, scope: I64, codes: I64) -> dict[str, I64]:
        """Row of the table for each flow's interface, of the sides on which something is known of any."""
        table = self._table
        if not table.knows_interfaces:
            return {}
        scopes = scope[codes]
        rows = {
            side: find_rows(table, scopes, _unsigned(out, f"{side}If")) for side in _SIDES if f"{side}If" in out.columns
        }
        return {side: row for side, row in rows.items() if row.any()}

    def _find(self, address: bytes) -> tuple[int, int]:
        """Index of the configured exporter, and scope."""
        found = self._remembered.get(address)
        if found is None:
            exporter = self._metadata.find(address)
            found = exporter, self._table.learned_scope.get(address, exporter)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered = {}
            self._remembered[address] = found
        return found


class _Texts:
    """The texts that one batch uses, as one small dictionary for all its columns.

    The whole table may hold 10⁵ texts; every column of every batch would carry them.
    """

    def __init__(self, table: MetadataTable, exporter: I64, addresses: list[bytes], rows: Mapping[str, I64]) -> None:
        own = table.exporter_texts[exporter]
        nameless = np.flatnonzero(own[:, 0] == 0)
        own[nameless, 0] = len(table.texts) + np.arange(len(nameless), dtype=np.int32)

        flags = np.zeros(len(table.interface_texts), np.bool_)
        for row in rows.values():
            flags[row] = True
        used = np.flatnonzero(flags)
        # Row of the whole table to row of the part that this batch uses.
        self.row_of = np.zeros(len(flags), np.int64)
        self.row_of[used] = np.arange(len(used))
        wanted = table.interface_texts[used]

        mentioned = np.zeros(len(table.texts) + len(nameless), np.bool_)
        mentioned[own] = True
        mentioned[wanted] = True
        distinct = np.flatnonzero(mentioned)
        code_of = np.zeros(len(mentioned), np.int32)
        code_of[distinct] = np.arange(len(distinct), dtype=np.int32)
        fallback = [address_text(addresses[i]) for i in nameless]
        self.values = [
            table.texts[code] if code < len(table.texts) else fallback[code - len(table.texts)]
            for code in distinct.tolist()
        ]
        self.exporter = code_of[own]
        self.interface = code_of[wanted]


def _number(addresses: AnyArray | Coded) -> tuple[list[bytes], I64]:
    """Distinct addresses and which one each row has."""
    if isinstance(addresses, Coded):
        packed = np.ascontiguousarray(addresses.values, np.uint8).reshape(-1, 16)
        return [row.tobytes() for row in packed], addresses.codes.astype(np.int64)
    numbered = number_exporters(plain(addresses))
    return numbered.keys(), numbered.index


def _unsigned(flows: FlowBatch, name: str) -> U32:
    values = flows.columns[name]
    assert isinstance(values, np.ndarray)
    mask = flows.valid.get(name)
    return values if mask is None else np.where(mask, values, np.uint32(0))


def _put_exporter(out: FlowBatch, codes: I64, exporter: I64, texts: _Texts) -> None:
    configured: Bool | None = None if exporter.all() else (exporter != 0)[codes]
    for number, attribute in enumerate(EXPORTER_TEXTS):
        column = Coded(texts.exporter[:, number].take(codes), texts.values)
        out.put(f"Exporter{attribute.capitalize()}", column, None if attribute == "name" else configured)


def _put_interface(out: FlowBatch, side: str, row: I64, table: MetadataTable, texts: _Texts) -> None:
    known: Bool | None = None if row.all() else row != NO_INTERFACE
    used = texts.row_of[row]
    for number, attribute in enumerate(INTERFACE_TEXTS):
        column = Coded(texts.interface[:, number].take(used), texts.values)
        out.put(f"{side}If{attribute.capitalize()}", column, known)
    out.put(f"{side}IfSpeed", table.speed.take(row), known)
    out.put(f"{side}IfBoundary", table.boundary.take(row), known)


def _put_sampling(out: FlowBatch, default: AnyArray, forced: AnyArray) -> None:
    """Apply configured sampling rates; the input's arrays are not written to.

    Parameters
    ----------
    out : FlowBatch
    default, forced : ndarray of uint64, shape (rows,)
        0: none.
    """
    source = _column(out, "SamplingRateSource", np.zeros(out.rows, np.uint8))
    source_known = out.valid.get("SamplingRateSource")
    unknown = source == _SOURCE_UNKNOWN
    if source_known is not None:
        unknown |= ~source_known
    apply = (forced != 0) | (unknown & (default != 0))
    if not apply.any():
        return
    rate = _column(out, "SamplingRate", np.ones(out.rows, np.uint64))
    rate_known = out.valid.get("SamplingRate")
    out.put(
        "SamplingRate",
        np.where(apply, np.where(forced != 0, forced, default), rate),
        None if rate_known is None else rate_known | apply,
    )
    out.put(
        "SamplingRateSource",
        np.where(apply, np.uint8(_SOURCE_CONFIGURED), source),
        None if source_known is None else source_known | apply,
    )


def _column(out: FlowBatch, name: str, missing: AnyArray) -> AnyArray:
    values = out.columns.get(name, missing)
    assert isinstance(values, np.ndarray)
    return values
