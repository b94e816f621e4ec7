"""Names of the layers of a packet, and which number leads to which layer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from millrace.batch.arrays import U8, AnyArray


class Layer(IntEnum):
    """A header that the dissector reads; NONE ends the dissection of a frame."""

    NONE = 0
    ETHERNET = 1
    INNER_ETHERNET = 2
    PPPOE = 3
    MPLS = 4
    IPV4 = 5
    IPV6 = 6
    EXTENSION = 7
    TCP = 8
    UDP = 9
    PORTS = 10
    ICMP = 11
    GRE = 12
    VXLAN = 13
    GENEVE = 14
    GTPU = 15


class Tunnel(IntEnum):
    """Codes of `TUNNEL_TYPES`."""

    IPIP = 1
    GRE = 2
    VXLAN = 3
    GENEVE = 4
    GTPU = 5
    SRV6 = 6


class EtherType(IntEnum):
    """EtherTypes with a meaning here (IEEE 802 numbers)."""

    IPV4 = 0x0800
    TEB = 0x6558
    IPV6 = 0x86DD
    MPLS = 0x8847
    MPLS_UPSTREAM = 0x8848
    PPPOE = 0x8864


class Protocol(IntEnum):
    """IP protocol numbers with a meaning here."""

    HOP_BY_HOP = 0
    ICMP = 1
    IPV4 = 4
    TCP = 6
    UDP = 17
    DCCP = 33
    IPV6 = 41
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    AUTHENTICATION = 51
    ICMPV6 = 58
    DESTINATION_OPTIONS = 60
    SCTP = 132
    MOBILITY = 135
    UDP_LITE = 136
    MPLS = 137
    HIP = 139
    SHIM6 = 140
    ETHERNET = 143


LINK_LAYERS: dict[int, Layer] = {1: Layer.ETHERNET, 11: Layer.IPV4, 12: Layer.IPV6, 13: Layer.MPLS}
"""First layer of each sFlow header protocol (sFlow v5 page 36)."""

VLAN_TAGS = (0x8100, 0x88A8, 0x9100, 0x9200)
"""802.1Q, 802.1ad, and two TPIDs that stacked tags carried before 802.1ad."""

HAS_PORTS = (Protocol.TCP, Protocol.UDP, Protocol.DCCP, Protocol.SCTP, Protocol.UDP_LITE)
"""Protocols whose header begins with source and destination port."""

Table: TypeAlias = U8
_Entry = TypeVar("_Entry", np.uint8, np.int64, np.bool_)


def look_up(table: NDArray[_Entry], numbers: AnyArray) -> NDArray[_Entry]:
    """Entries of a table; one look if all numbers are the same, as of packets of one kind they are.

    Parameters
    ----------
    table : ndarray, shape (most numbers,)
    numbers : ndarray of integers, shape (n,)
        Not negative.

    Returns
    -------
    ndarray, shape (n,)
    """
    if len(numbers) and (numbers == numbers[0]).all():
        return np.full(len(numbers), table[numbers[0]])
    return table.take(numbers)


def _table(size: int, entries: Mapping[int, Layer]) -> Table:
    table = np.zeros(size, np.uint8)
    for number, layer in entries.items():
        table[number] = layer
    return table


AFTER_ETHERTYPE = _table(
    1 << 16,
    {
        EtherType.IPV4: Layer.IPV4,
        EtherType.IPV6: Layer.IPV6,
        EtherType.MPLS: Layer.MPLS,
        EtherType.MPLS_UPSTREAM: Layer.MPLS,
        EtherType.PPPOE: Layer.PPPOE,
    },
)
"""Layer that an EtherType announces after an Ethernet header."""

AFTER_TUNNEL = AFTER_ETHERTYPE.copy()
"""Layer that an EtherType announces after a GRE or Geneve header."""
AFTER_TUNNEL[EtherType.TEB] = Layer.INNER_ETHERNET
AFTER_TUNNEL[EtherType.PPPOE] = Layer.NONE

_UPPER: dict[int, Layer] = {
    Protocol.TCP: Layer.TCP,
    Protocol.UDP: Layer.UDP,
    Protocol.DCCP: Layer.PORTS,
    Protocol.SCTP: Layer.PORTS,
    Protocol.UDP_LITE: Layer.PORTS,
    Protocol.ICMP: Layer.ICMP,
    Protocol.ICMPV6: Layer.ICMP,
    Protocol.GRE: Layer.GRE,
    Protocol.IPV4: Layer.IPV4,
    Protocol.IPV6: Layer.IPV6,
    Protocol.MPLS: Layer.MPLS,
}

AFTER_IPV4 = _table(1 << 8, {**_UPPER, Protocol.AUTHENTICATION: Layer.EXTENSION})
"""Layer that the protocol field of IPv4 announces."""

AFTER_IPV6 = _table(
    1 << 8,
    {
        **_UPPER,
        Protocol.ETHERNET: Layer.INNER_ETHERNET,
        **dict.fromkeys(
            (
                Protocol.HOP_BY_HOP, Protocol.ROUTING, Protocol.FRAGMENT, Protocol.AUTHENTICATION,
                Protocol.DESTINATION_OPTIONS, Protocol.MOBILITY, Protocol.HIP, Protocol.SHIM6,
            ),
            Layer.EXTENSION,
        ),
    },
)  # fmt: skip
"""Layer that a next-header field of IPv6 announces."""

AFTER_UDP = _table(1 << 16, {4789: Layer.VXLAN, 8472: Layer.VXLAN, 6081: Layer.GENEVE, 2152: Layer.GTPU})
"""Layer that a UDP destination port announces (8472: VXLAN before its port was assigned, still Linux' default)."""
