"""Times of flows, in every form that exporters use, as Unix milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from millrace.batch.arrays import I64, AnyArray
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.clock import Clock
from millrace.decode.netflow.records import Records

NTP_TO_UNIX_S = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 5905 §6)."""


def from_ntp(values: AnyArray) -> I64:
    """Times in the 64-bit NTP format (elements 154 to 157; RFC 7011 §6.1.9, §6.1.10).

    Seconds since 1900 in the upper half, 2⁻³² seconds in the lower one. Values
    with the top bit clear belong to the era that begins in 2036. Rounding to
    microseconds first ignores the bits that RFC 7011 says to ignore, and undoes
    the truncation that writing 2⁻³² seconds brings.
    """
    wide = values.astype(np.uint64)
    seconds = (wide >> np.uint64(32)).astype(np.int64)
    seconds += np.where(seconds < 1 << 31, 1 << 32, 0)
    micros = ((wide & np.uint64(0xFFFFFFFF)).astype(np.int64) * 1_000_000 + (1 << 31)) >> 32
    return (seconds - NTP_TO_UNIX_S) * 1000 + micros // 1000


UPTIME, SECONDS, MILLIS, NTP, DELTA_MICROS = range(5)
"""Forms of time: ms of uptime, Unix seconds, Unix ms, NTP, µs before the export time."""
RELATIVE = frozenset({UPTIME, DELTA_MICROS})
"""Those that need another clock."""

TimeSource: TypeAlias = tuple[int, int]
"""Form and field of a time."""

_START = {152: MILLIS, 154: NTP, 156: NTP, 150: SECONDS, 158: DELTA_MICROS, 22: UPTIME}
_END = {153: MILLIS, 155: NTP, 157: NTP, 151: SECONDS, 159: DELTA_MICROS, 21: UPTIME}
_OBSERVED = {323: MILLIS, 324: NTP, 325: NTP, 322: SECONDS, 258: MILLIS}
"""Time of an event (observationTime…), and when another collector saw the flow: better than nothing for both ends."""
_LATEST_MS = 10_413_792_000_000
"""The year 2300: what the store can hold. Later times, and 1970 itself, are no times."""


def time_form(element: int, length: int) -> int:
    """Form of a time element; of unknown ones of four bytes seconds, else milliseconds."""
    for known in (_START, _END, _OBSERVED):
        if element in known:
            return known[element]
    return SECONDS if length == 4 else MILLIS


def time_sources(column: str, elements: dict[tuple[int, int], int]) -> tuple[TimeSource, ...]:
    """Form and field of each element that tells start or end of flows, the finest absolute one first."""
    return _sources(_START if column == "TimeFlowStart" else _END, elements)


def observed_sources(elements: dict[tuple[int, int], int]) -> tuple[TimeSource, ...]:
    """The same of elements that tell the moment of an event."""
    return _sources(_OBSERVED, elements)


def _sources(known: dict[int, int], elements: dict[tuple[int, int], int]) -> tuple[TimeSource, ...]:
    return tuple((form, elements[element, 0]) for element, form in known.items() if (element, 0) in elements)


def absolute_ms(value: AnyArray, form: int, out: I64 | None = None) -> I64:
    """Unix ms of values in a form that needs no other clock, written to `out` if it is given; 0 of what is 0."""
    found: I64 = np.empty(len(value), np.int64) if out is None else out
    if form == NTP:
        found[...] = np.where(value == 0, 0, from_ntp(value))
    elif form == SECONDS:
        np.multiply(value, 1000, out=found, dtype=np.int64, casting="unsafe")
    else:
        found[...] = value
    return found


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column of absolute times that the user added; it may be of any age.

    Rows that do not tell theirs are unknown.

    Attributes
    ----------
    name : str
    sources : tuple of (form, field)
        In order of preference; of several the first with a time that can be stored wins.
    """

    name: str
    sources: tuple[TimeSource, ...]

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:  # noqa: ARG002
        """See `Step`."""
        time = np.zeros(stop - start, np.int64)
        for form, field in self.sources:
            other = absolute_ms(records.number(field), form)
            time = np.where(time == 0, np.where((other > 0) & (other < _LATEST_MS), other, 0), time)
        known = time > 0
        rows.slot(self.name, start, stop, None if known.all() else known)[...] = time
