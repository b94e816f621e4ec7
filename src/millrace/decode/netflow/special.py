"""Columns that follow from several elements or from parts of one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import Lists
from millrace.batch.arrays import AnyArray, Bool
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.blocks import is_icmp, write_icmp_from_port
from millrace.decode.netflow.clock import Clock
from millrace.decode.netflow.column_kinds import first_nonzero
from millrace.decode.netflow.family import IPV6, UNKNOWN, FamilyRule
from millrace.decode.netflow.records import Records

_ICMP, _ICMP6 = 1, 58
_PORTS = (7, 11, 180, 181, 182, 183)


@dataclass(frozen=True, slots=True)
class IcmpFields:
    """Fields of one family that tell ICMP: type × 256 + code in one number, the type, the code."""

    both: int | None
    type: int | None
    code: int | None

    @classmethod
    def of(cls, elements: dict[tuple[int, int], int], ids: tuple[int, int, int]) -> IcmpFields | None:
        """The fields of these elements, if there are any."""
        both, kind, code = (elements.get((element, 0)) for element in ids)
        return None if both is None and kind is None and code is None else cls(both, kind, code)

    def part(self, records: Records, own: int | None, shift: int) -> AnyArray | None:
        """Type or code: of a field of its own, or where that is zero of both in one; None if neither is there."""
        alternatives = [] if own is None else [records.number(own)]
        if self.both is not None:
            alternatives.append((records.number(self.both).astype(np.uint64) >> np.uint64(shift)) & np.uint64(0xFF))
        return first_nonzero(alternatives) if alternatives else None

    def told(self, records: Records) -> Bool:
        """Whether any of it is not zero."""
        fields = [field for field in (self.both, self.type, self.code) if field is not None]
        told: Bool = np.logical_or.reduce([records.number(field) > 0 for field in fields])
        return told


@dataclass(frozen=True, slots=True)
class Icmp:
    """ICMPType and ICMPCode: type × 256 + code (32, 139), apart (176 to 179), or in the destination port.

    A record without protocolIdentifier (4) that tells ICMP is ICMP, or ICMPv6
    if it is of that family: each record if the layout has no ports, otherwise
    those whose type or code is not zero.

    Attributes
    ----------
    four, six : IcmpFields, optional
        Fields of ICMP and of ICMPv6.
    proto, port : int, optional
        Fields of the protocol and of the destination port.
    ported : bool
        Whether the layout has ports.
    rule : FamilyRule
    infer : bool
        Whether to fill Proto where the layout has none.
    """

    four: IcmpFields | None
    six: IcmpFields | None
    proto: int | None
    port: int | None
    ported: bool
    rule: FamilyRule
    infer: bool

    @classmethod
    def of(cls, elements: dict[tuple[int, int], int], rule: FamilyRule, *, infer: bool = True) -> Icmp | None:
        """The step for a layout with these elements, if they tell ICMP."""
        four, six = IcmpFields.of(elements, (32, 176, 177)), IcmpFields.of(elements, (139, 178, 179))
        proto, port = elements.get((4, 0)), elements.get((11, 0))
        if four is None and six is None and (proto is None or port is None):
            return None
        ported = any((element, 0) in elements for element in _PORTS)
        return cls(four, six, proto, port, ported, rule, infer and proto is None)

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        if self.four is None and self.six is None:
            assert self.proto is not None
            assert self.port is not None
            write_icmp_from_port(rows, start, stop, records.number(self.proto), records.number(self.port))
            return
        icmp, six = self._icmp(records)
        if not icmp.any():
            return
        known = None if icmp.all() else icmp
        if self.infer:
            rows.slot("Proto", start, stop, known)[...] = np.where(icmp, np.where(six, _ICMP6, _ICMP), 0)
        for name, own, shift in (("ICMPType", "type", 8), ("ICMPCode", "code", 0)):
            values = [
                None if fields is None else fields.part(records, getattr(fields, own), shift)
                for fields in (self.four, self.six)
            ]
            value = self._of_family(values, six)
            if value is not None:
                rows.slot(name, start, stop, known)[...] = np.where(icmp, value, 0)

    @staticmethod
    def _of_family(values: list[AnyArray | None], six: Bool) -> AnyArray | None:
        four_value, six_value = values
        if four_value is None or six_value is None:
            return six_value if four_value is None else four_value
        return np.where(six, six_value, four_value)

    def _icmp(self, records: Records) -> tuple[Bool, Bool]:
        """Which records are ICMP of either family, and which of them ICMPv6."""
        if self.proto is not None:
            proto = records.number(self.proto)
            return is_icmp(proto), np.asarray(proto == _ICMP6)
        told = [
            np.zeros(len(records), np.bool_) if fields is None else fields.told(records)
            for fields in (self.four, self.six)
        ]
        family = np.broadcast_to(np.asarray(self.rule.decide(records)), len(records))
        shown = self.four is None or (told[1] & ~told[0])
        six = np.asarray((family == IPV6) | ((family == UNKNOWN) & shown))
        return told[0] | told[1] if self.ported else np.ones(len(records), np.bool_), six


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
