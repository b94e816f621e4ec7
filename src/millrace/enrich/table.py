"""Metadata as arrays that whole batches are looked up in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from millrace.batch.arrays import I32, I64, U8, U32, U64
from millrace.enrich.keymap import ABSENT, KeyMap
from millrace.enrich.metadata import BOUNDARIES, Interface, StaticMetadata
from millrace.schema import EXPORTER_ATTRIBUTES

LearnedNames: TypeAlias = "Mapping[tuple[bytes, int], tuple[str, str]]"
"""Name and description by exporter (sixteen bytes) and ifIndex, as exporters announce them in options data."""

EXPORTER_TEXTS = tuple(attribute.lower() for attribute in EXPORTER_ATTRIBUTES)
"""Attributes of `Exporter` behind their columns."""

INTERFACE_TEXTS = ("name", "description", "connectivity", "provider")
"""Attributes behind ``InIfName``, ``InIfDescription``, ``InIfConnectivity``, ``InIfProvider`` and the ``Out`` twins."""

NO_INTERFACE = 0
"""Row of `MetadataTable` that stands for an interface about which nothing is known."""


@dataclass(frozen=True, slots=True)
class MetadataTable:
    """Interfaces under their keys, and what belongs to each.

    Interfaces are grouped in *scopes*: one per configured exporter, and one
    per exporter that announced names.

    Attributes
    ----------
    texts : list of str
        Every text, once; ``texts[0]`` is empty.
    exporter_texts : ndarray of int32, shape (exporters, len(EXPORTER_TEXTS))
        Codes into `texts`; rows as `StaticMetadata.exporters`.
    default_rate, forced_rate : ndarray of uint64, shape (exporters,)
        Sampling rates; 0: none.
    keys : KeyMap
        Scope in the upper 32 bits, ifIndex in the lower.
    rows : ndarray of int64, shape (keys + 1,)
        Row of the interface arrays for each key, and `NO_INTERFACE` for none.
    default_row : ndarray of int64, shape (scopes,)
        Row for interfaces of a scope that have no key.
    interface_texts : ndarray of int32, shape (rows, len(INTERFACE_TEXTS))
        Codes into `texts`.
    speed : ndarray of uint32, shape (rows,)
        Mbit/s.
    boundary : ndarray of uint8, shape (rows,)
        Codes of `BOUNDARIES`.
    learned_scope : dict
        Scope by address of the exporters that announced names; the others
        have the index into `StaticMetadata.exporters` as scope.
    """

    texts: list[str]
    exporter_texts: I32
    default_rate: U64
    forced_rate: U64
    keys: KeyMap
    rows: I64
    default_row: I64
    interface_texts: I32
    speed: U32
    boundary: U8
    learned_scope: dict[bytes, int]

    @property
    def knows_interfaces(self) -> bool:
        """Whether anything is known of any interface."""
        return len(self.interface_texts) > 1


def build_table(metadata: StaticMetadata, names: LearnedNames) -> MetadataTable:
    """Arrange metadata for look-ups.

    What is configured wins over what an exporter announces, attribute by attribute.
    """
    codes: dict[str, int] = {"": 0}
    interfaces: dict[Interface, int] = {Interface(): NO_INTERFACE}
    scopes = [(exporter.interfaces, exporter.default_interface) for exporter in metadata.exporters]
    learned_scope: dict[bytes, int] = {}
    for address, announced in _by_exporter(names).items():
        learned_scope[address] = len(scopes)
        exporter = metadata.exporters[metadata.find(address)]
        scopes.append((exporter.interfaces_with(announced), exporter.default_interface))
    found = [
        ((scope << 32) | index, interfaces.setdefault(interface, len(interfaces)))
        for scope, (by_index, _) in enumerate(scopes)
        for index, interface in by_index.items()
    ]
    default_row = [
        NO_INTERFACE if default is None else interfaces.setdefault(default, len(interfaces)) for _, default in scopes
    ]
    return MetadataTable(
        exporter_texts=_codes(metadata.exporters, EXPORTER_TEXTS, codes),
        default_rate=np.array([exporter.default_sampling_rate or 0 for exporter in metadata.exporters], np.uint64),
        forced_rate=np.array([exporter.sampling_rate or 0 for exporter in metadata.exporters], np.uint64),
        keys=KeyMap(np.array([key for key, _ in found], np.uint64)),
        rows=np.array([row for _, row in found] + [NO_INTERFACE], np.int64),
        default_row=np.array(default_row, np.int64),
        interface_texts=_codes(interfaces, INTERFACE_TEXTS, codes),
        speed=np.array([interface.speed_mbps for interface in interfaces], np.uint32),
        boundary=np.array([BOUNDARIES.index(interface.boundary) for interface in interfaces], np.uint8),
        texts=list(codes),
        learned_scope=learned_scope,
    )


def find_rows(table: MetadataTable, scope: I64, if_index: U32) -> I64:
    """Row of the interface arrays for each pair.

    Parameters
    ----------
    table : MetadataTable
    scope : ndarray of int64, shape (n,)
    if_index : ndarray of uint32, shape (n,)

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    found = table.keys.find((scope.astype(np.uint64) << np.uint64(32)) | if_index)
    rows = table.rows[found]
    if table.default_row.any():
        default = np.where(if_index != 0, table.default_row[scope], np.int64(NO_INTERFACE))
        return np.where(found != ABSENT, rows, default)
    return rows


def _by_exporter(names: LearnedNames) -> dict[bytes, dict[int, tuple[str, str]]]:
    grouped: dict[bytes, dict[int, tuple[str, str]]] = {}
    for (address, index), announced in names.items():
        grouped.setdefault(address, {})[index] = announced
    return grouped


def _codes(things: Iterable[object], attributes: tuple[str, ...], codes: dict[str, int]) -> I32:
    """Codes of the texts of each thing; new texts get new codes."""
    rows = [[codes.setdefault(getattr(thing, name), len(codes)) for name in attributes] for thing in things]
    return np.array(rows, np.int32).reshape(-1, len(attributes))
