"""Opening UDP sockets, and what the kernel says about them."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from millrace.errors import SourceError
from millrace.receive.config import ListenerSettings
from millrace.receive.readers import SO_TIMESTAMPNS

_SO_RCVBUFFORCE = 33
_PROC_TABLES = ("/proc/net/udp", "/proc/net/udp6")


@dataclass(frozen=True, slots=True)
class QueueState:
    """A socket's receive queue.

    Attributes
    ----------
    queued_bytes : int
        Kernel memory held by waiting datagrams (comparable with the granted buffer).
    drops : int
        Datagrams that the kernel discarded since the socket was opened.
    """

    queued_bytes: int
    drops: int


def open_listener(listener: ListenerSettings, buffer_bytes: int, *, mapped_ipv4: bool) -> list[socket.socket]:
    """Open and bind the sockets of a listener.

    Parameters
    ----------
    listener : ListenerSettings
    buffer_bytes : int
        Receive buffer to ask for.
    mapped_ipv4 : bool
        Whether `::` takes IPv4 too; not where another listener takes it.

    Raises
    ------
    SourceError
        If the address cannot be bound.
    """
    opened: list[socket.socket] = []
    port = listener.port
    try:
        for _ in range(listener.sockets):
            sock = _open(listener, port, mapped_ipv4=mapped_ipv4)
            opened.append(sock)
            _ask_for_buffer(sock, buffer_bytes)
            port = sock.getsockname()[1]
    except OSError as error:
        for sock in opened:
            sock.close()
        where = f"UDP {listener.address} port {listener.port}" + (
            f" of {listener.interface}" * bool(listener.interface)
        )
        raise SourceError(f"cannot listen on {where}: {_explain(error)}") from error
    return opened


def _explain(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "another program listens there"
        case errno.EACCES:
            return "ports below 1024 need the privilege CAP_NET_BIND_SERVICE"
        case errno.EADDRNOTAVAIL:
            return "this host does not have that address"
        case errno.ENODEV:
            return "this host does not have that network interface"
        case errno.EPERM:
            return "naming a network interface needs the privilege CAP_NET_RAW"
        case errno.ENOPROTOOPT:
            return "this system cannot restrict a socket to a network interface"
        case _:
            return os.strerror(error.errno) if error.errno else str(error)


def _open(listener: ListenerSettings, port: int, *, mapped_ipv4: bool) -> socket.socket:
    """Open and bind a socket; `::` falls back to IPv4 where the host has no IPv6."""
    address = str(listener.address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return _bound(listener, family, address, port, mapped_ipv4=mapped_ipv4)
    except OSError as error:
        if address != "::" or not mapped_ipv4 or error.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            raise
        return _bound(listener, socket.AF_INET, "0.0.0.0", port, mapped_ipv4=False)  # noqa: S104 - a collector


def _bound(listener: ListenerSettings, family: int, address: str, port: int, *, mapped_ipv4: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address != "::" or not mapped_ipv4))
        if listener.sockets > 1:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if listener.interface:
            _bind_to_interface(sock, listener.interface)
        if sys.platform == "linux":
            # Without kernel timestamps (seldom) the reader's clock serves.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        sock.bind((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _bind_to_interface(sock: socket.socket, interface: str) -> None:
    """Take only what arrives on a network interface (Linux 5.7 on without a privilege)."""
    if sys.platform != "linux":
        raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")


def _ask_for_buffer(sock: socket.socket, buffer_bytes: int) -> None:
    """Ask beyond net.core.rmem_max where that is allowed, else up to it, else for as much as is given."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, buffer_bytes)
            return
    while buffer_bytes >= 65536:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
        except OSError:
            # Systems other than Linux refuse what is above their limit.
            buffer_bytes //= 2
        else:
            return


def granted_buffer_bytes(sock: socket.socket) -> int:
    """Payload-side size of the receive buffer: Linux reports twice what was granted, for its bookkeeping."""
    size = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return size // 2 if sys.platform == "linux" else size


def queue_states(inodes: set[int]) -> dict[int, QueueState]:
    """Queues and drops of sockets, by inode, from ``/proc/net/udp`` and ``udp6``.

    Unlike SO_RXQ_OVFL this is also right while no datagram arrives, and unlike
    SO_MEMINFO it does not count memory of datagrams that were already read.
    Empty where the system has no such table.
    """
    found: dict[int, QueueState] = {}
    for table in _PROC_TABLES:
        with contextlib.suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                cells = line.split()
                if len(cells) >= 13 and int(cells[9]) in inodes:
                    found[int(cells[9])] = QueueState(int(cells[4].partition(":")[2], 16), int(cells[12]))
    return found


def inode_of(sock: socket.socket) -> int:
    """Inode by which the kernel's tables name a socket."""
    return os.fstat(sock.fileno()).st_ino
