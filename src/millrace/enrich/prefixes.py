"""Longest-prefix match: prefixes, which may contain one another, as ranges that do not overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Generic, TypeVar

from millrace.batch import as_ipv6
from millrace.errors import ConfigError

T = TypeVar("T")

_END = 1 << 128


class PrefixRanges(Generic[T]):
    """What each address has by the longest prefix that contains it; immutable.

    Parameters
    ----------
    section : str
        Of the configuration, for errors.
    entries : iterable of (str, T)
        Prefixes, IPv4 (mapped) or IPv6, or single addresses; and what they have.
    within : callable
        What a prefix has inside of another one, given its own and the other's. By default its own.

    Attributes
    ----------
    starts : list of int
        First address of each range as a 128-bit number, rising, beginning with 0.
    values : list
        What each range has; None where no prefix contains it.

    Raises
    ------
    ConfigError
        If two have the same prefix.
    """

    def __init__(
        self, section: str, entries: Iterable[tuple[str, T]], within: Callable[[T, T], T] = lambda own, _: own
    ) -> None:
        self.starts: list[int] = [0]
        self.values: list[T | None] = [None]
        around: list[tuple[int, T]] = []
        for first, last, own in _sorted(section, entries):
            self._close(around, first)
            value = within(own, around[-1][1]) if around else own
            self._begin(first, value)
            around.append((last, value))
        self._close(around, _END)

    def find(self, address: bytes) -> T | None:
        """What an address has.

        Parameters
        ----------
        address : bytes
            Sixteen bytes; IPv6 or IPv4-mapped.
        """
        return self.values[bisect_right(self.starts, int.from_bytes(address, "big")) - 1]

    def _close(self, around: list[tuple[int, T]], before: int) -> None:
        """End the prefixes that end before an address."""
        while around and around[-1][0] < before:
            last, _ = around.pop()
            if last + 1 < _END:
                self._begin(last + 1, around[-1][1] if around else None)

    def _begin(self, start: int, value: T | None) -> None:
        if start == self.starts[-1]:
            self.values[-1] = value
        elif value != self.values[-1]:
            self.starts.append(start)
            self.values.append(value)


def _sorted(section: str, entries: Iterable[tuple[str, T]]) -> list[tuple[int, int, T]]:
    """First and last address of each, shorter prefixes before those inside them."""
    known: dict[tuple[int, int], tuple[str, T]] = {}
    for prefix, value in entries:
        network = as_ipv6(ip_network(prefix))
        first, last = int(network.network_address), int(network.broadcast_address)
        if (first, -last) in known:
            raise ConfigError(f"{section}.{prefix}: same prefix as {known[first, -last][0]}")
        known[first, -last] = (prefix, value)
    return [(first, -last, known[first, last][1]) for first, last in sorted(known)]
