"""Joining of IP fragments (RFC 791 §3.2, RFC 8200 §4.5), within bounds."""

from __future__ import annotations

from dataclasses import dataclass, field

from millrace.receive.capture.report import CaptureReport

MAX_PENDING = 1024
"""Datagrams that wait for fragments."""

MAX_PIECES = 128
"""Fragments of one datagram; the smallest link of IPv4 hosts (576 bytes) needs 119."""

MAX_PENDING_BYTES = 16 << 20
MAX_DATAGRAM_BYTES = 65535
TIMEOUT_NS = 30_000_000_000

Key = tuple[bytes, bytes, int]
"""Source, destination, identification."""


@dataclass(slots=True)
class _Pending:
    began_ns: int
    size_bytes: int = 0
    total: int | None = None
    pieces: dict[int, bytes] = field(default_factory=dict)

    def joined(self) -> bytes | None:
        """The whole, if no byte is missing. Where fragments overlap, the earlier offset wins."""
        if self.total is None or self.size_bytes < self.total:
            return None
        whole = bytearray()
        for offset in sorted(self.pieces):
            if offset > len(whole):
                return None
            whole += self.pieces[offset][len(whole) - offset :]
        return bytes(whole[: self.total]) if len(whole) >= self.total else None


class Reassembler:
    """Collects fragments of UDP datagrams until they are whole, too old or too many.

    Parameters
    ----------
    report : CaptureReport
        Counts the fragments that were joined and those that were given up.
    """

    def __init__(self, report: CaptureReport) -> None:
        self._report = report
        self._pending: dict[Key, _Pending] = {}
        self._pending_bytes = 0

    def add(self, key: Key, offset: int, piece: bytes, time_ns: int, *, last: bool) -> bytes | None:
        """Add a fragment; return the whole IP payload if it was the missing one.

        Parameters
        ----------
        key : Key
        offset : int
            Bytes.
        piece : bytes
        time_ns : int
            When it was captured.
        last : bool
            No fragment has a greater offset.
        """
        if offset + len(piece) > MAX_DATAGRAM_BYTES:
            self._report.skip("fragment-overflow")
            return None
        pending = self._pending.get(key)
        if pending is not None and abs(time_ns - pending.began_ns) > TIMEOUT_NS:
            self._give_up(key)
            pending = None
        if pending is None:
            pending = self._pending[key] = _Pending(time_ns)
        if offset in pending.pieces or len(pending.pieces) == MAX_PIECES:
            self._report.skip("fragment-overflow")
            return None
        pending.pieces[offset] = piece
        pending.size_bytes += len(piece)
        self._pending_bytes += len(piece)
        if last:
            pending.total = offset + len(piece)
        whole = pending.joined()
        if whole is not None:
            self._report.fragments += len(pending.pieces)
            self._forget(key)
        self._bound()
        return whole

    def finish(self) -> None:
        """Give up what still waits."""
        for key in list(self._pending):
            self._give_up(key)

    def _bound(self) -> None:
        while len(self._pending) > MAX_PENDING or self._pending_bytes > MAX_PENDING_BYTES:
            self._give_up(next(iter(self._pending)))

    def _give_up(self, key: Key) -> None:
        self._report.skip("fragment-incomplete", len(self._pending[key].pieces))
        self._forget(key)

    def _forget(self, key: Key) -> None:
        self._pending_bytes -= self._pending.pop(key).size_bytes
