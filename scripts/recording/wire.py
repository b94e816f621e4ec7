"""Numbers, addresses, sets and frames as bytes, straight from the specifications."""

from __future__ import annotations

import struct
from ipaddress import ip_address

VARIABLE = 0xFFFF
"""Length of a variable-length field in a template (RFC 7011 §7)."""

REVERSE = 29305
"""Enterprise number of the reverse twins of elements (RFC 5103 §6.1)."""

EXAMPLE = 32473
"""Enterprise number for documentation (RFC 5612)."""

MAC_A, MAC_B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def u8(*values: int) -> bytes:
    """Bytes."""
    return struct.pack(f"!{len(values)}B", *values)


def u16(*values: int) -> bytes:
    """Numbers of 16 bits in network order."""
    return struct.pack(f"!{len(values)}H", *values)


def u24(value: int) -> bytes:
    """A number of 24 bits in network order."""
    return value.to_bytes(3, "big")


def u32(*values: int) -> bytes:
    """Numbers of 32 bits in network order."""
    return struct.pack(f"!{len(values)}I", *values)


def u64(*values: int) -> bytes:
    """Numbers of 64 bits in network order."""
    return struct.pack(f"!{len(values)}Q", *values)


def ip(text: str) -> bytes:
    """An address of 4 or 16 bytes."""
    return ip_address(text).packed


def mac(text: str) -> bytes:
    """A MAC address."""
    return bytes.fromhex(text.replace(":", ""))


def flow_set(ident: int, *parts: bytes, padding: int = 0) -> bytes:
    """A set or FlowSet: its id, its length, what is in it (RFC 7011 §3.3.2)."""
    body = b"".join(parts) + bytes(padding)
    return u16(ident, 4 + len(body)) + body


def specifiers(*fields: tuple[int, ...]) -> bytes:
    """Field specifiers: element, length and, if it is a vendor's, enterprise number (RFC 7011 §3.2)."""
    return b"".join(
        u16(field[0] | 0x8000, field[1]) + u32(field[2]) if len(field) == 3 else u16(*field) for field in fields
    )


def template(ident: int, *fields: tuple[int, ...]) -> bytes:
    """A template record (RFC 7011 §3.4.1, RFC 3954 §5.2)."""
    return u16(ident, len(fields)) + specifiers(*fields)


def v9_options_template(ident: int, scopes: list[tuple[int, ...]], fields: list[tuple[int, ...]]) -> bytes:
    """An options template of NetFlow v9, which tells lengths in bytes (RFC 3954 §6.1)."""
    return u16(ident, 4 * len(scopes), 4 * len(fields)) + specifiers(*scopes, *fields)


def ipfix_options_template(ident: int, scopes: list[tuple[int, ...]], fields: list[tuple[int, ...]]) -> bytes:
    """An options template of IPFIX, which counts fields (RFC 7011 §3.4.2.2)."""
    return u16(ident, len(scopes) + len(fields), len(scopes)) + specifiers(*scopes, *fields)


def v9(*sets: bytes, domain: int, sequence: int, export_s: int, uptime_ms: int, count: int) -> bytes:
    """An export packet of NetFlow v9; `count` is that of all records in it (RFC 3954 §5.1)."""
    return u16(9, count) + u32(uptime_ms, export_s, sequence, domain) + b"".join(sets)


def ipfix(*sets: bytes, domain: int, sequence: int, export_s: int) -> bytes:
    """An IPFIX message; `sequence` counts the data records before it (RFC 7011 §3.1)."""
    body = b"".join(sets)
    return u16(10, 16 + len(body)) + u32(export_s, sequence, domain) + body


def ethernet(kind: int, packet: bytes, *, tags: tuple[tuple[int, int], ...] = ()) -> bytes:
    """An Ethernet frame from `MAC_A` to `MAC_B`; `tags` are pairs of tag type and tag."""
    return mac(MAC_B) + mac(MAC_A) + b"".join(u16(*tag) for tag in tags) + u16(kind) + packet


def ipv4(
    proto: int, content: bytes, *, src: str, dst: str, tos: int = 0, ttl: int = 64, ident: int = 0, fragment: int = 0,
    options: bytes = b"",
) -> bytes:  # fmt: skip
    """An IPv4 packet; `fragment` is the word of flags and offset (RFC 791 §3.1)."""
    size = 20 + len(options)
    head = u8(0x40 | size // 4, tos) + u16(size + len(content), ident, fragment) + u8(ttl, proto)
    rest = ip(src) + ip(dst) + options
    return head + u16(checksum(head + bytes(2) + rest)) + rest + content


def ipv6(
    next_header: int, content: bytes, *, src: str, dst: str, traffic_class: int = 0, label: int = 0, hops: int = 64
) -> bytes:
    """An IPv6 packet (RFC 8200 §3)."""
    head = u32(6 << 28 | traffic_class << 20 | label) + u16(len(content)) + u8(next_header, hops)
    return head + ip(src) + ip(dst) + content


def tcp(sport: int, dport: int, flags: int, payload: bytes = b"") -> bytes:
    """A TCP segment without options."""
    return u16(sport, dport) + u32(1, 0) + u8(0x50, flags) + u16(1024, 0, 0) + payload


def udp(sport: int, dport: int, payload: bytes = b"") -> bytes:
    """A UDP datagram without checksum."""
    return u16(sport, dport, 8 + len(payload), 0) + payload


def checksum(header: bytes) -> int:
    """Internet checksum of a header whose own field is zero (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
