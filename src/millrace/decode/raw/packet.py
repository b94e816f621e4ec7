"""The headers of a sampled packet, layer by layer."""

from __future__ import annotations

from collections.abc import Callable

from millrace.decode.raw.cursor import Cursor, Json, Truncated

PACKET_SECTIONS = {104: "ethernet", 313: "ip", 315: "ethernet", 316: "mpls"}
"""IANA elements that hold the beginning of a packet, and its first layer."""

ETHERTYPES = {
    0x0800: "ipv4", 0x86DD: "ipv6", 0x8100: "vlan", 0x88A8: "vlan", 0x9100: "vlan",
    0x8847: "mpls", 0x8848: "mpls", 0x6558: "ethernet", 0x8864: "pppoe",
}  # fmt: skip
"""Layers by EtherType (IEEE registry)."""

IP_PROTOCOLS = {
    0: "hop-by-hop", 1: "icmp", 4: "ipv4", 6: "tcp", 17: "udp", 33: "ports", 41: "ipv6", 43: "routing", 44: "fragment",
    47: "gre", 51: "authentication", 58: "icmpv6", 60: "destination", 132: "sctp", 135: "mobility", 136: "ports",
    137: "mpls", 139: "hip", 140: "shim6", 143: "ethernet",
}  # fmt: skip
"""Layers by IP protocol number (IANA registry); ``ports``: DCCP and UDP-Lite."""

UDP_TUNNELS = {4789: "vxlan", 8472: "vxlan", 6081: "geneve", 2152: "gtp-u"}
"""Layers by UDP destination port: IANA's, and the one that Linux uses for VXLAN."""

_ETHERNET_LENGTH_MAX = 1500
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"
_SRH_TYPE = 4

Layer = Callable[[Cursor, Json], "str | None"]


def read_packet(data: bytes, first: str, max_layers: int) -> list[Json]:
    """Read the headers of a packet from the outside to the inside.

    Parameters
    ----------
    data : bytes
        Beginning of the packet; may be cut anywhere.
    first : str
        Name of the first layer; ``ip`` is IPv4 or IPv6 by its version.
    max_layers : int
        Headers to read at most.

    Returns
    -------
    list of dict
        A dict per layer with its name under ``layer``. A header that is cut
        short has ``truncated`` and the fields that are there.
    """
    cursor = Cursor(data)
    layers: list[Json] = []
    name: str | None = first
    while name is not None and cursor.left and len(layers) < max_layers:
        if name == "ip":
            name = ip_version(cursor)
            continue
        shown: Json = {"layer": name}
        layers.append(shown)
        try:
            name = LAYERS[name](cursor, shown)
        except Truncated:
            shown["truncated"] = True
            break
    return layers


def ip_version(cursor: Cursor) -> str | None:
    """``ipv4`` or ``ipv6`` by the first four bits under the cursor, else None."""
    return {4: "ipv4", 6: "ipv6"}.get(cursor.peek()[0] >> 4) if cursor.left else None


def _ethernet(cursor: Cursor, shown: Json) -> str | None:
    shown["dst"], shown["src"] = cursor.mac(), cursor.mac()
    return _ethertype(cursor, shown)


def _ethertype(cursor: Cursor, shown: Json) -> str | None:
    """What follows an Ethernet or VLAN header: an EtherType, or a length and LLC (IEEE 802.3)."""
    kind = cursor.u16()
    if kind <= _ETHERNET_LENGTH_MAX:
        shown["length"] = kind
        if cursor.peek()[:6] != _SNAP:
            return None
        cursor.take(6)
        kind = cursor.u16()
    shown["ethertype"] = kind
    return ETHERTYPES.get(kind)


def _vlan(cursor: Cursor, shown: Json) -> str | None:
    """IEEE 802.1Q: three bits of priority, one of drop eligibility, twelve of VLAN."""
    tag = cursor.u16()
    shown |= {"priority": tag >> 13, "dei": tag >> 12 & 1, "id": tag & 0xFFF}
    return _ethertype(cursor, shown)


def _pppoe(cursor: Cursor, shown: Json) -> str | None:
    """PPPoE session (RFC 2516 §4) and the protocol of the PPP frame inside."""
    cursor.take(1)
    shown |= {"code": cursor.u8(), "session": cursor.u16(), "length": cursor.u16(), "protocol": cursor.u16()}
    return {0x0021: "ipv4", 0x0057: "ipv6"}.get(shown["protocol"])


def _mpls(cursor: Cursor, shown: Json) -> str | None:
    """RFC 3032 §2.1. The protocol after the last label is not told; IP shows by its version."""
    entry = cursor.u32()
    bottom = entry >> 8 & 1
    shown |= {"label": entry >> 12, "class": entry >> 9 & 7, "bottom": bottom, "ttl": entry & 0xFF}
    return ip_version(cursor) if bottom else "mpls"


def _ipv4(cursor: Cursor, shown: Json) -> str | None:
    """RFC 791 §3.1."""
    start = cursor.at
    words = cursor.u8() & 0xF
    shown |= {"header_bytes": words * 4, "tos": cursor.u8(), "total_length": cursor.u16(), "id": cursor.u16()}
    fragment = cursor.u16()
    shown |= {"flags": fragment >> 13, "fragment_offset": fragment & 0x1FFF}
    shown |= {"ttl": cursor.u8(), "protocol": cursor.u8(), "checksum": cursor.u16()}
    shown |= {"src": cursor.ipv4(), "dst": cursor.ipv4()}
    if words < 5:
        return None
    if words > 5:
        shown["options"] = cursor.take(start + words * 4 - cursor.at).hex()
    return None if shown["fragment_offset"] else IP_PROTOCOLS.get(shown["protocol"])


def _ipv6(cursor: Cursor, shown: Json) -> str | None:
    """RFC 8200 §3."""
    first = cursor.u32()
    shown |= {"traffic_class": first >> 20 & 0xFF, "flow_label": first & 0xFFFFF}
    shown |= {"payload_length": cursor.u16(), "next_header": cursor.u8(), "hop_limit": cursor.u8()}
    shown |= {"src": cursor.ipv6(), "dst": cursor.ipv6()}
    return IP_PROTOCOLS.get(shown["next_header"])


def _options(cursor: Cursor, shown: Json) -> str | None:
    """Extension headers that begin with next header and length in units of 8 bytes (RFC 8200 §4)."""
    shown["next_header"] = cursor.u8()
    cursor.take(cursor.u8() * 8 + 6)
    return IP_PROTOCOLS.get(shown["next_header"])


def _routing(cursor: Cursor, shown: Json) -> str | None:
    """RFC 8200 §4.4; segments of SRv6: RFC 8754 §2."""
    shown["next_header"] = cursor.u8()
    under = cursor.sub(cursor.u8() * 8 + 6)
    shown |= {"type": under.u8(), "segments_left": under.u8()}
    if shown["type"] == _SRH_TYPE:
        last = under.u8()
        shown |= {"last_entry": last, "flags": under.u8(), "tag": under.u16(), "segments": []}
        while len(shown["segments"]) <= last and under.left >= 16:
            shown["segments"].append(under.ipv6())
    return IP_PROTOCOLS.get(shown["next_header"])


def _fragment(cursor: Cursor, shown: Json) -> str | None:
    """RFC 8200 §4.5."""
    shown["next_header"] = cursor.u8()
    cursor.take(1)
    offset = cursor.u16()
    shown |= {"fragment_offset": offset >> 3, "more": offset & 1, "id": cursor.u32()}
    return None if shown["fragment_offset"] else IP_PROTOCOLS.get(shown["next_header"])


def _authentication(cursor: Cursor, shown: Json) -> str | None:
    """RFC 4302 §2: the length counts words of 4 bytes, minus 2."""
    shown["next_header"] = cursor.u8()
    cursor.take((cursor.u8() + 2) * 4 - 2)
    return IP_PROTOCOLS.get(shown["next_header"])


def _ports(cursor: Cursor, shown: Json) -> str | None:
    shown["src_port"], shown["dst_port"] = cursor.u16(), cursor.u16()
    return None


def _tcp(cursor: Cursor, shown: Json) -> str | None:
    """RFC 9293 §3.1."""
    _ports(cursor, shown)
    shown |= {"sequence": cursor.u32(), "acknowledgement": cursor.u32()}
    control = cursor.u16()
    shown |= {"header_bytes": (control >> 12) * 4, "flags": control & 0xFFF}
    shown["window"] = cursor.u16()
    return None


def _udp(cursor: Cursor, shown: Json) -> str | None:
    """RFC 768."""
    _ports(cursor, shown)
    shown |= {"length": cursor.u16(), "checksum": cursor.u16()}
    return UDP_TUNNELS.get(shown["dst_port"])


def _icmp(cursor: Cursor, shown: Json) -> str | None:
    shown["type"], shown["code"] = cursor.u8(), cursor.u8()
    return None


def _gre(cursor: Cursor, shown: Json) -> str | None:
    """RFC 2784 §2, RFC 2890 §2; source routes (RFC 1701) and PPTP's version 1 are not followed."""
    flags = cursor.u16()
    shown |= {"flags": flags, "protocol": cursor.u16()}
    if flags & 0x4007:
        return None
    if flags & 0x8000:
        cursor.take(4)
    if flags & 0x2000:
        shown["key"] = cursor.u32()
    if flags & 0x1000:
        shown["sequence"] = cursor.u32()
    return ETHERTYPES.get(shown["protocol"])


def _vxlan(cursor: Cursor, shown: Json) -> str | None:
    """RFC 7348 §5: without the flag I there is no VXLAN network identifier, and so no VXLAN."""
    shown["flags"] = cursor.u8()
    cursor.take(3)
    shown["vni"] = cursor.u32() >> 8
    return "ethernet" if shown["flags"] & 0x08 else None


def _geneve(cursor: Cursor, shown: Json) -> str | None:
    """RFC 8926 §3.4."""
    option_bytes = (cursor.u8() & 0x3F) * 4
    shown |= {"flags": cursor.u8(), "protocol": cursor.u16(), "vni": cursor.u32() >> 8}
    cursor.take(option_bytes)
    return ETHERTYPES.get(shown["protocol"])


def _gtp_u(cursor: Cursor, shown: Json) -> str | None:
    """3GPP TS 29.281 §5.1; only messages of type 255 carry a packet."""
    flags = cursor.u8()
    shown |= {"flags": flags, "message_type": cursor.u8(), "length": cursor.u16(), "teid": cursor.u32()}
    if flags >> 5 != 1 or shown["message_type"] != 255:
        return None
    if flags & 0x7:
        cursor.take(3)
        extension = cursor.u8()
        while flags & 0x4 and extension:
            length = cursor.u8() * 4
            if not length:
                return None
            cursor.take(length - 2)
            extension = cursor.u8()
    return ip_version(cursor)


LAYERS: dict[str, Layer] = {
    "ethernet": _ethernet, "pppoe": _pppoe, "vlan": _vlan, "mpls": _mpls, "ipv4": _ipv4, "ipv6": _ipv6,
    "routing": _routing, "fragment": _fragment, "authentication": _authentication, "ports": _ports, "tcp": _tcp,
    "udp": _udp, "sctp": _ports, "icmp": _icmp, "icmpv6": _icmp, "gre": _gre, "vxlan": _vxlan, "geneve": _geneve,
    "gtp-u": _gtp_u,
    **dict.fromkeys(("hop-by-hop", "destination", "mobility", "hip", "shim6"), _options),
}  # fmt: skip
