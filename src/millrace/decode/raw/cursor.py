"""Reading a datagram from front to back, with every read checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import Any

MAX_PROBLEMS = 256
"""Problems described per datagram; further ones are only counted."""

Json = dict[str, Any]
"""A JSON object."""


class Truncated(Exception):  # noqa: N818 - a fact about the bytes that ends one structure, not an error of ours
    """Fewer bytes follow than a structure needs. Never leaves this package."""


class Cursor:
    """A position inside a byte range of a datagram.

    Parameters
    ----------
    data : bytes
        The whole datagram, so that `at` is an offset that people can look up.
    at, stop : int
        Byte range still to read.
    """

    __slots__ = ("at", "data", "stop")

    def __init__(self, data: bytes, at: int = 0, stop: int | None = None) -> None:
        self.data = data
        self.at = at
        self.stop = len(data) if stop is None else min(stop, len(data))

    @property
    def left(self) -> int:
        """Bytes still to read."""
        return self.stop - self.at

    def take(self, count: int) -> bytes:
        """The next `count` bytes; Truncated if fewer follow."""
        if count > self.left:
            raise Truncated(f"{count} bytes needed, {self.left} left")
        self.at += count
        return self.data[self.at - count : self.at]

    def sub(self, count: int) -> Cursor:
        """A cursor over the next `count` bytes, which are skipped here."""
        self.take(count)
        return Cursor(self.data, self.at - count, self.at)

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(self.left)

    def peek(self) -> bytes:
        """Everything that is left, without moving."""
        return self.data[self.at : self.stop]

    def uint(self, size: int) -> int:
        """Network-order unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def u8(self) -> int:
        """Unsigned integer of 1 byte."""
        return self.uint(1)

    def u16(self) -> int:
        """Unsigned integer of 2 bytes."""
        return self.uint(2)

    def u32(self) -> int:
        """Unsigned integer of 4 bytes."""
        return self.uint(4)

    def u64(self) -> int:
        """Unsigned integer of 8 bytes."""
        return self.uint(8)

    def ipv4(self) -> str:
        """IPv4 address as text."""
        return str(IPv4Address(self.take(4)))

    def ipv6(self) -> str:
        """IPv6 address as text."""
        return ipv6_text(self.take(16))

    def mac(self) -> str:
        """MAC address as text."""
        return self.take(6).hex(":")


def ipv6_text(packed: bytes) -> str:
    """IPv6 address as text, IPv4-mapped ones in dotted form on every Python version."""
    address = IPv6Address(packed)
    return f"::ffff:{address.ipv4_mapped}" if address.ipv4_mapped else str(address)


class Problems:
    """What is wrong in a datagram, in the order in which it was found."""

    def __init__(self) -> None:
        self.found: list[Json] = []
        self.unlisted = 0

    def add(self, reason: str, offset: int, detail: str) -> None:
        """Note a problem.

        Parameters
        ----------
        reason : str
            Short label.
        offset : int
            Byte of the datagram where it shows.
        detail : str
            What was expected and what was found.
        """
        if len(self.found) < MAX_PROBLEMS:
            self.found.append({"reason": reason, "offset": offset, "detail": detail})
        else:
            self.unlisted += 1

    @contextmanager
    def truncation(self, cursor: Cursor, what: str, shown: Json | None = None) -> Iterator[None]:
        """Note a structure that ends too early, also in what is shown of it, and go on after it."""
        try:
            yield
        except Truncated as why:
            if shown is not None:
                shown["truncated"] = True
            self.add("truncated", cursor.at, f"{what}: {why}")
