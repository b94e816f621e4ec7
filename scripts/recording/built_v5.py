"""NetFlow v1, v5 and v7 that no program of ours sends: sampling and engine in the header, an uptime that wrapped."""

from __future__ import annotations

from recording.files import EXPORTER, NETFLOW_PORT, Datagram, Recording, Row
from recording.wire import ip, u8, u16, u32

START_S = 1_760_000_000

_A, _B, _HOP = "198.51.100.1", "192.0.2.101", "192.0.2.254"


def recordings() -> list[Recording]:
    """Every capture of this module."""
    return [_sampled_v5(), _v1_and_v7()]


def _sampled_v5() -> Recording:
    uptime = 5_000  # 49.7 days passed 5 s ago: the flows began before
    head = u16(5, 3) + u32(uptime, START_S, 250_000_000, 77) + u8(2, 9) + u16(1 << 14 | 100)
    web = _record(_A, _B, 3, 4, 10, 5_000, (1 << 32) - 3_000, 1_000, 40_000, 443)
    web += u8(0, 0x1B, 6, 0x28) + u16(64500, 64501) + u8(24, 25) + u16(0)
    ping = _record(_B, _A, 4, 3, 1, 84, 2_000, 2_000, 0, 8 << 8)
    ping += u8(0, 0, 1, 0) + u16(64501, 64500) + u8(25, 24) + u16(0)
    unknown_start = _record(_A, _B, 3, 0, 2, 300, 4_000, 4_500, 5_353, 53)
    unknown_start += u8(0, 0, 17, 0) + u16(0, 0) + u8(0, 0) + u16(0)
    common: Row = {
        "TimeReceived": START_S * 1000 + 400, "FlowProtocol": "netflow-v5", "ExporterAddress": EXPORTER,
        "ObservationDomain": 2 << 8 | 9, "SamplingRate": 100, "SamplingRateSource": "header", "EType": 0x0800,
        "NextHop": _HOP,
    }  # fmt: skip
    flows = [
        common | {
            "SrcAddr": _A, "DstAddr": _B, "InIf": 3, "OutIf": 4, "Packets": 10, "Bytes": 5_000,
            "TimeFlowStart": START_S * 1000 + 250 - 8_000, "TimeFlowEnd": START_S * 1000 + 250 - 4_000,
            "SrcPort": 40_000, "DstPort": 443, "TCPFlags": 0x1B, "Proto": 6, "IPTos": 0x28, "SrcAS": 64500,
            "DstAS": 64501, "SrcNetMask": 24, "DstNetMask": 25,
        },
        common | {
            "SrcAddr": _B, "DstAddr": _A, "InIf": 4, "OutIf": 3, "Packets": 1, "Bytes": 84,
            "TimeFlowStart": START_S * 1000 + 250 - 3_000, "TimeFlowEnd": START_S * 1000 + 250 - 3_000,
            "SrcPort": 0, "DstPort": 2048, "ICMPType": 8, "ICMPCode": 0, "TCPFlags": 0, "Proto": 1, "IPTos": 0,
            "SrcAS": 64501, "DstAS": 64500, "SrcNetMask": 25, "DstNetMask": 24,
        },
        common | {
            "SrcAddr": _A, "DstAddr": _B, "InIf": 3, "OutIf": 0, "Packets": 2, "Bytes": 300,
            "TimeFlowStart": START_S * 1000 + 250 - 1_000, "TimeFlowEnd": START_S * 1000 + 250 - 500,
            "SrcPort": 5_353, "DstPort": 53, "TCPFlags": 0, "Proto": 17, "IPTos": 0, "SrcAS": 0, "DstAS": 0,
            "SrcNetMask": 0, "DstNetMask": 0,
        },
    ]  # fmt: skip
    datagram = Datagram(START_S * 1_000_000 + 400_000, head + web + ping + unknown_start, NETFLOW_PORT)
    return Recording("built-v5-sampled", [datagram], flows)


def _record(
    src: str, dst: str, in_if: int, out_if: int, packets: int, octets: int, first: int, last: int, sport: int,
    dport: int,
) -> bytes:  # fmt: skip
    """What records of v1, v5 and v7 begin with."""
    return ip(src) + ip(dst) + ip(_HOP) + u16(in_if, out_if) + u32(packets, octets, first, last) + u16(sport, dport)


def _v1_and_v7() -> Recording:
    uptime = 3_600_000
    start = _record(_A, _B, 1, 2, 7, 700, uptime - 2_000, uptime - 1_000, 1_024, 22)
    v1 = u16(1, 1) + u32(uptime, START_S, 0) + start + u16(0) + u8(6, 0x10, 0x02) + bytes(7)
    end = u8(0, 0x12, 6, 0x10) + u16(64500, 64501) + u8(16, 24) + u16(0) + ip("192.0.2.250")
    v7 = u16(7, 1) + u32(uptime, START_S + 1, 0, 0, 0) + start + end
    both: Row = {
        "ExporterAddress": EXPORTER, "ObservationDomain": 0, "SamplingRateSource": "unknown", "EType": 0x0800,
        "SrcAddr": _A, "DstAddr": _B, "NextHop": _HOP, "InIf": 1, "OutIf": 2, "Packets": 7, "Bytes": 700,
        "SrcPort": 1_024, "DstPort": 22, "Proto": 6, "IPTos": 0x10,
    }  # fmt: skip
    flows = [
        both | {"FlowProtocol": "netflow-v1", "TCPFlags": 0x02, **_times(START_S)},
        both | {
            "FlowProtocol": "netflow-v7", "TCPFlags": 0x12, **_times(START_S + 1), "SrcAS": 64500, "DstAS": 64501,
            "SrcNetMask": 16, "DstNetMask": 24,
        },
    ]  # fmt: skip
    datagrams = [
        Datagram((START_S + number) * 1_000_000, payload, NETFLOW_PORT) for number, payload in enumerate((v1, v7))
    ]
    return Recording("built-v1-v7", datagrams, flows)


def _times(export_s: int) -> Row:
    """Times of the record of `_v1_and_v7`."""
    now = export_s * 1000
    return {"TimeReceived": now, "TimeFlowStart": now - 2_000, "TimeFlowEnd": now - 1_000}
