"""From UDP packets to a batch of datagrams."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from millrace.batch import ARENA_PADDING, DatagramBatch
from millrace.batch.arrays import I64, U8, U16, AnyArray, windows
from millrace.receive.capture.fragments import Reassembler
from millrace.receive.capture.frames import Frames
from millrace.receive.capture.layers import Transport, find_transport
from millrace.receive.capture.report import CaptureReport

_UDP_BYTES = 8
_SPARSE = 4
"""A batch keeps its stretch of the file unless that is this many times the payload bytes."""


@dataclass(frozen=True, slots=True)
class _Datagrams:
    """Datagrams before they become a batch; `row` is the frame that completed each."""

    row: I64
    start: I64
    stop: I64
    source: U8
    source_port: U16
    port: U16

    def take(self, index: AnyArray) -> _Datagrams:
        return _Datagrams(*(getattr(self, name)[index] for name in _Datagrams.__slots__))


class DatagramFinder:
    """Turns frames into batches; keeps fragments from one block to the next.

    Parameters
    ----------
    report : CaptureReport
    ports : collection of int, optional
        Destination ports to keep; None keeps all.
    """

    def __init__(self, report: CaptureReport, ports: Collection[int] | None) -> None:
        self.report = report
        self._ports = None if ports is None else np.array(sorted(ports), np.int64)
        self._reassembler = Reassembler(report)

    def find(self, frames: Frames) -> DatagramBatch | None:
        """The datagrams of a block, in the order in which they became whole; None if there are none."""
        self.report.packets += len(frames)
        packets = find_transport(frames, self.report)
        data = frames.data
        if packets.fragment.any():
            found = self._udp(data, packets.take(~packets.fragment), frames.stop)
            data, joined = self._join(frames, packets.take(packets.fragment))
            found = _Datagrams(
                *(np.concatenate([getattr(found, name), getattr(joined, name)]) for name in _Datagrams.__slots__)
            )
            found = found.take(np.argsort(found.row, kind="stable"))
        else:
            found = self._udp(data, packets, frames.stop)
        if self._ports is not None:
            wanted = np.isin(found.port, self._ports)
            self.report.skip("other-port", int(len(wanted) - np.count_nonzero(wanted)))
            found = found.take(wanted)
        return self._batch(data, found, frames.time_ns)

    def finish(self) -> None:
        """Count what is still incomplete."""
        self._reassembler.finish()

    def _udp(self, data: U8, packets: Transport, captured: I64) -> _Datagrams:
        """Read UDP headers (RFC 768); a length of 0 means the rest of the packet (RFC 2675 §4)."""
        limit = captured[packets.row]
        whole = packets.cursor + _UDP_BYTES <= limit
        self.report.skip("cut", int(len(whole) - np.count_nonzero(whole)))
        packets, limit = packets.take(whole), limit[whole]
        word = windows(data, ">u2")
        at = packets.cursor
        length = word[at + 4].astype(np.int64)
        length = np.where(length == 0, packets.end - at, length)
        sound = length >= _UDP_BYTES
        self.report.skip("malformed", int(len(sound) - np.count_nonzero(sound)))
        packets, limit, at, length = packets.take(sound), limit[sound], at[sound], length[sound]
        start, stop = (
            at + _UDP_BYTES,
            np.maximum(np.minimum(np.minimum(at + length, packets.end), limit), at + _UDP_BYTES),
        )
        self.report.truncated += int(np.count_nonzero(stop < at + length))
        return _Datagrams(
            packets.row, start, stop, packets.source, word[at].astype(np.uint16), word[at + 2].astype(np.uint16)
        )

    def _join(self, frames: Frames, packets: Transport) -> tuple[U8, _Datagrams]:
        """Join fragments; what becomes whole is put behind the block's data. Loops over fragments, which are few."""
        rows: list[int] = []
        sources: list[U8] = []
        pieces: list[bytes] = []
        for index in range(len(packets.row)):
            row, start = int(packets.row[index]), int(packets.cursor[index])
            end = int(packets.end[index])
            if end > frames.stop[row] or start > end:
                self.report.skip("cut")
                continue
            whole = self._reassembler.add(
                (packets.source[index].tobytes(), packets.target[index].tobytes(), int(packets.identification[index])),
                int(packets.fragment_offset[index]),
                frames.data[start:end].tobytes(),
                int(frames.time_ns[row]),
                last=not packets.more[index],
            )
            if whole is not None:
                rows.append(row)
                sources.append(packets.source[index])
                pieces.append(whole)
        base = len(frames.data)
        stops = base + np.cumsum([0, *map(len, pieces)], dtype=np.int64)
        data = np.frombuffer(b"".join([frames.data.tobytes(), *pieces, bytes(ARENA_PADDING)]), np.uint8)
        n = len(rows)
        virtual = Transport(
            np.arange(n),
            stops[:-1],
            stops[1:],
            np.array(sources, np.uint8).reshape(n, 16),
            np.zeros((n, 16), np.uint8),
            *(np.zeros(n, np.bool_), np.zeros(n, np.int64), np.zeros(n, np.bool_), np.zeros(n, np.int64)),
        )
        joined = self._udp(data, virtual, stops[1:])
        return data, _Datagrams(
            np.array(rows, np.int64)[joined.row],
            joined.start,
            joined.stop,
            joined.source,
            joined.source_port,
            joined.port,
        )

    def _batch(self, data: U8, found: _Datagrams, time_ns: I64) -> DatagramBatch | None:
        if not len(found.row):
            return None
        self.report.datagrams += len(found.row)
        start, stop = found.start, found.stop
        total = int((stop - start).sum())
        if total * _SPARSE < len(data):
            parts = [data[a:b] for a, b in zip(start.tolist(), stop.tolist(), strict=True)]
            data = np.concatenate([*parts, np.zeros(ARENA_PADDING, np.uint8)])
            stop = np.cumsum(stop - start)
            start = stop - (found.stop - found.start)
        return DatagramBatch(data, start, stop, found.source, found.source_port, time_ns[found.row], found.port)
