"""Whether a data set is made of records of a template that another port announced.

Several devices behind one address may use one template ID for different
templates: what the ports agree on holds for a set of another port only where
the set can be records of that layout. What is left after whole records is
padding: zero bytes, or whatever fills up to a multiple of four. Of records of
variable length only the least is known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from millrace.batch.arrays import I64, U8, Bool
from millrace.decode.netflow.layout import Layout
from millrace.decode.netflow.sets import any_byte
from millrace.decode.netflow.timeline import MISSING

_ALIGNMENT = 4


def fits(layout: Layout, wire: bytes) -> bool:
    """Whether the bytes of a data set can be records of a layout."""
    room = len(wire)
    if room < layout.least:
        return not room
    rest = room % layout.least if layout.fixed else 0
    needs_zeros = rest > 0 and (rest >= _ALIGNMENT or room % _ALIGNMENT != 0)
    return not needs_zeros or not any(wire[-rest:])


def fitting(layouts: Callable[[int], Layout], arena: U8, start: I64, stop: I64, layout: I64) -> I64:
    """The same for many sets at once: the layout of each, `MISSING` where it does not fit.

    Parameters
    ----------
    layouts : callable
        A layout by its number.
    arena : ndarray of uint8
    start, stop : ndarray of int64, shape (n,)
        Where each data set is in it.
    layout : ndarray of int64, shape (n,)
        Number of its layout, or `MISSING`.
    """
    numbers, index = np.unique(layout, return_inverse=True)
    known = [layouts(number) if number != MISSING else None for number in numbers.tolist()]
    least = np.array([1 if one is None else one.least for one in known], np.int64)[index]
    fixed = np.array([one is not None and one.fixed for one in known], np.bool_)[index]
    room = stop - start
    rest = np.where(fixed, room % least, 0)
    fit: Bool = (room >= least) | (room == 0)
    padded = np.flatnonzero((rest > 0) & ((rest >= _ALIGNMENT) | (room % _ALIGNMENT != 0)))
    if len(padded):
        fit[padded] &= ~any_byte(arena, (stop - rest)[padded], stop[padded])
    return np.where(fit, layout, MISSING)
