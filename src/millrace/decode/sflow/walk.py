"""Walking lists of tagged items: the samples of datagrams, the records of samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch import windows
from millrace.batch.arrays import I64, U8, Bool

HEAD_BYTES = 8
_LENGTH = 0xFFFFFFFF  # lower half of a head read as one number; the tag is the upper half


@dataclass(frozen=True, slots=True)
class Items:
    """Tagged items of several lists.

    Attributes
    ----------
    owner : ndarray of int64, shape (k,)
        List that each item belongs to.
    head : ndarray of int64, shape (k,)
        Its two words as one number.
    at : ndarray of int64, shape (k,)
        Content.
    """

    owner: I64
    head: I64
    at: I64

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def tag(self) -> I64:
        """Enterprise (20 bits) and format (12 bits); ndarray of int64, shape (k,)."""
        return self.head >> 32 & _LENGTH

    @property
    def end(self) -> I64:
        """End of the content as announced, which may lie after that of the list; ndarray of int64, shape (k,)."""
        return self.at + (self.head & _LENGTH)

    def pick(self, mask: Bool) -> Items:
        """The items of a mask."""
        if mask.all():
            return self
        index = np.flatnonzero(mask)
        return Items(self.owner[index], self.head[index], self.at[index])

    @classmethod
    def join(cls, parts: list[Items]) -> Items:
        """Items one after the other."""
        if len(parts) == 1:
            return parts[0]
        none = np.zeros(0, np.int64)
        every = [(part.owner, part.head, part.at) for part in parts]
        return cls(*(np.concatenate(arrays) for arrays in zip((none, none, none), *every, strict=True)))

    @classmethod
    def of_each_list(cls, steps: list[Items]) -> Items:
        """From the items of a walk those of the first list, then those of the second, and so on.

        So they lie in memory: what is copied of each in this order is copied twice as fast.
        """
        if len(steps) > 1 and len(steps[-1]) == len(steps[0]):
            head, at = (
                np.stack(arrays, axis=1).ravel() for arrays in zip(*((s.head, s.at) for s in steps), strict=True)
            )
            return cls(np.repeat(steps[0].owner, len(steps)), head, at)
        items = cls.join(steps)
        order = np.argsort(items.owner, kind="stable")
        return cls(items.owner[order], items.head[order], items.at[order])


@dataclass(frozen=True, slots=True)
class Walk:
    """What walking the lists found.

    Attributes
    ----------
    steps : list of Items
        The first items of all lists, the second ones, and so on; owners ascend within a step.
    short : ndarray of int64
        Lists that end before the announced number of items.
    long : ndarray of int64
        Lists with more items than are read.
    """

    steps: list[Items]
    short: I64
    long: I64


def walk(arena: U8, at: I64, stop: I64, announced: I64, most: int) -> Walk:
    """Find the items of XDR lists of tagged opaque data (sFlow v5 page 26; RFC 4506 §4.10).

    ::

        +--------+--------+--------+--------+
        |  enterprise (20 bits)    | format |
        +--------+--------+--------+--------+
        |              length               |
        +--------+--------+--------+--------+
        |  length bytes, padded to 4 …      |

    One cursor per list; each step reads one item of every list.

    Parameters
    ----------
    arena : ndarray of uint8, shape (n_bytes,)
    at, stop : ndarray of int64, shape (n,)
        First item, end of the list.
    announced : ndarray of int64, shape (n,)
        Number of items by the list's own count.
    most : int
        Items read of one list.
    """
    owner = np.arange(len(at))
    last_head = stop - HEAD_BYTES
    words = windows(arena, ">u8")
    end = at
    none = np.zeros(0, np.int64)
    steps: list[Items] = []
    short: list[I64] = [none]
    fewest = int(announced.min(initial=most))
    for step in range(most):
        fits = at <= last_head
        if step >= fewest or not fits.all():
            unread = announced > step
            # Lists with more to come; one whose last item overruns it is told by that item.
            short.append(owner[unread & ~fits & (end <= last_head + HEAD_BYTES)])
            index = np.flatnonzero(unread & fits)
            if not len(index):
                return Walk(steps, np.concatenate(short), none)
            owner, at, announced, last_head = owner[index], at[index], announced[index], last_head[index]
            fewest = int(announced.min())
        head = words[at].astype(np.int64)
        body = at + HEAD_BYTES
        length = head & _LENGTH
        end = body + length
        steps.append(Items(owner, head, body))
        at = body + ((length + 3) & ~3)
    more = (announced > most) & (end <= last_head + HEAD_BYTES)
    return Walk(steps, np.concatenate(short), owner[more])
