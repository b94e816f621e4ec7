"""Sampling rates that a record tells with its own elements, be it a flow or options.

Elements of NetFlow v9 and of packet selection (RFC 5477 §8.2; 34 and 50 are the
older ones) and of flow selection (RFC 7014 §8). In all of them a rate is N of
1-in-N:

====================  =======  =======================================================
method                         rate
====================  =======  =======================================================
interval              34, 50   the element itself
count-based           305 306  (taken + left out) / taken; 305 alone is the rate itself
                               (Juniper's options)
time-based            307 308  (interval + space) / interval: right on average, as
                               long as traffic does not follow the sampler's rhythm
n out of N            309 310  N / n
probability           311      1 / p
hash-based            329-332  width of the output range / width of the selected ranges
flows, count-based    396 397  (taken + left out) / taken
flows, time-based     398 399  (interval + space) / interval
====================  =======  =======================================================

The algorithm (304, 35, 49) adds nothing to that: parameters tell which it is.
That of the selection of flows (390) says whether a size, a probability or a
hash range (3, 4, 6) is one of flows. Property match filtering selects on purpose and stands for nothing else, so
it has no rate; nor has flow-state dependent selection. What a selector has
observed and selected so far (318, 319, 391 to 395) is a statistic that each
report changes, not a setting, and is not read as a rate either.
"""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import F64, I64, AnyArray, Bool
from millrace.decode.netflow.elements import Elements
from millrace.decode.netflow.layout import VARIABLE
from millrace.decode.netflow.records import Records

LARGEST_RATE = (1 << 32) - 1
"""Rates beyond are cut to this: 305 and its like have four bytes, and bytes times it stay far within 128 bits."""

_LARGEST = 1 << 61
"""Of two such numbers the sum still is one of 64 bits."""
_FLOW_SELECTOR, _RANDOM, _PROBABILITY, _HASH = 390, 3, 4, 6
"""flowSelectorAlgorithm, and its methods that have the parameters of a selection of packets (RFC 7014 §8)."""
_HASH_ELEMENTS = (329, 330, 331, 332)


def element_rate(records: Records, elements: Elements, swapped: Bool | None = None) -> I64 | None:
    """Sampling rate of each record by its own elements; 0 where they do not tell; None if there are none.

    Exporters often fill several: the ones that say "every packet" are the
    neutral ones, so the largest counts. Flows that were selected among flows
    of selected packets have both rates, one times the other.

    Parameters
    ----------
    records : Records
    elements : dict
        Field number by (element, enterprise number).
    swapped : ndarray of bool, shape (n,), optional
        Where the exporter sends integers with their least significant byte first.

    Returns
    -------
    ndarray of int64, shape (n,)
        At most `LARGEST_RATE`.
    """
    reader = _Reader(records, elements, swapped)
    packets = [
        *(rate for rate in (reader.number(34), reader.number(50)) if rate is not None),
        *reader.spaced(305, 306, alone=True), *reader.spaced(307, 308),
    ]  # fmt: skip
    flows = [*reader.spaced(396, 397), *reader.spaced(398, 399)]
    of_flows = reader.number(_FLOW_SELECTOR)
    for method, rates in (
        (_RANDOM, reader.ratio(310, 309)), (_PROBABILITY, reader.probability()), (_HASH, reader.hash_range())
    ):  # fmt: skip
        if of_flows is None:
            packets += rates
        else:
            packets += [np.where(of_flows == method, 0, rate) for rate in rates]
            flows += [np.where(of_flows == method, rate, 0) for rate in rates]
    if not packets and not flows:
        return None
    by_packets, by_flows = (_largest(rates, len(records)) for rates in (packets, flows))
    both = by_packets.astype(np.float64) * by_flows > LARGEST_RATE
    product = np.where(both, LARGEST_RATE, np.maximum(by_packets, 1) * np.maximum(by_flows, 1))
    return np.where((by_packets > 0) | (by_flows > 0), product, 0)


def _largest(rates: list[I64], n: int) -> I64:
    if not rates:
        return np.zeros(n, np.int64)
    largest: I64 = np.maximum.reduce(rates)
    return np.minimum(largest, LARGEST_RATE)


class _Reader:
    """Elements of records as numbers, and rates made of them; each rate comes as a list of one, or of none."""

    def __init__(self, records: Records, elements: Elements, swapped: Bool | None) -> None:
        self._records = records
        self._elements = elements
        self._swapped = swapped

    def number(self, element: int) -> I64 | None:
        field = self._elements.get((element, 0))
        return None if field is None else np.minimum(self._unsigned(field), _LARGEST).astype(np.int64)

    def spaced(self, taken: int, left_out: int, *, alone: bool = False) -> list[I64]:
        """So much taken, so much left out, and so on; `alone`: what is taken is the rate if nothing else is told."""
        interval, space = self.number(taken), self.number(left_out)
        if interval is None:
            return []
        if space is None:
            return [interval] if alone else []
        return [_ratio(interval + space, interval)]

    def ratio(self, whole: int, part: int) -> list[I64]:
        population, size = self.number(whole), self.number(part)
        return [] if population is None or size is None else [_ratio(population, size)]

    def probability(self) -> list[I64]:
        field = self._elements.get((311, 0))
        if field is None:
            return []
        length = self._records.shape.fields[field].length
        if length not in (4, 8):
            return [np.zeros(len(self._records), np.int64)]
        raw = np.ascontiguousarray(self._records.raw(field))
        return [_rounded(1.0, raw.view(f">f{length}").reshape(-1).astype(np.float64), most=1.0)]

    def hash_range(self) -> list[I64]:
        """Several selected ranges are several pairs of elements in one record."""
        if any((element, 0) not in self._elements for element in _HASH_ELEMENTS):
            return []
        out_low, out_high, *_ = ([self._wide(self._elements[element, 0])] for element in _HASH_ELEMENTS)
        low, high = (self._every(element) for element in _HASH_ELEMENTS[2:])
        selected = sum((_width(a, b) for a, b in zip(low, high, strict=False)), np.zeros(len(self._records)))
        whole = _width(out_low[0], out_high[0])
        return [_rounded(whole, selected, most=whole)]

    def _every(self, element: int) -> list[F64]:
        fields = self._records.shape.fields
        return [self._wide(at) for at, f in enumerate(fields) if f.id == element and not f.pen and f.length]

    def _wide(self, field: int) -> F64:
        return self._unsigned(field).astype(np.float64)

    def _unsigned(self, field: int) -> AnyArray:
        value = self._records.number(field).astype(np.uint64)
        length = self._records.shape.fields[field].length
        if self._swapped is None or length == VARIABLE or not 1 < length <= 8:
            return value
        turned = value.byteswap() >> np.uint64(8 * (8 - length))
        return np.where(self._swapped, turned, value)


def _width(low: F64, high: F64) -> F64:
    return np.where(high >= low, high - low + 1, 0)


def _ratio(whole: I64, part: I64) -> I64:
    """Nearest integer to whole / part; 0 where part is 0."""
    divisor = np.maximum(part, 1)
    return np.where(part > 0, (whole + divisor // 2) // divisor, 0)


def _rounded(whole: F64 | float, part: F64, *, most: F64 | float) -> I64:
    """Nearest integer to whole / part; 0 where part is nothing, or more than it can be."""
    usable = np.isfinite(part) & (part > 0) & (part <= most)
    rate = np.rint(whole / np.where(usable, part, 1))
    return np.where(usable, np.minimum(rate, LARGEST_RATE), 0).astype(np.int64)
