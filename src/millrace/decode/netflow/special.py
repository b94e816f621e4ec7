"""Columns that follow from several elements or from parts of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from millrace.batch import Lists
from millrace.batch.arrays import AnyArray, Bool
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.blocks import is_icmp, write_icmp_from_port
from millrace.decode.netflow.columns import first_nonzero
from millrace.decode.netflow.records import Records

if TYPE_CHECKING:
    from millrace.decode.netflow.plan import Clock

_IPV4, _IPV6 = 0x0800, 0x86DD


@dataclass(frozen=True, slots=True)
class EtherType:
    """EType: from ipVersion (60), ethernetType (256), or from which address is there and not zero."""

    version: int | None
    ethertype: int | None
    ipv4: tuple[int, ...]
    ipv6: tuple[int, ...]

    @classmethod
    def of(cls, elements: dict[tuple[int, int], int]) -> EtherType:
        """The step for a layout with these elements."""
        ipv4 = tuple(elements[element, 0] for element in (8, 12) if (element, 0) in elements)
        ipv6 = tuple(elements[element, 0] for element in (27, 28) if (element, 0) in elements)
        return cls(elements.get((60, 0)), elements.get((256, 0)), ipv4, ipv6)

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        if self.version is None and self.ethertype is None and bool(self.ipv4) != bool(self.ipv6):
            rows.slot("EType", start, stop)[...] = _IPV4 if self.ipv4 else _IPV6
            return
        value = self._from_addresses(records, stop - start)
        if self.ethertype is not None:
            value = first_nonzero([records.number(self.ethertype), value])
        if self.version is not None:
            number = records.number(self.version)
            value = np.where(number == 4, _IPV4, np.where(number == 6, _IPV6, value))
        known = value > 0
        if known.any():
            rows.slot("EType", start, stop, None if known.all() else known)[...] = value

    def _from_addresses(self, records: Records, n: int) -> AnyArray:
        if not (self.ipv4 and self.ipv6):
            return np.full(n, _IPV4 if self.ipv4 else _IPV6 if self.ipv6 else 0, np.uint64)
        has4 = np.logical_or.reduce([_nonzero(records, field) for field in self.ipv4])
        has6 = np.logical_or.reduce([_nonzero(records, field) for field in self.ipv6])
        return np.where(has4, _IPV4, np.where(has6, _IPV6, 0)).astype(np.uint64)


def _nonzero(records: Records, field: int) -> Bool:
    return np.asarray(records.padded(field, 16).any(axis=1), np.bool_)


@dataclass(frozen=True, slots=True)
class Icmp:
    """ICMPType and ICMPCode: type × 256 + code (32, 139), apart (176 to 179), or in the destination port.

    Attributes
    ----------
    both, types, codes : tuple of int
        Fields that hold both in one number, the type, the code.
    proto, port : int, optional
        Fields of the protocol and of the destination port.
    """

    both: tuple[int, ...]
    types: tuple[int, ...]
    codes: tuple[int, ...]
    proto: int | None
    port: int | None

    @classmethod
    def of(cls, elements: dict[tuple[int, int], int]) -> Icmp | None:
        """The step for a layout with these elements, if they tell ICMP."""
        both, types, codes = (
            tuple(elements[element, 0] for element in ids if (element, 0) in elements)
            for ids in ((32, 139), (176, 178), (177, 179))
        )
        proto, port = elements.get((4, 0)), elements.get((11, 0))
        if not (both or types or codes) and (proto is None or port is None):
            return None
        return cls(both, types, codes, proto, port)

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        if not (self.both or self.types or self.codes):
            assert self.proto is not None
            assert self.port is not None
            write_icmp_from_port(rows, start, stop, records.number(self.proto), records.number(self.port))
            return
        icmp = None if self.proto is None else is_icmp(records.number(self.proto))
        if icmp is not None and not icmp.any():
            return
        both = first_nonzero([records.number(field) for field in self.both]) if self.both else None
        for name, fields, shift in (("ICMPType", self.types, 8), ("ICMPCode", self.codes, 0)):
            alternatives = [records.number(field) for field in fields]
            if both is not None:
                alternatives.append((both >> np.uint64(shift)) & np.uint64(0xFF))
            if alternatives:
                value = first_nonzero(alternatives)
                rows.slot(name, start, stop, icmp)[...] = value if icmp is None else np.where(icmp, value, 0)


@dataclass(frozen=True, slots=True)
class MplsStack:
    """MPLSLabels from the label stack sections (70 to 79): their top 20 bits; empty sections are left out."""

    fields: tuple[int, ...]

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        labels = np.empty((stop - start, len(self.fields)), np.uint32)
        for at, field in enumerate(self.fields):
            bits = max(0, 8 * min(8, records.shape.fields[field].length) - 20)
            value = records.number(field).astype(np.uint64)
            labels[:, at] = (value >> np.uint64(bits)) & np.uint64(0xFFFFF)
        used = labels > 0
        offsets = np.zeros(stop - start + 1, np.int32)
        np.cumsum(used.sum(axis=1), out=offsets[1:])
        rows.put("MPLSLabels", start, stop, Lists(offsets, labels[used]))


@dataclass(frozen=True, slots=True)
class CommonProperties:
    """ForwardingStatus from Juniper's common properties (PEN 2636, element 137).

    The upper six bits say what the lower ten are; kind 2 is the forwarding
    exception code, where anything but 0 means that the packet was dropped.
    """

    field: int

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        value = records.number(self.field).astype(np.uint64)
        exception = (value >> np.uint64(10)) & np.uint64(0x3F) == 2
        if exception.any():
            status = np.where(value & np.uint64(0x3FF) == 0, 64, 128)
            rows.slot("ForwardingStatus", start, stop, exception)[...] = np.where(exception, status, 0)
