"""What shows whether the ports of a domain share their sequence numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from millrace.batch.arrays import I64
from millrace.decode.netflow.manners import ALL, LAST, NO_UNITS, candidates

_ENOUGH = 16
"""Changes of port after which something is concluded."""


@dataclass(slots=True)
class NumberChanges:
    """What happened where the datagrams of a domain came from another port than the one before.

    Attributes
    ----------
    last : ndarray of int64, shape (columns of `LAST`,)
        Sequence number and units of the last datagram.
    scope : int
        Number of its scope.
    explained : ndarray of int64, shape (manners,)
        Changes at which the number is what each manner of `ALL` expects.
    amount : int
        Changes seen.
    """

    last: I64 = field(default_factory=lambda: np.full(len(LAST), NO_UNITS, np.int64))
    scope: int = 0
    explained: I64 = field(default_factory=lambda: np.zeros(len(ALL), np.int64))
    amount: int = 0

    def shared(self, version: int) -> bool:
        """Whether the numbers go on from port to port: at three of four changes, as some datagrams may be lost."""
        best = int(self.explained[candidates(version)].max())
        return self.amount >= _ENOUGH and 4 * best >= 3 * self.amount
