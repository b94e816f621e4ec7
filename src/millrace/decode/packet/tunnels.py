"""Headers of tunnels: GRE, VXLAN, Geneve, GTP-U."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import AnyArray
from millrace.decode.packet.frames import Frames, Front
from millrace.decode.packet.layers import AFTER_TUNNEL, Layer, Tunnel

MAX_GTP_EXTENSIONS = 4
"""GTP-U extension headers read of one packet."""

_GRE = np.dtype([("flags", ">u2"), ("protocol", ">u2"), ("word", ">u4", (2,))])
_VXLAN = np.dtype([("flags", "u1"), ("reserved", "u1", (3,)), ("vni", ">u4")])
_GENEVE = np.dtype([("version_options", "u1"), ("flags", "u1"), ("protocol", ">u2"), ("vni", ">u4")])
_GTPU = np.dtype([("flags", "u1"), ("type", "u1"), ("length", ">u2"), ("teid", ">u4"), ("sequence", ">u2"),
                  ("npdu", "u1"), ("next", "u1")])  # fmt: skip
_BYTE = np.dtype([("value", "u1")])

_GRE_CHECKSUM, _GRE_ROUTING, _GRE_KEY, _GRE_SEQUENCE, _GRE_VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 0x0007
_TPDU = 255


def gre(frames: Frames, front: Front) -> None:
    """Read a GRE header (RFC 2784 §2, RFC 2890 §2); the key is told as VNI.

    Source routing (RFC 1701) and version 1 (PPTP) end the dissection.
    """
    front = frames.visible(front, 4)
    if not len(front):
        return
    header = frames.read(front, _GRE)
    flags = header["flags"].astype(np.int64)
    has_checksum, has_key = (flags & _GRE_CHECKSUM) != 0, (flags & _GRE_KEY) != 0
    has_sequence = (flags & _GRE_SEQUENCE) != 0
    header_bytes = 4 + 4 * (has_checksum.astype(np.int64) + has_key + has_sequence)
    sane = (flags & (_GRE_ROUTING | _GRE_VERSION)) == 0
    whole = sane & (frames.room(front) >= header_bytes)
    key = np.where(has_checksum, header["word"][:, 1], header["word"][:, 0])
    frames.enter_tunnel(front.pick(whole), Tunnel.GRE, key[whole], has_key[whole])
    layers = AFTER_TUNNEL[header["protocol"].astype(np.int64)]
    layers[~whole] = Layer.NONE
    frames.send(layers, front.move(header_bytes))


def vxlan(frames: Frames, front: Front) -> None:
    """Read a VXLAN header (RFC 7348 §5); without its I flag the packet only shares the port."""
    front = frames.visible(front, 8)
    if not len(front):
        return
    header = frames.read(front, _VXLAN)
    flagged = (header["flags"] & 0x08) != 0
    front = front.pick(flagged)
    frames.enter_tunnel(front, Tunnel.VXLAN, header["vni"][flagged] >> 8)
    frames.send_all(Layer.INNER_ETHERNET, front.move(8))


def geneve(frames: Frames, front: Front) -> None:
    """Read a Geneve header (RFC 8926 §3.4) of version 0 and skip its options."""
    front = frames.visible(front, 8)
    if not len(front):
        return
    header = frames.read(front, _GENEVE)
    sane = header["version_options"] >> 6 == 0
    front, header = front.pick(sane), header[sane]
    frames.enter_tunnel(front, Tunnel.GENEVE, header["vni"] >> 8)
    options = (header["version_options"] & 0x3F).astype(np.int64) * 4
    frames.look_up(AFTER_TUNNEL, header["protocol"].astype(np.int64), front.move(8 + options))


def gtpu(frames: Frames, front: Front) -> None:
    """Read a GTP-U header (3GPP TS 29.281 §5.1) of version 1 that carries a user packet; the TEID is told as VNI."""
    front = frames.visible(front, 8)
    if not len(front):
        return
    header = frames.read(front, _GTPU)
    flags = header["flags"]
    sane = (flags >> 4 == 0b0011) & (header["type"] == _TPDU)
    front, header, flags = front.pick(sane), header[sane], flags[sane]
    frames.enter_tunnel(front, Tunnel.GTPU, header["teid"])
    longer = (flags & 0x07) != 0
    fits = ~longer | (frames.room(front) >= 12)
    following = np.where((flags & 0x04) != 0, header["next"], 0)
    front = front.move(np.where(longer, 12, 8))
    _skip_gtp_extensions(frames, front.pick(fits), following[fits])


def _skip_gtp_extensions(frames: Frames, front: Front, following: AnyArray) -> None:
    """Skip extension headers (TS 29.281 §5.2): length in units of 4 bytes first, next type last."""
    for _ in range(MAX_GTP_EXTENSIONS):
        _send_user_packet(frames, front.pick(following == 0))
        front = front.pick(following != 0)
        front = frames.visible(front, 4)
        if not len(front):
            return
        length = frames.read(front, _BYTE)["value"].astype(np.int64) * 4
        fits = (length > 0) & (frames.room(front) >= length)
        front = front.pick(fits)
        front = front.move(length[fits])
        following = frames.read(front.move(-1), _BYTE)["value"]


def _send_user_packet(frames: Frames, front: Front) -> None:
    front = frames.visible(front, 1)
    if not len(front):
        return
    version = frames.read(front, _BYTE)["value"] >> 4
    layers = np.zeros(len(front), np.uint8)
    layers[version == 4] = Layer.IPV4
    layers[version == 6] = Layer.IPV6
    frames.send(layers, front)
