"""What is known of networks, by prefix: names, places, tenants of addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from millrace.batch import Coded, FlowBatch, plain
from millrace.batch.arrays import I32, U32
from millrace.enrich.coding import TextCodes
from millrace.enrich.prefixes import PrefixRanges
from millrace.enrich.ranges import RangeTable

COLUMN_ENDS = {
    "name": "NetName", "role": "NetRole", "site": "NetSite", "region": "NetRegion", "tenant": "NetTenant",
    "country": "Country", "state": "GeoState", "city": "GeoCity",
}  # fmt: skip
"""Columns of the texts of a network, without ``Src`` and ``Dst``."""

_SIDES = ("Src", "Dst")
_NOWHERE = 0
"""Row of an address that no prefix contains."""


@dataclass(frozen=True, slots=True)
class Network:
    """What is known of the addresses of a prefix; empty texts and AS 0 are not known.

    Parameters
    ----------
    prefix : str
        IPv4 or IPv6, or a single address.
    name, role, site, region, tenant : str
    country : str
        ISO 3166 code of two letters.
    state, city : str
    asn : int
        AS number, for flows whose exporter tells none.
    """

    prefix: str
    name: str = ""
    role: str = ""
    site: str = ""
    region: str = ""
    tenant: str = ""
    country: str = ""
    state: str = ""
    city: str = ""
    asn: int = 0


_Values = tuple[str | int, ...]
"""Attributes of a network in the order of `_ATTRIBUTES`."""

_ATTRIBUTES = tuple(field.name for field in fields(Network) if field.name != "prefix")
_UNKNOWN: _Values = tuple(0 if name == "asn" else "" for name in _ATTRIBUTES)


class Networks:
    """Fills the columns of networks and places; immutable.

    The longest prefix that contains an address counts. What it leaves empty
    comes from the next shorter one that contains it, and so on. Columns of
    addresses in no prefix are unknown; an attribute that no prefix has makes
    no column.

    Parameters
    ----------
    networks : iterable of Network

    Raises
    ------
    ConfigError
        If two have the same prefix.
    """

    def __init__(self, networks: Iterable[Network] = ()) -> None:
        entries = ((one.prefix, tuple(getattr(one, name) for name in _ATTRIBUTES)) for one in networks)
        ranges = PrefixRanges("networks", entries, _inherited)
        # Row 0 means that no prefix contains the address.
        rows: dict[_Values | None, int] = {None: _NOWHERE}
        numbers = [rows.setdefault(values, len(rows)) for values in ranges.values]
        self._table = RangeTable(ranges.starts, numbers)
        self._count = len(rows) - 1
        known = [values or _UNKNOWN for values in rows]
        texts = {end: _ATTRIBUTES.index(attribute) for attribute, end in COLUMN_ENDS.items()}
        self._texts = {
            end: TextCodes([str(values[at]) for values in known])
            for end, at in texts.items()
            if any(values[at] for values in known)
        }
        self._asn: U32 = np.array([values[_ATTRIBUTES.index("asn")] for values in known], np.uint32)

    def fill(self, flows: FlowBatch) -> None:
        """Put the columns of both ends into a batch that nobody else reads yet."""
        if not self._count:
            return
        for side in _SIDES:
            row = self._rows(flows, f"{side}Addr")
            if row is None:
                continue
            known = row != _NOWHERE
            valid = None if known.all() else known
            for end, texts in self._texts.items():
                flows.put(f"{side}{end}", texts.coded(row), valid)
            if self._asn.any():
                self._put_as(flows, f"{side}AS", row)

    def _rows(self, flows: FlowBatch, name: str) -> I32 | None:
        addresses = flows.columns.get(name)
        if addresses is None:
            return None
        if isinstance(addresses, Coded):
            distinct = np.ascontiguousarray(addresses.values, np.uint8).reshape(-1, 16)
            row = self._table.find(distinct)[addresses.codes]
        else:
            row = self._table.find(plain(addresses))  # type: ignore[arg-type]  # addresses are never lists
        valid = flows.valid.get(name)
        return row if valid is None else np.where(valid, row, np.int32(_NOWHERE))

    def _put_as(self, flows: FlowBatch, name: str, row: I32) -> None:
        """AS numbers of flows that have none; the array of the input is not written to."""
        told = flows.columns.get(name)
        if told is None:
            numbers = self._asn[row]
            flows.put(name, numbers, numbers != 0)
            return
        assert isinstance(told, np.ndarray)
        valid = flows.valid.get(name)
        missing = np.flatnonzero(told == 0 if valid is None else (told == 0) | ~valid)
        if len(missing):
            numbers = told.copy()
            numbers[missing] = self._asn[row[missing]]
            flows.put(name, numbers, None if valid is None else valid | (numbers != 0))


def _inherited(own: _Values, outer: _Values) -> _Values:
    return tuple(value or inherited for value, inherited in zip(own, outer, strict=True))
