"""The thread that reads one socket."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from millrace.batch import DatagramBatch
from millrace.receive.allow import AllowList
from millrace.receive.arena import SlotArena
from millrace.receive.config import ReceiveSettings
from millrace.receive.mmsg import Call
from millrace.receive.readers import MessageReader, PortableReader, Reader, Received
from millrace.receive.sockets import granted_buffer_bytes
from millrace.threads import Trouble, Watched

_CALL_DATAGRAMS = 512
"""Datagrams per system call, so that the byte bound of a batch is looked at between calls."""

_BATCH_BYTES = 32 << 20
"""A batch ends once it has this many bytes: bounds memory when datagrams are long."""

_LONGEST_PAUSE_SHARE = 0.25
"""Of the batch interval: the kernel's buffer must hold what arrives in a pause, also when a burst begins."""

_BUFFER_SHARE = 0.125
"""Of the receive buffer that may fill in a pause; the rest is for the times when this thread must wait."""

_KERNEL_OVERHEAD_BYTES = 900
"""Buffer that a datagram takes beyond its payload: kernel structures and rounding (for 1400 bytes about 2300)."""

_SHORTEST_PAUSE_SECONDS = 0.0002
_PAUSE_GROWTH = 1.25

_ERROR_PAUSE_SECONDS = 0.05

_ASK_AGAIN_MS = 1000
"""After an error the socket is asked so often whether it is well again, also when nothing comes."""

_STOP_SECONDS = 30.0

_LAST_SECONDS = 2.0
"""How long what waits in the kernel is read when the end is asked for."""


@dataclass(slots=True)
class WorkerCounts:
    """Counts of one socket, written by its thread only; see `SocketStats`."""

    datagrams: int = 0
    bytes: int = 0
    batches: int = 0
    truncated: int = 0
    refused: int = 0
    emit_refused: int = 0
    failed: int = 0


class SocketWorker:
    """Reads a socket until asked to stop.

    It sleeps until a datagram arrives, then collects until the batch is full
    or the batch interval is over. In between it pauses rather than waking per
    datagram, but never for longer than a part of the kernel's buffer takes to fill.
    """

    def __init__(
        self,
        sock: socket.socket,
        settings: ReceiveSettings,
        allow: AllowList,
        emit: Callable[[DatagramBatch], bool],
        system_call: Call | None,
    ) -> None:
        address, self._port = sock.getsockname()[:2]
        self.counts = WorkerCounts()
        self.trouble = Trouble(f"receiving on UDP {address} port {self._port}")
        self._socket = sock
        self._allow = allow
        self._emit = emit
        self._interval_seconds = settings.batch_interval_ms / 1000
        self._pause_seconds = self._interval_seconds * _LONGEST_PAUSE_SHARE
        self._buffer_bytes = 2 * granted_buffer_bytes(sock)
        self._arena = SlotArena(settings.batch_datagrams, settings.datagram_bytes)
        self._reader: Reader = (
            PortableReader(sock, self._arena) if system_call is None else MessageReader(sock, self._arena, system_call)
        )
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        self._uncounted = 0
        """Datagrams that were read and of which nothing is known yet."""
        self._emit_failed = False
        self._batch_bytes = 0
        """Of the batch that was collected last."""
        self.thread = Watched(f"receive-{self._port}", self._run, self.trouble)

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def ask_to_stop(self) -> None:
        """Have the thread take what waits now, and end."""
        self._stopping = True
        os.write(self._wake_write, b"\0")

    def join(self) -> None:
        """Wait for the thread's end."""
        if not self.thread.join(_STOP_SECONDS):
            # It may still look at the pipe.
            self.trouble.note("the thread does not end")
            return
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _run(self) -> None:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(self._wake_read, select.POLLIN)
        while not self._stopping:
            poll.poll(_ASK_AGAIN_MS if self.trouble.error else None)
            self._turn()
        # What waits in the kernel's buffer may be many batches; whoever goes on sending does not hold up the end.
        over = time.monotonic() + _LAST_SECONDS
        while self._turn() and time.monotonic() < over:
            pass

    def _turn(self) -> bool:
        """Collect one batch and hand it over; whether it was full: more may wait.

        An error costs what was collected and a short pause, never the thread.
        """
        errors = self.trouble.failures
        count = 0
        try:
            count = self._collect()
            if count:
                self._deliver(count)
        except Exception as error:  # noqa: BLE001, RUF100 - whatever `emit` or the system does, receiving goes on
            self.trouble.note(error)
            time.sleep(_ERROR_PAUSE_SECONDS)
        finally:
            self.counts.failed += self._uncounted
            self._uncounted = 0
        if errors == self.trouble.failures and not self._emit_failed:
            self.trouble.clear()
        return count == self._arena.slots or self._batch_bytes >= _BATCH_BYTES

    def _collect(self) -> int:
        """Fill slots until the batch is full or its time is over; return their number."""
        filled = filled_bytes = self._batch_bytes = 0
        paused_seconds, pause_bytes = 0.0, 0
        over = time.monotonic() + self._interval_seconds
        while True:
            room = min(_CALL_DATAGRAMS, self._arena.slots - filled)
            try:
                got = self._reader.read(filled, room)
            except OSError as error:
                if not filled:
                    raise
                # What was collected is good; the error, if it lasts, comes again.
                self.trouble.note(error)
                return filled
            self.counts.datagrams += got
            self._uncounted += got
            got_bytes = int(self._reader.lengths[filled : filled + got].sum())
            filled, filled_bytes = filled + got, filled_bytes + got_bytes
            self._batch_bytes = filled_bytes
            pause_bytes += got_bytes + got * _KERNEL_OVERHEAD_BYTES
            if not filled or filled == self._arena.slots or filled_bytes >= _BATCH_BYTES:
                return filled
            if got == room:
                continue
            if paused_seconds:
                self._adapt_pause(paused_seconds, pause_bytes)
            left = over - time.monotonic()
            if left <= 0 or self._stopping:
                return filled
            paused_seconds, pause_bytes = min(left, self._pause_seconds), 0
            time.sleep(paused_seconds)

    def _adapt_pause(self, paused_seconds: float, arrived_bytes: int) -> None:
        """Choose the next pause so that at most `_BUFFER_SHARE` of the kernel's buffer fills in it.

        Shortens at once but lengthens slowly: exporters send in bursts, and a
        pause in which little came says little about the next.
        """
        longest = self._interval_seconds * _LONGEST_PAUSE_SHARE
        fitting = paused_seconds * self._buffer_bytes * _BUFFER_SHARE / max(arrived_bytes, 1)
        slowly = self._pause_seconds * _PAUSE_GROWTH
        self._pause_seconds = min(longest, max(min(fitting, slowly), _SHORTEST_PAUSE_SECONDS))

    def _deliver(self, count: int) -> None:
        received = self._reader.received(count)
        lengths = received.lengths
        self.counts.bytes += int(lengths.sum())
        self.counts.truncated += received.truncated
        batch = self._batch(received)
        self._arena.release(lengths)
        self._uncounted = 0
        if batch is None:
            return
        self.counts.batches += 1
        taken, self._emit_failed = False, True
        try:
            taken = self._emit(batch)
            self._emit_failed = False
        finally:
            if not taken:
                self.counts.emit_refused += len(batch)

    def _batch(self, received: Received) -> DatagramBatch | None:
        chosen = None
        lengths, source, ports, times = received.lengths, received.source, received.source_port, received.time_ns
        if self._allow:
            allowed = self._allow.allowed(source)
            if not allowed.all():
                chosen = np.flatnonzero(allowed)
                self.counts.refused += len(lengths) - len(chosen)
                source, ports, times = source[chosen], ports[chosen], times[chosen]
        if not len(source):
            return None
        arena, start = self._arena.copy(lengths, chosen)
        stop = start + (lengths if chosen is None else lengths[chosen])
        port = np.broadcast_to(np.uint16(self._port), len(start))
        return DatagramBatch(arena, start, stop, source, ports, times, port)
