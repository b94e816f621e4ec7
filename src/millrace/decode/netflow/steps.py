"""By how much sequence numbers grow from one datagram to the next, and what each manner of counting expects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I32, I64, Bool
from millrace.decode.netflow.manners import ALL, NO_UNITS, UNITS

WORD = (1 << 32) - 1
"""Numbers are modulo 2³²."""
UNIT_OF = np.array([UNITS.index(manner.unit) for manner in ALL])
"""Number in `UNITS` of what each manner of `ALL` counts."""
INCLUSIVE = np.array([manner.inclusive for manner in ALL])
"""Whether its numbers include the datagram's own units."""
_MOST = np.iinfo(np.int32).max
_KIND_OF = INCLUSIVE.astype(np.int64)


@dataclass(frozen=True, slots=True)
class Steps:
    """From each datagram to the next: by how much the number grew, and by how much each manner expects it to.

    Attributes
    ----------
    step : ndarray of int64, shape (n,)
    known : ndarray of bool, shape (n,)
        Whether there is a datagram before.
    units : ndarray of int32, shape (units, n)
        Of each datagram.
    last : ndarray of int64, shape (units, scopes)
        Units of the datagram before the first of each scope.
    starts : ndarray of int64, shape (scopes,)
    """

    step: I64
    known: Bool
    units: I32
    last: I64
    starts: I64

    @classmethod
    def of(cls, sequence: I64, units: I32, starts: I64, last: I64) -> Steps:
        """Steps of the datagrams of a batch, grouped by scope; `last`: columns `LAST` of those before the batch."""
        step, known = np.empty_like(sequence), np.ones(len(sequence), np.bool_)
        step[1:] = sequence[1:] - sequence[:-1]
        step[starts], known[starts] = sequence[starts] - last[0], last[0] != NO_UNITS
        step &= WORD
        return cls(step, known, units, last[1:], starts)

    def rows(self, scope: int) -> slice:
        """Where the datagrams of a scope are."""
        end = self.starts[scope + 1] if scope + 1 < len(self.starts) else len(self.step)
        return slice(int(self.starts[scope]), int(end))

    def explained(self, scope: int) -> tuple[Bool, Bool]:
        """Which steps of a scope's datagrams each manner explains, and which it has to; shape (manners, datagrams)."""
        rows = self.rows(scope)
        here = self.units[:, rows]
        before = np.concatenate([self.last[:, scope, None], here[:, :-1]], axis=1)
        expected = np.where(INCLUSIVE[:, None], here[UNIT_OF], before[UNIT_OF])
        known = self.known[rows] & (expected >= 0)
        return known & (self.step[rows] == expected), known

    def gained(self) -> I64:
        """How many steps of each scope each manner of `ALL` explains, shape (manners, scopes)."""
        matched = np.empty((2, *self.units.shape), np.bool_)
        exclusive, inclusive = matched
        # As wide as the units are, of which no datagram has so many.
        step = np.minimum(self.step, _MOST).astype(np.int32)
        np.equal(self.units, step, out=inclusive)
        inclusive[:, self.starts] &= self.known[self.starts]
        np.equal(self.units[:, :-1], step[1:], out=exclusive[:, 1:])
        exclusive[:, self.starts] = self.last == self.step[self.starts]
        if len(self.starts) == 1:
            # Much quicker than a sum of booleans.
            amounts = np.array([[[np.count_nonzero(row)] for row in kind] for kind in matched])
        else:
            amounts = np.add.reduceat(matched, self.starts, axis=2, dtype=np.int64)
        gained: I64 = amounts[_KIND_OF, UNIT_OF]
        return gained
