"""Records of samples: locating them by format."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.packet.cursor import Cursor
from millrace.decode.sflow.samples import Samples
from millrace.decode.sflow.tally import Tally
from millrace.decode.sflow.walk import HEAD_BYTES, Items, walk

MAX_RECORDS = 256
"""Records read of one sample; real ones carry fewer than twenty."""

FORMATS = 1 << 12
"""Record formats of enterprise 0 lie below; a tag from here on is a vendor's."""


_HEAD = np.dtype(
    {"names": ["tag", "length", "both"], "formats": [">u4", ">u4", "u8"], "offsets": [0, 4, 0], "itemsize": HEAD_BYTES}
)
"""Both words as one, in whatever order of bytes, are for comparing: a copy, which is faster to compare than a view."""
_UNKNOWN, _UNUSED, _OVERRUN, _FIRST_KNOWN = 0, 1, 2, 3


class Formats:
    """Which record formats there are.

    Parameters
    ----------
    known : dict of int to int
        Formats that are read, and the least number of bytes each must have.
    unused : frozenset of int
        Formats that are known and of which nothing is kept.
    """

    def __init__(self, known: dict[int, int], unused: frozenset[int]) -> None:
        self.least = known
        self.forms = list(known)
        self.codes = np.zeros(FORMATS + 1, np.uint8)
        self.codes[list(unused)] = _UNUSED
        self.codes[self.forms] = np.arange(_FIRST_KNOWN, _FIRST_KNOWN + len(known))

    def split(self, items: Items) -> list[tuple[int, Items]]:
        """Items by the code of their format; agents that send one kind of sample have one per step."""
        tag = items.tag
        if not len(tag):
            return []
        if (tag == tag[0]).all():
            return [(int(self.codes[min(int(tag[0]), FORMATS)]), items)]
        codes = self.codes[np.minimum(tag, FORMATS)]
        return [(code, items.pick(codes == code)) for code in np.flatnonzero(np.bincount(codes)).tolist()]


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one format, at most one per sample, in the order of the samples.

    Attributes
    ----------
    sample : ndarray of int64, shape (k,)
        Distinct, ascending.
    cursor : Cursor
    stop : ndarray of int64, shape (k,)
        Content.
    """

    sample: I64
    cursor: Cursor
    stop: I64

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def lengths(self) -> I64:
        """Bytes of content; ndarray of int64, shape (k,)."""
        return self.stop - self.cursor.at

    def read(self, layout: np.dtype[np.void]) -> AnyArray:
        """What each begins with, to be read only; ndarray of `layout`, shape (k,)."""
        return self.cursor.read(layout)

    def pick(self, mask: Bool) -> Records:
        """The records of a mask."""
        if mask.all():
            return self
        index = np.flatnonzero(mask)
        return Records(self.sample[index], self.cursor.take(index), self.stop[index])


def locate_records(
    samples: Samples, cursor: Cursor, announced: I64, formats: Formats, tally: Tally
) -> dict[int, Records]:
    """Locate the records of each sample; count those that cannot be read.

    Of several records of one format in a sample the first counts.

    Parameters
    ----------
    samples : Samples
    cursor : Cursor
        Where the records of each sample begin.
    announced : ndarray of int64, shape (n,)
        How many each has by its own count.
    formats : Formats
    tally : Tally

    Returns
    -------
    dict of int to Records
        By format; only formats that occur.
    """
    alike = _locate_alike(samples, cursor, announced, formats, tally)
    if alike is not None:
        return alike
    found = walk(cursor.arena, cursor.at, samples.stop, announced, MAX_RECORDS)
    _count_lists(tally, samples, announced, found.short, found.long)
    parts: dict[int, list[Items]] = {}
    for items in found.steps:
        stop = samples.stop if len(items) == len(samples) else samples.stop[items.owner]
        whole = items.end <= stop
        if not whole.all():
            parts.setdefault(_OVERRUN, []).append(items.pick(~whole))
            items = items.pick(whole)
        for code, part in formats.split(items):
            parts.setdefault(code, []).append(part)
    _count_skipped(tally, samples, parts)
    records: dict[int, Records] = {}
    for position, form in enumerate(formats.forms):
        located = parts.get(_FIRST_KNOWN + position)
        if located:
            first = _first_per_sample(cursor.arena, Items.join(located), len(samples))
            records[form] = _long_enough(tally, samples, first, form, formats.least[form])
    return records


def _locate_alike(
    samples: Samples, cursor: Cursor, announced: I64, formats: Formats, tally: Tally
) -> dict[int, Records] | None:
    """Locate the records of samples that all have the same ones, as those of an agent mostly have.

    None unless nothing is wrong with any, no format comes twice, and at most the last ones differ in length.
    """
    amount = int(announced[0])
    if cursor.away is None or amount > MAX_RECORDS or (announced != amount).any():
        return None
    sample = np.arange(len(samples))
    room = int((samples.stop - cursor.at).min())
    records: dict[int, Records] = {}
    unused = 0
    for left in range(amount, 0, -1):
        room -= HEAD_BYTES
        if room < 0:
            return None
        heads = cursor.read(_HEAD)
        cursor = cursor.move(HEAD_BYTES)
        tag, length = int(heads["tag"][0]), int(heads["length"][0])
        both = heads["both"].copy()
        if (both == both[0]).all():
            if length > room:
                return None
            stop = cursor.at + length
        else:
            lengths = heads["length"].astype(np.int64)
            stop = cursor.at + lengths
            if left > 1 or (heads["tag"] != heads["tag"][0]).any() or (stop > samples.stop).any():
                return None
            length = int(lengths.min())
        code = int(formats.codes[min(tag, FORMATS)])
        if code == _UNUSED:
            unused += 1
        elif code == _UNKNOWN:
            return None
        else:
            form = formats.forms[code - _FIRST_KNOWN]
            if form in records or length < formats.least[form]:
                return None
            records[form] = Records(sample, cursor, stop)
        padded = (length + 3) & ~3
        cursor = cursor.move(padded)
        room -= padded
    for _ in range(unused):
        tally.drop("record", "unused-record", samples.datagram, None)
    return records


def _first_per_sample(arena: U8, items: Items, samples: int) -> Records:
    owner = items.owner
    if (owner[1:] > owner[:-1]).all():
        return Records(owner, Cursor(arena, items.at), items.end)
    first = np.full(samples, -1, np.int64)
    first[owner[::-1]] = np.arange(len(owner))[::-1]
    index = first[first >= 0]
    return Records(owner[index], Cursor(arena, items.at[index]), items.end[index])


def _long_enough(tally: Tally, samples: Samples, records: Records, form: int, least: int) -> Records:
    whole = records.lengths >= least
    if whole.all():
        return records
    short = records.pick(~whole)
    tally.drop(
        "record", "bad-length", samples.datagram[short.sample],
        lambda i: f"record of format {form} has {short.lengths[i]} bytes, at least {least} expected",
    )  # fmt: skip
    return records.pick(whole)


def _count_skipped(tally: Tally, samples: Samples, parts: dict[int, list[Items]]) -> None:
    if _UNKNOWN in parts:
        _count_items(tally, samples, Items.join(parts[_UNKNOWN]), "unknown-record")
    if _UNUSED in parts:
        owner = np.concatenate([part.owner for part in parts[_UNUSED]])
        tally.drop("record", "unused-record", samples.datagram[owner], None)
    if _OVERRUN in parts:
        over = Items.join(parts[_OVERRUN])
        cut = samples.cut[over.owner]
        _count_items(tally, samples, over.pick(cut), "truncated")
        _count_items(tally, samples, over.pick(~cut), "bad-length")


def _count_items(tally: Tally, samples: Samples, items: Items, reason: str) -> None:
    tally.drop(
        "record", reason, samples.datagram[items.owner],
        lambda i: f"record of enterprise {items.tag[i] >> 12} format {items.tag[i] & 0xFFF}, "
        f"{items.end[i] - items.at[i]} bytes, {samples.stop[items.owner[i]] - items.at[i]} remain in the sample",
    )  # fmt: skip


def _count_lists(tally: Tally, samples: Samples, announced: I64, short: I64, long: I64) -> None:
    for owner, reason in ((short[samples.cut[short]], "truncated"), (short[~samples.cut[short]], "bad-count")):
        tally.drop(
            "record", reason, samples.datagram[owner],
            lambda i, owner=owner: f"sample of {samples.stop[owner[i]] - samples.at[owner[i]]} bytes announces "  # type: ignore[misc]
            f"{announced[owner[i]]} records and has fewer",
        )  # fmt: skip
    tally.drop(
        "record", "too-many", samples.datagram[long],
        lambda i: f"{announced[long[i]]} records announced in a sample, {MAX_RECORDS} are read",
    )  # fmt: skip
