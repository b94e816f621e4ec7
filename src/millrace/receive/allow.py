"""The exporters that are listened to."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

import numpy as np

from millrace.batch import as_ipv6
from millrace.batch.arrays import U8, Bool


class AllowList:
    """Subnets as pairs of 128-bit network and mask.

    Parameters
    ----------
    subnets : sequence of networks
        Empty: everything is allowed.
    """

    def __init__(self, subnets: Sequence[IPv4Network | IPv6Network]) -> None:
        wide = [as_ipv6(subnet) for subnet in subnets]
        packed = b"".join(subnet.network_address.packed + subnet.netmask.packed for subnet in wide)
        # Words in memory order: masking and comparing need no byte swap.
        self._subnets = np.frombuffer(packed, np.uint64).reshape(-1, 2, 2)

    def __bool__(self) -> bool:
        return len(self._subnets) > 0

    def allowed(self, source: U8) -> Bool:
        """Which addresses are in one of the subnets.

        Parameters
        ----------
        source : ndarray of uint8, shape (n, 16)

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        words = np.ascontiguousarray(source).view(np.uint64).reshape(-1, 2)
        allowed = np.zeros(len(words), np.bool_)
        for network, mask in self._subnets:
            allowed |= ((words & mask) == network).all(axis=1)
        return allowed
