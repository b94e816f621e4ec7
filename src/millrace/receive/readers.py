"""Readers: from a socket into the slots of an arena.

`MessageReader` takes many datagrams per system call. `PortableReader` takes
one per call and works everywhere. Both never block and have one interface.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from millrace.batch import address_bytes
from millrace.batch.arrays import I64, U8, U16, AnyArray
from millrace.receive.arena import SlotArena
from millrace.receive.mmsg import IOVEC, MESSAGE, MSG_DONTWAIT, MSG_TRUNC, Call, address_of

SO_TIMESTAMPNS = 35

_NAME_BYTES = 28
_CONTROL = np.dtype({
    "names": ["level", "type", "seconds", "nanoseconds"],
    "formats": ["i4", "i4", "i8", "i8"],
    "offsets": [8, 12, 16, 24],
    "itemsize": 64,
})  # fmt: skip
"""The first control message (`cmsg(3)`) with a ``struct timespec``; the only one that is asked for."""

_NAME_V4 = np.dtype({"names": ["port", "address"], "formats": [">u2", ("u1", 4)], "offsets": [2, 4], "itemsize": 32})
_NAME_V6 = np.dtype({"names": ["port", "address"], "formats": [">u2", ("u1", 16)], "offsets": [2, 8], "itemsize": 32})
"""``struct sockaddr_in`` and ``struct sockaddr_in6`` in slots of 32 bytes."""


@dataclass(frozen=True, slots=True)
class Received:
    """What is known of the datagrams in the first n slots.

    Attributes
    ----------
    lengths : ndarray of int64, shape (n,)
    source : ndarray of uint8, shape (n, 16)
    source_port : ndarray of uint16, shape (n,)
    time_ns : ndarray of int64, shape (n,)
        When the kernel received each (by the reader's clock where it does not say).
    truncated : int
        How many were longer than their slot.
    """

    lengths: I64
    source: U8
    source_port: U16
    time_ns: I64
    truncated: int


class Reader(Protocol):
    """Fills slots; used by one thread."""

    @property
    def lengths(self) -> AnyArray:
        """Bytes in each slot, as far as `read` has filled them."""
        ...

    def read(self, first: int, count: int) -> int:
        """Receive up to `count` waiting datagrams into the slots from `first` on, without blocking.

        Raises
        ------
        OSError
            If the socket reports an error other than that nothing waits.
        """
        ...

    def received(self, count: int) -> Received:
        """Describe the first `count` slots (copies) and make them ready for reuse."""
        ...


class MessageReader:
    """Reads by `recvmmsg`.

    Parameters
    ----------
    sock : socket
    arena : SlotArena
    call : Call
        `millrace.receive.mmsg.recvmmsg`.
    """

    def __init__(self, sock: socket.socket, arena: SlotArena, call: Call) -> None:
        self._descriptor = sock.fileno()
        self._call = call
        self._ipv6 = sock.family == socket.AF_INET6
        n = arena.slots
        self._names = np.zeros((n, 32), np.uint8)
        self._controls = np.zeros(n, _CONTROL)
        self._vectors = np.zeros(n, IOVEC)
        self._vectors["base"] = address_of(arena.bytes) + np.arange(n, dtype=np.uint64) * np.uint64(arena.stride)
        self._vectors["length"] = arena.slot_bytes
        self._messages = np.zeros(n, MESSAGE)
        steps = np.arange(n, dtype=np.uint64)
        self._messages["name"] = address_of(self._names) + steps * np.uint64(32)
        self._messages["iov"] = address_of(self._vectors) + steps * np.uint64(IOVEC.itemsize)
        self._messages["iov_count"] = 1
        self._messages["control"] = address_of(self._controls) + steps * np.uint64(_CONTROL.itemsize)
        self._base = address_of(self._messages)
        self.lengths: AnyArray = self._messages["length"]
        self._reset(n)

    def _reset(self, count: int) -> None:
        self._messages["name_length"][:count] = _NAME_BYTES
        self._messages["control_length"][:count] = _CONTROL.itemsize

    def read(self, first: int, count: int) -> int:
        """See `Reader.read`."""
        try:
            return self._call(self._descriptor, self._base + first * MESSAGE.itemsize, count, MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return 0

    def received(self, count: int) -> Received:
        """See `Reader.received`."""
        messages = self._messages[:count]
        try:
            return Received(
                lengths=messages["length"].astype(np.int64),
                source=self._sources(count),
                source_port=self._names[:count].view(_NAME_V4)["port"][:, 0].astype(np.uint16),
                time_ns=self._times(count),
                truncated=int(np.count_nonzero(messages["flags"] & MSG_TRUNC)),
            )
        finally:
            self._reset(count)

    def _sources(self, count: int) -> U8:
        names = self._names[:count]
        if self._ipv6:
            return names.view(_NAME_V6)["address"].reshape(count, 16).copy()
        source = np.zeros((count, 16), np.uint8)
        source[:, 10:12] = 0xFF
        source[:, 12:] = names.view(_NAME_V4)["address"].reshape(count, 4)
        return source

    def _times(self, count: int) -> I64:
        controls = self._controls[:count]
        known = (
            (self._messages["control_length"][:count] >= 32)
            & (controls["level"] == socket.SOL_SOCKET)
            & (controls["type"] == SO_TIMESTAMPNS)
        )
        times: I64 = controls["seconds"] * 1_000_000_000 + controls["nanoseconds"]
        return times if known.all() else np.where(known, times, time.time_ns())


class PortableReader:
    """Reads one datagram per call.

    Parameters
    ----------
    sock : socket
        Non-blocking.
    arena : SlotArena
    """

    def __init__(self, sock: socket.socket, arena: SlotArena) -> None:
        self._socket = sock
        view = arena.bytes.data
        starts = range(0, arena.slots * arena.stride, arena.stride)
        self._room = arena.slot_bytes
        # One byte more than a datagram may have, so that a longer one shows.
        self._views = [view[start : start + arena.slot_bytes + 1] for start in starts]
        self.lengths: AnyArray = np.zeros(arena.slots, np.int64)
        self._times = np.zeros(arena.slots, np.int64)
        self._ports = np.zeros(arena.slots, np.uint16)
        self._sources = np.zeros((arena.slots, 16), np.uint8)

    def read(self, first: int, count: int) -> int:
        """See `Reader.read`."""
        for slot in range(first, first + count):
            try:
                length, peer = self._socket.recvfrom_into(self._views[slot])
            except (BlockingIOError, InterruptedError):
                return slot - first
            self.lengths[slot] = length
            self._times[slot] = time.time_ns()
            self._ports[slot] = peer[1]
            self._sources[slot] = np.frombuffer(address_bytes(peer[0].partition("%")[0]), np.uint8)
        return count

    def received(self, count: int) -> Received:
        """See `Reader.received`."""
        lengths = self.lengths[:count]
        return Received(
            lengths=np.minimum(lengths, self._room),
            source=self._sources[:count].copy(),
            source_port=self._ports[:count].copy(),
            time_ns=self._times[:count].copy(),
            truncated=int(np.count_nonzero(lengths > self._room)),
        )
