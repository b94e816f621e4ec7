"""The distinct exporters of a batch, numbered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, U8

_MIX_HIGH = np.uint64(0x9E3779B97F4A7C15)
_MIX_LOW = np.uint64(0xC2B2AE3D27D4EB4F)


@dataclass(frozen=True, slots=True)
class Exporters:
    """Distinct addresses and who has which.

    Attributes
    ----------
    addresses : ndarray of uint8, shape (k, 16)
    index : ndarray of int64, shape (n,)
        Row of `addresses` for each datagram or sample.
    """

    addresses: U8
    index: I64

    def keys(self) -> list[bytes]:
        """Sixteen bytes of each distinct address."""
        return [row.tobytes() for row in self.addresses]


def number_exporters(addresses: U8) -> Exporters:
    """Number the distinct addresses of a batch.

    Parameters
    ----------
    addresses : ndarray of uint8, shape (n, 16)
    """
    words = np.ascontiguousarray(addresses).view(np.uint64).reshape(-1, 2)
    if len(words) and (words == words[0]).all():
        return Exporters(addresses[:1], np.zeros(len(words), np.int64))
    mixed = (words[:, 0] * _MIX_HIGH) ^ (words[:, 1] * _MIX_LOW)
    _, first, index = np.unique(mixed, return_index=True, return_inverse=True)
    if not np.array_equal(words[first][index], words):
        # Addresses chosen so that their mix collides: compare whole addresses.
        distinct, index = np.unique(addresses, axis=0, return_inverse=True)
        return Exporters(distinct, index.reshape(-1))
    return Exporters(addresses[first], index)
