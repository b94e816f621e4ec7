"""Builders of packets, a header at a time, for tests and synthetic exporters.

Each function returns the bytes of its header followed by what it carries, so
that packets are written the way they nest::

    ethernet(vlan(100, ipv4(tcp(443, 50000), src="192.0.2.1")))

Checksums are left zero: nothing here verifies them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

IPV4, IPV6, VLAN, SERVICE_VLAN, MPLS, TEB, ARP = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x6558, 0x0806
"""EtherTypes."""

_ETHERTYPE_OF_VERSION = {4: IPV4, 6: IPV6}


class Packet(bytes):
    """Bytes that know which number announces them.

    Attributes
    ----------
    etype : int
        EtherType, for layers that Ethernet and its like carry.
    proto : int
        IP protocol number, for layers that IP carries.
    """

    etype: int
    proto: int

    def __new__(cls, data: bytes, *, etype: int = 0, proto: int = 255) -> Self:
        """Mark bytes."""
        packet = super().__new__(cls, data)
        packet.etype = etype
        packet.proto = proto
        return packet


def _etype(payload: bytes, given: int | None) -> int:
    return given if given is not None else getattr(payload, "etype", 0)


def _proto(payload: bytes, given: int | None) -> int:
    return given if given is not None else getattr(payload, "proto", 255)


def _mac(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def ethernet(
    payload: bytes, *, src: str = "02:00:00:00:00:01", dst: str = "02:00:00:00:00:02", etype: int | None = None
) -> Packet:
    """Ethernet II, without frame check sequence. Inside IP it is announced as 143, inside GRE as TEB."""
    header = _mac(dst) + _mac(src) + struct.pack("!H", _etype(payload, etype))
    return Packet(header + payload, etype=TEB, proto=143)


def vlan(vid: int, payload: bytes, *, pcp: int = 0, dei: int = 0, tpid: int = VLAN, etype: int | None = None) -> Packet:
    """VLAN tag; `ethernet` around it takes `tpid` as its EtherType."""
    tci = pcp << 13 | dei << 12 | vid
    return Packet(struct.pack("!HH", tci, _etype(payload, etype)) + payload, etype=tpid)


def mpls(labels: Sequence[int], payload: bytes, *, tc: int = 0, ttl: int = 64, control_word: bytes = b"") -> Packet:
    """MPLS label stack, top first, around IP or (as pseudowire) Ethernet."""
    entries = b"".join(
        struct.pack("!I", label << 12 | tc << 9 | (position == len(labels) - 1) << 8 | ttl)
        for position, label in enumerate(labels)
    )
    return Packet(entries + control_word + payload, etype=MPLS, proto=137)


def pppoe(payload: bytes, *, session: int = 1) -> Packet:
    """PPPoE session header and PPP protocol number."""
    protocol = {IPV4: 0x0021, IPV6: 0x0057}.get(_etype(payload, None), 0xC021)
    return Packet(struct.pack("!BBHHH", 0x11, 0, session, len(payload) + 2, protocol) + payload, etype=0x8864)


def ipv4(
    payload: bytes = b"", *, src: str = "192.0.2.1", dst: str = "198.51.100.2", proto: int | None = None,
    tos: int = 0, ttl: int = 64, ident: int = 0, more: bool = False, offset: int = 0, options: bytes = b"",
    length: int | None = None,
) -> Packet:  # fmt: skip
    """IPv4 header; `options` are a multiple of 4 bytes, `offset` in units of 8 bytes, `length` overrides the total."""
    total = 20 + len(options) + len(payload) if length is None else length
    header = struct.pack(
        "!BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, total, ident, more << 13 | offset, ttl,
        _proto(payload, proto), 0, ip_address(src).packed, ip_address(dst).packed,
    )  # fmt: skip
    return Packet(header + options + payload, etype=IPV4, proto=4)


def ipv6(
    payload: bytes = b"", *, src: str = "2001:db8::1", dst: str = "2001:db8::2", proto: int | None = None,
    tos: int = 0, ttl: int = 64, flow_label: int = 0, length: int | None = None,
) -> Packet:  # fmt: skip
    """IPv6 header; `length` overrides the payload length."""
    header = struct.pack(
        "!IHBB16s16s", 6 << 28 | tos << 20 | flow_label, len(payload) if length is None else length,
        _proto(payload, proto), ttl, ip_address(src).packed, ip_address(dst).packed,
    )  # fmt: skip
    return Packet(header + payload, etype=IPV6, proto=41)


def hop_by_hop(payload: bytes, *, units: int = 0, proto: int | None = None) -> Packet:
    """Hop-by-hop options of ``8 + 8 * units`` bytes."""
    return _options(0, payload, units, proto)


def destination_options(payload: bytes, *, units: int = 0, proto: int | None = None) -> Packet:
    """Destination options of ``8 + 8 * units`` bytes."""
    return _options(60, payload, units, proto)


def _options(number: int, payload: bytes, units: int, proto: int | None) -> Packet:
    body = struct.pack("!BB", _proto(payload, proto), units) + bytes([1, 4 + 8 * units]) + bytes(4 + 8 * units)
    return Packet(body + payload, proto=number)


def segment_routing(segments: Sequence[str], payload: bytes, *, left: int = 0, proto: int | None = None) -> Packet:
    """Routing header of type 4."""
    listed = b"".join(ip_address(segment).packed for segment in segments)
    header = struct.pack(
        "!BBBBBBH", _proto(payload, proto), 2 * len(segments), 4, left, max(0, len(segments) - 1), 0, 0
    )
    return Packet(header + listed + payload, proto=43)


def fragment(
    payload: bytes, *, offset: int = 0, more: bool = False, ident: int = 0, proto: int | None = None
) -> Packet:
    """IPv6 fragment header; `offset` in units of 8 bytes."""
    return Packet(struct.pack("!BBHI", _proto(payload, proto), 0, offset << 3 | more, ident) + payload, proto=44)


def authentication(payload: bytes, *, proto: int | None = None, icv_bytes: int = 12) -> Packet:
    """Authentication header (AH)."""
    header = struct.pack("!BBHII", _proto(payload, proto), (12 + icv_bytes) // 4 - 2, 0, 1, 1)
    return Packet(header + bytes(icv_bytes) + payload, proto=51)


def tcp(src: int, dst: int, payload: bytes = b"", *, flags: int = 0x10) -> Packet:
    """TCP header without options; twelve bits of flags."""
    header = struct.pack("!HHIIHHHH", src, dst, 1, 1, 5 << 12 | flags, 65535, 0, 0)
    return Packet(header + payload, proto=6)


def udp(src: int, dst: int, payload: bytes = b"") -> Packet:
    """UDP header."""
    return Packet(struct.pack("!HHHH", src, dst, 8 + len(payload), 0) + payload, proto=17)


def sctp(src: int, dst: int, payload: bytes = b"") -> Packet:
    """SCTP common header."""
    return Packet(struct.pack("!HHII", src, dst, 1, 0) + payload, proto=132)


def icmp(kind: int, code: int, payload: bytes = bytes(4)) -> Packet:
    """ICMP message."""
    return Packet(struct.pack("!BBH", kind, code, 0) + payload, proto=1)


def icmpv6(kind: int, code: int, payload: bytes = bytes(4)) -> Packet:
    """ICMPv6 message."""
    return Packet(struct.pack("!BBH", kind, code, 0) + payload, proto=58)


def gre(
    payload: bytes, *, key: int | None = None, checksum: bool = False, sequence: int | None = None,
    version: int = 0, etype: int | None = None,
) -> Packet:  # fmt: skip
    """GRE header."""
    flags = checksum << 15 | (key is not None) << 13 | (sequence is not None) << 12 | version
    header = struct.pack("!HH", flags, _etype(payload, etype))
    header += bytes(4) if checksum else b""
    header += struct.pack("!I", key) if key is not None else b""
    header += struct.pack("!I", sequence) if sequence is not None else b""
    return Packet(header + payload, proto=47)


def vxlan(vni: int, payload: bytes, *, flags: int = 0x08, port: int = 4789) -> Packet:
    """UDP and VXLAN around an Ethernet frame."""
    return udp(50000, port, struct.pack("!BxxxI", flags, vni << 8) + payload)


def geneve(vni: int, payload: bytes, *, options: bytes = b"", version: int = 0, etype: int | None = None) -> Packet:
    """UDP and Geneve; `options` are a multiple of 4 bytes."""
    header = struct.pack("!BBHI", version << 6 | len(options) // 4, 0, _etype(payload, etype), vni << 8)
    return udp(50000, 6081, header + options + payload)


def gtpu(teid: int, payload: bytes, *, kind: int = 255, extensions: Sequence[tuple[int, bytes]] = ()) -> Packet:
    """UDP and GTP-U; extension headers as (type, content), the content 2 bytes short of a multiple of 4."""
    optional = b""
    if extensions:
        numbers = [number for number, _ in extensions[1:]] + [0]
        optional = struct.pack("!HBB", 0, 0, extensions[0][0]) + b"".join(
            bytes([(len(content) + 2) // 4]) + content + bytes([following])
            for (_, content), following in zip(extensions, numbers, strict=True)
        )
    flags = 0x30 | (0x04 if extensions else 0)
    header = struct.pack("!BBHI", flags, kind, len(optional) + len(payload), teid)
    return udp(2152, 2152, header + optional + payload)


def frames(max_depth: int = 3) -> SearchStrategy[bytes]:
    """Hypothesis strategy: Ethernet frames of all kinds that the builders make, nested up to `max_depth` tunnels."""
    from hypothesis import strategies as st  # a development dependency; the builders must not need it

    port = st.integers(0, 65535) | st.sampled_from([4789, 8472, 6081, 2152, 443])
    payload = st.binary(max_size=40)
    transport = st.one_of(
        st.builds(tcp, port, port, payload, flags=st.integers(0, 0xFFF)),
        st.builds(udp, port, port, payload),
        st.builds(sctp, port, port, payload),
        st.builds(icmp, st.integers(0, 255), st.integers(0, 255)),
        st.builds(icmpv6, st.integers(0, 255), st.integers(0, 255)),
        st.builds(lambda data, number: Packet(data, proto=number), payload, st.integers(0, 255)),
    )
    v4 = st.integers(0, 2**32 - 1).map(lambda number: str(ip_address(number)))
    v6 = st.integers(2**32, 2**128 - 1).map(lambda number: str(ip_address(number)))
    byte = st.integers(0, 255)

    def extended(inner: SearchStrategy[Packet]) -> SearchStrategy[Packet]:
        return st.one_of(
            inner,
            inner,
            st.builds(hop_by_hop, inner, units=st.integers(0, 2)),
            st.builds(destination_options, inner, units=st.integers(0, 2)),
            st.builds(segment_routing, st.lists(v6, max_size=2), inner),
            st.builds(fragment, inner, offset=st.sampled_from([0, 0, 1, 185]), ident=st.integers(0, 2**32 - 1)),
            st.builds(authentication, inner),
        )

    def packet(inner: SearchStrategy[Packet]) -> SearchStrategy[Packet]:
        return st.one_of(
            st.builds(
                ipv4, inner, src=v4, dst=v4, tos=byte, ttl=byte, ident=st.integers(0, 65535),
                offset=st.sampled_from([0, 0, 0, 1, 8191]), more=st.booleans(),
                options=st.sampled_from([b"", b"", bytes(4), bytes(40)]),
            ),
            st.builds(ipv6, extended(inner), src=v6, dst=v6, tos=byte, ttl=byte, flow_label=st.integers(0, 0xFFFFF)),
        )  # fmt: skip

    def framed(inner: SearchStrategy[Packet]) -> SearchStrategy[Packet]:
        tagged = st.builds(
            vlan, st.integers(0, 4095), inner, pcp=st.integers(0, 7), tpid=st.sampled_from([VLAN, SERVICE_VLAN, 0x9100])
        )
        labelled = st.builds(mpls, st.lists(st.integers(0, 0xFFFFF), min_size=1, max_size=4), inner)
        return st.builds(ethernet, st.one_of(inner, inner, tagged, labelled, st.builds(pppoe, inner)))

    level = packet(transport)
    for _ in range(max_depth):
        number = st.integers(0, 0xFFFFFF)
        wrapped = st.one_of(
            level,
            st.builds(gre, level, key=st.none() | number, checksum=st.booleans(), sequence=st.none() | number),
            st.builds(gre, framed(level)),
            st.builds(vxlan, number, framed(level), flags=st.sampled_from([8, 8, 0])),
            st.builds(geneve, number, framed(level), options=st.sampled_from([b"", bytes(8)])),
            st.builds(gtpu, number, level, extensions=st.sampled_from([(), ((0x85, b"\x01\x02"),)])),
        )
        level = st.one_of(level, packet(wrapped))
    return framed(level)
