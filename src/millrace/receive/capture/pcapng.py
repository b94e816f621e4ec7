"""The capture format with interfaces (draft-ietf-opsawg-pcapng)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np

from millrace.batch.arrays import I64, U64, AnyArray, windows
from millrace.receive.capture.frames import FRAMES_PER_BLOCK, MAX_FRAME_BYTES, Frames, padded
from millrace.receive.capture.stream import CaptureStream

MAGIC = b"\x0a\x0d\x0d\x0a"

_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_OPTION_RESOLUTION, _OPTION_OFFSET = 9, 14
_MAX_BLOCK_BYTES = MAX_FRAME_BYTES + 65536
_MAX_INTERFACES = 65536
_MAX_OFFSET_SECONDS = 1 << 33


@dataclass(frozen=True, slots=True)
class _Interface:
    """What an interface description says of its packets (§4.2)."""

    link: int
    snap_bytes: int
    resolution: int = 6
    offset_seconds: int = 0

    def time_ns(self, ticks: U64) -> I64:
        """Nanoseconds of timestamps, ndarray of uint64 (if_tsresol, if_tsoffset)."""
        power = self.resolution & 0x7F
        if self.resolution & 0x80:
            # Binary fractions: at most 34 bits of fraction stay below 2**64 when multiplied.
            ticks, power = ticks >> np.uint64(min(max(power - 34, 0), 63)), min(power, 34)
            whole, fraction = ticks >> np.uint64(power), ticks & np.uint64((1 << power) - 1)
            time = whole * np.uint64(10**9) + ((fraction * np.uint64(10**9)) >> np.uint64(power))
        elif power <= 9:
            time = ticks * np.uint64(10 ** (9 - power))
        else:
            time = ticks // np.uint64(10 ** min(power - 9, 19))
        return time.astype(np.int64) + np.int64(self.offset_seconds * 10**9)


class _Next(Enum):
    """What follows a run of packet blocks."""

    FULL = auto()
    DESCRIPTION = auto()
    CORRUPT = auto()
    END = auto()


@dataclass(slots=True)
class _Section:
    """Byte order, and the interfaces seen so far."""

    order: str
    interfaces: list[_Interface] = field(default_factory=list)
    last_time_ns: int = 0


def read_pcapng(stream: CaptureStream) -> Iterator[Frames]:
    """Frames of a pcapng file.

    Raises
    ------
    SourceError
        At a block that cannot be one, after everything before it was given.
    """
    section = _Section("<")
    begin = 0
    while True:
        packets, end, what = _index(stream.buffer, begin, section)
        if packets:
            yield _frames(stream.buffer[begin:end], packets, section)
        if what is _Next.CORRUPT:
            raise stream.error(end, "a block with an impossible length")
        begin = _describe(stream, end, section) if what is _Next.DESCRIPTION else end
        if what is _Next.END:
            stream.drop(end)
            begin = 0
            if not stream.more():
                break
    if stream.buffer:
        stream.ends_early(0, "a block")


def _index(buffer: bytes, begin: int, section: _Section) -> tuple[list[tuple[int, int]], int, _Next]:
    """Type of whole packet blocks and offset after `begin`; where they end; what comes then.

    Stops at section headers and interface descriptions, as they change how
    the packets after them are read.
    """
    packets: list[tuple[int, int]] = []
    head = struct.Struct(section.order + "II")
    position, size = begin, len(buffer)
    while position + 12 <= size:
        kind, length = head.unpack_from(buffer, position)
        if kind in {_SECTION, _INTERFACE}:
            return packets, position, _Next.DESCRIPTION
        if length < 12 or length % 4 or length > _MAX_BLOCK_BYTES:
            return packets, position, _Next.CORRUPT
        if position + length > size:
            break
        if kind in {_ENHANCED, _SIMPLE, _PACKET}:
            packets.append((kind, position - begin))
        position += length
        if len(packets) == FRAMES_PER_BLOCK:
            return packets, position, _Next.FULL
    return packets, position, _Next.END


def _describe(stream: CaptureStream, position: int, section: _Section) -> int:
    """Read a section header or an interface description; return where it ends."""
    while len(stream.buffer) < position + 12 and stream.more():
        pass
    if stream.buffer[position : position + 4] == MAGIC:
        magic = stream.buffer[position + 8 : position + 12]
        if magic not in {b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"}:
            raise stream.error(position, "a section header without a byte order")
        section.order = ">" if magic[0] == 0x1A else "<"
        section.interfaces.clear()
    kind, length = _words(section, stream.buffer, position)
    if length < 20 or length % 4 or length > _MAX_BLOCK_BYTES:
        raise stream.error(position, "a block with an impossible length")
    while len(stream.buffer) < position + length and stream.more():
        pass
    if len(stream.buffer) < position + length:
        stream.ends_early(position, "a block")
        return len(stream.buffer)
    if kind == _INTERFACE:
        if len(section.interfaces) == _MAX_INTERFACES:
            raise stream.error(position, "too many interfaces")
        section.interfaces.append(_interface(stream.buffer[position : position + length - 4], section.order))
    return position + length


def _words(section: _Section, buffer: bytes, position: int) -> tuple[int, int]:
    """Type and length of a block."""
    kind, length = struct.unpack_from(section.order + "II", buffer, position)
    return kind, length


def _interface(block: bytes, order: str) -> _Interface:
    link, _, snap_bytes = struct.unpack_from(order + "HHI", block, 8)
    resolution, offset_seconds = 6, 0
    position = 16
    while position + 4 <= len(block):
        code, length = struct.unpack_from(order + "HH", block, position)
        value = block[position + 4 : position + 4 + length]
        if code == 0:
            break
        if code == _OPTION_RESOLUTION and len(value) == 1:
            resolution = value[0]
        if code == _OPTION_OFFSET and len(value) == 8:
            given = int(struct.unpack(order + "q", value)[0])
            offset_seconds = given if abs(given) < _MAX_OFFSET_SECONDS else 0
        position += 4 + -(-length // 4) * 4
    return _Interface(link, snap_bytes, resolution, offset_seconds)


def _frames(buffer: bytes, packets: list[tuple[int, int]], section: _Section) -> Frames:
    """Read packet blocks (enhanced §4.3, simple §4.4, packet §A)."""
    data = padded(buffer)
    kinds, offsets = np.array(packets, np.int64).T
    word, half = windows(data, section.order + "u4"), windows(data, section.order + "u2")
    simple = kinds == _SIMPLE
    end = offsets + word[offsets + 4] - 4
    interface: AnyArray = np.where(kinds == _PACKET, half[offsets + 8], word[offsets + 8]).astype(np.int64)
    interface[simple] = 0
    start = offsets + np.where(simple, 12, 28)

    def within(at: I64) -> I64:
        # A block shorter than its fixed part yields an empty packet, not a read beyond the buffer.
        return word[np.minimum(at, len(buffer))].astype(np.int64)

    captured = np.where(simple, within(offsets + 8), within(offsets + 20))
    stop = np.maximum(np.minimum(start + captured, end), start)
    ticks = (within(offsets + 12).astype(np.uint64) << np.uint64(32)) | within(offsets + 16).astype(np.uint64)
    link = np.full(len(offsets), 0xFFFF, np.uint16)
    time_ns = np.zeros(len(offsets), np.int64)
    for number in np.unique(interface):
        if number >= len(section.interfaces):
            continue
        described, rows = section.interfaces[number], interface == number
        link[rows] = min(described.link, 0xFFFF)
        time_ns[rows] = described.time_ns(ticks[rows])
        if described.snap_bytes:
            short = rows & simple
            stop[short] = np.minimum(stop[short], start[short] + described.snap_bytes)
    time_ns = _times_of_simple(time_ns, simple, section)
    start = np.minimum(start, len(buffer))
    return Frames(data, start, np.maximum(stop, start), time_ns, link)


def _times_of_simple(time_ns: I64, simple: AnyArray, section: _Section) -> I64:
    """Simple packets carry no time: they take that of the packet before."""
    if simple.any():
        latest = np.maximum.accumulate(np.where(simple, 0, np.arange(1, len(simple) + 1)))
        time_ns = np.concatenate([np.array([section.last_time_ns]), time_ns])[latest]
    section.last_time_ns = int(time_ns[-1])
    return time_ns
