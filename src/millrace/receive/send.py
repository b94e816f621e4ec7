"""Sending datagrams: the receiver's opposite, for replay and for synthetic exporters."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from millrace.batch import DatagramBatch
from millrace.errors import SourceError
from millrace.receive.mmsg import IOVEC, MESSAGE, Call, address_of, sendmmsg

_CALL_DATAGRAMS = 1024
_SEND_BUFFER_BYTES = 4 << 20


@dataclass(slots=True)
class SendCounts:
    """What became of datagrams.

    Attributes
    ----------
    datagrams, bytes : int
        Handed to the kernel.
    failed : int
        Datagrams that the kernel did not take.
    error : str
        Last error; empty if there was none.
    """

    datagrams: int = 0
    bytes: int = 0
    failed: int = 0
    error: str = ""


class Sender:
    """Sends datagrams to one address over a connected UDP socket.

    Parameters
    ----------
    host : str
        Name or address, IPv4 or IPv6.
    port : int
    source : (str, int), optional
        Local address and port to send from. It must belong to this host:
        source addresses are never forged.
    system_call : Call, optional
        `sendmmsg`; None sends datagram by datagram.

    Attributes
    ----------
    counts : SendCounts
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        source: tuple[str, int] | None = None,
        system_call: Call | None = sendmmsg,
    ) -> None:
        self.counts = SendCounts()
        self._target = (host, port)
        self._source = source
        self._system_call = system_call
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Resolve the name and connect.

        Raises
        ------
        SourceError
            If the name cannot be resolved or the address cannot be used.
        """
        host, port = self._target
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
            if self._source is not None:
                self._socket.bind(self._source)
            self._socket.connect(address)
        except OSError as error:
            self.close()
            raise SourceError(f"cannot send to {host} port {port}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the socket; harmless if repeated."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @property
    def address(self) -> tuple[str, int]:
        """Local address and port."""
        name: tuple[str, int] = self._opened().getsockname()[:2]
        return name

    def send(self, datagrams: DatagramBatch | Sequence[bytes], first: int = 0, stop: int | None = None) -> int:
        """Send datagrams in order; return how many the kernel took.

        A datagram that it does not take (too long, unreachable) is counted as
        failed and passed over. Waits while the socket's send buffer is full.

        Parameters
        ----------
        datagrams : DatagramBatch or sequence of bytes
        first, stop : int, optional
            Range of datagrams; all if not given.
        """
        if not isinstance(datagrams, DatagramBatch):
            datagrams = DatagramBatch.from_payloads(datagrams[first:stop])
            first, stop = 0, None
        stop = len(datagrams) if stop is None else min(stop, len(datagrams))
        before = self.counts.datagrams
        while first < stop:
            until = min(first + _CALL_DATAGRAMS, stop)
            if self._system_call is None:
                self._send_each(datagrams, first, until)
            else:
                self._send_many(self._system_call, datagrams, first, until)
            first = until
        return self.counts.datagrams - before

    def _opened(self) -> socket.socket:
        if self._socket is None:
            raise SourceError("the sender is not open")
        return self._socket

    def _send_many(self, call: Call, batch: DatagramBatch, first: int, stop: int) -> None:
        vectors = np.zeros(stop - first, IOVEC)
        vectors["base"] = batch.start[first:stop].astype(np.uint64) + np.uint64(address_of(batch.arena))
        vectors["length"] = batch.stop[first:stop] - batch.start[first:stop]
        messages = np.zeros(stop - first, MESSAGE)
        messages["iov"] = address_of(vectors) + np.arange(stop - first, dtype=np.uint64) * np.uint64(IOVEC.itemsize)
        messages["iov_count"] = 1
        descriptor, base, done, failures = self._opened().fileno(), address_of(messages), 0, 0
        while done < stop - first:
            try:
                sent = call(descriptor, base + done * MESSAGE.itemsize, stop - first - done, 0)
            except InterruptedError:
                continue
            except OSError as error:
                # An error may stem from an earlier datagram (ICMP): try this one twice.
                failures += 1
                if failures == 2:
                    self._failed(error)
                    done, failures = done + 1, 0
                continue
            self.counts.datagrams += sent
            self.counts.bytes += int(vectors["length"][done : done + sent].sum())
            done, failures = done + sent, 0

    def _send_each(self, batch: DatagramBatch, first: int, stop: int) -> None:
        sock, view = self._opened(), batch.arena.data
        for index in range(first, stop):
            payload = view[int(batch.start[index]) : int(batch.stop[index])]
            for attempt in (1, 2):
                try:
                    self.counts.bytes += sock.send(payload)
                    self.counts.datagrams += 1
                    break
                except OSError as error:
                    if attempt == 2:
                        self._failed(error)

    def _failed(self, error: OSError) -> None:
        self.counts.failed += 1
        self.counts.error = error.strerror or str(error)
