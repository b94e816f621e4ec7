"""NetFlow v9 that no program of ours sends: samplers and applications by options, templates that are late or change."""

from __future__ import annotations

from recording.files import EXPORTER, NETFLOW_PORT, Datagram, Recording, Row
from recording.wire import flow_set, ip, mac, template, u8, u16, u24, u32, v9, v9_options_template

START_S = 1_760_000_000
_UPTIME = 7_200_000
_DOMAIN = 33
_SYSTEM_SCOPE = (1, 4)


def recordings() -> list[Recording]:
    """Every capture of this module."""
    return [_options(), _late_templates()]


def _datagram(number: int, count: int, *sets: bytes) -> Datagram:
    """The export packet of that second."""
    payload = v9(*sets, domain=_DOMAIN, sequence=number, export_s=START_S + number, uptime_ms=_UPTIME + 1000 * number,
                 count=count)  # fmt: skip
    return Datagram((START_S + number) * 1_000_000 + 1_000, payload, NETFLOW_PORT)


def _common(number: int) -> Row:
    return {
        "TimeReceived": (START_S + number) * 1000 + 1, "FlowProtocol": "netflow-v9", "ExporterAddress": EXPORTER,
        "ObservationDomain": _DOMAIN,
    }  # fmt: skip


def _options() -> Recording:
    """Two random samplers and an application, told by options; flows that name them, one that names none."""
    announcements = flow_set(
        1,
        v9_options_template(256, [_SYSTEM_SCOPE], [(48, 1), (49, 1), (50, 4)]),
        v9_options_template(257, [_SYSTEM_SCOPE], [(95, 4), (96, 12)]),
    )
    samplers = flow_set(256, u32(0), u8(2, 2), u32(512), u32(0), u8(3, 2), u32(1024))
    applications = flow_set(257, u32(0), u32(13 << 24 | 80), b"web".ljust(12, b"\0"))
    fields = [(8, 4), (12, 4), (15, 4), (10, 4), (14, 4), (2, 4), (1, 4), (22, 4), (21, 4), (7, 2), (11, 2), (4, 1),
              (5, 1), (6, 1), (16, 4), (17, 4), (9, 1), (13, 1), (61, 1), (48, 1), (95, 4)]  # fmt: skip
    ends = ip("198.51.100.7") + ip("192.0.2.7") + ip("192.0.2.254")
    times = u32(_UPTIME - 9_000, _UPTIME - 500)
    rest = u16(50_123, 443) + u8(6, 0xB8, 0x1A) + u32(64500, 4_200_000_001) + u8(24, 22)
    record = ends + u32(10, 20, 12, 3_456) + times + rest
    data = flow_set(
        300,
        record + u8(0, 2) + u32(13 << 24 | 80),
        record + u8(1, 3) + u32(13 << 24 | 81),
        record + u8(0, 0) + u32(0),
        padding=3,
    )
    common = _common(1) | {
        "EType": 0x0800, "SrcAddr": "198.51.100.7", "DstAddr": "192.0.2.7", "NextHop": "192.0.2.254", "InIf": 10,
        "OutIf": 20, "Packets": 12, "Bytes": 3_456, "TimeFlowStart": START_S * 1000 - 9_000,
        "TimeFlowEnd": START_S * 1000 - 500, "SrcPort": 50_123, "DstPort": 443, "Proto": 6, "IPTos": 0xB8,
        "TCPFlags": 0x1A, "SrcAS": 64500, "DstAS": 4_200_000_001, "SrcNetMask": 24, "DstNetMask": 22,
    }  # fmt: skip
    flows = [
        common | {"FlowDirection": "ingress", "SamplingRate": 512, "SamplingRateSource": "options",
                  "ApplicationName": "web"},
        common | {"FlowDirection": "egress", "SamplingRate": 1024, "SamplingRateSource": "options"},
        # Sampler 0 where others name theirs: this flow was not selected, so nobody knows its rate.
        common | {"FlowDirection": "ingress", "SamplingRateSource": "unknown"},
    ]  # fmt: skip
    datagrams = [
        _datagram(0, 5, announcements, samplers, applications),
        _datagram(1, 4, flow_set(0, template(300, *fields)), data),
    ]
    return Recording("built-v9-options", datagrams, flows)


def _late_templates() -> Recording:
    """Data before its template, IPv6, and a template whose number gets another meaning."""
    ends = ip("2001:db8:1::1") + ip("2001:db8:2::2")
    early = [ends + ip("2001:db8::fe") + u8(48, 56) + u24(0xABCDE) + u8(17) + u16(53, 40_000 + n) + u32(4, 400 + n)
             + u32(_UPTIME - 3_000, _UPTIME - 2_000) for n in range(2)]  # fmt: skip
    first = template(256, (27, 16), (28, 16), (62, 16), (29, 1), (30, 1), (31, 3), (4, 1), (7, 2), (11, 2), (2, 4),
                     (1, 4), (22, 4), (21, 4))  # fmt: skip
    second = template(256, (56, 6), (80, 6), (58, 2), (59, 2), (8, 4), (12, 4), (4, 1), (32, 2), (1, 8), (2, 8))
    late = mac("02:00:00:00:00:0a") + mac("02:00:00:00:00:0b") + u16(100, 0xE0C8) + ip("198.51.100.8")
    late += ip("192.0.2.8") + u8(1) + u16(3 << 8 | 1) + (10_000_000_000).to_bytes(8, "big") + (5).to_bytes(8, "big")
    old: Row = _common(0) | {
        "SamplingRateSource": "unknown", "EType": 0x86DD, "SrcAddr": "2001:db8:1::1", "DstAddr": "2001:db8:2::2",
        "NextHop": "2001:db8::fe", "SrcNetMask": 48, "DstNetMask": 56, "IPv6FlowLabel": 0xABCDE, "Proto": 17,
        "SrcPort": 53, "Packets": 4, "TimeFlowStart": START_S * 1000 - 3_000, "TimeFlowEnd": START_S * 1000 - 2_000,
    }  # fmt: skip
    new: Row = _common(2) | {
        "SamplingRateSource": "unknown", "EType": 0x0800, "SrcMAC": "02:00:00:00:00:0a",
        "DstMAC": "02:00:00:00:00:0b", "SrcVlan": 100, "DstVlan": 200, "SrcAddr": "198.51.100.8",
        "DstAddr": "192.0.2.8", "Proto": 1, "ICMPType": 3, "ICMPCode": 1, "Bytes": 10_000_000_000, "Packets": 5,
    }  # fmt: skip
    flows = [
        old | {"DstPort": 40_000, "Bytes": 400},
        old | {"DstPort": 40_001, "Bytes": 401},
        new,
    ]
    datagrams = [
        _datagram(0, 2, flow_set(256, *early)),
        _datagram(1, 1, flow_set(0, first)),
        _datagram(2, 2, flow_set(0, second), flow_set(256, late, padding=1)),
    ]
    return Recording("built-v9-late-templates", datagrams, flows)
