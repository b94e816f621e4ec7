"""Packets written as hexadecimal text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from millrace.batch import DatagramBatch
from millrace.errors import SourceError
from millrace.receive.capture.datagrams import DatagramFinder
from millrace.receive.capture.frames import Frames, padded

MAX_TEXT_BYTES = 16 << 20

_ETHERNET = 1
_OFFSET = re.compile(rb"\s*([0-9A-Fa-f]{3,8}):?(?:[ \t]+|$)")
_FIRST_LINE = re.compile(rb"\s*0{3,8}:?[ \t]+[0-9A-Fa-f]{2}")
_DIGITS = re.compile(rb"[0-9A-Fa-f\s]+")


def looks_hex(head: bytes) -> bool:
    """Whether a file may be hexadecimal text, judged by its first bytes."""
    return _FIRST_LINE.match(head) is not None or (len(head) >= 8 and _DIGITS.fullmatch(head[:64]) is not None)


def hex_packets(content: bytes) -> list[bytes] | None:
    """Bytes that hexadecimal text stands for, or None if it is something else.

    Plain digits make one packet. Lines that start with an offset (``xxd``,
    ``hexdump -C``, ``text2pcap``) start a new packet at each offset 0; the
    text column, after two spaces or between bars, is ignored.
    """
    if _FIRST_LINE.match(content):
        return _offset_packets(content)
    digits = b"".join(content.split())
    if not _DIGITS.fullmatch(digits) or len(digits) % 2:
        return None
    return [bytes.fromhex(digits.decode("ascii"))]


def _offset_packets(content: bytes) -> list[bytes] | None:
    packets: list[bytearray] = []
    for line in content.splitlines():
        if not line.strip():
            continue
        head = _OFFSET.match(line)
        if head is None:
            return None
        offset = int(head[1], 16)
        if offset == 0:
            packets.append(bytearray())
        if not packets or offset != len(packets[-1]):
            return None
        columns = line[head.end() :]
        # `hexdump -C` parts its digits by two spaces, but puts the text between bars.
        digits = columns.partition(b"|")[0] if b"|" in columns else columns.partition(b"  ")[0]
        try:
            packets[-1] += bytes.fromhex(digits.decode("ascii"))
        except ValueError:
            return None
    return [bytes(packet) for packet in packets if packet]


def read_hex(packets: list[bytes], finder: DatagramFinder, time_ns: int) -> Iterator[DatagramBatch]:
    """Datagrams of packets: UDP in Ethernet frames, or else each packet as a payload."""
    stop = np.cumsum([len(packet) for packet in packets], dtype=np.int64)
    n = len(packets)
    data = padded(b"".join(packets))
    times = np.full(n, time_ns, np.int64)
    start = np.concatenate([np.zeros(1, np.int64), stop[:-1]])
    batch = finder.find(Frames(data, start, stop, times, np.full(n, _ETHERNET, np.uint16)))
    if batch is None:
        none = np.zeros(n, np.uint16)
        finder.report.take_payloads(n)
        batch = DatagramBatch(data, start, stop, np.zeros((n, 16), np.uint8), none, times, none)
    yield batch


def hex_error(name: str) -> SourceError:
    """Make the error for text whose digits or offsets do not add up."""
    return SourceError(f"{name}: hexadecimal text that cannot be read: digits or offsets do not add up")
