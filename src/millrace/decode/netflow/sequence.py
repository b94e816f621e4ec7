"""What is missing of each exporter's stream, by its sequence numbers, all modulo 2³².

What they count is learned, see `manners`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I32, I64, Bool
from millrace.decode.netflow.assembly import stable_order
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.ledger import Ledger
from millrace.decode.netflow.manners import ALL, IMPLAUSIBLE, LAST, NO_EXCUSE, NO_UNITS, SCORES
from millrace.decode.netflow.scopes import UNKNOWN, BatchScopes, Scope
from millrace.decode.netflow.steps import INCLUSIVE, UNIT_OF, WORD, Steps
from millrace.decode.result import Counts

_MODULUS = 1 << 32
_LONGEST_GAP = {"datagrams": 1 << 20, "sets": 1 << 20, "bytes": 1 << 30}
_LONGEST_GAP_RECORDS = 1 << 24
"""A larger jump ahead is a stream that began anew, not a loss."""
_LATEST = {"datagrams": 256, "sets": 1024, "bytes": 1 << 20}
_LATEST_RECORDS = 8192
"""What is further behind is a stream that began anew, not a late datagram."""
_LATE_IN_A_ROW = 4
"""Datagrams that are late but in order among themselves: the stream began anew a little behind."""
_RESTART_MS = 10_000
_WRAP_MS = _MODULUS - 3_600_000


def follow(headers: Headers, scopes: BatchScopes, units: I32, ledger: Ledger, counts: Counts) -> None:
    """Count what is missing and what came late, and remember where each stream is.

    ``lost`` are units that were missing when the next datagram came;
    ``reordered`` are units that came later all the same, so their difference is
    the real loss. One that restarts counts as neither.

    Streams of which all is as expected are followed all at once, others one by
    one. Where batches are cut makes no difference.

    Parameters
    ----------
    units : ndarray of int32, shape (units, datagrams)
        How much of each of `UNITS` a datagram has; -1: not known, as a template was missing.
    """
    owner, sequence, uptime = scopes.index, headers.sequence, headers.uptime
    starts = np.zeros(1, np.int64)
    if len(scopes) > 1:
        order = stable_order(owner)
        owner, sequence, uptime, units = owner[order], sequence[order], uptime[order], units.take(order, axis=1)
        starts = np.append(0, np.flatnonzero(owner[1:] != owner[:-1]) + 1)
    ends = np.append(starts[1:], len(owner))
    rows, amount = scopes.rows[owner[starts]], ends - starts
    manner = ledger.column("manner")[rows]
    alike = bool((manner == manner[0]).all())
    stream = _Stream.of(sequence, units, uptime, int(manner[0]) if alike else np.repeat(manner, amount))
    expected = np.empty(len(owner), np.int64)
    expected[1:] = stream.after[:-1]
    expected[starts] = ledger.column("next_sequence")[rows]
    odd = ledger.column("late")[rows] > 0  # What is expected is not what follows the last datagram, which came late.
    unexpected = expected != stream.first
    if unexpected.any():
        odd |= np.logical_or.reduceat(unexpected, starts)
    followed = ledger.column("followed")[rows] > 0
    calm = followed & ~odd
    ledger.column("datagrams")[rows[followed]] += amount[followed]
    before = ledger.columns(LAST[0], LAST[-1])[:, rows]
    steps = Steps.of(sequence, units, starts, before)
    if calm.any():
        # All of these steps were as expected; the very first datagram is none.
        ledger.column("pairs")[rows[calm]] += (amount - (before[0] == NO_UNITS))[calm]
        ledger.columns(SCORES[0], SCORES[-1])[:, rows[calm]] += steps.gained()[:, calm]
    for run in np.flatnonzero(followed & odd).tolist():
        of = int(owner[starts[run]])
        scope = scopes.scopes[of]
        assert scope is not None
        lost, reordered = _follow_run(scope, _Run.of(sequence, uptime, steps, run))
        counts.event(*scopes.keys[of], "lost", lost)
        counts.event(*scopes.keys[of], "reordered", reordered)
    last, at = ends - 1, rows[calm]
    counted = calm | ~followed
    ledger.column("received")[rows[counted]] += np.add.reduceat(np.maximum(stream.units, 0), starts)[counted]
    ledger.column("next_sequence")[at], ledger.column("late")[at] = stream.after[last[calm]], 0
    ledger.column("uptime")[at] = uptime[last[calm]]
    ledger.columns(LAST[0], LAST[-1])[:, rows[followed]] = np.concatenate([sequence[None, last], units[:, last]])[
        :, followed
    ]


@dataclass(frozen=True, slots=True)
class _Stream:
    """Datagrams under a manner of counting; each array int64 of shape (n,).

    Attributes
    ----------
    first, after
        Number of the first unit of each datagram, and the one after its last;
        `UNKNOWN` where the datagram's units are not known and it matters.
    units
        Units of each; -1 where they are not known.
    uptime
        Milliseconds.
    """

    first: I64
    after: I64
    units: I64
    uptime: I64

    @classmethod
    def of(cls, sequence: I64, units: I32, uptime: I64, manner: int | I64) -> _Stream:
        """Datagrams by sequence number and units; `manner` of all of them, or of each."""
        if isinstance(manner, int):
            amount = units[UNIT_OF[manner]].astype(np.int64)
            inclusive: bool | Bool = bool(INCLUSIVE[manner])
            first, after = (sequence - amount, sequence) if inclusive else (sequence, sequence + amount)
        else:
            amount = units[UNIT_OF[manner], np.arange(len(sequence))].astype(np.int64)
            inclusive = INCLUSIVE[manner]
            first, after = sequence - np.where(inclusive, amount, 0), sequence + np.where(inclusive, 0, amount)
        first, after = first & WORD, after & WORD
        unknown = amount < 0
        if unknown.any():
            first = np.where(unknown & inclusive, UNKNOWN, first)
            after = np.where(unknown & np.logical_not(inclusive), UNKNOWN, after)
        return cls(first, after, amount, uptime)


@dataclass(frozen=True, slots=True)
class _Run:
    """Datagrams of one scope.

    Attributes
    ----------
    sequence, uptime, step : ndarray of int64, shape (n,)
    units : ndarray of int32, shape (units, n)
    matched, known : ndarray of bool, shape (manners, n)
        Steps that each manner of `ALL` explains, and those that it has to.
    """

    sequence: I64
    uptime: I64
    step: I64
    units: I32
    matched: Bool
    known: Bool

    @classmethod
    def of(cls, sequence: I64, uptime: I64, steps: Steps, scope: int) -> _Run:
        """The datagrams of a scope among those of a batch."""
        rows = steps.rows(scope)
        return cls(sequence[rows], uptime[rows], steps.step[rows], steps.units[:, rows], *steps.explained(scope))

    def __len__(self) -> int:
        return len(self.sequence)


class _Follower:
    """Goes through the datagrams of a scope that are not what was expected, and those that follow late ones."""

    def __init__(self, scope: Scope, run: _Run) -> None:
        self._scope = scope
        self._run = run
        self._judged = -1
        self._was = ""
        self.lost = self.reordered = 0
        self._adopt(scope.counting.manner, 0)

    def _adopt(self, manner: int, at: int) -> None:
        """Follow a manner from a datagram on."""
        scope, run = self._scope, self._run
        self._stream = stream = _Stream.of(run.sequence, run.units, run.uptime, manner)
        self._expected = np.concatenate([[scope.next_sequence], stream.after[:-1]])
        self._uptime_before = np.concatenate([[scope.uptime], run.uptime[:-1]])
        self._odd = at + np.flatnonzero(self._expected[at:] != stream.first[at:])

    def follow(self) -> None:
        """Go through all of them."""
        scope, run = self._scope, self._run
        at, counted, in_step = 0, 0, True
        while True:
            where = np.searchsorted(self._odd, at)
            if where == len(self._odd):
                break
            at = int(self._odd[where])
            if in_step:
                scope.next_sequence, scope.uptime = int(self._expected[at]), int(self._uptime_before[at])
                scope.late = 0 if at else scope.late
            in_step = False
            while not in_step and at < len(run):
                units = self._stream.units
                # What comes as expected is not judged, so that it does not matter where batches are cut.
                if self._stream.first[at] != scope.next_sequence and self._judge(at):
                    scope.received += int(np.maximum(units[counted:at], 0).sum())
                    counted = at
                    self._convert()
                in_step = self._take(at)
                at += 1
        if in_step:
            scope.next_sequence, scope.late = int(self._stream.after[-1]), 0
            scope.uptime = int(run.uptime[-1])
        scope.received += int(np.maximum(self._stream.units[counted:], 0).sum())
        self._sum_up(len(run) - 1)

    def _sum_up(self, at: int) -> None:
        """Have the scores be those up to a datagram."""
        counting, run = self._scope.counting, self._run
        if at > self._judged:
            since = slice(self._judged + 1, at + 1)
            counting.scores[:] += run.matched[:, since].sum(axis=1)
            counting.pairs += int(run.known[counting.manner, since].sum())
            self._judged = at

    def _judge(self, at: int) -> bool:
        """Whether another manner explains the stream up to a datagram clearly better; if so it is adopted."""
        self._sum_up(at)
        scope = self._scope
        counting = scope.counting
        better = counting.better(scope.version)
        if better == counting.manner:
            self._lose(counting.release(scope.version))
            return False
        self._was = ALL[counting.manner].word
        counting.adopt(better)
        self._adopt(better, at + 1)
        scope.next_sequence, scope.late = UNKNOWN, 0
        return True

    def _convert(self) -> None:
        """What was counted in other units under a wrong manner is worth nothing."""
        if ALL[self._scope.counting.manner].word != self._was:
            self._scope.lost = self._scope.reordered = self._scope.received = 0

    def _lose(self, amount: int) -> None:
        self.lost += amount
        self._scope.lost += amount

    def _take(self, at: int) -> bool:
        """Take a datagram; whether the stream is in step after it."""
        scope, counting = self._scope, self._scope.counting
        missing, late = _follow_one(scope, self._stream, at)
        if missing or late > 0:
            excuse = self._excuse(at)
            if excuse != NO_EXCUSE:
                counting.held[excuse] = counting.held.get(excuse, 0) + missing
            else:
                self._lose(missing)
                self.reordered += max(0, late)
                scope.reordered += max(0, late)
        return late < 0

    def _excuse(self, at: int) -> int:
        """Other manners that may be right and expect a datagram as it is, a bit for each, or why there is no telling.

        A number that stays where it is, once, is a duplicate rather than a manner.
        """
        scope, run = self._scope, self._run
        counting = scope.counting
        if not counting.plausible:
            return IMPLAUSIBLE
        rivals = [rival for rival in counting.rivals(scope.version) if run.matched[rival, at]]
        if not run.step[at]:
            rivals = [rival for rival in rivals if ALL[rival].unit == "nothing" and counting.scores[rival] > 1]
        return sum(1 << rival for rival in rivals) or NO_EXCUSE


def _follow_run(scope: Scope, run: _Run) -> tuple[int, int]:
    follower = _Follower(scope, run)
    follower.follow()
    return follower.lost, follower.reordered


def _follow_one(scope: Scope, stream: _Stream, at: int) -> tuple[int, int]:
    """Units missing before a datagram, and its own units if it is late; -1: it is not."""
    first, units, after, uptime = (int(a[at]) for a in (stream.first, stream.units, stream.after, stream.uptime))
    unit = ALL[scope.counting.manner].unit
    longest = _LONGEST_GAP.get(unit, _LONGEST_GAP_RECORDS)
    latest = _LATEST.get(unit, _LATEST_RECORDS)
    gap = (first - scope.next_sequence + _MODULUS // 2) % _MODULUS - _MODULUS // 2
    restarted = uptime + _RESTART_MS < scope.uptime < _WRAP_MS
    missing = 0
    if UNKNOWN not in (scope.next_sequence, first) and not restarted:
        if -latest <= gap < 0 and not _began_anew(scope, first, after):
            return 0, max(0, units)
        missing = gap if 0 < gap <= longest else 0
    scope.next_sequence, scope.late, scope.uptime = after, 0, uptime
    return missing, -1


def _began_anew(scope: Scope, first: int, after: int) -> bool:
    scope.late = scope.late + 1 if scope.late and first == scope.late_next else 1
    scope.late_next = after
    return scope.late >= _LATE_IN_A_ROW
