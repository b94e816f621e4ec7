"""Transport headers: ports, flags, ICMP types."""

from __future__ import annotations

import numpy as np

from millrace.decode.packet.frames import Frames, Front
from millrace.decode.packet.layers import AFTER_UDP, look_up

_PORTS = np.dtype([("src", ">u2"), ("dst", ">u2")])
_TCP = np.dtype(
    {"names": ["src", "dst", "flags"], "formats": [">u2", ">u2", ">u2"], "offsets": [0, 2, 12], "itemsize": 14}
)
_ICMP = np.dtype([("type", "u1"), ("code", "u1")])

_TCP_FLAGS = np.uint16(0x0FFF)  # the other four bits are the data offset (RFC 9293 §3.1)


def tcp(frames: Frames, front: Front) -> None:
    """Read ports and flags of TCP; the ports also where the flags are cut off."""
    front = frames.visible(front, 4)
    if not len(front):
        return
    frames.mark("tcp", front)
    header = frames.read(front, _TCP)
    frames.sheet.put_all(front.target, {"SrcPort": header["src"], "DstPort": header["dst"]})
    flags = header["flags"].astype(np.uint16) & _TCP_FLAGS
    frames.sheet.put_known("TCPFlags", front.target, flags, frames.shows(front, _TCP.itemsize))


def udp(frames: Frames, front: Front) -> None:
    """Read the ports of UDP, and go on where the destination port is that of a tunnel."""
    frames.mark("udp", frames.visible(front, 4))
    front = ports(frames, front)
    if not len(front):
        return
    layers = look_up(AFTER_UDP, frames.read(front, _PORTS)["dst"].astype(np.uint16))
    if layers.any():
        frames.send(layers, front.move(8))


def ports(frames: Frames, front: Front) -> Front:
    """Read the ports of UDP, UDP-Lite, SCTP or DCCP, which begin alike; the frames that show them."""
    front = frames.visible(front, 4)
    if len(front):
        header = frames.read(front, _PORTS)
        frames.sheet.put_all(front.target, {"SrcPort": header["src"], "DstPort": header["dst"]})
    return front


def icmp(frames: Frames, front: Front) -> None:
    """Read type and code of ICMP and ICMPv6."""
    front = frames.visible(front, 2)
    if not len(front):
        return
    frames.mark("icmp", front)
    header = frames.read(front, _ICMP)
    frames.sheet.put_all(front.target, {"ICMPType": header["type"], "ICMPCode": header["code"]})
