"""A batch of received datagrams."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from millrace.batch.addresses import address_bytes
from millrace.batch.arrays import ARENA_PADDING, I64, U8, U16, Bool
from millrace.errors import ShapeError

_ROW_BYTES = 8 + 8 + 16 + 2 + 8 + 2
"""What a datagram takes beside its payload."""


@dataclass(frozen=True, slots=True)
class DatagramBatch:
    """Datagrams in one byte arena.

    Whoever makes a batch gives the arena away: nothing writes to it afterwards.

    Parameters
    ----------
    arena : ndarray of uint8, shape (n_bytes + ARENA_PADDING,)
        Payloads anywhere in it; at least `ARENA_PADDING` bytes follow the end
        of the last payload.
    start, stop : ndarray of int64, shape (n,)
        Byte range of each payload.
    source : ndarray of uint8, shape (n, 16)
        Address of the sender, IPv6 or IPv4-mapped, network order.
    source_port : ndarray of uint16, shape (n,)
    time_ns : ndarray of int64, shape (n,)
        When each was received, Unix nanoseconds.
    port : ndarray of uint16, shape (n,)
        UDP port it was received on; 0 where there is none.
    """

    arena: U8
    start: I64
    stop: I64
    source: U8
    source_port: U16
    time_ns: I64
    port: U16

    def __post_init__(self) -> None:
        lengths = {len(a) for a in (self.start, self.stop, self.source, self.source_port, self.time_ns, self.port)}
        if len(lengths) != 1:
            raise ShapeError(f"the arrays of a DatagramBatch have lengths {sorted(lengths)}; they must be equal")
        if len(self.stop) and int(self.stop.max()) + ARENA_PADDING > len(self.arena):
            raise ShapeError(f"the arena of a DatagramBatch needs {ARENA_PADDING} bytes after the last payload")

    def __len__(self) -> int:
        return len(self.start)

    @property
    def nbytes(self) -> int:
        """Bytes that the batch keeps in memory (more where parts of it are views that are shared)."""
        return int(self.arena.nbytes) + len(self) * _ROW_BYTES

    @classmethod
    def from_payloads(
        cls,
        payloads: Sequence[bytes],
        *,
        source: str | Sequence[str] = "192.0.2.1",
        source_port: int | Sequence[int] = 50000,
        time_ns: int | Sequence[int] = 1_700_000_000_000_000_000,
        port: int | Sequence[int] = 0,
    ) -> DatagramBatch:
        """Copy payloads into a new batch (for files, tests and tools; loops over datagrams)."""
        n = len(payloads)
        stop = np.cumsum([len(p) for p in payloads], dtype=np.int64) if n else np.zeros(0, np.int64)
        start = np.concatenate([np.zeros(1, np.int64), stop[:-1]]) if n else np.zeros(0, np.int64)
        arena = np.frombuffer(b"".join([*payloads, bytes(ARENA_PADDING)]), np.uint8)
        names = [source] * n if isinstance(source, str) else source
        packed = b"".join(address_bytes(name) for name in names)
        return cls(
            arena,
            start,
            stop,
            np.frombuffer(packed, np.uint8).reshape(n, 16),
            np.broadcast_to(np.asarray(source_port, np.uint16), n),
            np.broadcast_to(np.asarray(time_ns, np.int64), n),
            np.broadcast_to(np.asarray(port, np.uint16), n),
        )

    def part(self, which: slice | I64 | Bool) -> DatagramBatch:
        """Some of the datagrams; shares the arena."""
        return DatagramBatch(
            self.arena, self.start[which], self.stop[which], self.source[which], self.source_port[which],
            self.time_ns[which], self.port[which],
        )  # fmt: skip

    def split(self, max_bytes: int) -> Iterator[DatagramBatch]:
        """Parts in order, each of at most `max_bytes` bytes of payload or of one datagram; they share the arena."""
        ends = np.cumsum(self.stop - self.start)
        first = 0
        while first < len(self):
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + max_bytes, side="right")))
            yield self if last - first == len(self) else self.part(slice(first, last))
            first = last

    def payload(self, index: int) -> bytes:
        """Bytes of one datagram."""
        return self.arena[self.start[index] : self.stop[index]].tobytes()
