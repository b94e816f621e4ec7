"""The classic capture format (draft-ietf-opsawg-pcap)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from millrace.batch.arrays import windows
from millrace.receive.capture.frames import FRAMES_PER_BLOCK, MAX_FRAME_BYTES, Frames, padded
from millrace.receive.capture.stream import CaptureStream

_FILE_HEADER_BYTES = 24
_RECORD_BYTES = 16

FORMATS: dict[bytes, tuple[str, int]] = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""Byte order, and nanoseconds per unit of a timestamp's fraction, by magic number."""


def read_pcap(stream: CaptureStream) -> Iterator[Frames]:
    """Frames of a pcap file.

    Raises
    ------
    SourceError
        At a record that cannot be one, after everything before it was given.
    """
    order, unit_ns = FORMATS[stream.buffer[:4]]
    if len(stream.buffer) < _FILE_HEADER_BYTES:
        stream.ends_early(0, "the file header")
        return
    # The upper bits hold the length of a frame check sequence.
    link = struct.unpack_from(order + "I", stream.buffer, 20)[0] & 0xFFFF
    stream.drop(_FILE_HEADER_BYTES)
    captured = struct.Struct(order + "I")
    while True:
        heads, end, corrupt = _index(stream.buffer, captured)
        if heads:
            yield _frames(stream.buffer[:end], heads, order, unit_ns, link)
        if corrupt:
            raise stream.error(end, "a packet record with an impossible length")
        stream.drop(end)
        if len(heads) < FRAMES_PER_BLOCK and not stream.more():
            break
    yield from _last(stream, order, unit_ns, link)


def _index(buffer: bytes, captured: struct.Struct) -> tuple[list[int], int, bool]:
    """Offsets of whole records, where they end, and whether an impossible one follows."""
    heads: list[int] = []
    position, size = 0, len(buffer)
    while position + _RECORD_BYTES <= size and len(heads) < FRAMES_PER_BLOCK:
        length = captured.unpack_from(buffer, position + 8)[0]
        if length > MAX_FRAME_BYTES:
            return heads, position, True
        end = position + _RECORD_BYTES + length
        if end > size:
            break
        heads.append(position)
        position = end
    return heads, position, False


def _frames(buffer: bytes, heads: list[int], order: str, unit_ns: int, link: int) -> Frames:
    data = padded(buffer)
    offsets = np.array(heads, np.int64)
    head = windows(data, np.dtype([(name, order + "u4") for name in ("seconds", "fraction", "captured", "wire")]))
    records = head[offsets]
    start = offsets + _RECORD_BYTES
    stop = np.minimum(start + records["captured"], len(buffer))
    return Frames(
        data,
        start,
        stop,
        time_ns=records["seconds"].astype(np.int64) * 1_000_000_000 + records["fraction"].astype(np.int64) * unit_ns,
        link=np.full(len(offsets), link, np.uint16),
    )


def _last(stream: CaptureStream, order: str, unit_ns: int, link: int) -> Iterator[Frames]:
    """What there is of a record that the end of the file cuts."""
    if not stream.buffer:
        return
    stream.ends_early(0, "a packet record")
    if len(stream.buffer) > _RECORD_BYTES:
        yield _frames(stream.buffer, [0], order, unit_ns, link)
