"""Every way in which IPFIX tells when a flow began and ended, and datagrams that contradict themselves."""

from __future__ import annotations

from recording.files import EXPORTER, NETFLOW_PORT, Datagram, Recording, Row
from recording.wire import flow_set, ip, ipfix, ipfix_options_template, specifiers, template, u8, u16, u32, u64

START_S = 1_760_000_000
_NOW_MS = START_S * 1000
_DOMAIN = 815
_NTP_S = START_S + 2_208_988_800
"""Seconds since 1900 (RFC 7011 §6.1.9)."""
_BOOT_MS = _NOW_MS - 86_400_000

_WAYS: tuple[tuple[tuple[tuple[int, int], ...], bytes, int, int], ...] = (
    # fields of the template, bytes of the record, and start and end in ms before the export
    (((150, 4), (151, 4)), u32(START_S - 9, START_S - 2), 9_000, 2_000),
    (((152, 8), (153, 8)), u64(_NOW_MS - 8_765, _NOW_MS - 43), 8_765, 43),
    (((154, 8), (155, 8)), u32(_NTP_S - 7, 1 << 31, _NTP_S - 1, 1 << 30), 6_500, 750),
    (((156, 8), (157, 8)), u32(_NTP_S - 6, 1 << 29, _NTP_S - 3, 3 << 30), 5_875, 2_250),
    (((158, 4), (159, 4)), u32(4_000_000, 1_500_000), 4_000, 1_500),
    (((22, 4), (21, 4)), u32(86_400_000 - 3_210, 86_400_000 - 10), 3_210, 10),
    (((152, 8), (161, 4)), u64(_NOW_MS - 6_000) + u32(2_500), 6_000, 3_500),
    (((153, 8), (162, 4)), u64(_NOW_MS - 1_000) + u32(7_000_000), 8_000, 1_000),
    (((323, 8),), u64(_NOW_MS - 77), 77, 77),
)


def recordings() -> list[Recording]:
    """Every capture of this module."""
    return [_times(), _faults()]


def _datagram(number: int, *sets: bytes) -> Datagram:
    payload = ipfix(*sets, domain=_DOMAIN, sequence=number, export_s=START_S)
    return Datagram(START_S * 1_000_000 + 1000 * number, payload, NETFLOW_PORT)


def _common(number: int) -> Row:
    return {
        "TimeReceived": _NOW_MS + number, "FlowProtocol": "ipfix", "ExporterAddress": EXPORTER,
        "ObservationDomain": _DOMAIN, "SamplingRateSource": "unknown", "EType": 0x0800, "SrcAddr": "198.51.100.6",
        "DstAddr": "192.0.2.6", "Bytes": 600, "Packets": 6,
    }  # fmt: skip


_ENDS = ((8, 4), (12, 4), (1, 4), (2, 4))
_RECORD = ip("198.51.100.6") + ip("192.0.2.6") + u32(600, 6)


def _times() -> Recording:
    boot = flow_set(3, ipfix_options_template(999, [(149, 4)], [(160, 8)]), padding=2)
    boot += flow_set(999, u32(_DOMAIN), u64(_BOOT_MS))
    templates = flow_set(2, *(template(256 + at, *_ENDS, *way[0]) for at, way in enumerate(_WAYS)))
    data = [flow_set(256 + at, _RECORD, way[1]) for at, way in enumerate(_WAYS)]
    flows = [
        _common(1) | {"TimeFlowStart": _NOW_MS - start, "TimeFlowEnd": _NOW_MS - end} for _, _, start, end in _WAYS
    ]
    return Recording("built-ipfix-times", [_datagram(0, boot, templates), _datagram(1, *data)], flows)


def _faults() -> Recording:
    """What is wrong costs itself: each datagram also holds a flow that is right."""
    good, layout = flow_set(256, _RECORD), flow_set(2, template(256, *_ENDS))
    two_announced = u16(5, 2) + u32(60_000, START_S, 0, 0) + u8(0, 0) + u16(0)
    one_there = ip("198.51.100.6") + ip("192.0.2.6") + ip("192.0.2.254") + u16(1, 2) + u32(6, 600, 50_000, 59_000)
    one_there += u16(1_000, 2_000) + u8(0, 0, 17, 0) + u16(0, 0) + u8(0, 0) + u16(0)
    payloads = [
        ipfix(layout, good, domain=_DOMAIN, sequence=0, export_s=START_S),
        # A set id that stands for nothing (RFC 7011 §3.3.2).
        ipfix(good, flow_set(100, bytes(8)), domain=_DOMAIN, sequence=1, export_s=START_S),
        # A set of no length: where the next one would begin is unknown.
        ipfix(good, u16(256, 0), domain=_DOMAIN, sequence=2, export_s=START_S),
        # A template whose number is that of a set of templates.
        ipfix(flow_set(2, u16(2, 1) + specifiers((8, 4))), good, domain=_DOMAIN, sequence=3, export_s=START_S),
        # NetFlow v5 that ends before its second record.
        two_announced + one_there,
        # A version that nobody defined.
        u16(3, 1) + bytes(20),
    ]
    datagrams = [
        Datagram(START_S * 1_000_000 + 1000 * number, payload, NETFLOW_PORT) for number, payload in enumerate(payloads)
    ]
    old: Row = _common(4) | {
        "FlowProtocol": "netflow-v5", "ObservationDomain": 0, "NextHop": "192.0.2.254", "InIf": 1, "OutIf": 2,
        "TimeFlowStart": _NOW_MS - 10_000, "TimeFlowEnd": _NOW_MS - 1_000, "SrcPort": 1_000, "DstPort": 2_000,
        "Proto": 17, "TCPFlags": 0, "IPTos": 0, "SrcAS": 0, "DstAS": 0, "SrcNetMask": 0, "DstNetMask": 0,
    }  # fmt: skip
    drops = {
        ("set", "reserved-id"): 1, ("set", "bad-length"): 1, ("template", "bad-template-id"): 1,
        ("record", "truncated"): 1, ("datagram", "unknown-version"): 1,
    }  # fmt: skip
    return Recording("built-faults", datagrams, [*map(_common, range(4)), old], drops=drops)
