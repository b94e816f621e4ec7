"""Builders of capture files, byte by byte from their specifications."""

import struct
from ipaddress import ip_address


def udp(payload, *, source="192.0.2.1", target="192.0.2.2", sport=50000, dport=2055, length=None):
    """An IP packet with a UDP datagram."""
    header = struct.pack(">HHHH", sport, dport, len(payload) + 8 if length is None else length, 0)
    return ip(header + payload, source=source, target=target)


def ip(content, *, source="192.0.2.1", target="192.0.2.2", proto=17, flags=0, ident=7, options=b"", total=None):
    """An IPv4 or IPv6 packet; `flags` is the IPv4 word of flags and fragment offset."""
    src, dst = ip_address(source).packed, ip_address(target).packed
    if len(src) == 16:
        return struct.pack(">IHBB", 6 << 28, len(content), proto, 64) + src + dst + content
    ihl = 5 + len(options) // 4
    size = ihl * 4 + len(content) if total is None else total
    return struct.pack(">BBHHHBBH", 0x40 | ihl, 0, size, ident, flags, 64, proto, 0) + src + dst + options + content


def ethernet(packet, *, tags=(), kind=None):
    """An Ethernet frame around an IP packet."""
    kind = kind or (0x86DD if packet[0] >> 4 == 6 else 0x0800)
    return bytes(12) + b"".join(struct.pack(">HH", *tag) for tag in tags) + struct.pack(">H", kind) + packet


def pcap(frames, *, order="<", magic=0xA1B2C3D4, link=1, snap=65535, times=None):
    """A pcap file; `times` are pairs of seconds and fraction."""
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for index, frame in enumerate(frames):
        seconds, fraction = times[index] if times else (1_700_000_000 + index, 0)
        out += struct.pack(order + "IIII", seconds, fraction, min(len(frame), snap), len(frame)) + frame[:snap]
    return out


def block(kind, body, order="<"):
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order="<"):
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link=1, *, order="<", resolution=None, offset=None, snap=0):
    options = b""
    if resolution is not None:
        options += struct.pack(order + "HHB3x", 9, 1, resolution)
    if offset is not None:
        options += struct.pack(order + "HHq", 14, 8, offset)
    return block(1, struct.pack(order + "HHI", link, 0, snap) + options + struct.pack(order + "HH", 0, 0), order)


def enhanced(frame, ticks=0, *, number=0, order="<"):
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
    return block(6, head + frame, order)


def simple(frame, order="<"):
    return block(3, struct.pack(order + "I", len(frame)) + frame, order)


def ipfix(body=b"", sequence=0):
    """An IPFIX message."""
    return struct.pack(">HHIII", 10, 16 + len(body), 1_700_000_000, sequence, 1) + body
