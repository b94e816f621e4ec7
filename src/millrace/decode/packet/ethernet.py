"""Ethernet II, VLAN tags and PPPoE."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I64, U8, U16
from millrace.decode.packet.frames import Frames, Front
from millrace.decode.packet.layers import AFTER_ETHERTYPE, VLAN_TAGS, Layer, look_up

MAX_TAGS = 8
"""Tags read of one frame; more than three do not occur in earnest."""

_MAC = np.uint64(0xFFFF_FFFF_FFFF)
_FIRST_ETHERTYPE = 1536  # smaller values are the length of an 802.3 frame (IEEE 802.3 §3.2.6)
_VLAN_ID = 0x0FFF

_HEADER = np.dtype(
    {"names": ["dst", "src", "type"], "formats": [">u8", ">u8", ">u2"], "offsets": [0, 4, 12], "itemsize": 14}
)
"""Destination (upper 48 of 64 bits), source (lower 48 of 64 bits), EtherType."""

_TAG = np.dtype([("tci", ">u2"), ("type", ">u2")])
_PPPOE = np.dtype({"names": ["version", "protocol"], "formats": ["u1", ">u2"], "offsets": [0, 6], "itemsize": 8})

_IS_TAG = np.zeros(1 << 16, np.bool_)
_IS_TAG[list(VLAN_TAGS)] = True

_AFTER_PPP = np.zeros(1 << 16, np.uint8)
_AFTER_PPP[0x0021] = Layer.IPV4
_AFTER_PPP[0x0057] = Layer.IPV6
_AFTER_PPP[0x0281] = Layer.MPLS


def ethernet(frames: Frames, front: Front) -> None:
    """Read the outermost Ethernet header: MACs, VLAN, EtherType.

    Of stacked tags the outermost is the VLAN, since that one separates the
    traffic of the sampled port; the inner ones are the customer's. A priority
    tag (VLAN 0) names no VLAN: the next one does.
    """
    front = frames.visible(front, 14)
    if not len(front):
        return
    frames.mark("ethernet", front)
    header = frames.read(front, _HEADER)
    frames.sheet.put_all(
        front.target,
        {
            "SrcMAC": header["src"].astype(np.uint64) & _MAC,
            "DstMAC": header["dst"].astype(np.uint64) >> np.uint64(16),
        },
    )
    types, size, vlan = _skip_tags(frames, front, header["type"].astype(np.uint16))
    frames.sheet.put_known("SrcVlan", front.target, vlan, vlan > 0)
    frames.sheet.put_known("EType", front.target, types, types >= _FIRST_ETHERTYPE)
    front = front.move(size)
    frames.count_link(front)
    frames.look_up(AFTER_ETHERTYPE, types, front)


def inner_ethernet(frames: Frames, front: Front) -> None:
    """Skip an Ethernet header inside a tunnel; the MACs told are the outermost ones."""
    front = frames.visible(front, 14)
    if not len(front):
        return
    types, size, _ = _skip_tags(frames, front, frames.read(front, _HEADER)["type"].astype(np.uint16))
    front = front.move(size)
    frames.count_link(front)
    frames.look_up(AFTER_ETHERTYPE, types, front)


def pppoe(frames: Frames, front: Front) -> None:
    """Skip the headers of a PPPoE session (RFC 2516 §4, version and type 1) and of PPP."""
    front = frames.visible(front, 8)
    if not len(front):
        return
    header = frames.read(front, _PPPOE)
    layers = _AFTER_PPP[header["protocol"].astype(np.int64)]
    layers[header["version"] != 0x11] = Layer.NONE
    front = front.move(8)
    frames.count_link(front.pick(layers != Layer.NONE))
    frames.send(layers, front)


def announces_payload(types: U16) -> U8:
    """Layers after EtherTypes as `AFTER_ETHERTYPE` says, tags included (as ETHERNET); NONE: nothing known."""
    return np.where(_IS_TAG[types], np.uint8(Layer.ETHERNET), AFTER_ETHERTYPE[types])


def _skip_tags(frames: Frames, front: Front, types: U16) -> tuple[U16, int | I64, U16]:
    """Find EtherType, bytes of the header and its VLAN tags, and the identifier of the outermost one that names a VLAN.

    Returns
    -------
    types : ndarray of uint16, shape (k,)
    size : int, or ndarray of int64, shape (k,)
        One number if no frame is tagged.
    vlan : ndarray of uint16, shape (k,)
        Priority and drop-eligible bits removed; 0: untagged.
    """
    vlan = np.zeros(len(front), np.uint16)
    tagged = look_up(_IS_TAG, types)
    if not tagged.any():
        return types, _HEADER.itemsize, vlan
    size = np.full(len(front), _HEADER.itemsize, np.int64)
    for _ in range(MAX_TAGS):
        index = np.flatnonzero(tagged)
        if not len(index):
            break
        tags = front.take(index).move(size[index])
        shown = frames.shows(tags, _TAG.itemsize)
        index = index[shown]
        tag = frames.read(tags.pick(shown), _TAG)
        vlan[index] = np.where(vlan[index], vlan[index], tag["tci"] & _VLAN_ID)
        types[index] = tag["type"]
        size[index] += _TAG.itemsize
        tagged[:] = False
        tagged[index] = _IS_TAG[types[index]]
    return types, size, vlan
