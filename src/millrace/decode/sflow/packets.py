"""Records that show the packet: its header, or fields the agent took from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np

from millrace.batch import map_ipv4
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.packet import dissect
from millrace.decode.packet.layers import AFTER_IPV6, HAS_PORTS, EtherType, Layer, Protocol
from millrace.decode.packet.sheet import ADDRESS, Sheet
from millrace.decode.sflow.frame_lengths import packet_bytes
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

LargestOf: TypeAlias = Callable[[I64, I64], I64]

_ETHERNET_BYTES = 18  # header and frame check sequence, both part of the told length (sFlow v5 page 36)
_FIRST_ETHERTYPE = 1536
_PORTED = np.zeros(256, np.bool_)
_PORTED[list(HAS_PORTS)] = True
_EXTENSION = AFTER_IPV6 == Layer.EXTENSION


def fill_raw_headers(
    schema: Schema, records: Records, sheet: Sheet, tally: Tally, datagram: I64, largest: LargestOf
) -> None:
    """Dissect the sampled headers (sFlow v5 page 36).

    ``Bytes`` is what `packet_bytes` makes of the lengths that are told. Frames
    of which nothing is known keep their length.

    Parameters
    ----------
    schema, records, sheet, tally
    datagram : ndarray of int64, shape (n_samples,)
        Datagram of each sample.
    largest : callable
        From the datagrams of headers and how many bytes each has the most that the agent of each ever captured.
    """
    head = records.read(_RAW)
    begin = records.cursor.move(_RAW.itemsize)
    start = begin.at
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
    link = np.minimum(head["protocol"].astype(np.uint32), 255).astype(np.uint8)
    rows = sheet.target(records.sample)
    dissection = dissect(schema, begin, stop, link)
    sheet.merge(dissection.flows, rows)
    source, captured = datagram if rows is None else datagram[records.sample], stop - start
    size, known, short = packet_bytes(dissection, head, captured, largest(source, captured))
    sheet.put_known("Bytes", rows, size, known)
    if short.any():
        tally.event("short_frame_lengths", source[short])


def fill_sampled_ip(records: Records, sheet: Sheet, layout: np.dtype[np.void]) -> None:
    """Fill from sampled IPv4 or IPv6 (sFlow v5 page 37) what no sampled header told.

    Where one told of an IP packet, its missing columns are filled if it is the
    same packet: a header that shows a tunnel tells of the inner one, and the
    agent of the outer one.
    """
    if not len(records):
        return
    seen = sheet.known("Proto")[records.sample]
    if not seen.all():
        _fill_whole(records.pick(~seen), sheet, layout)
    if seen.any():
        _fill_gaps(records.pick(seen), sheet, layout)


def _fill_whole(records: Records, sheet: Sheet, layout: np.dtype[np.void]) -> None:
    packet = records.read(layout)
    rows = records.sample
    source, destination = read_ends(packet)
    etype = EtherType.IPV4 if layout is SAMPLED_IPV4 else EtherType.IPV6
    sheet.put_all(
        rows,
        {
            "Bytes": packet["length"],
            "EType": np.full(len(rows), etype, np.uint16),
            "SrcAddr": source,
            "DstAddr": destination,
        },
    )
    sheet.put_known("Proto", rows, _protocol(packet), packet["protocol"] < 256)
    for name, values, known in _details(packet):
        sheet.put_known(name, rows, values, known)


def _fill_gaps(records: Records, sheet: Sheet, layout: np.dtype[np.void]) -> None:
    packet = records.read(layout)
    rows = records.sample
    shown = sheet.get("Proto", rows)
    # A header that ends among extension headers of IPv6 does not tell the protocol.
    cut = _EXTENSION[shown] & (sheet.get("EType", rows) == EtherType.IPV6)
    cut &= (packet["protocol"] < 256) & ~_EXTENSION[_protocol(packet)]
    same = cut | (packet["protocol"] == shown)
    for name, told in zip(("SrcAddr", "DstAddr"), read_ends(packet), strict=True):
        same &= (_words(told) == _words(sheet.get(name, rows))).all(axis=1)
    sheet.put_missing("Bytes", rows, packet["length"], same)
    sheet.put_known("Proto", rows, _protocol(packet), cut & same)
    # Later fragments have no transport header, whatever the agent reads in its place.
    first = sheet.get("IPFragmentOffset", rows) == 0 if "IPFragmentOffset" in sheet else np.ones(len(rows), np.bool_)
    for name, values, known in _details(packet):
        sheet.put_missing(name, rows, values, known & same & (first | (name == "IPTos")))


def _details(packet: AnyArray) -> Iterator[tuple[str, AnyArray, Bool]]:
    """Columns of sampled IP beside its ends, with their values and where they are known."""
    protocol = _protocol(packet)
    ported = _PORTED[protocol]
    yield "IPTos", packet["tos"] & 0xFF, np.ones(len(packet), np.bool_)
    yield "SrcPort", packet["src_port"] & 0xFFFF, ported
    yield "DstPort", packet["dst_port"] & 0xFFFF, ported
    yield "TCPFlags", packet["flags"] & 0xFFF, protocol == Protocol.TCP


def _protocol(packet: AnyArray) -> U8:
    protocol: U8 = np.minimum(packet["protocol"].astype(np.uint32), 255).astype(np.uint8)
    return protocol


def _words(addresses: AnyArray) -> AnyArray:
    return np.ascontiguousarray(addresses).view(np.uint64).reshape(-1, 2)


def read_ends(packet: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Source and destination of sampled IPv4 or IPv6 structures as `ADDRESS` items."""
    ends = []
    for name in ("src", "dst"):
        field = packet[name]
        ends.append(field if field.dtype == ADDRESS else map_ipv4(field).view(ADDRESS).reshape(-1))
    return ends[0], ends[1]


def fill_sampled_ethernet(records: Records, sheet: Sheet) -> None:
    """Fill from sampled Ethernet (sFlow v5 page 36) what nothing else told."""
    frame = records.read(_ETHERNET)
    rows = records.sample
    sheet.put_missing("SrcMAC", rows, frame["src"].astype(np.uint64) >> np.uint64(16))
    sheet.put_missing("DstMAC", rows, frame["dst"].astype(np.uint64) >> np.uint64(16))
    etype = frame["type"].astype(np.int64)
    sheet.put_missing("EType", rows, etype & 0xFFFF, (etype >= _FIRST_ETHERTYPE) & (etype <= 0xFFFF))
    sheet.put_missing("Bytes", rows, np.maximum(frame["length"].astype(np.int64) - _ETHERNET_BYTES, 0))
