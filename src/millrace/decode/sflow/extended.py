"""Extended records: what the switch or router knew about the packet."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import U8, AnyArray
from millrace.decode.packet.layers import AFTER_UDP, Layer, Protocol, Tunnel
from millrace.decode.packet.sheet import Sheet, ragged
from millrace.decode.sflow.fields import read_addresses, read_lists, read_words
from millrace.decode.sflow.packets import read_ends
from millrace.decode.sflow.records import Records

_SWITCH = np.dtype([("src_vlan", ">u4"), ("src_priority", ">u4"), ("dst_vlan", ">u4"), ("dst_priority", ">u4")])
_MASKS = np.dtype([("src", ">u4"), ("dst", ">u4")])
_PORTS = np.dtype([("src", ">u4"), ("dst", ">u4")])

_LAST_VLAN = 4094  # 4095 is reserved, 0 means untagged (IEEE 802.1Q §9.6)


def fill_switch(records: Records, sheet: Sheet) -> None:
    """VLANs on both sides (sFlow v5 page 37).

    They win over tags of the sampled header: the switch knows the VLAN of an
    untagged port, and the header shows one side only. 0 tells nothing.
    """
    switch = records.read(_SWITCH)
    target = sheet.target(records.sample)
    for column, name in (("SrcVlan", "src_vlan"), ("DstVlan", "dst_vlan")):
        vlan = switch[name].astype(np.uint32)
        sheet.put_known(column, target, vlan, (vlan > 0) & (vlan <= _LAST_VLAN))


def fill_vlan_tunnel(records: Records, sheet: Sheet) -> None:
    """Tags that were stripped before sampling (sFlow v5 page 40): the first of them was the outermost of all."""
    count, _ = read_words(records.cursor, records.stop)
    tag, shown = read_words(records.cursor.move(4), records.stop)
    vlan = tag & 0xFFF
    sheet.put_known("SrcVlan", records.sample, vlan, shown & (count > 0) & (vlan > 0))


def fill_router(records: Records, sheet: Sheet) -> None:
    """Next hop and prefix lengths (sFlow v5 page 37)."""
    hop = read_addresses(records.cursor, records.stop)
    shown = hop.sane & (hop.after.move(_MASKS.itemsize).at <= records.stop)
    masks = hop.after.only(shown).read(_MASKS)
    target = sheet.target(records.sample)
    sheet.put_known("NextHop", target, hop.values, hop.known)
    for column, name in (("SrcNetMask", "src"), ("DstNetMask", "dst")):
        length = masks[name].astype(np.uint32)
        sheet.put_known(column, target, length, shown & (length <= 128))


def fill_mpls(records: Records, sheet: Sheet) -> None:
    """Labels of the received packet (sFlow v5 page 39) where the sampled header shows none."""
    hop = read_addresses(records.cursor, records.stop)
    count, shown = read_words(hop.after, records.stop)
    usable = hop.sane & shown & (count > 0) & (count <= (records.stop - hop.after.at - 4) // 4)
    told = sheet.lists("MPLSLabels")
    if told is not None:
        usable &= ~told[1][records.sample]
    if not usable.any():
        return
    rows, count = records.sample[usable], count[usable]
    labels = read_lists(records.cursor.arena, hop.after.at[usable] + 4, count) >> np.uint32(12)
    known = np.zeros(sheet.rows, np.bool_)
    known[rows] = True
    if told is not None:
        lists, before = told
        rows = np.concatenate([np.arange(sheet.rows), rows])
        count = np.concatenate([np.diff(lists.offsets), count])
        labels = np.concatenate([lists.values, labels])
        known |= before
    sheet.put_lists("MPLSLabels", ragged(sheet.rows, rows, count, labels), known)


def fill_nat(records: Records, sheet: Sheet) -> None:
    """Translated addresses (sFlow v5 page 39)."""
    source = read_addresses(records.cursor, records.stop)
    destination = read_addresses(source.after, records.stop)
    sheet.put_known("SrcAddrNAT", records.sample, source.values, source.known)
    sheet.put_known("DstAddrNAT", records.sample, destination.values, source.sane & destination.known)


def fill_nat_ports(records: Records, sheet: Sheet) -> None:
    """Translated ports (sFlow port NAT structure)."""
    ports = records.read(_PORTS)
    for column, name in (("SrcPortNAT", "src"), ("DstPortNAT", "dst")):
        sheet.put_known(column, records.sample, ports[name], ports[name] <= 0xFFFF)


def fill_tunnel(records: Records, sheet: Sheet, layout: np.dtype[np.void]) -> None:
    """Outer header that was removed at ingress or is added at egress (sFlow tunnel structures §3).

    A tunnel that the sampled header itself shows wins.
    """
    records = records.pick(~sheet.known("OuterSrcAddr")[records.sample])
    if not len(records):
        return
    outer = records.read(layout)
    source, destination = read_ends(outer)
    sheet.put("OuterSrcAddr", records.sample, source)
    sheet.put("OuterDstAddr", records.sample, destination)
    kind = _tunnel_type(outer)
    sheet.put_missing("TunnelType", records.sample, kind, kind > 0)


def _tunnel_type(outer: AnyArray) -> U8:
    protocol = outer["protocol"].astype(np.int64)
    kind = np.zeros(len(outer), np.uint8)
    kind[(protocol == Protocol.IPV4) | (protocol == Protocol.IPV6)] = Tunnel.IPIP
    kind[protocol == Protocol.GRE] = Tunnel.GRE
    after_udp = np.where(protocol == Protocol.UDP, AFTER_UDP[outer["dst_port"].astype(np.int64) & 0xFFFF], 0)
    for layer, tunnel in (
        (Layer.VXLAN, Tunnel.VXLAN), (Layer.GENEVE, Tunnel.GENEVE), (Layer.GTPU, Tunnel.GTPU),
    ):  # fmt: skip
        kind[after_udp == layer] = tunnel
    return kind


def fill_vni(records: Records, sheet: Sheet) -> None:
    """Virtual network identifier (sFlow tunnel structures §3) where the sampled header shows none."""
    vni, _ = read_words(records.cursor, records.stop)
    sheet.put_missing("VNI", records.sample, vni)
