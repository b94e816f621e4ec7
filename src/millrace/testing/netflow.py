"""Builders of NetFlow v1, v5, v7, v9 and IPFIX datagrams.

For tests only. Builders write what they are told, right or wrong, so that
tests can lie about lengths; every default is that of a well-behaved exporter.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple, TypeAlias

VARIABLE = 0xFFFF
"""Length of a variable-length field."""
EXPORT_S = 1_700_000_000
"""Export time of datagrams by default, Unix seconds."""
UPTIME_MS = 3_600_000
"""Uptime of exporters by default."""
V9, IPFIX = 9, 10


class Field(NamedTuple):
    """A field of a template: element, length in bytes, private enterprise number (0: none)."""

    id: int
    length: int
    pen: int = 0


Value: TypeAlias = int | str | bytes


@dataclass(frozen=True)
class Template:
    """A template, or an options template if `scopes` is not None.

    Parameters
    ----------
    id : int
    fields : sequence of Field or (id, length[, pen])
        Scopes come first. The scopes of a v9 options template are scope types.
    scopes : int, optional
        Number of scope fields.
    """

    id: int
    fields: Sequence[Field | tuple[int, int] | tuple[int, int, int]]
    scopes: int | None = None

    def specs(self) -> list[Field]:
        """The fields as `Field`."""
        return [Field(*field) for field in self.fields]

    def record(self, *values: Value) -> bytes:
        """A data record: integers in network order, addresses and strings as text, or bytes as they are."""
        pairs = zip(self.specs(), values, strict=True)
        return b"".join(encode(field.length, value) for field, value in pairs)

    def data(self, *records: Sequence[Value], padding: int = 0) -> bytes:
        """A data set with these records."""
        return data_set(self.id, *(self.record(*values) for values in records), padding=padding)


def encode(length: int, value: Value) -> bytes:
    """A value in a field of that length; variable-length ones get their length before them (RFC 7011 §7)."""
    if length != VARIABLE:
        return _fixed(length, value)
    content = value if isinstance(value, bytes) else _fixed(8, value) if isinstance(value, int) else value.encode()
    return variable(content)


def variable(content: bytes, *, long: bool = False) -> bytes:
    """Content with its length before it; `long` takes the three-byte form even if the short one would do."""
    if long or len(content) > 254:
        return b"\xff" + struct.pack("!H", len(content)) + content
    return bytes([len(content)]) + content


def _fixed(length: int, value: Value) -> bytes:
    if isinstance(value, int):
        return (value & ((1 << (8 * length)) - 1)).to_bytes(length, "big")
    if isinstance(value, bytes):
        return value.ljust(length, b"\0")[:length]
    if length in (4, 16):
        try:
            return ip_address(value).packed
        except ValueError:
            pass
    return value.encode().ljust(length, b"\0")[:length]


def set_of(set_id: int, content: bytes, *, padding: int = 0, length: int | None = None) -> bytes:
    """A set; `length` lies about its length."""
    body = content + bytes(padding)
    return struct.pack("!HH", set_id, 4 + len(body) if length is None else length) + body


def data_set(template_id: int, *records: bytes, padding: int = 0, length: int | None = None) -> bytes:
    """A data set of encoded records."""
    return set_of(template_id, b"".join(records), padding=padding, length=length)


def _specifier(field: Field, version: int) -> bytes:
    if field.pen and version == IPFIX:
        return struct.pack("!HHI", field.id | 0x8000, field.length, field.pen)
    return struct.pack("!HH", field.id, field.length)


def template_set(version: int, *templates: Template, padding: int = 0) -> bytes:
    """A template set (v9: ID 0, IPFIX: ID 2)."""
    content = b"".join(
        struct.pack("!HH", template.id, len(template.fields))
        + b"".join(_specifier(field, version) for field in template.specs())
        for template in templates
    )
    return set_of(0 if version == V9 else 2, content, padding=padding)


def options_template_set(version: int, *templates: Template, padding: int = 0) -> bytes:
    """An options template set (v9: ID 1, IPFIX: ID 3)."""
    content = b""
    for template in templates:
        fields = template.specs()
        scopes = template.scopes or 0
        if version == V9:
            content += struct.pack("!HHH", template.id, 4 * scopes, 4 * (len(fields) - scopes))
        else:
            content += struct.pack("!HHH", template.id, len(fields), scopes)
        content += b"".join(_specifier(field, version) for field in fields)
    return set_of(1 if version == V9 else 3, content, padding=padding)


def withdrawal_set(*template_ids: int, options: bool = False) -> bytes:
    """IPFIX withdrawals (RFC 7011 §8.1); 2 or 3 withdraws all templates or all options templates."""
    return set_of(3 if options else 2, b"".join(struct.pack("!HH", ident, 0) for ident in template_ids))


def v9(
    *sets: bytes,
    sequence: int = 0,
    domain: int = 0,
    uptime_ms: int = UPTIME_MS,
    export_s: int = EXPORT_S,
    count: int | None = None,
) -> bytes:
    """A NetFlow v9 datagram; `count` is that of its sets where it is not given (exporters disagree on it)."""
    number = len(sets) if count is None else count
    return struct.pack("!HHIIII", V9, number, uptime_ms, export_s, sequence, domain) + b"".join(sets)


def ipfix(
    *sets: bytes, sequence: int = 0, domain: int = 0, export_s: int = EXPORT_S, length: int | None = None
) -> bytes:
    """An IPFIX message; `length` lies about its length."""
    body = b"".join(sets)
    return struct.pack("!HHIII", IPFIX, 16 + len(body) if length is None else length, export_s, sequence, domain) + body


def message(version: int, *sets: bytes, sequence: int = 0, domain: int = 0) -> bytes:
    """A v9 datagram or an IPFIX message with default times."""
    make = v9 if version == V9 else ipfix
    return make(*sets, sequence=sequence, domain=domain)


@dataclass(frozen=True)
class LegacyRecord:
    """A record of NetFlow v1, v5 or v7, by the usual names of its fields."""

    srcaddr: str = "198.51.100.1"
    dstaddr: str = "203.0.113.1"
    nexthop: str = "0.0.0.0"  # noqa: S104 - an address on the wire, nothing is bound to it
    input: int = 1
    output: int = 2
    packets: int = 10
    octets: int = 1000
    first: int = UPTIME_MS - 2000
    last: int = UPTIME_MS - 1000
    srcport: int = 40000
    dstport: int = 443
    tcp_flags: int = 0x1B
    prot: int = 6
    tos: int = 0
    src_as: int = 64500
    dst_as: int = 64501
    src_mask: int = 24
    dst_mask: int = 16
    router: str = "192.0.2.254"

    def encode(self, version: int) -> bytes:
        """The record as that version writes it."""
        start = b"".join(ip_address(text).packed for text in (self.srcaddr, self.dstaddr, self.nexthop))
        start += struct.pack(
            "!HHIIIIHH", self.input, self.output, self.packets, self.octets, self.first & 0xFFFFFFFF,
            self.last & 0xFFFFFFFF, self.srcport, self.dstport,
        )  # fmt: skip
        if version == 1:
            return start + struct.pack("!HBBB7x", 0, self.prot, self.tos, self.tcp_flags)
        end = struct.pack(
            "!BBBBHHBBH", 0, self.tcp_flags, self.prot, self.tos, self.src_as, self.dst_as,
            self.src_mask, self.dst_mask, 0,
        )  # fmt: skip
        return start + end + (ip_address(self.router).packed if version == 7 else b"")


def v5(
    *records: LegacyRecord,
    sequence: int = 0,
    engine_type: int = 0,
    engine_id: int = 0,
    sampling: int = 0,
    uptime_ms: int = UPTIME_MS,
    export_s: int = EXPORT_S,
    export_ns: int = 0,
    count: int | None = None,
) -> bytes:
    """A NetFlow v5 datagram; `sampling` is the whole word, mode bits included."""
    number = len(records) if count is None else count
    header = struct.pack(
        "!HHIIIIBBH", 5, number, uptime_ms, export_s, export_ns, sequence, engine_type, engine_id, sampling
    )
    return header + b"".join(record.encode(5) for record in records)


def v7(*records: LegacyRecord, sequence: int = 0, uptime_ms: int = UPTIME_MS, export_s: int = EXPORT_S) -> bytes:
    """A NetFlow v7 datagram."""
    header = struct.pack("!HHIIIII", 7, len(records), uptime_ms, export_s, 0, sequence, 0)
    return header + b"".join(record.encode(7) for record in records)


def v1(*records: LegacyRecord, uptime_ms: int = UPTIME_MS, export_s: int = EXPORT_S) -> bytes:
    """A NetFlow v1 datagram."""
    header = struct.pack("!HHIII", 1, len(records), uptime_ms, export_s, 0)
    return header + b"".join(record.encode(1) for record in records)
