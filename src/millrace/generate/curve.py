"""How much traffic there is at which time: days, weekends, and the scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from millrace.batch.arrays import I64
from millrace.generate.model import CurveName, Model

F64 = NDArray[np.float64]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_WEEK_DAYS = 7
_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday; Monday is 0."""

_EVENING = (62, 44, 34, 29, 27, 29, 37, 52, 66, 76, 84, 91, 98, 100, 101, 104, 110, 120, 134, 152, 171, 178, 152, 104)
_OFFICE = (8, 7, 7, 7, 8, 12, 28, 78, 168, 226, 238, 222, 174, 206, 232, 222, 196, 138, 74, 40, 26, 18, 13, 10)
_SHAPES: dict[CurveName, tuple[tuple[int, ...], float]] = {"evening": (_EVENING, 1.08), "office": (_OFFICE, 0.2)}
"""Relative traffic at each full hour of a weekday, in percent of the mean; and what a weekend day is multiplied by."""


def demand(curve: CurveName, time_ms: I64, utc_offset_h: float) -> F64:
    """Traffic relative to the mean of weekdays.

    Parameters
    ----------
    curve : {"evening", "office"}
    time_ms : ndarray of int64, shape (n,)
        Unix milliseconds.
    utc_offset_h : float
        Hours that local time is ahead of UTC.
    """
    hours, weekend_factor = _SHAPES[curve]
    local = time_ms + int(utc_offset_h * HOUR_MS)
    ring = np.array([*hours, hours[0]], np.float64) / np.mean(hours)
    value: F64 = np.interp(local % DAY_MS / HOUR_MS, np.arange(25), ring)
    weekday = (local // DAY_MS + _EPOCH_WEEKDAY) % _WEEK_DAYS
    return np.where(weekday >= 5, value * weekend_factor, value)


BACKUP_HOURS = (1.5, 3.5)
"""Local time of the nightly backup, hours."""

BACKUP_INTENSITY = 0.012
"""Flows of the backup, as a share of the mean of all flows; they are large, about a tenth of the night's traffic."""

BURST_INTENSITY = 0.035
"""Flows of the attack, as a share of the mean of all flows: some Gbit/s, beside the day's traffic, not above it."""

BURST_MS = 10 * 60_000
_RAMP_MS = 120_000


def backup(time_ms: I64, utc_offset_h: float) -> F64:
    """Intensity of the nightly backup: it swells and fades within some minutes."""
    hour = (time_ms + int(utc_offset_h * HOUR_MS)) % DAY_MS / HOUR_MS
    inside = np.minimum(hour - BACKUP_HOURS[0], BACKUP_HOURS[1] - hour) * HOUR_MS
    return BACKUP_INTENSITY * np.clip(inside / (5 * _RAMP_MS), 0.0, 1.0)


def burst(time_ms: I64) -> F64:
    """Intensity of the amplification attack: some minutes of every day (UTC), which follow from the day's number."""
    mixed = _mixed((time_ms // DAY_MS).astype(np.uint64))
    begins = (mixed >> np.uint64(8)) % np.uint64(DAY_MS - BURST_MS)
    since = (time_ms % DAY_MS).astype(np.int64) - begins.astype(np.int64)
    inside = np.minimum(since, BURST_MS - since)
    return BURST_INTENSITY * np.clip(inside / _RAMP_MS, 0.0, 1.0)


def _mixed(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that look random, also of neighbours (the finalizer of SplitMix64)."""
    mixed = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Intensity:
    """Traffic at some times, per stream: one for each exporter, then backup, then burst.

    Attributes
    ----------
    streams : ndarray of float64, shape (n, exporters + 2)
        Relative to the mean of all flows of weekdays.
    """

    streams: F64

    @property
    def total(self) -> F64:
        """Sum over streams, shape (n,)."""
        total: F64 = self.streams.sum(axis=1)
        return total


def intensity(model: Model, time_ms: I64) -> Intensity:
    """Traffic of a model at some times (Unix milliseconds, shape (n,))."""
    share = sum(exporter.share for exporter in model.exporters)
    columns: list[Any] = [
        demand(exporter.curve, time_ms, exporter.utc_offset_h) * (exporter.share / share)
        for exporter in model.exporters
    ]
    columns += [backup(time_ms, model.exporters[0].utc_offset_h), burst(time_ms)]
    return Intensity(np.stack(columns, axis=1))


def draw_times(model: Model, rng: np.random.Generator, start_ms: int, stop_ms: int, rows: int) -> I64:
    """Times of flows in a range, as dense as the model's traffic is, sorted.

    Returns
    -------
    ndarray of int64, shape (rows,)
        Unix milliseconds.
    """
    step = max(1, min(60_000, (stop_ms - start_ms) // 16))
    grid = np.append(np.arange(start_ms, stop_ms, step, dtype=np.int64), stop_ms)
    mass = np.concatenate([[0.0], np.cumsum(intensity(model, grid[:-1]).total * np.diff(grid))])
    drawn = np.interp(np.sort(rng.random(rows)) * mass[-1], mass, grid.astype(np.float64))
    times: I64 = np.minimum(drawn.astype(np.int64), stop_ms - 1)
    return times
