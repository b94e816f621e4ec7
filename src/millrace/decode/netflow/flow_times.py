"""Start and end of flows: of what a record tells the first that can be, checked against the time of export.

Bounds, relative to the export time of the message, which comes from the same
clock as what the record tells (ours may differ):

========================================= ==================== ==========
time                                      at most before       after
========================================= ==================== ==========
start, end                                8 days               10 minutes
end by a start of the system that options
or the record tell (element 160)          1 hour               10 minutes
start as absolute time beside a sound end 366 days             10 minutes
========================================= ==================== ==========

A time outside is unknown. Whoever told it is counted
(``implausible_times``), unless another element of the record helps out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I32, I64, U32, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.clock import Clock
from millrace.decode.netflow.records import Records
from millrace.decode.netflow.times import DELTA_MICROS, UPTIME, TimeSource, absolute_ms, observed_sources, time_sources
from millrace.decode.result import Event

_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
BEFORE_MS = 8 * _DAY_MS
"""Active timeouts go up to a week (604 800 s on common routers); a day more for what waits to be sent."""
AHEAD_MS = 10 * _MINUTE_MS
"""Line cards and the processor that exports have clocks of their own; a wrong time zone is off by more."""
BY_BOOT_MS = _HOUR_MS
"""A flow is exported minutes after its last packet. A start of the system from before a reboot puts its end
as far back as the exporter had been up, which may be less than a day."""
LONGEST_MS = 366 * _DAY_MS
"""Firewalls report connections with the time at which they were made, months ago maybe."""
_LATEST_MS = 10_413_792_000_000

IMPLAUSIBLE: Event = "implausible_times"


def near_export(ahead: AnyArray, before_ms: int = BEFORE_MS) -> Bool | None:
    """Which times can be, given by how many ms they are ahead of the export time; None: all."""
    if not len(ahead) or (int(ahead.min()) >= -before_ms and int(ahead.max()) <= AHEAD_MS):
        return None
    return (ahead >= -before_ms) & (ahead <= AHEAD_MS)


def uptime_ahead(ticks: AnyArray, uptime: U32) -> I32:
    """By how many ms times of the exporter's uptime are ahead of that of the header.

    The 32-bit uptime starts again after 49.7 days, so only the distance to the
    uptime of the header counts, taken as a signed number: a flow that began
    before the wrap is in the past, a clock slightly ahead is in the future.

    Parameters
    ----------
    ticks : ndarray of unsigned integers, any byte order, shape (n,)
        Their low 32 bits count.
    uptime : ndarray of uint32, shape (n,)
    """
    return np.subtract(ticks, uptime, dtype=np.uint32).view(np.int32)


def told_ticks(ticks: AnyArray, uptime: AnyArray) -> Bool | None:
    """Which times of the exporter's uptime tell anything; None: all.

    0 is told by exporters that fill in nothing; only shortly after a start
    (`AHEAD_MS`) it may be a time. Beside an uptime of 0 nothing is.

    Parameters
    ----------
    ticks, uptime : ndarray of integers, shape (n,)
        Of the record, and of when it was exported.
    """
    if ticks.all() and uptime.all():
        return None
    told: Bool = (ticks != 0) | ((uptime > 0) & (uptime < AHEAD_MS))
    return told


def sound_ticks(ticks: AnyArray, uptime: U32, ahead: I32) -> tuple[Bool | None, Bool | None]:
    """Which times of the header's uptime can be, and which are told and cannot; None: all, and none.

    Parameters
    ----------
    ticks, uptime, ahead
        As for `uptime_ahead`, and what that gives.
    """
    sound, told = near_export(ahead), told_ticks(ticks, uptime)
    if told is not None:
        # What is ahead of an uptime of 0 was not exported then: the header does not tell it.
        sound = _everywhere(sound, len(ahead)) & told & ~((uptime == 0) & (ahead > 0))
    if sound is None:
        return None, None
    return sound, ~sound if told is None else told & ~sound


@dataclass(slots=True)
class Moment:
    """Times of one end of flows.

    Attributes
    ----------
    out : ndarray of int64, shape (n,)
        Memory of the column, where times of the first source may be put at once.
    time : ndarray of int64, shape (n,)
    known : ndarray of bool, shape (n,), or None
        Where there is one; None: everywhere.
    wrong : ndarray of bool, shape (n,), or None
        Where one was told that cannot be; None: nowhere.
    stale : ndarray of bool, shape (n,), or None
        Where the start of the system cannot be the present one.
    """

    out: I64
    time: I64
    known: Bool | None
    wrong: Bool | None = None
    stale: Bool | None = None
    blank: bool = True

    def take(self, other: I64, usable: Bool | None) -> None:
        """Where nothing is known yet, take usable times of another source (None: all are)."""
        if self.known is None:
            return
        if self.blank or usable is None:
            self.time = other if self.blank else np.where(self.known, self.time, other)
            self.known = usable
        else:
            self.time = np.where(self.known, self.time, other)
            self.known = self.known | usable
        self.blank = False
        if self.known is not None and self.known.all():
            self.known = None

    def write(self, name: str, rows: Rows, start: int, stop: int, export_ms: I64) -> None:
        """Write rows `start` to `stop` of a column; unknown ones get the time of export."""
        rows.slot(name, start, stop, self.known)
        if self.known is not None:
            self.out[...] = np.where(self.known, self.time, export_ms)
        elif self.time is not self.out:
            self.out[...] = self.time

    def put(self, export_ms: I64, ahead: AnyArray, usable: Bool | None) -> None:
        """Take usable times that are so many ms ahead of the export."""
        self.take(np.add(export_ms, ahead, out=self.out if self.blank else None), usable)

    def mistaken(self) -> Bool | None:
        """Where only times that cannot be were told."""
        if self.known is None or self.wrong is None:
            return None
        found = self.wrong & ~self.known
        return found if found.any() else None


@dataclass(frozen=True, slots=True)
class FlowTimes:
    """TimeFlowStart and TimeFlowEnd.

    Absolute times win over uptimes (21, 22), which need a second clock; of
    absolute ones the finer wins. An end that is not told follows from the
    start and the duration (161, 162), and the reverse. What happened at one
    moment (observationTime) has it at both ends. Rows that do not tell theirs
    get the time of export, marked as unknown.

    Attributes
    ----------
    starts, ends, observed : tuple of (form, field)
        In order of preference.
    millis, micros : int, optional
        Fields of the duration.
    boot : int, optional
        Field with the Unix ms at which the uptime was 0 (160 systemInitTimeMilliseconds).
    header_uptime : bool
        Whether the header tells the uptime (NetFlow v9).
    partial : bool
        Whether to leave a column alone of which the record tells nothing.
    """

    starts: tuple[TimeSource, ...]
    ends: tuple[TimeSource, ...]
    observed: tuple[TimeSource, ...]
    millis: int | None
    micros: int | None
    boot: int | None
    header_uptime: bool
    partial: bool = False

    @classmethod
    def of(
        cls, elements: dict[tuple[int, int], int], boot: int | None, *, header_uptime: bool, partial: bool = False
    ) -> FlowTimes:
        """The step for a layout with these elements."""
        return cls(
            time_sources("TimeFlowStart", elements),
            time_sources("TimeFlowEnd", elements),
            observed_sources(elements),
            elements.get((161, 0)),
            elements.get((162, 0)),
            boot,
            header_uptime,
            partial,
        )

    @property
    def told(self) -> bool:
        """Whether the record tells a time."""
        return bool(self.starts or self.ends or self.observed)

    def columns(self) -> tuple[str, ...]:
        """Columns that the record tells something of; all, if it is not told apart."""
        both = ("TimeFlowStart", "TimeFlowEnd")
        if not self.partial or self.observed or self.millis is not None or self.micros is not None:
            return both
        return tuple(name for name, sources in zip(both, (self.starts, self.ends), strict=True) if sources)

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:
        """See `Step`."""
        export_ms, columns = clock.export_ms, self.columns()
        out = {
            name: rows.memory(name, start, stop) if name in columns else rows.scratch(name, stop - start)
            for name in ("TimeFlowStart", "TimeFlowEnd")
        }
        end = self.read(self.ends, records, clock, out["TimeFlowEnd"], None)
        begin = self.read(self.starts, records, clock, out["TimeFlowStart"], end)
        self._derive(begin, end, records, export_ms)
        if self.observed and not (begin.known is None and end.known is None):
            seen = self.read(self.observed, records, clock, rows.scratch("TimeFlowEnd", stop - start), None)
            for moment in (begin, end):
                moment.take(seen.time, seen.known)
                moment.wrong = _either(moment.wrong, seen.wrong)
        moments = {"TimeFlowStart": begin, "TimeFlowEnd": end}
        for name in columns:
            moments[name].write(name, rows, start, stop, export_ms)
        mistaken = _either(begin.mistaken(), end.mistaken())
        if mistaken is not None:
            rows.note(IMPLAUSIBLE, start, mistaken)

    def read(
        self, sources: tuple[TimeSource, ...], records: Records, clock: Clock, out: I64, end: Moment | None
    ) -> Moment:
        """Times of the first source that can be; of starts, given the end. `out`: see `Moment`."""
        export_ms = clock.export_ms
        found = Moment(out, export_ms, np.zeros(len(export_ms), np.bool_))
        for form, field in sources:
            # The end by uptime also tells whether the start of the system is the present one.
            if found.known is None and not (form == UPTIME and end is None and not self.header_uptime):
                break
            value = records.number(field)
            if form == UPTIME:
                self._take_uptime(found, value, records, clock, export_ms, end)
            else:
                self._take_absolute(found, form, value, export_ms, end)
        return found

    def _take_absolute(self, found: Moment, form: int, value: AnyArray, export_ms: I64, end: Moment | None) -> None:
        if form == DELTA_MICROS:
            time = export_ms - (value.astype(np.int64) + 999) // 1000
        else:
            time = absolute_ms(value, form, found.out if found.blank else None)
        sound = near_export(time - export_ms)
        if sound is not None and end is not None:
            sound |= _long_ago(time, export_ms, end)
        usable = _and(sound, None if not len(time) or int(time.min()) > 0 else time > 0)
        if usable is not None:
            told = ~usable if form == DELTA_MICROS else ~usable & (value != 0)
            found.wrong = _either(found.wrong, told)
        found.take(time, usable)

    def _take_uptime(
        self, found: Moment, value: AnyArray, records: Records, clock: Clock, export_ms: I64, end: Moment | None
    ) -> None:
        if self.header_uptime:
            ahead = uptime_ahead(value, clock.uptime)
            usable, wrong = sound_ticks(value, clock.uptime, ahead)
            found.wrong = _either(found.wrong, wrong)
            found.put(export_ms, ahead, usable)
            return
        boot = clock.boot_ms if self.boot is None else records.number(self.boot).astype(np.int64)
        uptime = export_ms - boot
        told = _and((boot > 0) & (boot < _LATEST_MS), told_ticks(value, uptime))
        assert told is not None
        ahead = uptime_ahead(value, uptime.astype(np.uint32))
        usable = _everywhere(near_export(ahead, BY_BOOT_MS if end is None else BEFORE_MS), len(value))
        usable &= uptime >= -AHEAD_MS
        if end is None:
            found.stale = told & ~usable
        elif end.stale is not None:
            usable &= ~end.stale
        found.wrong = _either(found.wrong, told & ~usable)
        found.put(export_ms, ahead, told & usable)

    def _derive(self, begin: Moment, end: Moment, records: Records, export_ms: I64) -> None:
        """From one end and the duration the other."""
        if (self.millis is None and self.micros is None) or (begin.known is None and end.known is None):
            return
        length = np.zeros(len(export_ms), np.int64)
        if self.micros is not None:
            length = (records.number(self.micros) // 1000).astype(np.int64)
        if self.millis is not None:
            millis = records.number(self.millis).astype(np.int64)
            length = np.where(millis > 0, millis, length)
        n = len(export_ms)
        had_start, had_end = _everywhere(begin.known, n), _everywhere(end.known, n)
        for moment, had, time, before_ms in (
            (begin, had_end, end.time - length, LONGEST_MS), (end, had_start, begin.time + length, BEFORE_MS)
        ):  # fmt: skip
            usable = _everywhere(near_export(time - export_ms, before_ms), n)
            moment.wrong = _either(moment.wrong, had & ~usable)
            moment.take(time, had & usable)


@dataclass(frozen=True, slots=True)
class RelativeColumn:
    """A column that the user added of times told as uptime or as distance from the export."""

    name: str
    sources: tuple[TimeSource, ...]
    times: FlowTimes

    def write(self, rows: Rows, start: int, stop: int, records: Records, clock: Clock) -> None:
        """See `Step`."""
        found = self.times.read(self.sources, records, clock, rows.memory(self.name, start, stop), None)
        found.write(self.name, rows, start, stop, clock.export_ms)


def _long_ago(time: I64, export_ms: I64, end: Moment) -> Bool:
    """Starts that are far back although the end is sound: of long connections."""
    ago = export_ms - time
    found: Bool = (ago >= 0) & (ago <= LONGEST_MS) & (time <= end.time) & _everywhere(end.known, len(time))
    return found


def _everywhere(mask: Bool | None, n: int) -> Bool:
    return np.ones(n, np.bool_) if mask is None else mask


def _either(one: Bool | None, other: Bool | None) -> Bool | None:
    return other if one is None else one if other is None else one | other


def _and(one: Bool | None, other: Bool | None) -> Bool | None:
    return other if one is None else one if other is None else one & other
