"""Sums that may be beyond 64 bits, as the store gives them.

What a row adds is its bytes or packets times its sampling rate, below 2⁹⁶
(the store takes no rate of 2³² or more), so that a sum of 128 bits is exact
for as many rows as any disk holds: one forged record spoils its own figures,
and those of whatever it is added to, but no question gets another total than
the next one. Arrow has no integers of 128 bits: they come as 16 bytes, the
lowest first.
"""

from __future__ import annotations

import pyarrow as pa


def integers(sums: pa.Array | pa.ChunkedArray) -> list[int]:
    """Exact values of a column of sums."""
    if not pa.types.is_fixed_size_binary(sums.type):
        found: list[int] = sums.to_pylist()
        return found
    return [int.from_bytes(value, "little") for value in sums.to_pylist()]
