"""Dissection of sampled packet headers, a layer at a time over all frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64, U8
from millrace.decode.packet import ethernet, ip, mpls, transport, tunnels
from millrace.decode.packet.bits import fill_header_columns, header_columns
from millrace.decode.packet.cursor import Cursor
from millrace.decode.packet.frames import Frames, Front
from millrace.decode.packet.layers import LINK_LAYERS, Layer
from millrace.schema import Schema

MAX_LAYERS = 24
"""Layers read of one frame: enough for three tunnels in one another."""

_HANDLERS: dict[Layer, Callable[[Frames, Front], object]] = {
    Layer.ETHERNET: ethernet.ethernet,
    Layer.INNER_ETHERNET: ethernet.inner_ethernet,
    Layer.PPPOE: ethernet.pppoe,
    Layer.MPLS: mpls.mpls,
    Layer.IPV4: ip.ipv4,
    Layer.IPV6: ip.ipv6,
    Layer.EXTENSION: ip.extension,
    Layer.TCP: transport.tcp,
    Layer.UDP: transport.udp,
    Layer.PORTS: transport.ports,
    Layer.ICMP: transport.icmp,
    Layer.GRE: tunnels.gre,
    Layer.VXLAN: tunnels.vxlan,
    Layer.GENEVE: tunnels.geneve,
    Layer.GTPU: tunnels.gtpu,
}

_FIRST_LAYER = np.zeros(256, np.uint8)
for _protocol, _layer in LINK_LAYERS.items():
    _FIRST_LAYER[_protocol] = _layer


@dataclass(frozen=True, slots=True)
class Dissection:
    """What sampled headers tell.

    Attributes
    ----------
    flows : FlowBatch
        A row per frame; the columns that some frame has.
    l3_bytes : ndarray of int64, shape (n,)
        Length of the outermost IP packet by its own header; -1 if there is
        none or it does not tell.
    link_bytes : ndarray of int64, shape (n,)
        Bytes before the outermost network header: Ethernet, VLAN tags, MPLS.
    """

    flows: FlowBatch
    l3_bytes: I64
    link_bytes: I64


def dissect(schema: Schema, begin: Cursor, stop: I64, link: U8) -> Dissection:
    """Dissect captured packet headers.

    Addresses, ports, protocol and the rest are those of the innermost IP
    header that is wholly captured; MACs, VLAN and MPLS labels those of the
    outermost headers. ``OuterSrcAddr`` and ``OuterDstAddr`` are the outermost
    IP header's where there is an inner one; ``TunnelType`` and ``VNI`` the
    outermost encapsulation's, also where its content is cut off. UDP tunnels
    are recognised by their destination port.

    Parameters
    ----------
    schema : Schema
        Its columns with `Column.header` are filled too.
    begin : Cursor
        At the first byte of each frame; at least `ARENA_PADDING` bytes of the arena follow the last `stop`.
    stop : ndarray of int64, shape (n,)
        End of the captured bytes of each. Nothing after it is believed.
    link : ndarray of uint8, shape (n,)
        First header by sFlow's header protocol: 1 Ethernet, 11 IPv4, 12 IPv6,
        13 MPLS. Of others nothing is known.
    """
    wanted = header_columns(schema)
    frames = Frames(schema, begin, stop, frozenset(bits.layer for _, bits in wanted))
    frames.begin(_FIRST_LAYER, link)
    for _ in range(MAX_LAYERS):
        reached = frames.reached()
        if not reached:
            break
        for layer, front in reached:
            _HANDLERS[layer](frames, front)
    fill_header_columns(frames, wanted)
    return Dissection(frames.sheet.flows(), frames.l3_bytes, frames.link_bytes)
