"""From captured packets to UDP datagrams: link layer, IP, UDP, whole blocks at a time.

Each step looks at the packets that are still of interest, drops those that
are not under a reason, and moves a cursor per packet to its next header.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import map_ipv4, windows
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.receive.capture.frames import Frames
from millrace.receive.capture.report import CaptureReport

_ETHERTYPE_AT = {1: 12, 113: 14, 276: 0}
_HEADER_BYTES = {1: 14, 113: 16, 276: 20, 0: 4, 108: 4, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
"""By link type: Ethernet 1, Linux cooked 113 and 276, null 0, loop 108, raw IP 12, 14, 101, 228, 229."""

_VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
_MAX_TAGS = 4
_IP_TYPES = (0x0800, 0x86DD)

_UDP = 17
_EXTENSIONS = (0, 43, 60)
_FRAGMENT, _AUTHENTICATION = 44, 51
_MAX_EXTENSIONS = 8


@dataclass(frozen=True, slots=True)
class Transport:
    """Packets that carry UDP, or a fragment of it.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        Which frame.
    cursor : ndarray of int64, shape (n,)
        Where the IP payload starts.
    end : ndarray of int64, shape (n,)
        Where it ends by the IP header; may lie beyond what was captured.
    source, target : ndarray of uint8, shape (n, 16)
    fragment : ndarray of bool, shape (n,)
    fragment_offset : ndarray of int64, shape (n,)
        Bytes.
    more : ndarray of bool, shape (n,)
        Another fragment follows.
    identification : ndarray of int64, shape (n,)
    """

    row: I64
    cursor: I64
    end: I64
    source: U8
    target: U8
    fragment: Bool
    fragment_offset: I64
    more: Bool
    identification: I64

    def take(self, index: AnyArray) -> Transport:
        """The packets at `index` (positions or mask)."""
        return Transport(
            self.row[index],
            self.cursor[index],
            self.end[index],
            self.source[index],
            self.target[index],
            self.fragment[index],
            self.fragment_offset[index],
            self.more[index],
            self.identification[index],
        )


def find_transport(frames: Frames, report: CaptureReport) -> Transport:
    """Find the UDP packets, in frame order."""
    row, cursor = _network(frames, report)
    version = frames.data[cursor] >> 4
    report.skip("not-ip", int(np.count_nonzero((version != 4) & (version != 6))))
    v4 = _ipv4(frames, row[version == 4], cursor[version == 4], report)
    v6 = _ipv6(frames, row[version == 6], cursor[version == 6], report)
    if not len(v6.row):
        return v4
    if not len(v4.row):
        return v6
    both = Transport(*(np.concatenate([getattr(v4, name), getattr(v6, name)]) for name in Transport.__slots__))
    return both.take(np.argsort(both.row, kind="stable"))


class _Alive:
    """The frames still of interest: their rows and cursors."""

    def __init__(self, frames: Frames, row: I64, cursor: I64, report: CaptureReport) -> None:
        self.row, self.cursor = row, cursor
        self._frames, self._report = frames, report

    def keep(self, mask: Bool, reason: str) -> Bool:
        """Go on with those in `mask`; count the others."""
        self._report.skip(reason, int(len(mask) - np.count_nonzero(mask)))
        self.row, self.cursor = self.row[mask], self.cursor[mask]
        return mask

    def need(self, count: int) -> Bool:
        """Go on with those that have `count` bytes under their cursor."""
        return self.keep(self.cursor + count <= self._frames.stop[self.row], "cut")


def _network(frames: Frames, report: CaptureReport) -> tuple[I64, I64]:
    """Row and offset of the IP header."""
    rows: list[I64] = []
    cursors: list[I64] = []
    for link in np.unique(frames.link).tolist():
        row = np.flatnonzero(frames.link == link)
        if link not in _HEADER_BYTES:
            report.skip("link-type", len(row))
            continue
        alive = _Alive(frames, row, frames.start[row], report)
        alive.need(_HEADER_BYTES[link] + 1)
        if link in _ETHERTYPE_AT:
            _skip_tags(frames, alive, _ETHERTYPE_AT[link], _HEADER_BYTES[link])
        else:
            alive.cursor = alive.cursor + _HEADER_BYTES[link]
        rows.append(alive.row)
        cursors.append(alive.cursor)
    if len(rows) == 1:
        return rows[0], cursors[0]
    row, cursor = np.concatenate([np.zeros(0, np.int64), *rows]), np.concatenate([np.zeros(0, np.int64), *cursors])
    order = np.argsort(row, kind="stable")
    return row[order], cursor[order]


def _skip_tags(frames: Frames, alive: _Alive, type_at: int, header_bytes: int) -> None:
    """Pass VLAN tags and keep IP."""
    word = windows(frames.data, ">u2")
    ethertype = word[alive.cursor + type_at]
    alive.cursor = alive.cursor + header_bytes
    for _ in range(_MAX_TAGS):
        tagged = np.isin(ethertype, _VLAN_TYPES)
        if not tagged.any():
            break
        whole = alive.keep(~tagged | (alive.cursor + 5 <= frames.stop[alive.row]), "cut")
        tagged, ethertype = tagged[whole], ethertype[whole]
        ethertype = np.where(tagged, word[alive.cursor + 2], ethertype)
        alive.cursor = alive.cursor + np.where(tagged, 4, 0)
    alive.keep(np.isin(ethertype, _IP_TYPES), "not-ip")
    alive.need(1)


def _ipv4(frames: Frames, row: I64, cursor: I64, report: CaptureReport) -> Transport:
    """IPv4 headers (RFC 791 §3.1)."""
    alive = _Alive(frames, row, cursor, report)
    data, half = frames.data, windows(frames.data, ">u2")
    alive.need(20)
    alive.keep(data[alive.cursor + 9] == _UDP, "not-udp")
    header = (data[alive.cursor] & 15).astype(np.int64) * 4
    total = half[alive.cursor + 2].astype(np.int64)
    # Segmentation offload leaves a total length of 0: then the frame ends the packet.
    total = np.where(total == 0, frames.stop[alive.row] - alive.cursor, total)
    sound = alive.keep((header >= 20) & (header <= total), "malformed")
    header, total = header[sound], total[sound]
    at = alive.cursor
    flags = half[at + 6].astype(np.int64)
    address = windows(data, ">u4")
    return Transport(
        alive.row,
        at + header,
        at + total,
        map_ipv4(address[at + 12]),
        map_ipv4(address[at + 16]),
        fragment=(flags & 0x3FFF) != 0,
        fragment_offset=(flags & 0x1FFF) * 8,
        more=(flags & 0x2000) != 0,
        identification=half[at + 4].astype(np.int64),
    )


def _ipv6(frames: Frames, row: I64, cursor: I64, report: CaptureReport) -> Transport:
    """IPv6 headers and extension headers (RFC 8200 §3, §4)."""
    alive = _Alive(frames, row, cursor, report)
    data, half, word = frames.data, windows(frames.data, ">u2"), windows(frames.data, ">u4")
    alive.need(40)
    ip = alive.cursor
    length = half[ip + 4].astype(np.int64)
    state = {
        "ip": ip,
        "end": np.where(length == 0, frames.stop[alive.row], ip + 40 + length),
        "next": data[ip + 6].astype(np.int64),
        "flags": np.zeros(len(ip), np.int64),
        "identification": np.zeros(len(ip), np.int64),
    }
    alive.cursor = ip + 40

    def keep(mask: Bool, reason: str) -> None:
        alive.keep(mask, reason)
        for name, values in state.items():
            state[name] = values[mask]

    for _ in range(_MAX_EXTENSIONS):
        # Beyond a fragment header with an offset there is no header to follow.
        following = (state["flags"] & 0xFFF8) == 0
        other = following & np.isin(state["next"], (*_EXTENSIONS, _AUTHENTICATION))
        fragment = following & (state["next"] == _FRAGMENT)
        if not (other | fragment).any():
            break
        keep(~(other | fragment) | (alive.cursor + 8 <= frames.stop[alive.row]), "cut")
        following = (state["flags"] & 0xFFF8) == 0
        kind, at = state["next"], alive.cursor
        fragment = following & (kind == _FRAGMENT)
        other = following & np.isin(kind, (*_EXTENSIONS, _AUTHENTICATION))
        moved = fragment | other
        safe = np.where(moved, at, 0)
        size = data[safe + 1].astype(np.int64)
        step = np.where(kind == _AUTHENTICATION, (size + 2) * 4, (size + 1) * 8)
        state["next"] = np.where(moved, data[safe], kind)
        state["flags"] = np.where(fragment, half[safe + 2], state["flags"])
        state["identification"] = np.where(fragment, word[safe + 4], state["identification"])
        alive.cursor = at + np.where(fragment, 8, np.where(other, step, 0))
    keep(state["next"] == _UDP, "not-udp")
    keep(alive.cursor <= state["end"], "malformed")
    address = windows(data, "V16")
    flags, ip = state["flags"], state["ip"]
    return Transport(
        alive.row,
        alive.cursor,
        state["end"],
        address[ip + 8].view(np.uint8).reshape(-1, 16),
        address[ip + 24].view(np.uint8).reshape(-1, 16),
        fragment=(flags & 0xFFF9) != 0,
        fragment_offset=flags & 0xFFF8,
        more=(flags & 1) != 0,
        identification=state["identification"],
    )
