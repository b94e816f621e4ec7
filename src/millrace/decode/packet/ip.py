"""IPv4, IPv6 and the extension headers."""

from __future__ import annotations

import numpy as np

from millrace.batch import map_ipv4
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.packet.frames import Frames, Front
from millrace.decode.packet.layers import AFTER_IPV4, AFTER_IPV6, EtherType, Layer, Protocol, Table, Tunnel, look_up
from millrace.decode.packet.sheet import ADDRESS

MAX_EXTENSIONS = 8
"""Extension headers read of one packet."""

_IPV4 = np.dtype(
    [
        ("version_ihl", "u1"), ("tos", "u1"), ("length", ">u2"), ("id", ">u2"), ("fragment", ">u2"),
        ("ttl", "u1"), ("protocol", "u1"), ("checksum", ">u2"), ("src", ">u4"), ("dst", ">u4"),
    ]
)  # fmt: skip
_IPV6 = np.dtype(
    [("first", ">u4"), ("length", ">u2"), ("next", "u1"), ("hops", "u1"), ("src", ADDRESS), ("dst", ADDRESS)]
)
_EXTENSION = np.dtype([("next", "u1"), ("length", "u1"), ("type_or_offset", ">u2"), ("id", ">u4")])

_WRAPS = np.zeros(256, np.bool_)
_WRAPS[[Protocol.IPV4, Protocol.IPV6, Protocol.ETHERNET]] = True

_WITHOUT_OPTIONS = 0x45
_NO_NEXT_HEADER = 59
_SEGMENT_ROUTING = 4  # routing type (RFC 8754 §2)


def ipv4(frames: Frames, front: Front) -> None:
    """Read an IPv4 header (RFC 791 §3.1) of any length; it is accepted once its fixed part is whole.

    A total length of 0, as segmentation offload leaves it, counts as not told.
    """
    front = frames.visible(front, 20)
    if not len(front):
        return
    header = frames.read(front, _IPV4)
    header_bytes: int | I64 = _IPV4.itemsize
    if not (header["version_ihl"] == _WITHOUT_OPTIONS).all():
        sane = (header["version_ihl"] >= _WITHOUT_OPTIONS) & (header["version_ihl"] <= 0x4F)
        front, header = front.pick(sane), header[sane]
        if not len(front):
            return
        header_bytes = (header["version_ihl"] & 0x0F).astype(np.int64) * 4
    frames.mark("ipv4", front)
    length = header["length"].astype(np.int64)
    length[length < header_bytes] = -1
    frames.enter_packet(front, length)
    protocol = np.ascontiguousarray(header["protocol"])
    fragment = header["fragment"].astype(np.uint16)
    offset = fragment & np.uint16(0x1FFF)
    frames.sheet.put_all(
        front.target,
        {
            "EType": np.full(len(front), EtherType.IPV4, np.uint16),
            "SrcAddr": map_ipv4(header["src"]).view(ADDRESS).reshape(-1),
            "DstAddr": map_ipv4(header["dst"]).view(ADDRESS).reshape(-1),
            "Proto": protocol,
            "IPTos": header["tos"],
            "IPTTL": header["ttl"],
            "IPFragmentID": header["id"],
            "IPFragmentOffset": offset,
        },
    )
    _go_on(frames, front.move(header_bytes), AFTER_IPV4, protocol, offset == 0)


def ipv6(frames: Frames, front: Front) -> None:
    """Read an IPv6 header (RFC 8200 §3).

    A payload length of 0 counts as not told (jumbogram or segmentation
    offload), unless the header says that nothing follows.
    """
    front = frames.visible(front, 40)
    if not len(front):
        return
    header = frames.read(front, _IPV6)
    first = header["first"].astype(np.uint32)
    sane = first >> np.uint32(28) == 6
    if not sane.all():
        front, header, first = front.pick(sane), header[sane], first[sane]
        if not len(front):
            return
    frames.mark("ipv6", front)
    payload = header["length"].astype(np.int64)
    told = (payload > 0) | (header["next"] == _NO_NEXT_HEADER)
    frames.enter_packet(front, np.where(told, payload + 40, -1))
    frames.sheet.put_all(
        front.target,
        {
            "EType": np.full(len(front), EtherType.IPV6, np.uint16),
            "SrcAddr": header["src"],
            "DstAddr": header["dst"],
            "Proto": header["next"],
            "IPTos": first >> np.uint32(20) & np.uint32(0xFF),
            "IPTTL": header["hops"],
            "IPv6FlowLabel": first & np.uint32(0xFFFFF),
        },
    )
    _go_on(frames, front.move(40), AFTER_IPV6, header["next"], None)


def extension(frames: Frames, front: Front) -> None:
    """Follow extension headers (RFC 8200 §4, AH: RFC 4302 §2) to the upper protocol, which becomes `Proto`.

    After a fragment that is not the first nothing is read. Where an extension
    header is cut off, `Proto` stays that header's number.
    """
    front = frames.visible(front, 8)
    number = front.tag
    segment_routed = np.zeros(len(front), np.bool_)
    for _ in range(MAX_EXTENSIONS):
        header = frames.read(front, _EXTENSION)
        size = _extension_bytes(number, header["length"])
        whole = frames.room(front) >= size
        front, number, segment_routed = front.pick(whole), number[whole], segment_routed[whole]
        if not len(front):
            return
        header, size = header[whole], size[whole]
        is_fragment = number == Protocol.FRAGMENT
        rest = _tell_fragments(frames, front, header, is_fragment)
        routing_type = header["type_or_offset"] >> 8
        segment_routed = segment_routed | ((number == Protocol.ROUTING) & (routing_type == _SEGMENT_ROUTING))
        front = front.move(size)
        number = header["next"]
        frames.sheet.put("Proto", front.rows, number)
        more = rest & (AFTER_IPV6[number] == Layer.EXTENSION)
        done = rest & ~more
        frames.enter_tunnel(front.pick(done & segment_routed & _WRAPS[number]), Tunnel.SRV6)
        _go_on(frames, front.pick(done), AFTER_IPV6, number[done], None)
        more &= frames.room(front) >= 8
        front, number, segment_routed = front.pick(more), number[more], segment_routed[more]


def _extension_bytes(number: U8, length: U8) -> AnyArray:
    units = length.astype(np.int64)
    counted = np.where(number == Protocol.AUTHENTICATION, units * 4 + 8, units * 8 + 8)
    return np.where(number == Protocol.FRAGMENT, 8, counted)


def _tell_fragments(frames: Frames, front: Front, header: AnyArray, is_fragment: Bool) -> Bool:
    """Write the columns of fragment headers; True for the frames that can be followed further."""
    offset = header["type_or_offset"].astype(np.uint16) >> np.uint16(3)
    rows = front.rows[is_fragment]
    if len(rows):
        frames.sheet.put("IPFragmentID", rows, header["id"][is_fragment])
        frames.sheet.put("IPFragmentOffset", rows, offset[is_fragment])
    return ~(is_fragment & (offset > 0))


def _go_on(frames: Frames, front: Front, table: Table, number: U8, first_fragment: Bool | None) -> None:
    """Send packets to the layer that their protocol number announces, and tell tunnels that need no header."""
    if first_fragment is not None and not first_fragment.all():
        front, number = front.pick(first_fragment), number[first_fragment]
    if not len(front):
        return
    number = np.ascontiguousarray(number)
    wrapped = look_up(_WRAPS, number)
    if wrapped.any():
        wrapped &= table.take(number) != Layer.NONE
        is_ethernet = wrapped & (number == Protocol.ETHERNET)
        frames.enter_tunnel(front.pick(is_ethernet), Tunnel.SRV6)
        frames.enter_tunnel(front.pick(wrapped & ~is_ethernet), Tunnel.IPIP)
    frames.look_up(table, number, Front(front.rows, front.cursor, number, front.whole))
