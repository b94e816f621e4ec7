"""IPFIX that no program of ours sends: variable lengths, enterprise elements, biflows, layer 2, odd messages."""

from __future__ import annotations

from recording.files import EXPORTER, NETFLOW_PORT, Datagram, Recording, Row
from recording.wire import (
    EXAMPLE,
    MAC_A,
    MAC_B,
    REVERSE,
    VARIABLE,
    flow_set,
    ip,
    ipfix,
    mac,
    template,
    u8,
    u16,
    u24,
    u32,
    u64,
)

START_S = 1_760_000_000
_NOW_MS = START_S * 1000
_DOMAIN = 4711


def recordings() -> list[Recording]:
    """Every capture of this module."""
    return [_variable_lengths(), _biflows(), _layer2()]


def _datagram(*sets: bytes) -> Datagram:
    """A message, received 2 ms after its second."""
    payload = ipfix(*sets, domain=_DOMAIN, sequence=0, export_s=START_S)
    return Datagram(START_S * 1_000_000 + 2_000, payload, NETFLOW_PORT)


_COMMON: Row = {
    "TimeReceived": _NOW_MS + 2, "FlowProtocol": "ipfix", "ExporterAddress": EXPORTER, "ObservationDomain": _DOMAIN,
    "SamplingRateSource": "unknown",
}  # fmt: skip


def _variable_lengths() -> Recording:
    """Strings with lengths of one and three bytes, unknown elements between, numbers cut short, padding."""
    four = template(
        256, (8, 4), (12, 4), (96, VARIABLE), (1, VARIABLE, EXAMPLE), (4, 1), (7, 2), (11, 2), (1, 3), (2, 2),
        (136, 1), (152, 8), (153, 8),
    )  # fmt: skip
    six = template(257, (27, 16), (28, 16), (4, 1), (139, 2), (210, 5), (1, 8), (2, 1), (192, 1))
    times = u64(_NOW_MS - 5_123, _NOW_MS - 23)
    ends = ip("198.51.100.3") + ip("192.0.2.3")
    short = ends + u8(3) + b"dns" + u8(5) + b"\0\1\2\3\4" + u8(17) + u16(40_000, 53) + u24(70_000) + u16(300)
    long = ends + u8(255) + u16(12) + b"dns-over-tls" + u8(255) + u16(300) + bytes(300)
    long += u8(6) + u16(40_001, 853) + u24(0xFFFFFF) + u16(0xFFFF)
    data = flow_set(256, short + u8(1) + times, long + u8(3) + times, padding=3)
    icmp = ip("2001:db8:1::3") + ip("2001:db8:2::3") + u8(58) + u16(128 << 8) + bytes(5) + u64(104) + u8(1, 63)
    four_row: Row = _COMMON | {
        "EType": 0x0800, "SrcAddr": "198.51.100.3", "DstAddr": "192.0.2.3", "TimeFlowStart": _NOW_MS - 5_123,
        "TimeFlowEnd": _NOW_MS - 23,
    }  # fmt: skip
    flows = [
        four_row | {"ApplicationName": "dns", "Proto": 17, "SrcPort": 40_000, "DstPort": 53, "Bytes": 70_000,
                    "Packets": 300, "FlowEndReason": 1},
        four_row | {"ApplicationName": "dns-over-tls", "Proto": 6, "SrcPort": 40_001, "DstPort": 853,
                    "Bytes": 0xFFFFFF, "Packets": 0xFFFF, "FlowEndReason": 3},
        _COMMON | {"EType": 0x86DD, "SrcAddr": "2001:db8:1::3", "DstAddr": "2001:db8:2::3", "Proto": 58,
                   "ICMPType": 128, "ICMPCode": 0, "Bytes": 104, "Packets": 1, "IPTTL": 63},
    ]  # fmt: skip
    templates = flow_set(2, four, six)
    return Recording("built-ipfix-variable", [_datagram(templates, data, flow_set(257, icmp, padding=2))], flows)


def _biflows() -> Recording:
    """Both directions in one record; the reverse one tells its own start and TCP flags; one record has no reverse."""
    both = template(
        300, (8, 4), (12, 4), (4, 1), (7, 2), (11, 2), (10, 4), (14, 4), (1, 8), (2, 8), (152, 8), (153, 8), (6, 2),
        (1, 8, REVERSE), (2, 8, REVERSE), (152, 8, REVERSE), (6, 2, REVERSE),
    )  # fmt: skip
    ends = ip("198.51.100.4") + ip("192.0.2.4") + u8(6) + u16(51_000, 443) + u32(7, 8)
    forward = u64(1_500, 10, _NOW_MS - 4_000, _NOW_MS - 1_000) + u16(0x1B)
    answered = ends + forward + u64(90_000, 70, _NOW_MS - 3_900) + u16(0x1A)
    alone = ends + forward + u64(0, 0, 0) + u16(0)
    there: Row = _COMMON | {
        "EType": 0x0800, "SrcAddr": "198.51.100.4", "DstAddr": "192.0.2.4", "Proto": 6, "SrcPort": 51_000,
        "DstPort": 443, "InIf": 7, "OutIf": 8, "Bytes": 1_500, "Packets": 10, "TimeFlowStart": _NOW_MS - 4_000,
        "TimeFlowEnd": _NOW_MS - 1_000, "TCPFlags": 0x1B,
    }  # fmt: skip
    back: Row = _COMMON | {
        "EType": 0x0800, "SrcAddr": "192.0.2.4", "DstAddr": "198.51.100.4", "Proto": 6, "SrcPort": 443,
        "DstPort": 51_000, "InIf": 8, "OutIf": 7, "Bytes": 90_000, "Packets": 70, "TimeFlowStart": _NOW_MS - 3_900,
        "TimeFlowEnd": _NOW_MS - 1_000, "TCPFlags": 0x1A,
    }  # fmt: skip
    return Recording(
        "built-ipfix-biflow", [_datagram(flow_set(2, both), flow_set(300, answered, alone))], [there, back, there]
    )


def _layer2() -> Recording:
    """MACs, VLANs, MPLS labels, translated addresses, VRFs, a VXLAN segment, a fragment, a forwarding status."""
    layout = template(
        400, (56, 6), (80, 6), (243, 2), (254, 2), (256, 2), (70, 3), (71, 3), (72, 3), (8, 4), (12, 4), (4, 1), (5, 1),
        (192, 1), (7, 2), (11, 2), (225, 4), (226, 4), (227, 2), (228, 2), (230, 1), (233, 1), (234, 4), (235, 4),
        (89, 1), (18, 4), (351, 8), (54, 4), (88, 2), (9, 1), (13, 1), (1, 4), (2, 4),
    )  # fmt: skip
    labels = u24(16_001 << 4) + u24(24_000 << 4 | 1) + u24(0)
    record = mac(MAC_A) + mac(MAC_B) + u16(100, 200, 0x0800) + labels + ip("198.51.100.5") + ip("192.0.2.5")
    record += u8(17, 0x2E, 61) + u16(4_500, 4_501) + ip("192.0.2.105") + ip("198.51.100.105") + u16(5_500, 5_501)
    record += u8(4, 5) + u32(11, 12) + u8(64) + ip("192.0.2.253") + u64(1 << 56 | 5_000) + u32(0xBEEF) + u16(185)
    record += u8(20, 28) + u32(8_000, 6)
    row: Row = _COMMON | {
        "SrcMAC": MAC_A, "DstMAC": MAC_B, "SrcVlan": 100, "DstVlan": 200, "EType": 0x0800,
        "MPLSLabels": [16_001, 24_000], "SrcAddr": "198.51.100.5", "DstAddr": "192.0.2.5", "Proto": 17, "IPTos": 0x2E,
        "IPTTL": 61, "SrcPort": 4_500, "DstPort": 4_501, "SrcAddrNAT": "192.0.2.105", "DstAddrNAT": "198.51.100.105",
        "SrcPortNAT": 5_500, "DstPortNAT": 5_501, "NATEvent": 4, "FirewallEvent": 5, "IngressVRFID": 11,
        "EgressVRFID": 12, "ForwardingStatus": 64, "BGPNextHop": "192.0.2.253", "VNI": 5_000, "IPFragmentID": 0xBEEF,
        "IPFragmentOffset": 185, "SrcNetMask": 20, "DstNetMask": 28, "Bytes": 8_000, "Packets": 6,
    }  # fmt: skip
    return Recording("built-ipfix-layer2", [_datagram(flow_set(2, layout), flow_set(400, record))], [row])
