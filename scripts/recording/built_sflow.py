"""sFlow v5 that no program of ours sends: expanded samples, every extended record, tunnels and cut headers."""

from __future__ import annotations

from recording.files import SFLOW_PORT, Datagram, Recording, Row
from recording.wire import (
    EXAMPLE,
    MAC_A,
    MAC_B,
    ethernet,
    ip,
    ipv4,
    ipv6,
    mac,
    tcp,
    u8,
    u16,
    u24,
    u32,
    u64,
    udp,
)

START_S = 1_760_000_000
_NOW_MS = START_S * 1000
_AGENT, _SUB_AGENT = "192.0.2.77", 5
_RATE = 2048
_IPV4, _IPV6, _ARP, _MPLS = 0x0800, 0x86DD, 0x0806, 0x8847
_ETHERNET_HEADER, _IPV4_HEADER = 1, 11
_BIG_IF = 0x0100_0001
"""An ifIndex that does not fit the 24 bits of a usual sample's data source."""

_FLOW: Row = {
    "TimeReceived": _NOW_MS, "TimeFlowStart": _NOW_MS, "TimeFlowEnd": _NOW_MS, "FlowProtocol": "sflow-v5",
    "ExporterAddress": _AGENT, "ObservationDomain": _SUB_AGENT, "SamplingRate": _RATE, "SamplingRateSource": "sample",
    "Packets": 1,
}  # fmt: skip
_LINK: Row = {"SrcMAC": MAC_A, "DstMAC": MAC_B}


def recordings() -> list[Recording]:
    """Every capture of this module."""
    return [_expanded(), _headers()]


def _datagram(*samples: bytes) -> Datagram:
    head = u32(5, 1) + ip(_AGENT) + u32(_SUB_AGENT, 1, 60_000, len(samples))
    return Datagram(START_S * 1_000_000, head + b"".join(samples), SFLOW_PORT)


def _item(number: int, content: bytes, enterprise: int = 0) -> bytes:
    """A sample or a record: enterprise and format in one word, its length, what is in it."""
    return u32(enterprise << 12 | number, len(content)) + content


def _flow_sample(*records: bytes) -> bytes:
    """A usual flow sample, in from interface 3, out to 4."""
    return _item(1, u32(1, 3, _RATE, 100_000, 0, 3, 4, len(records)) + b"".join(records))


def _expanded_flow_sample(*records: bytes, out: tuple[int, int]) -> bytes:
    """An expanded one, in from `_BIG_IF`; `out` is format and value."""
    return _item(3, u32(1, 0, _BIG_IF, _RATE, 100_000, 0, 0, _BIG_IF, *out, len(records)) + b"".join(records))


def _header(packet: bytes, *, protocol: int = _ETHERNET_HEADER, captured: int = 128) -> bytes:
    """A sampled header; of the frame, the 4 bytes of the check sequence were stripped."""
    shown = packet[:captured]
    return _item(1, u32(protocol, len(packet) + 4, 4, len(shown)) + shown + bytes(-len(shown) % 4))


def _expanded() -> Recording:
    query = ipv4(17, udp(40_000, 53, b"?" * 30), src="198.51.100.9", dst="192.0.2.9", tos=0x10, ttl=60, ident=7)
    routed = _expanded_flow_sample(
        _header(ethernet(_IPV4, query, tags=((0x88A8, 100), (0x8100, 200)))),
        _item(1001, u32(100, 0, 300, 0)),
        _item(1002, u32(1) + ip("192.0.2.254") + u32(24, 16)),
        _item(1003, u32(1) + ip("192.0.2.253") + u32(64496, 64500, 64499, 1, 2, 3, 64501, 64501, 64502)
              + u32(1, 64496 << 16 | 100, 150)),
        _item(7, bytes(4), EXAMPLE),
        out=(0, _BIG_IF + 1),
    )  # fmt: skip
    segment = ipv6(6, tcp(50_000, 443, 0x02), src="2001:db8:1::9", dst="2001:db8:2::9", traffic_class=0xB8,
                   label=0x12345, hops=58)  # fmt: skip
    stack = u32(16_001 << 12 | 64, 24_000 << 12 | 1 << 8 | 64)
    labelled = _expanded_flow_sample(_header(ethernet(_MPLS, stack + segment)), out=(2, 5))
    dropped = _expanded_flow_sample(
        _item(3, u32(576, 6) + ip("198.51.100.9") + ip("192.0.2.9") + u32(1_234, 22, 0x02, 0x08)),
        _item(2, u32(594) + mac(MAC_A) + bytes(2) + mac(MAC_B) + bytes(2) + u32(_IPV4)),
        out=(1, 258),
    )
    counters = _item(4, u32(1, 0, _BIG_IF, 1) + _item(1, u32(_BIG_IF, 6) + u64(10_000_000_000) + u32(1, 3)
                     + u64(1 << 40) + u32(11, 12, 13, 14, 15, 0xFFFFFFFF) + u64(1 << 41)
                     + u32(21, 22, 23, 24, 25, 2)))  # fmt: skip
    strange = _item(1, bytes(8), EXAMPLE)
    flows: list[Row] = [
        _FLOW | _LINK | {
            "InIf": _BIG_IF, "OutIf": _BIG_IF + 1, "Bytes": len(query), "SrcVlan": 100, "DstVlan": 300, "EType": _IPV4,
            "SrcAddr": "198.51.100.9", "DstAddr": "192.0.2.9", "Proto": 17, "IPTos": 0x10, "IPTTL": 60,
            "IPFragmentID": 7, "IPFragmentOffset": 0, "SrcPort": 40_000, "DstPort": 53, "NextHop": "192.0.2.254",
            "SrcNetMask": 24, "DstNetMask": 16, "BGPNextHop": "192.0.2.253", "SrcAS": 64500, "DstAS": 64502,
            "DstASPath": [64501, 64501, 64502], "Dst1stAS": 64501, "Dst2ndAS": 64502,
            "DstCommunities": [64496 << 16 | 100],
        },
        _FLOW | _LINK | {
            "InIf": _BIG_IF, "OutIf": 0, "Bytes": len(segment), "MPLSLabels": [16_001, 24_000], "EType": _IPV6,
            "SrcAddr": "2001:db8:1::9", "DstAddr": "2001:db8:2::9", "Proto": 6, "IPTos": 0xB8, "IPTTL": 58,
            "IPv6FlowLabel": 0x12345, "SrcPort": 50_000, "DstPort": 443, "TCPFlags": 0x02,
        },
        _FLOW | _LINK | {
            # Reason 258: an access list dropped it.
            "InIf": _BIG_IF, "OutIf": 0, "ForwardingStatus": 130, "Bytes": 576, "EType": _IPV4,
            "SrcAddr": "198.51.100.9", "DstAddr": "192.0.2.9", "Proto": 6, "IPTos": 0x08, "SrcPort": 1_234,
            "DstPort": 22, "TCPFlags": 0x02,
        },
    ]  # fmt: skip
    counted: Row = {
        "TimeReceived": _NOW_MS, "ExporterAddress": _AGENT, "ObservationDomain": _SUB_AGENT, "IfIndex": _BIG_IF,
        "IfType": 6, "IfSpeed": 10_000_000_000, "IfDirection": 1, "IfStatus": 3, "InOctets": 1 << 40,
        "InUcastPkts": 11, "InMulticastPkts": 12, "InBroadcastPkts": 13, "InDiscards": 14, "InErrors": 15,
        "OutOctets": 1 << 41, "OutUcastPkts": 21, "OutMulticastPkts": 22, "OutBroadcastPkts": 23, "OutDiscards": 24,
        "OutErrors": 25, "PromiscuousMode": 2,
    }  # fmt: skip
    drops = {("record", "unknown-record"): 1, ("sample", "enterprise-sample"): 1}
    return Recording(
        "built-sflow-expanded", [_datagram(routed, labelled, strange, dropped, counters)], flows, [counted], drops
    )


def _headers() -> Recording:
    """Sampled headers one by one, each with what must be read of it."""
    cases = [_with_options(), _first_fragment(), _later_fragment(), _vxlan(), _gre(), _bare_ip(), _cut(), _arp()]
    samples = [_flow_sample(header) for header, _ in cases]
    flows = [_FLOW | {"InIf": 3, "OutIf": 4} | row for _, row in cases]
    return Recording("built-sflow-headers", [_datagram(*samples)], flows)


def _four(packet: bytes, src: str, dst: str, proto: int, **more: object) -> Row:
    """Columns of an IPv4 packet that the cases have in common."""
    return {
        "EType": _IPV4, "SrcAddr": src, "DstAddr": dst, "Proto": proto, "IPTos": 0, "IPTTL": 64, "IPFragmentID": 0,
        "IPFragmentOffset": 0, "Bytes": len(packet),
    } | more  # fmt: skip


_A, _B = "198.51.100.20", "192.0.2.20"


def _with_options() -> tuple[bytes, Row]:
    packet = ipv4(6, tcp(1_024, 25, 0x18, b"mail"), src=_A, dst=_B, options=bytes([1] * 8))
    return _header(ethernet(_IPV4, packet)), _LINK | _four(packet, _A, _B, 6, SrcPort=1_024, DstPort=25, TCPFlags=0x18)


def _first_fragment() -> tuple[bytes, Row]:
    fragment = u8(17, 0) + u16(1) + u32(0xCAFE)
    packet = ipv6(44, fragment + udp(4_000, 4_001, bytes(80)), src="2001:db8:1::20", dst="2001:db8:2::20", label=9)
    return _header(ethernet(_IPV6, packet)), _LINK | {
        "EType": _IPV6, "SrcAddr": "2001:db8:1::20", "DstAddr": "2001:db8:2::20", "Proto": 17, "IPTos": 0,
        "IPTTL": 64, "IPv6FlowLabel": 9, "IPFragmentID": 0xCAFE, "IPFragmentOffset": 0, "SrcPort": 4_000,
        "DstPort": 4_001, "Bytes": len(packet),
    }  # fmt: skip


def _later_fragment() -> tuple[bytes, Row]:
    packet = ipv4(17, bytes(200), src=_A, dst=_B, ident=99, fragment=185)
    return _header(ethernet(_IPV4, packet)), _LINK | _four(
        packet, _A, _B, 17, IPFragmentID=99, IPFragmentOffset=185
    )  # no ports: what follows the header is payload


def _vxlan() -> tuple[bytes, Row]:
    inside = ipv4(6, tcp(8_080, 50_505, 0x10), src=_B, dst=_A, tos=4, ttl=9, ident=1)
    vni = u8(8, 0, 0, 0) + u24(5_000) + u8(0)
    outside = ipv4(17, udp(65_000, 4_789, vni + ethernet(_IPV4, inside)), src="192.0.2.200", dst="192.0.2.201")
    return _header(ethernet(_IPV4, outside)), _LINK | _four(
        outside, _B, _A, 6, IPTos=4, IPTTL=9, IPFragmentID=1, SrcPort=8_080, DstPort=50_505, TCPFlags=0x10,
        OuterSrcAddr="192.0.2.200", OuterDstAddr="192.0.2.201", TunnelType="vxlan", VNI=5_000,
    )  # fmt: skip


def _gre() -> tuple[bytes, Row]:
    inside = ipv4(1, u8(8, 0) + u16(0, 1, 1), src=_A, dst=_B, ttl=12)
    outside = ipv4(47, u16(0x2000, _IPV4) + u32(77) + inside, src="192.0.2.202", dst="192.0.2.203")
    return _header(ethernet(_IPV4, outside)), _LINK | _four(
        outside, _A, _B, 1, IPTTL=12, ICMPType=8, ICMPCode=0, OuterSrcAddr="192.0.2.202", OuterDstAddr="192.0.2.203",
        TunnelType="gre", VNI=77,
    )  # fmt: skip


def _bare_ip() -> tuple[bytes, Row]:
    packet = ipv4(17, udp(123, 123, bytes(48)), src=_A, dst=_B)
    return _header(packet, protocol=_IPV4_HEADER), _four(packet, _A, _B, 17, SrcPort=123, DstPort=123)


def _cut() -> tuple[bytes, Row]:
    """Captured up to the middle of the ports."""
    packet = ipv4(6, tcp(1_025, 80, 0x10, bytes(1_000)), src=_A, dst=_B)
    return _header(ethernet(_IPV4, packet), captured=36), _LINK | _four(packet, _A, _B, 6)


def _arp() -> tuple[bytes, Row]:
    """No IP: its bytes are those behind the link header, which has a tag of priority only."""
    return _header(ethernet(_ARP, bytes(28), tags=((0x8100, 5 << 13),))), _LINK | {"EType": _ARP, "Bytes": 28}
