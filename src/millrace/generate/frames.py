"""Build the headers of sampled packets as blocks of bytes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64, U8, U32, AnyArray, Bool
from millrace.generate.wire_values import ETYPE_IPV6, addresses, numbers

MAX_HEADER = 128
"""Bytes of a packet that an agent samples, by default (sFlow v5)."""

_TCP, _UDP, _ICMP, _ICMPV6 = 6, 17, 1, 58
_MIN_FRAME = 60
"""Shortest Ethernet frame without its check sequence."""

_ETHERNET: list[Any] = [("dst", "u1", (6,)), ("src", "u1", (6,))]
_VLAN: list[Any] = [("tpid", ">u2"), ("tci", ">u2")]
_IPV4: list[Any] = [
    ("ver_ihl", "u1"), ("tos", "u1"), ("length", ">u2"), ("id", ">u2"), ("fragment", ">u2"),
    ("ttl", "u1"), ("proto", "u1"), ("checksum", ">u2"), ("srcaddr", "u1", (4,)), ("dstaddr", "u1", (4,)),
]  # fmt: skip
_IPV6: list[Any] = [
    ("class_label", ">u4"), ("length", ">u2"), ("proto", "u1"), ("ttl", "u1"),
    ("srcaddr", "u1", (16,)), ("dstaddr", "u1", (16,)),
]  # fmt: skip
_TRANSPORT: dict[int, list[Any]] = {
    _TCP: [
        ("sport", ">u2"), ("dport", ">u2"), ("seq", ">u4"), ("ack", ">u4"),
        ("data_offset", "u1"), ("flags", "u1"), ("window", ">u2"), ("l4_checksum", ">u2"), ("urgent", ">u2"),
    ],
    _UDP: [("sport", ">u2"), ("dport", ">u2"), ("l4_length", ">u2"), ("l4_checksum", ">u2")],
    _ICMP: [("icmp_type", "u1"), ("icmp_code", "u1"), ("l4_checksum", ">u2"), ("rest", ">u4")],
    0: [],
}  # fmt: skip


@lru_cache(maxsize=32)
def _layout(transport: int, *, vlan: bool, ipv6: bool) -> np.dtype[Any]:
    network = _IPV6 if ipv6 else _IPV4
    return np.dtype([*_ETHERNET, *(_VLAN if vlan else []), ("etype", ">u2"), *network, *_TRANSPORT[transport]])


def sampled_headers(flows: FlowBatch) -> tuple[U8, I64, I64]:
    """The first bytes of one packet of each flow, an Ethernet frame.

    The packet's length is the flow's bytes per packet. IPv4 checksums are
    right; transport checksums are zero.

    Returns
    -------
    headers : ndarray of uint8, shape (rows, MAX_HEADER)
    header_length : ndarray of int64, shape (rows,)
        Bytes of `headers` that were sampled.
    frame_length : ndarray of int64, shape (rows,)
        Length of the frame with its check sequence.
    """
    ip_length = numbers(flows, "Bytes").astype(np.int64) // np.maximum(numbers(flows, "Packets").astype(np.int64), 1)
    vlan = numbers(flows, "SrcVlan") > 0
    ipv6 = numbers(flows, "EType") == ETYPE_IPV6
    transport = _transports(flows)
    headers = np.zeros((flows.rows, MAX_HEADER), np.uint8)
    group = transport * 4 + vlan * 2 + ipv6
    for code in np.flatnonzero(np.bincount(group, minlength=1)):
        rows = np.flatnonzero(group == code)
        layout = _layout(int(code) // 4, vlan=bool(code & 2), ipv6=bool(code & 1))
        packed = _fill(layout, flows, rows, ip_length[rows])
        headers[rows, : layout.itemsize] = packed.view(np.uint8).reshape(len(rows), -1)
    frame = np.maximum(ip_length + 14 + 4 * vlan, _MIN_FRAME)
    return headers, np.minimum(frame, MAX_HEADER), frame + 4


def _transports(flows: FlowBatch) -> I64:
    proto = numbers(flows, "Proto").astype(np.int64)
    known = np.where((proto == _TCP) | (proto == _UDP), proto, 0)
    return np.where((proto == _ICMP) | (proto == _ICMPV6), _ICMP, known)


def _fill(layout: np.dtype[Any], flows: FlowBatch, rows: I64, ip_length: I64) -> AnyArray:
    out = np.zeros(len(rows), layout)
    names = layout.names or ()
    values = {name: numbers(flows, column)[rows] for name, column in _COLUMNS.items() if name in names}
    for name, value in values.items():
        out[name] = value
    for name, column in (("src", "SrcMAC"), ("dst", "DstMAC")):
        mac = numbers(flows, column)[rows].astype(">u8")
        out[name] = mac.view(np.uint8).reshape(-1, 8)[:, 2:]
    if "tpid" in names:
        out["tpid"] = 0x8100
    out["proto"] = numbers(flows, "Proto")[rows]
    _fill_network(out, flows, rows, ip_length)
    if "data_offset" in names:
        out["data_offset"] = 0x50
        out["window"] = 0xFFFF
    if "l4_length" in names:
        out["l4_length"] = ip_length - (40 if "class_label" in names else 20)
    return out


_COLUMNS = {
    "tci": "SrcVlan", "tos": "IPTos", "id": "IPFragmentID", "ttl": "IPTTL", "sport": "SrcPort", "dport": "DstPort",
    "flags": "TCPFlags", "icmp_type": "ICMPType", "icmp_code": "ICMPCode",
}  # fmt: skip


def _fill_network(out: AnyArray, flows: FlowBatch, rows: I64, ip_length: I64) -> None:
    source, destination = (addresses(flows, name)[rows] for name in ("SrcAddr", "DstAddr"))
    if "class_label" in (out.dtype.names or ()):
        out["etype"] = ETYPE_IPV6
        tos = numbers(flows, "IPTos")[rows].astype(np.uint32)
        label = numbers(flows, "IPv6FlowLabel")[rows].astype(np.uint32)
        out["class_label"] = np.uint32(6 << 28) | tos << np.uint32(20) | label & np.uint32(0xFFFFF)
        out["length"] = ip_length - 40
        out["srcaddr"], out["dstaddr"] = source, destination
        return
    out["etype"] = 0x0800
    out["ver_ihl"] = 0x45
    out["length"] = ip_length
    fragmented = _fragmented(flows, rows)
    out["fragment"] = np.where(fragmented, numbers(flows, "IPFragmentOffset")[rows].astype(np.uint16), 0x4000)
    out["srcaddr"], out["dstaddr"] = source[:, 12:], destination[:, 12:]
    out["checksum"] = _checksum(out)


def _fragmented(flows: FlowBatch, rows: I64) -> Bool:
    fragmented: Bool = numbers(flows, "IPFragmentOffset")[rows] > 0
    return fragmented


def _checksum(out: AnyArray) -> U32:
    """Checksum of the IPv4 headers (RFC 1071), their checksum field being zero."""
    assert out.dtype.fields is not None
    offset = out.dtype.fields["ver_ihl"][1]
    header = out.view(np.uint8).reshape(len(out), -1)[:, offset : offset + 20]
    total: U32 = np.ascontiguousarray(header).view(">u2").sum(axis=1, dtype=np.uint32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return total ^ np.uint32(0xFFFF)
