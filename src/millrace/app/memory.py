"""How this process keeps memory that arrays gave back."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_TOP_PAD = -2
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8

_LARGEST_KEPT_BYTES = 32 << 20
"""glibc takes no higher threshold."""

_KEPT_BYTES = 256 << 20


def keep_freed_memory() -> bool:
    """Tell malloc to keep what arrays free, for the next batch.

    Every batch allocates and frees some hundred arrays of 0.1 to 10 MB. By
    default glibc takes each from the kernel and gives it back, and the kernel
    zeroes every page anew: half of the time of decoding. Kept memory is
    bounded by the largest batch in flight.

    Returns
    -------
    bool
        False where malloc is not glibc's; nothing is changed then.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # One arena: threads otherwise keep what others freed to themselves.
    accepted = [
        mallopt(_M_ARENA_MAX, 1),
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES),
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES),
        mallopt(_M_TOP_PAD, _LARGEST_KEPT_BYTES),
    ]
    return all(accepted)
