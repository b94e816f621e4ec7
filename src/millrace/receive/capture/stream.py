"""Bytes of a capture file in pieces, decompressed."""

from __future__ import annotations

import zlib
from typing import IO

from millrace.errors import SourceError
from millrace.receive.capture.gunzip import MAGIC, Gunzip
from millrace.receive.capture.report import CaptureReport

CHUNK_BYTES = 4 << 20
"""Read at once. Also about the size of a batch."""


class CaptureStream:
    """A window that moves over a file, forwards only; the file need not be seekable.

    Parameters
    ----------
    file : binary file
        Gzip is recognised by content. Left open.
    report : CaptureReport
        Gets `damage` if compressed data end early.

    Attributes
    ----------
    buffer : bytes
        The window.
    offset : int
        Where the window starts in the (decompressed) file.
    """

    def __init__(self, file: IO[bytes], report: CaptureReport) -> None:
        self.buffer = b""
        self.offset = 0
        self.report = report
        self._file = file
        self._unzip: Gunzip | None = None
        head = self._read_file(2)
        if head == MAGIC:
            self._unzip = Gunzip(head, file)
        else:
            self.buffer = head
        self.more()

    def drop(self, count: int) -> None:
        """Move the window's start forward by `count` bytes."""
        self.buffer = self.buffer[count:]
        self.offset += count

    def more(self) -> bool:
        """Extend the window by up to `CHUNK_BYTES`; False at the end of the file.

        Raises
        ------
        SourceError
            If the file cannot be read or its compression is corrupt.
        """
        piece = self._read_file(CHUNK_BYTES)
        self.buffer += piece
        return bool(piece)

    def whole(self, limit: int) -> bytes | None:
        """The rest of the file if it has at most `limit` bytes, else None."""
        while len(self.buffer) <= limit and self.more():
            pass
        return self.buffer if len(self.buffer) <= limit else None

    def error(self, position: int, what: str) -> SourceError:
        """Make an error that names file and offset; `position` is in the window."""
        return SourceError(f"{self.report.name}: {what} at byte {self.offset + position}")

    def ends_early(self, position: int, what: str) -> None:
        """Note that the file ends inside something; `position` is in the window. The first note stays."""
        self.report.damage = (
            self.report.damage or f"{self.report.name}: the file ends inside {what} at byte {self.offset + position}"
        )

    def _read_file(self, count: int) -> bytes:
        try:
            if self._unzip is None:
                return self._file.read(count)
            piece = self._unzip.read(count)
        except (OSError, zlib.error) as error:
            raise self.error(len(self.buffer), f"cannot be read ({error})") from error
        if self._unzip.cut:
            self.ends_early(len(self.buffer) + len(piece), "its compressed data")
        return piece
