"""Encode flows as NetFlow v5 export datagrams."""

from __future__ import annotations

from typing import Any

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import AnyArray
from millrace.generate.datagrams import Datagrams, from_blocks, join
from millrace.generate.wire_values import ipv4_words, numbers

MAX_RECORDS = 30
"""Records that fit a v5 datagram (24-byte header, 48-byte records, 1464 bytes)."""

AS_TRANS = 23456
"""Stands for an AS number that does not fit 16 bits (RFC 6793)."""

HEADER = np.dtype(
    [
        ("version", ">u2"), ("count", ">u2"), ("uptime", ">u4"), ("secs", ">u4"), ("nsecs", ">u4"),
        ("sequence", ">u4"), ("engine_type", "u1"), ("engine_id", "u1"), ("sampling", ">u2"),
    ]
)  # fmt: skip
RECORD = np.dtype(
    [
        ("srcaddr", ">u4"), ("dstaddr", ">u4"), ("nexthop", ">u4"), ("input", ">u2"), ("output", ">u2"),
        ("packets", ">u4"), ("octets", ">u4"), ("first", ">u4"), ("last", ">u4"),
        ("srcport", ">u2"), ("dstport", ">u2"), ("pad1", "u1"), ("tcp_flags", "u1"), ("prot", "u1"), ("tos", "u1"),
        ("src_as", ">u2"), ("dst_as", ">u2"), ("src_mask", "u1"), ("dst_mask", "u1"), ("pad2", ">u2"),
    ]
)  # fmt: skip

_NUMBERS = {
    "input": "InIf", "output": "OutIf", "packets": "Packets", "octets": "Bytes", "srcport": "SrcPort",
    "dstport": "DstPort", "tcp_flags": "TCPFlags", "prot": "Proto", "tos": "IPTos",
    "src_mask": "SrcNetMask", "dst_mask": "DstNetMask",
}  # fmt: skip


def records(flows: FlowBatch, boot_ms: int) -> AnyArray:
    """The flows as v5 records; they must be IPv4.

    Parameters
    ----------
    flows : FlowBatch
    boot_ms : int
        Unix milliseconds at which the exporter's uptime was zero.

    Returns
    -------
    ndarray of RECORD, shape (rows,)
    """
    out = np.zeros(flows.rows, RECORD)
    for field, name in (("srcaddr", "SrcAddr"), ("dstaddr", "DstAddr"), ("nexthop", "NextHop")):
        out[field] = ipv4_words(flows, name)
    for field, name in _NUMBERS.items():
        out[field] = numbers(flows, name)
    for field, name in (("src_as", "SrcAS"), ("dst_as", "DstAS")):
        number = numbers(flows, name)
        out[field] = np.where(number > 0xFFFF, AS_TRANS, number)
    icmp = numbers(flows, "Proto") == 1
    if icmp.any():
        code = numbers(flows, "ICMPType").astype(np.uint16) * 256 + numbers(flows, "ICMPCode")
        out["dstport"] = np.where(icmp, code, out["dstport"])
    for field, name in (("first", "TimeFlowStart"), ("last", "TimeFlowEnd")):
        out[field] = (numbers(flows, name).astype(np.int64) - boot_ms) & 0xFFFFFFFF
    return out


def encode(
    flows: FlowBatch, *, boot_ms: int, sampling_rate: int = 0, engine: int = 0, flows_per_datagram: int = MAX_RECORDS
) -> Datagrams:
    """Encode IPv4 flows; sequence numbers and times of the headers are left to be stamped.

    Parameters
    ----------
    engine : int
        Engine type (high byte) and engine id (low byte).
    sampling_rate : int
        At most 16383; written with mode 1 (deterministic) when above 1.
    """
    rows = records(flows, boot_ms)
    sampling = (0x4000 | min(sampling_rate, 0x3FFF)) if sampling_rate > 1 else 0
    whole = len(rows) // flows_per_datagram * flows_per_datagram
    parts = []
    for part, count in ((rows[:whole], flows_per_datagram), (rows[whole:], len(rows) - whole)):
        if not len(part):
            continue
        layout: np.dtype[Any] = np.dtype([("header", HEADER), ("records", RECORD, (count,))])
        blocks = np.zeros(len(part) // count, layout)
        header = blocks["header"]
        header["version"] = 5
        header["count"] = count
        header["engine_type"] = engine >> 8
        header["engine_id"] = engine & 0xFF
        header["sampling"] = sampling
        blocks["records"] = part.reshape(-1, count)
        parts.append(from_blocks(blocks, count))
    return join(parts)
