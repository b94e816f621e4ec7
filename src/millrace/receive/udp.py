"""The UDP receiver: one thread per socket, from datagrams to batches."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from millrace.batch import DatagramBatch
from millrace.receive.allow import AllowList
from millrace.receive.config import ReceiveSettings
from millrace.receive.mmsg import Call, recvmmsg
from millrace.receive.sockets import granted_buffer_bytes, inode_of, open_listener, queue_states
from millrace.receive.worker import SocketWorker
from millrace.telemetry import Condition, worst
from millrace.threads import Watched

Emit = Callable[[DatagramBatch], bool]
"""Takes a batch, or returns False (at once) if there is no room for it."""


@dataclass(frozen=True, slots=True)
class SocketStats:
    """State of one socket; counts are since `UdpReceiver.start`.

    Attributes
    ----------
    address : str
    port : int
    index : int
        Which of the sockets that share this address.
    datagrams, bytes : int
        Received from the kernel, whatever became of them.
    batches : int
        Batches offered to `emit`.
    truncated : int
        Datagrams longer than `ReceiveSettings.datagram_bytes`; their beginning is passed on.
    refused : int
        Datagrams from outside the allow list, discarded.
    emit_refused : int
        Datagrams discarded because `emit` returned False or raised.
    failed : int
        Datagrams that were read and lost to an error before `emit`.
    kernel_drops : int or None
        Datagrams that the kernel discarded; None where it does not say.
    queue_bytes : int or None
        Kernel memory held by datagrams that wait to be read; None where unknown.
    buffer_bytes : int
        Receive buffer as granted; less than asked for means net.core.rmem_max is too low.
    error : str
        What is wrong now; empty if all is well.
    """

    address: str
    port: int
    index: int
    datagrams: int
    bytes: int
    batches: int
    truncated: int
    refused: int
    emit_refused: int
    failed: int
    kernel_drops: int | None
    queue_bytes: int | None
    buffer_bytes: int
    error: str


class UdpReceiver:
    """Listens on UDP and hands over batches.

    Parameters
    ----------
    settings : ReceiveSettings
    emit : callable
        Called with each batch from the thread of its socket; sockets do not
        wait for one another. It must return soon: while it runs, the kernel's
        buffer of that socket fills. False means that the batch was not taken.
    system_call : Call, optional
        `recvmmsg`; None reads datagram by datagram.
    """

    def __init__(self, settings: ReceiveSettings, emit: Emit, *, system_call: Call | None = recvmmsg) -> None:
        self._settings = settings
        self._emit = emit
        self._system_call = system_call
        self._allow = AllowList(settings.allow)
        self._sockets: list[socket.socket] = []
        self._workers: list[SocketWorker] = []
        self._last_stats: list[SocketStats] = []
        self._closing = threading.Lock()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Bound addresses and ports, one per socket; empty unless started."""
        with self._closing:
            return [sock.getsockname()[:2] for sock in self._sockets]

    def start(self) -> None:
        """Open the sockets and start a thread for each.

        Raises
        ------
        SourceError
            If a listener cannot be opened; none is open then.
        RuntimeError
            If it runs already.
        """
        if self._workers:
            raise RuntimeError("the receiver runs already")
        try:
            for listener in self._settings.listeners:
                self._sockets += open_listener(
                    listener,
                    self._settings.receive_buffer_bytes,
                    mapped_ipv4=not self._has_ipv4_listener(listener.port),
                )
            for sock in self._sockets:
                worker = SocketWorker(sock, self._settings, self._allow, self._emit, self._system_call)
                self._workers.append(worker)
        except BaseException:
            self._workers = []
            self._close_sockets()
            raise
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """Hand over what was received, end the threads and close the sockets; harmless if repeated."""
        for worker in self._workers:
            worker.ask_to_stop()
        for worker in self._workers:
            worker.join()
        with self._closing:
            if self._workers:
                self._last_stats = self._read_stats()
            self._workers = []
            self._close_sockets()

    def stats(self) -> list[SocketStats]:
        """State of each socket; after `stop`, as it was then."""
        with self._closing:
            return self._read_stats() if self._workers else self._last_stats

    def condition(self) -> Condition:
        """What health says of the sockets."""
        with self._closing:
            notes = self._notes([sock.getsockname()[:2] for sock in self._sockets])
            conditions = [worker.trouble.condition("failed", worker.trouble.what) for worker in self._workers]
            dead = [worker.trouble.what for worker in self._workers if not worker.thread.alive]
        dead_conditions = [Condition("failed", (f"{what}: its thread does not run",)) for what in dead]
        return worst([*conditions, *dead_conditions, Condition(notes=notes)])

    def _notes(self, addresses: list[tuple[str, int]]) -> tuple[str, ...]:
        """Who may send, where that is everybody."""
        if self._allow:
            return ()
        open_ports = {port for address, port in addresses if not ip_address(address.partition("%")[0]).is_loopback}
        if not open_ports:
            return ()
        ports = ", ".join(str(port) for port in sorted(open_ports))
        who = f"Anybody who reaches UDP port {ports} may send flows, in the name of any exporter"
        return (f"{who}: receive.allow is empty.",)

    @property
    def threads(self) -> list[Watched]:
        """A thread per socket."""
        return [worker.thread for worker in self._workers]

    def _read_stats(self) -> list[SocketStats]:
        inodes = [inode_of(sock) for sock in self._sockets]
        queues = queue_states(set(inodes))
        seen: dict[tuple[str, int], int] = {}
        stats: list[SocketStats] = []
        for sock, worker, inode in zip(self._sockets, self._workers, inodes, strict=True):
            address: tuple[str, int] = sock.getsockname()[:2]
            index = seen[address] = seen.get(address, -1) + 1
            queue = queues.get(inode)
            counts = worker.counts
            stats.append(
                SocketStats(
                    address=address[0],
                    port=address[1],
                    index=index,
                    datagrams=counts.datagrams,
                    bytes=counts.bytes,
                    batches=counts.batches,
                    truncated=counts.truncated,
                    refused=counts.refused,
                    emit_refused=counts.emit_refused,
                    failed=counts.failed,
                    kernel_drops=None if queue is None else queue.drops,
                    queue_bytes=None if queue is None else queue.queued_bytes,
                    buffer_bytes=granted_buffer_bytes(sock),
                    error=worker.trouble.error,
                )
            )
        return stats

    def _has_ipv4_listener(self, port: int) -> bool:
        return any(other.port == port != 0 and other.address.version == 4 for other in self._settings.listeners)

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            with contextlib.suppress(OSError):
                sock.close()
        self._sockets = []
