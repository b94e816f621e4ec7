"""Names of autonomous systems."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I32, U32
from millrace.enrich.coding import TextCodes

_DENSE = 1 << 19
"""AS numbers below are looked up by position: nearly all that are in use; the others by binary search."""

_SIDES = ("Src", "Dst")


class ASNames:
    """Fills ``SrcASName`` and ``DstASName``; immutable.

    The name of an AS that has none here is unknown.

    Parameters
    ----------
    names : mapping of int to str
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        known = sorted((number, name) for number, name in names.items() if number and name)
        # Row 0: no name.
        self._texts = TextCodes(["", *(name for _, name in known)])
        self._numbers: U32 = np.array([0, *(number for number, _ in known)], np.uint32)
        below = int(np.searchsorted(self._numbers, _DENSE))
        self._dense: I32 = np.zeros(_DENSE + 1, np.int32)
        self._dense[self._numbers[:below]] = np.arange(below, dtype=np.int32)

    def fill(self, flows: FlowBatch) -> None:
        """Put the names of both ends into a batch that nobody else reads yet."""
        if len(self._numbers) == 1:
            return
        for side in _SIDES:
            numbers = flows.columns.get(f"{side}AS")
            if isinstance(numbers, np.ndarray):
                rows = self._rows(numbers)
                known = rows != 0
                flows.put(f"{side}ASName", self._texts.coded(rows), None if known.all() else known)

    def _rows(self, numbers: U32) -> I32:
        # Large numbers fall on the last place of the table, which is 0.
        rows = self._dense[np.minimum(numbers, np.uint32(_DENSE))]
        large = np.flatnonzero(numbers >= _DENSE)
        if len(large):
            at = np.searchsorted(self._numbers, numbers[large], "right") - 1
            rows[large] = np.where(self._numbers[at] == numbers[large], at, 0)
        return rows
