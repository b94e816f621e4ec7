"""By how much sequence numbers grow from one datagram to the next, and what each manner of counting expects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, Bool
from millrace.decode.netflow.manners import ALL, NO_UNITS, UNITS

WORD = (1 << 32) - 1
"""Numbers are modulo 2³²."""
UNIT_OF = np.array([UNITS.index(manner.unit) for manner in ALL])
"""Number in `UNITS` of what each manner of `ALL` counts."""
INCLUSIVE = np.array([manner.inclusive for manner in ALL])
"""Whether its numbers include the datagram's own units."""


@dataclass(frozen=True, slots=True)
class Steps:
    """From each datagram to the next: by how much the number grew, and by how much each manner expects it to.

    Attributes
    ----------
    step : ndarray of int64, shape (n,)
    known : ndarray of bool, shape (n,)
        Whether there is a datagram before.
    before, here : ndarray of int64, shape (units, n)
        Units of the datagram before, and of the datagram.
    starts : ndarray of int64, shape (scopes,)
    """

    step: I64
    known: Bool
    before: I64
    here: I64
    starts: I64

    @classmethod
    def of(cls, sequence: I64, table: I64, starts: I64, last: I64) -> Steps:
        """Steps of the datagrams of a batch, grouped by scope; `last`: columns `LAST` of those before the batch."""
        previous, before = np.empty_like(sequence), np.empty_like(table)
        previous[1:], before[:, 1:] = sequence[:-1], table[:, :-1]
        previous[starts], before[:, starts] = last[0], last[1:]
        return cls((sequence - previous) & WORD, previous != NO_UNITS, before, table, starts)

    def explained(self, rows: slice) -> tuple[Bool, Bool]:
        """Which steps each manner of `ALL` explains, and which it has to; shape (manners, rows)."""
        expected = np.where(INCLUSIVE[:, None], self.here[UNIT_OF, rows], self.before[UNIT_OF, rows])
        known = self.known[rows] & (expected >= 0)
        return known & (self.step[rows] == expected), known

    def gained(self) -> I64:
        """Steps that each manner explains, shape (scopes, manners)."""
        gained: I64 = np.add.reduceat(self.explained(slice(None))[0], self.starts, axis=1, dtype=np.int64).T
        return gained
