"""Times of flows, in every form that exporters use, as Unix milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from millrace.batch.arrays import I64, U32, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.records import Records

if TYPE_CHECKING:
    from millrace.decode.netflow.plan import Clock

NTP_TO_UNIX_S = 2_208_988_800
"""Seconds from 1900 to 1970 (RFC 5905 §6)."""


def from_uptime(ticks: AnyArray, uptime: U32, export_ms: I64) -> I64:
    """Times given as ms of the exporter's uptime (NetFlow v1 to v9; elements 21 and 22).

    The 32-bit uptime starts again after 49.7 days, so only the distance to the
    uptime of the header counts, taken as a signed number: a flow that began
    before the wrap is in the past, a clock slightly ahead is in the future.

    Parameters
    ----------
    ticks : ndarray of uint32, any byte order, shape (n,)
    uptime : ndarray of uint32, shape (n,)
    export_ms : ndarray of int64, shape (n,)
        Unix ms at which the exporter's uptime was `uptime`.
    """
    ago = np.subtract(ticks, uptime, dtype=np.uint32).view(np.int32)
    return np.add(export_ms, ago, dtype=np.int64)


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

_START = {152: MILLIS, 154: NTP, 156: NTP, 150: SECONDS, 158: DELTA_MICROS, 22: UPTIME}
_END = {153: MILLIS, 155: NTP, 157: NTP, 151: SECONDS, 159: DELTA_MICROS, 21: UPTIME}
_OBSERVED = {323: MILLIS, 324: NTP, 325: NTP, 322: SECONDS, 258: MILLIS}
"""Time of an event (observationTime…), and when another collector saw the flow: better than nothing for both ends."""
_EARLY_MS = 86_400_000
_LATEST_MS = 10_413_792_000_000
"""The year 2300: what the store can hold. Later times, and 1970 itself, are no times."""


def time_form(element: int, length: int) -> int:
    """Form of a time element; of unknown ones of four bytes seconds, else milliseconds."""
    for known in (_START, _END, _OBSERVED):
        if element in known:
            return known[element]
    return SECONDS if length == 4 else MILLIS


def time_sources(column: str, elements: dict[tuple[int, int], int]) -> tuple[tuple[int, int], ...]:
    """Form and field of each element that tells a time of flows, the finest first."""
    known = {**(_START if column == "TimeFlowStart" else _END), **_OBSERVED}
    return tuple((form, elements[element, 0]) for element, form in known.items() if (element, 0) in elements)


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column of times.

    Rows that do not tell theirs get the time of export, marked as unknown.

    Attributes
    ----------
    name : str
    sources : tuple of (form, field)
        In order of preference; of several the first with a time that can be wins.
    boot : int, optional
        Field with the Unix ms at which the uptime was 0 (160 systemInitTimeMilliseconds).
    header_uptime : bool
        Whether the header tells the uptime (NetFlow v9).
    """

    name: str
    sources: tuple[tuple[int, int], ...]
    boot: int | None
    header_uptime: bool

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:
        """See `Step`."""
        if not self.sources:
            rows.slot(self.name, start, stop, np.zeros(stop - start, np.bool_))[...] = clock.export_ms
            return
        time, known = self._read(*self.sources[0], records, clock)
        for form, field in self.sources[1:]:
            if known.all():
                break
            other, other_known = self._read(form, field, records, clock)
            time = np.where(known, time, other)
            known = known | other_known
        if known.all():
            rows.slot(self.name, start, stop)[...] = time
        else:
            rows.slot(self.name, start, stop, known)[...] = np.where(known, time, clock.export_ms)

    def _read(self, form: int, field: int, records: Records, clock: Clock) -> tuple[I64, Bool]:
        value = records.number(field)
        if form == UPTIME:
            return self._read_uptime(value, records, clock)
        if form == DELTA_MICROS:
            time = clock.export_ms - (value.astype(np.int64) + 999) // 1000
        elif form == NTP:
            time = np.where(value == 0, 0, from_ntp(value))
        else:
            time = value.astype(np.int64) * (1000 if form == SECONDS else 1)
        return time, (time > 0) & (time < _LATEST_MS)

    def _read_uptime(self, value: AnyArray, records: Records, clock: Clock) -> tuple[I64, Bool]:
        ticks = value.astype(np.uint32)
        if self.header_uptime:
            return from_uptime(ticks, clock.uptime, clock.export_ms), np.ones(len(ticks), np.bool_)
        boot = clock.boot_ms if self.boot is None else records.number(self.boot).astype(np.int64)
        known = (boot > 0) & (boot < _LATEST_MS)
        uptime = clock.export_ms - boot
        # Exporters whose clock stands before their own start exist: their export time is no help.
        nonsense = uptime < -_EARLY_MS
        from_boot = boot + ticks.view(np.int32)
        time = np.where(nonsense, from_boot, from_uptime(ticks, uptime.astype(np.uint32), clock.export_ms))
        return time, known
