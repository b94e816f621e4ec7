"""Samples: locating them, and reading the heads of flow and discard samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.packet.cursor import Cursor, gather, look_ahead
from millrace.decode.packet.layers import look_up
from millrace.decode.sflow.headers import Headers
from millrace.decode.sflow.interfaces import discarded, split_format
from millrace.decode.sflow.tally import Tally
from millrace.decode.sflow.walk import Items, walk

FLOW, COUNTERS, EXPANDED_FLOW, EXPANDED_COUNTERS, DISCARD = 1, 2, 3, 4, 5
"""Sample formats (sFlow v5 page 28; discarded packets: drop notifications §4)."""

MAX_SAMPLES = 1024
"""Samples read of one datagram: a datagram of 64 KiB holds some 300 real ones."""

_FLOW_HEAD = np.dtype(
    [("sequence", ">u4"), ("source", ">u4"), ("rate", ">u4"), ("pool", ">u4"), ("drops", ">u4"),
     ("input", ">u4"), ("output", ">u4"), ("records", ">u4")]
)  # fmt: skip
_EXPANDED_HEAD = np.dtype(
    [("sequence", ">u4"), ("source_type", ">u4"), ("source", ">u4"), ("rate", ">u4"), ("pool", ">u4"),
     ("drops", ">u4"), ("input_format", ">u4"), ("input", ">u4"), ("output_format", ">u4"), ("output", ">u4"),
     ("records", ">u4")]
)  # fmt: skip
_DISCARD_HEAD = np.dtype(
    [("sequence", ">u4"), ("source_type", ">u4"), ("source", ">u4"), ("drops", ">u4"), ("input", ">u4"),
     ("output", ">u4"), ("reason", ">u4"), ("records", ">u4")]
)  # fmt: skip
_COUNTER_HEAD = np.dtype([("sequence", ">u4"), ("source", ">u4"), ("records", ">u4")])
_EXPANDED_COUNTER_HEAD = np.dtype([("sequence", ">u4"), ("source_type", ">u4"), ("source", ">u4"), ("records", ">u4")])

_HEADS: dict[int, np.dtype[np.void]] = {
    FLOW: _FLOW_HEAD,
    COUNTERS: _COUNTER_HEAD,
    EXPANDED_FLOW: _EXPANDED_HEAD,
    EXPANDED_COUNTERS: _EXPANDED_COUNTER_HEAD,
    DISCARD: _DISCARD_HEAD,
}

_FLOW_BYTES = 256
"""Seen of all flow samples at once: most are shorter, with a sampled header of 128 bytes, switch and router data."""
_COUNTER_BYTES = 112
"""Seen of all counter samples at once: an expanded head and the generic counters, which most begin with."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Located samples of known formats whose head is whole.

    Attributes
    ----------
    datagram : ndarray of int64, shape (k,)
    format : ndarray of int64, shape (k,)
    at, stop : ndarray of int64, shape (k,)
        Content; `stop` never lies after the end of the datagram.
    cut : ndarray of bool, shape (k,)
        The datagram ends before the sample does.
    only : int or None
        The format of all of them; None where they differ.
    """

    datagram: I64
    format: I64
    at: I64
    stop: I64
    cut: Bool
    only: int | None

    def __len__(self) -> int:
        return len(self.at)

    def having(self, *formats: int) -> Samples:
        """The samples of some formats."""
        if self.only is not None:
            return self if self.only in formats else self.pick(np.zeros(len(self), np.bool_))
        return self.pick(np.isin(self.format, formats))

    def pick(self, mask: Bool) -> Samples:
        """The samples of a mask."""
        if mask.all():
            return self
        form = self.format[mask]
        return Samples(self.datagram[mask], form, self.at[mask], self.stop[mask], self.cut[mask], _only(form))


@dataclass(frozen=True, slots=True)
class FlowHeads:
    """Heads of flow and discard samples, all arrays int64 of shape (k,).

    Attributes
    ----------
    rate
        0: unknown.
    source
        Index of the data source.
    input_format, input, output_format, output
        Interfaces; formats 0 (index), 1 (discarded, value is the reason), 2 (several).
    reason
        Why the packet was discarded; -1: it was not.
    records
        How many are announced.
    """

    rate: I64
    source: I64
    input_format: I64
    input: I64
    output_format: I64
    output: I64
    reason: I64
    records: I64


def locate_samples(arena: U8, headers: Headers, tally: Tally) -> Samples:
    """Locate the samples of each datagram, in the order of the wire; count those that cannot be read.

    Vendors' samples and unknown formats are skipped by their length. Of a
    sample that the datagram cuts off, the records that are whole are kept.
    """
    found = walk(arena, headers.at, headers.stop, headers.samples, MAX_SAMPLES)
    items = Items.of_each_list(found.steps)
    _count_lists(tally, headers, found.short, found.long)
    end, end_of_datagram, form = items.end, headers.stop[items.owner], items.tag
    stop = np.minimum(end, end_of_datagram)
    samples = Samples(items.owner, form, items.at, stop, end > end_of_datagram, _only(form))
    if samples.only in _HEADS and (stop - items.at >= _HEADS[samples.only].itemsize).all():
        return samples
    heads = np.zeros(DISCARD + 2, np.int64)
    for known, layout in _HEADS.items():
        heads[known] = layout.itemsize
    needed = look_up(heads, np.minimum(samples.format, DISCARD + 1))
    usable = (needed > 0) & (samples.stop - samples.at >= needed)
    if usable.all():
        return samples
    _count_unusable(tally, samples, needed)
    return samples.pick(usable)


def _only(form: I64) -> int | None:
    return int(form[0]) if len(form) and (form == form[0]).all() else None


def _count_lists(tally: Tally, headers: Headers, short: I64, long: I64) -> None:
    tally.drop(
        "sample", "truncated", short,
        lambda i: f"sub-agent {headers.sub_agent[short[i]]}: {headers.samples[short[i]]} samples announced, "
        "the datagram ends before the last",
    )  # fmt: skip
    tally.drop(
        "sample", "too-many", long,
        lambda i: f"sub-agent {headers.sub_agent[long[i]]}: {headers.samples[long[i]]} samples announced, "
        f"{MAX_SAMPLES} are read",
    )  # fmt: skip


def _count_unusable(tally: Tally, samples: Samples, needed: I64) -> None:
    enterprise = samples.format >= 1 << 12
    unknown = ~enterprise & (needed == 0)
    short = (needed > 0) & (samples.stop - samples.at < needed)

    def name(part: Samples) -> Callable[[int], str]:
        return lambda i: (
            f"sample of enterprise {part.format[i] >> 12} format {part.format[i] & 0xFFF}, "
            f"{part.stop[i] - part.at[i]} bytes"
        )

    for mask, reason in (
        (enterprise, "enterprise-sample"), (unknown, "unknown-sample"),
        (short & samples.cut, "truncated"), (short & ~samples.cut, "bad-length"),
    ):  # fmt: skip
        if mask.any():
            part = samples.pick(mask)
            tally.drop("sample", reason, part.datagram, name(part))


def read_flow_heads(arena: U8, samples: Samples) -> tuple[FlowHeads, Cursor]:
    """Read the heads of flow samples, expanded flow samples and discarded packets; where the records of each begin."""
    readers = {FLOW: _plain_heads, EXPANDED_FLOW: _expanded_heads, DISCARD: _discard_heads}
    first = samples.only
    if first is not None:
        cursor = look_ahead(arena, samples.at, _FLOW_BYTES)
        return readers[first](cursor.read(_HEADS[first])), cursor.move(_HEADS[first].itemsize)
    columns = [np.zeros(len(samples), np.int64) for _ in FlowHeads.__slots__]
    at = samples.at.copy()
    for form, read in readers.items():
        mask = samples.format == form
        if mask.any():
            part = read(gather(arena, samples.at[mask], _HEADS[form]))
            at[mask] += _HEADS[form].itemsize
            for column, name in zip(columns, FlowHeads.__slots__, strict=True):
                column[mask] = getattr(part, name)
    return FlowHeads(*columns), Cursor(arena, at)


def read_counter_heads(arena: U8, samples: Samples) -> tuple[I64, Cursor]:
    """How many records counter samples announce, and where they begin."""
    first = samples.only
    if first is not None:
        cursor = look_ahead(arena, samples.at, _COUNTER_BYTES)
        return _wide(cursor.read(_HEADS[first])["records"]), cursor.move(_HEADS[first].itemsize)
    records = np.zeros(len(samples), np.int64)
    at = samples.at.copy()
    for form in (COUNTERS, EXPANDED_COUNTERS):
        mask = samples.format == form
        records[mask] = gather(arena, samples.at[mask], _HEADS[form])["records"]
        at[mask] += _HEADS[form].itemsize
    return records, Cursor(arena, at)


def _plain_heads(head: AnyArray) -> FlowHeads:
    output_format, output = split_format(_wide(head["output"]))
    return FlowHeads(
        _wide(head["rate"]), _wide(head["source"]) & 0xFFFFFF,
        *split_format(_wide(head["input"])), output_format, output, _reason(output_format, output),
        _wide(head["records"]),
    )  # fmt: skip


def _expanded_heads(head: AnyArray) -> FlowHeads:
    output_format, output = _wide(head["output_format"]), _wide(head["output"])
    return FlowHeads(
        _wide(head["rate"]), _wide(head["source"]), _wide(head["input_format"]), _wide(head["input"]),
        output_format, output, _reason(output_format, output), _wide(head["records"]),
    )  # fmt: skip


def _discard_heads(head: AnyArray) -> FlowHeads:
    """Every discarded packet counts: the sampling rate is not told, a reason is."""
    zero = np.zeros(len(head), np.int64)
    return FlowHeads(
        zero, _wide(head["source"]), zero, _wide(head["input"]), zero, _wide(head["output"]), _wide(head["reason"]),
        _wide(head["records"]),
    )  # fmt: skip


def _reason(form: I64, value: I64) -> I64:
    """Why a packet was discarded, which the output interface of a flow sample says instead of an index."""
    return np.where(discarded(form), value, -1)


def _wide(words: AnyArray) -> I64:
    return words.astype(np.int64)
