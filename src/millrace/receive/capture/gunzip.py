"""Decompression that gives what there is of a file that was cut short."""

from __future__ import annotations

import zlib
from typing import IO

MAGIC = b"\x1f\x8b"

_READ_BYTES = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """Reads gzip (RFC 1952), several members included.

    Unlike `gzip.GzipFile` it loses nothing of a file whose end is missing:
    all that can be decompressed comes first.

    Parameters
    ----------
    head : bytes
        What was already read of the file.
    file : binary file

    Attributes
    ----------
    cut : bool
        The file ended inside a member.
    """

    def __init__(self, head: bytes, file: IO[bytes]) -> None:
        self.cut = False
        self._waiting = head
        self._file = file
        self._member = zlib.decompressobj(_GZIP)

    def read(self, count: int) -> bytes:
        """Up to `count` bytes; empty at the end.

        Raises
        ------
        zlib.error
            If the data are corrupt.
        """
        parts: list[bytes] = []
        while count > 0:
            compressed = self._waiting or self._file.read(_READ_BYTES)
            if self._member.eof and not self._next_member(compressed):
                break
            # Also at the file's end: output may wait inside the decompressor.
            part = self._member.decompress(compressed, count)
            if not compressed and not part:
                self.cut = not self._member.eof
                break
            self._waiting = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _next_member(self, compressed: bytes) -> bool:
        """Begin the next member, if one follows; other trailing bytes are padding."""
        if not compressed.startswith(MAGIC[:1]):
            self._waiting = b""
            return False
        self._member = zlib.decompressobj(_GZIP)
        return True
