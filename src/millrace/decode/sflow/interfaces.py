"""Interface numbers of samples and reasons of discarded packets."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I64, U8, Bool

_LOCAL = 0x3FFFFFFF  # "internal interface", sFlow v5 page 29
_INDEX, _DISCARD = 0, 1  # formats; 2: several interfaces
_REASONS = 512


def _statuses() -> U8:
    table = np.full(_REASONS + 1, 128, np.uint8)
    status = {
        0: 131, 1: 132, 4: 133, 5: 131, 6: 131, 7: 131, 8: 131, 9: 129, 10: 129, 11: 131, 12: 131, 13: 129,
        14: 129, 15: 129,  # ICMP unreachable codes: network, host, fragmentation needed, …, prohibited
        257: 137,  # time to live exceeded
        258: 130,  # access list
        260: 139,  # RED
        261: 138,  # traffic shaping
        262: 133,  # packet too big
        269: 131,  # blackhole route
        275: 134,  # IP header corrupted
        279: 132,  # unresolved neighbour
        280: 140,  # reverse path, multicast
        281: 131,  # not routable
        292: 132,  # blackhole neighbour
        302: 140,  # reverse path, unicast
    }  # fmt: skip
    for reason, code in status.items():
        table[reason] = code
    return table


_STATUS = _statuses()
"""IANA forwardingStatus by sFlow discard reason (sFlow v5 page 30, drop notifications §5); 128: dropped, unknown."""


def forwarding_status(reason: I64) -> U8:
    """Translate discard reasons into IANA's forwardingStatus.

    Parameters
    ----------
    reason : ndarray of int64, shape (n,)
        0 to 255 are codes of ICMP unreachable messages.
    """
    return _STATUS[np.minimum(reason, _REASONS)]


def split_format(word: I64) -> tuple[I64, I64]:
    """Split the interface word of a plain sample into its 2-bit format and 30-bit value."""
    return word >> 30, word & 0x3FFFFFFF


def if_index(form: I64, value: I64) -> I64:
    """Interface index; 0 where the packet met none, several or the agent itself.

    Parameters
    ----------
    form, value : ndarray of int64, shape (n,)
    """
    known = (form == _INDEX) & (value != _LOCAL)
    return value if known.all() else np.where(known, value, 0)


def discarded(form: I64) -> Bool:
    """Whether an output interface says that the packet was discarded."""
    discard: Bool = form == _DISCARD
    return discard
