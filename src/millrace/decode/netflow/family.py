"""Of which family, IPv4 or IPv6, a record is: decided once for all columns that have an element of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from millrace.batch import mapped_rows
from millrace.batch.arrays import U8, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.clock import Clock
from millrace.decode.netflow.column_kinds import AddressColumn, NumberColumn, first_nonzero
from millrace.decode.netflow.records import Records

IPV4, IPV6, UNKNOWN = 4, 6, 0

FAMILIES = {
    **dict.fromkeys((8, 9, 12, 13, 15, 18, 44, 45, 225, 226), IPV4),
    **dict.fromkeys((27, 28, 29, 30, 62, 63, 169, 170, 281, 282), IPV6),
}
"""Family of the elements of addresses, prefixes, masks and next hops."""

Family: TypeAlias = int | U8
"""Of all records alike, or of each: `IPV4`, `IPV6` or `UNKNOWN`."""

_ETYPE = np.zeros(7, np.uint16)
_ETYPE[[IPV4, IPV6]] = 0x0800, 0x86DD
_VERSION, _ETHERTYPE, _NAT_EVENT = 60, 256, 230
_ENDS = {IPV4: (8, 12), IPV6: (27, 28)}
_NAT64 = (6, 7, 10, 11)
"""natEvents of translations between the families (RFC 8158 §4.1): sessions and bindings, created and deleted."""
_OF_FLOW = frozenset({"SrcAddr", "DstAddr"})
_OF_FLOW_ALWAYS = frozenset({"SrcNetMask", "DstNetMask"})
_TRANSLATED = frozenset({"SrcAddrNAT", "DstAddrNAT"})


@dataclass(frozen=True, slots=True)
class FamilyRule:
    """What tells the family of the records of a layout.

    ipVersion (60) does, or else ethernetType (256), unless the layout has
    addresses of the other family only and one of them is there. Where neither
    does, it is the family whose addresses are not zero: both ends before one
    end, IPv4 before IPv6. Of addresses that are all zero nothing is known if
    the layout has both families.

    Attributes
    ----------
    version, ethertype : int, optional
        Fields of ipVersion and ethernetType.
    ends : dict
        Fields of source and destination address by family; families that have none are left out.
    """

    version: int | None
    ethertype: int | None
    ends: dict[int, tuple[int, ...]]

    @classmethod
    def of(cls, elements: dict[tuple[int, int], int]) -> FamilyRule:
        """The rule for a layout with these elements."""
        ends = {
            family: tuple(elements[element, 0] for element in ids if (element, 0) in elements)
            for family, ids in _ENDS.items()
        }
        return cls(
            elements.get((_VERSION, 0)),
            elements.get((_ETHERTYPE, 0)),
            {family: fields for family, fields in ends.items() if fields},
        )

    @property
    def told(self) -> bool:
        """Whether a field says so itself."""
        return self.version is not None or self.ethertype is not None

    @property
    def constant(self) -> int | None:
        """The family if the layout alone decides it."""
        if self.told or len(self.ends) > 1:
            return None
        return next(iter(self.ends), UNKNOWN)

    def decide(self, records: Records) -> Family:
        """Family of each record."""
        if self.constant is not None:
            return self.constant
        told = self._told(records)
        if isinstance(told, int) and told in self.ends:
            return told
        if not isinstance(told, int) and len(self.ends) > 1 and told.all():
            return told
        shown = self._shown(records)
        if len(self.ends) > 1 or not self.ends:
            believed = np.not_equal(told, UNKNOWN)
        else:
            (only,) = self.ends
            believed = np.equal(told, only) | (np.not_equal(told, UNKNOWN) & ~self._any(records, only))
            shown = np.where(np.equal(told, UNKNOWN), only, shown).astype(np.uint8)
        found = np.where(believed, told, shown).astype(np.uint8)
        return int(found[0]) if len(found) and (found == found[0]).all() else found

    def _told(self, records: Records) -> Family:
        found: AnyArray = np.zeros(len(records), np.uint8)
        if self.ethertype is not None:
            kind = records.number(self.ethertype)
            found = np.where(kind == _ETYPE[IPV4], IPV4, np.where(kind == _ETYPE[IPV6], IPV6, UNKNOWN))
        if self.version is not None:
            version = records.number(self.version)
            first = int(version[0]) if len(version) else UNKNOWN
            if first in _ENDS and (version == first).all():
                return first
            found = np.where((version == IPV4) | (version == IPV6), version, found)
        return found.astype(np.uint8)

    def _shown(self, records: Records) -> U8:
        """Family whose addresses are not zero."""
        ends = {family: self._ends(records, family) for family in _ENDS}
        return np.where(ends[IPV4] >= np.maximum(ends[IPV6], 1), IPV4, np.where(ends[IPV6] > 0, IPV6, UNKNOWN)).astype(
            np.uint8
        )

    def _ends(self, records: Records, family: int) -> U8:
        """Addresses of a family that are not zero, 0 to 2."""
        count = np.zeros(len(records), np.uint8)
        for field in self.ends.get(family, ()):
            count += records.padded(field, 16).any(axis=1)
        return count

    def mapped(self, records: Records) -> Bool | None:
        """Records whose IPv6 addresses are mapped IPv4 ones; None if there is none."""
        found: Bool | None = None
        for field in self.ends.get(IPV6, ()):
            if records.shape.fields[field].length != 16:
                return None
            here = mapped_rows(records.raw(field))
            if not here.any():
                return None
            found = here if found is None else found & here
        return found

    def _any(self, records: Records, family: int) -> Bool:
        found: Bool = self._ends(records, family) > 0
        return found


@dataclass(frozen=True, slots=True)
class FamilyColumn:
    """A column with elements of a family.

    Attributes
    ----------
    name : str
    by_family : dict
        What fills the column, by family; families that have no element are left out.
    either : AddressColumn or NumberColumn
        What fills it where the family is not known.
    strict : bool
        Whether a record of a family that has no element leaves the column
        unknown. Next hops need not: an IPv4 route may have an IPv6 next hop
        (RFC 8950), and no other element competes.
    translated : bool
        Whether it is an address after translation, which may be of the other family.
    """

    name: str
    by_family: dict[int, AddressColumn | NumberColumn]
    either: AddressColumn | NumberColumn
    strict: bool
    translated: bool

    @classmethod
    def of(cls, step: AddressColumn | NumberColumn, families: list[int], rule: FamilyRule) -> FamilyColumn:
        """The column that `step` fills from elements of these families (`UNKNOWN`: of any)."""
        parts: dict[int, AddressColumn | NumberColumn] = {}
        for family in _ENDS:
            fields = tuple(field for field, its in zip(step.fields, families, strict=True) if its in (family, UNKNOWN))
            if fields:
                parts[family] = step.limited(fields)
        strict = step.name in _OF_FLOW_ALWAYS or (step.name in _OF_FLOW and rule.told)
        return cls(step.name, parts, step, strict, step.name in _TRANSLATED)

    def part(self, family: int) -> AddressColumn | NumberColumn | None:
        """What fills the column of records of a family; None: nothing."""
        return self.by_family.get(family, None if self.strict and family != UNKNOWN else self.either)

    def write(self, rows: Rows, start: int, stop: int, records: Records, family: Family) -> None:
        """Write rows `start` to `stop`."""
        if isinstance(family, int):
            part = self.part(family)
            if part is not None:
                part.fill(rows.slot(self.name, start, stop), records)
            return
        known = np.ones(len(family), np.bool_)
        filled: list[tuple[Bool, AnyArray]] = []
        for each in (UNKNOWN, *_ENDS):
            mask = family == each
            if not mask.any():
                continue
            part = self.part(each)
            values = rows.scratch(self.name, stop - start)
            if part is None:
                known &= ~mask
                values[...] = 0
            else:
                part.fill(values, records)
            filled.append((mask, values))
        if not known.any():
            return
        out = rows.slot(self.name, start, stop, None if known.all() else known)
        for mask, values in filled:
            out[mask] = values[mask]


@dataclass(frozen=True, slots=True)
class Families:
    """EType and the columns that depend on the family.

    Attributes
    ----------
    rule : FamilyRule
    columns : tuple of FamilyColumn
    nat_event : int, optional
        Field that tells translations between the families.
    etype : bool
        Whether to fill EType.
    """

    rule: FamilyRule
    columns: tuple[FamilyColumn, ...]
    nat_event: int | None
    etype: bool

    @classmethod
    def of(
        cls, rule: FamilyRule, columns: tuple[FamilyColumn, ...], elements: dict[tuple[int, int], int], *, etype: bool
    ) -> Families:
        """The step for a layout with these elements."""
        return cls(rule, columns, elements.get((_NAT_EVENT, 0)), etype)

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        family = self.rule.decide(records)
        if self.etype:
            self._write_etype(rows, start, stop, records, self._unmapped(records, family))
        translated = self._translated(records, family)
        for column in self.columns:
            column.write(rows, start, stop, records, translated if column.translated else family)

    def _unmapped(self, records: Records, family: Family) -> Family:
        """The family, IPv4 where addresses of IPv6 are mapped IPv4 ones: so they are shown, too."""
        if not np.equal(family, IPV6).any():
            return family
        mapped = self.rule.mapped(records)
        return family if mapped is None else np.where(mapped & np.equal(family, IPV6), IPV4, family).astype(np.uint8)

    def _translated(self, records: Records, family: Family) -> Family:
        """Family of addresses after translation."""
        if self.nat_event is None or not any(column.translated for column in self.columns):
            return family
        across = np.isin(records.number(self.nat_event), _NAT64)
        return np.where(across, IPV4, family).astype(np.uint8) if across.any() else family

    def _write_etype(self, rows: Rows, start: int, stop: int, records: Records, family: Family) -> None:
        if isinstance(family, int) and self.rule.ethertype is None:
            if family != UNKNOWN:
                rows.slot("EType", start, stop)[...] = _ETYPE[family]
            return
        value: AnyArray = np.broadcast_to(_ETYPE[family], (stop - start,))
        if self.rule.ethertype is not None:
            kind = records.number(self.rule.ethertype)
            # Of an IP packet the version counts; of others, ARP or MPLS, what the Ethernet header says.
            value = first_nonzero([kind, value]) if self.rule.version is None else self._versioned(records, kind, value)
        known = value > 0
        if known.any():
            rows.slot("EType", start, stop, None if known.all() else known)[...] = value

    def _versioned(self, records: Records, kind: AnyArray, value: AnyArray) -> AnyArray:
        assert self.rule.version is not None
        version = records.number(self.rule.version)
        return np.where((version == IPV4) | (version == IPV6), value, first_nonzero([kind, value]))
