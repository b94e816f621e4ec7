"""Records that show the packet: its header, or fields the agent took from it."""

from __future__ import annotations

import numpy as np

from millrace.batch import map_ipv4
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.packet import Dissection, dissect
from millrace.decode.packet.frames import gather
from millrace.decode.packet.layers import HAS_PORTS, EtherType, Protocol
from millrace.decode.packet.sheet import ADDRESS, Sheet
from millrace.decode.sflow.records import Records
from millrace.decode.sflow.tally import Tally
from millrace.schema import Schema

_RAW = np.dtype([("protocol", ">u4"), ("frame_bytes", ">u4"), ("stripped", ">u4"), ("header_bytes", ">u4")])
_ETHERNET = np.dtype(
    {"names": ["length", "src", "dst", "type"], "formats": [">u4", ">u8", ">u8", ">u4"],
     "offsets": [0, 4, 12, 20], "itemsize": 24}
)  # fmt: skip
"""MACs fill the upper 48 of 64 bits: XDR pads them to 8 bytes."""
SAMPLED_IPV4 = np.dtype(
    [("length", ">u4"), ("protocol", ">u4"), ("src", ">u4"), ("dst", ">u4"), ("src_port", ">u4"),
     ("dst_port", ">u4"), ("flags", ">u4"), ("tos", ">u4")]
)  # fmt: skip
SAMPLED_IPV6 = np.dtype(
    [("length", ">u4"), ("protocol", ">u4"), ("src", ADDRESS), ("dst", ADDRESS), ("src_port", ">u4"),
     ("dst_port", ">u4"), ("flags", ">u4"), ("tos", ">u4")]
)  # fmt: skip

_ETHERNET_BYTES = 18  # header and frame check sequence, both part of the told length (sFlow v5 page 36)
_FIRST_ETHERTYPE = 1536
_PORTED = np.zeros(256, np.bool_)
_PORTED[list(HAS_PORTS)] = True


def fill_raw_headers(schema: Schema, arena: U8, records: Records, sheet: Sheet, tally: Tally, datagram: I64) -> None:
    """Dissect the sampled headers (sFlow v5 page 36).

    ``Bytes`` is the length that the outermost IP header tells if the frame is
    long enough for it; otherwise what the frame has after its link header,
    without the bytes that the agent says it stripped. Frames of which nothing
    is known keep their length.

    Parameters
    ----------
    schema, arena, records, sheet, tally
    datagram : ndarray of int64, shape (n_samples,)
        Datagram of each sample.
    """
    head = gather(arena, records.at, _RAW)
    start = records.at + _RAW.itemsize
    stop = start + head["header_bytes"].astype(np.int64)
    over = stop > records.stop
    if over.any():
        part = records.pick(over)
        told, room = head["header_bytes"][over], (records.stop - start)[over]
        tally.drop(
            "record", "bad-length", datagram[part.sample],
            lambda i: f"sampled header of {told[i]} bytes in a record that has room for {room[i]}",
        )  # fmt: skip
        stop = np.minimum(stop, records.stop)
    link = np.minimum(head["protocol"], 255).astype(np.uint8)
    rows = sheet.target(records.sample)
    dissection = dissect(schema, arena, start, stop, link)
    sheet.merge(dissection.flows, rows)
    sheet.put_known("Bytes", rows, *_packet_bytes(dissection, head))


def _packet_bytes(dissection: Dissection, head: AnyArray) -> tuple[I64, Bool]:
    frame = head["frame_bytes"].astype(np.int64)
    room = frame - dissection.link_bytes
    told = dissection.l3_bytes
    plausible = (told >= 0) & ((told <= room) | (frame == 0))
    fallback = np.maximum(room - head["stripped"].astype(np.int64), 0)
    return np.where(plausible, told, fallback), plausible | (frame > 0)


def fill_sampled_ip(arena: U8, records: Records, sheet: Sheet, layout: np.dtype[np.void]) -> None:
    """Fill from sampled IPv4 or IPv6 (sFlow v5 page 37) where no sampled header told of an IP packet."""
    records = records.pick(~sheet.known("Proto")[records.sample])
    if not len(records):
        return
    packet = gather(arena, records.at, layout)
    rows = records.sample
    protocol = np.minimum(packet["protocol"], 255).astype(np.uint8)
    source, destination = read_ends(packet)
    etype = EtherType.IPV4 if layout is SAMPLED_IPV4 else EtherType.IPV6
    sheet.put_all(
        rows,
        {
            "Bytes": packet["length"],
            "EType": np.full(len(rows), etype, np.uint16),
            "SrcAddr": source,
            "DstAddr": destination,
            "IPTos": packet["tos"] & 0xFF,
        },
    )
    sheet.put_known("Proto", rows, protocol, packet["protocol"] < 256)
    ported = _PORTED[protocol]
    sheet.put_known("SrcPort", rows, packet["src_port"] & 0xFFFF, ported)
    sheet.put_known("DstPort", rows, packet["dst_port"] & 0xFFFF, ported)
    sheet.put_known("TCPFlags", rows, packet["flags"] & 0xFFF, protocol == Protocol.TCP)


def read_ends(packet: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Source and destination of sampled IPv4 or IPv6 structures as `ADDRESS` items."""
    ends = []
    for name in ("src", "dst"):
        field = packet[name]
        ends.append(field if field.dtype == ADDRESS else map_ipv4(field).view(ADDRESS).reshape(-1))
    return ends[0], ends[1]


def fill_sampled_ethernet(arena: U8, records: Records, sheet: Sheet) -> None:
    """Fill from sampled Ethernet (sFlow v5 page 36) what nothing else told."""
    frame = gather(arena, records.at, _ETHERNET)
    rows = records.sample
    sheet.put_missing("SrcMAC", rows, frame["src"].astype(np.uint64) >> np.uint64(16))
    sheet.put_missing("DstMAC", rows, frame["dst"].astype(np.uint64) >> np.uint64(16))
    etype = frame["type"].astype(np.int64)
    sheet.put_missing("EType", rows, etype & 0xFFFF, (etype >= _FIRST_ETHERTYPE) & (etype <= 0xFFFF))
    sheet.put_missing("Bytes", rows, np.maximum(frame["length"].astype(np.int64) - _ETHERNET_BYTES, 0))
