"""Files of payloads without packet headers: IPFIX message streams and single payloads."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from millrace.batch import DatagramBatch
from millrace.batch.arrays import I64
from millrace.receive.capture.frames import FRAMES_PER_BLOCK, padded
from millrace.receive.capture.stream import CaptureStream

MAX_PAYLOAD_BYTES = 65535
_MAX_WHOLE_BYTES = 64 << 20
_IPFIX_HEADER_BYTES = 16

_FIXED_SIZES = {1: (16, 48), 5: (24, 48), 7: (24, 52)}
"""Bytes of header and of record of the NetFlow versions whose records have one size."""


def is_ipfix(head: bytes) -> bool:
    """Whether a file starts like an IPFIX message (RFC 7011 §3.1), of which RFC 5655 files consist."""
    return len(head) >= 4 and head[:2] == b"\x00\x0a" and struct.unpack_from(">H", head, 2)[0] >= _IPFIX_HEADER_BYTES


def read_ipfix(stream: CaptureStream, time_ns: int) -> Iterator[DatagramBatch]:
    """Each IPFIX message of a stream as a datagram.

    What follows the last whole message is one more datagram, counted as truncated.

    Raises
    ------
    SourceError
        If more follows the last message than fits a datagram.
    """
    while True:
        bounds = _messages(stream.buffer)
        end = bounds[-1]
        if end:
            yield _batch(stream, stream.buffer[:end], np.array(bounds, np.int64), time_ns)
            stream.drop(end)
        if len(bounds) <= FRAMES_PER_BLOCK and not stream.more():
            break
        if len(stream.buffer) > MAX_PAYLOAD_BYTES and not is_ipfix(stream.buffer):
            break
    if len(stream.buffer) > MAX_PAYLOAD_BYTES:
        raise stream.error(0, "no IPFIX message")
    if stream.buffer:
        stream.ends_early(0, "an IPFIX message")
        stream.report.truncated += 1
        yield _batch(stream, stream.buffer, np.array([0, len(stream.buffer)]), time_ns)


def _messages(buffer: bytes) -> list[int]:
    """Bounds of the whole messages at the start of a buffer: ``[0, end of first, …]``."""
    bounds = [0]
    position = 0
    while len(bounds) <= FRAMES_PER_BLOCK and is_ipfix(buffer[position : position + 4]):
        position += struct.unpack_from(">H", buffer, position + 2)[0]
        if position > len(buffer):
            break
        bounds.append(position)
    return bounds


def read_payload(stream: CaptureStream, time_ns: int) -> Iterator[DatagramBatch]:
    """One payload; or several NetFlow v1, v5 or v7 datagrams that fill the file exactly.

    Raises
    ------
    SourceError
        If the file is empty, or too long for one datagram and nothing else that is known.
    """
    content = stream.whole(_MAX_WHOLE_BYTES)
    if content is not None and not content:
        raise stream.error(0, "nothing to read, the file is empty,")
    bounds = None if content is None else _tiles(content)
    if content is None or (bounds is None and len(content) > MAX_PAYLOAD_BYTES):
        raise stream.error(0, "neither pcap, pcapng, IPFIX messages, a UDP payload nor hexadecimal text")
    if bounds is not None:
        stream.report.container = "payloads"
    yield _batch(stream, content, np.array(bounds or [0, len(content)], np.int64), time_ns)


def _tiles(content: bytes) -> list[int] | None:
    """Bounds of NetFlow datagrams of one version, if two or more fill the content exactly."""
    version = content[:2]
    sizes = _FIXED_SIZES.get(int.from_bytes(version, "big"))
    if sizes is None or len(version) < 2:
        return None
    bounds = [0]
    while bounds[-1] < len(content):
        if content[bounds[-1] : bounds[-1] + 2] != version or bounds[-1] + 4 > len(content):
            return None
        count = struct.unpack_from(">H", content, bounds[-1] + 2)[0]
        bounds.append(bounds[-1] + sizes[0] + count * sizes[1])
    return bounds if bounds[-1] == len(content) and len(bounds) > 2 else None


def _batch(stream: CaptureStream, content: bytes, bounds: I64, time_ns: int) -> DatagramBatch:
    """A batch of payloads that lie back to back; their source is unknown (``::``)."""
    n = len(bounds) - 1
    stream.report.packets += n
    stream.report.datagrams += n
    none = np.zeros(n, np.uint16)
    return DatagramBatch(
        padded(content), bounds[:-1], bounds[1:], np.zeros((n, 16), np.uint8), none, np.full(n, time_ns), none
    )
