"""Addresses as sixteen bytes: IPv6, or IPv4 mapped into it (RFC 4291 §2.5.5.2); nothing else knows the mapping."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import numpy as np

from millrace.batch.arrays import U8, AnyArray, Bool

Network: TypeAlias = IPv4Network | IPv6Network

_MAPPED_PREFIX = bytes(10) + b"\xff\xff"
MAPPED_BITS = 8 * len(_MAPPED_PREFIX)
"""By how much the length of a prefix grows when it is mapped."""

MAPPED_WORDS = np.frombuffer(_MAPPED_PREFIX + bytes(4), np.uint32)
"""Four words of a mapped address as they lie in memory, that of IPv4 being zero; read only."""

MAPPED_FIRST = int.from_bytes(_MAPPED_PREFIX + bytes(4), "big")
"""0.0.0.0 mapped, as a number of 128 bits."""


def address_bytes(text: str) -> bytes:
    """Sixteen bytes of an address in text; ValueError if it is none."""
    address = ip_address(text)
    return address.packed if address.version == 6 else _MAPPED_PREFIX + address.packed


def address_text(packed: bytes) -> str:
    """Text of a sixteen-byte address; IPv4-mapped ones as IPv4."""
    if is_mapped(packed):
        return ".".join(str(byte) for byte in packed[12:])
    return str(ip_address(packed))


def is_mapped(packed: bytes) -> bool:
    """Whether a sixteen-byte address is a mapped IPv4 one."""
    return packed.startswith(_MAPPED_PREFIX)


def mapped_rows(addresses: U8) -> Bool:
    """Which addresses, shape (n, 16), are mapped IPv4 ones."""
    found: Bool = (addresses.view(np.uint64)[:, 0] == 0) & (addresses.view(np.uint32)[:, 2] == MAPPED_WORDS[2])
    return found


def as_ipv6(network: Network) -> IPv6Network:
    """The subnet of IPv6 that holds the same addresses: one of IPv4 is mapped."""
    if isinstance(network, IPv6Network):
        return network
    first = IPv6Address(MAPPED_FIRST | int(network.network_address))
    return IPv6Network((first, network.prefixlen + MAPPED_BITS))


def map_ipv4(words: AnyArray) -> U8:
    """Map IPv4 addresses into IPv6.

    Parameters
    ----------
    words : ndarray of 4-byte items, shape (n,)
        Addresses in network order, as read from the wire (``>u4``).

    Returns
    -------
    ndarray of uint8, shape (n, 16)
    """
    mapped = np.zeros((len(words), 4), ">u4")
    mapped[:, 2] = 0xFFFF
    # Copied first: words amid structures of odd sizes are slow to be written piece by piece.
    mapped[:, 3] = words.astype(np.uint32)
    return mapped.view(np.uint8).reshape(-1, 16)
