"""What is missing of each exporter's stream, by its sequence numbers, all modulo 2³².

What they count is learned, see `manners`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, Bool
from millrace.decode.netflow.assembly import stable_order
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.manners import ALL, CONSTANT, IMPLAUSIBLE, NO_EXCUSE, UNITS
from millrace.decode.netflow.scopes import UNKNOWN, BatchScopes, Scope
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

_UNIT = np.array([UNITS.index(manner.unit) for manner in ALL])
_INCLUSIVE = np.array([manner.inclusive for manner in ALL])


def follow(headers: Headers, scopes: BatchScopes, units: I64, counts: Counts) -> None:
    """Count what is missing and what came late, and remember where each stream is.

    ``lost`` are units that were missing when the next datagram came;
    ``reordered`` are units that came later all the same, so their difference is
    the real loss. One that restarts counts as neither.

    Parameters
    ----------
    units : ndarray of int64, shape (units, datagrams)
        How much of each of `UNITS` a datagram has; -1: not known, as a template was missing.
    """
    owner, sequence, uptime = scopes.index, headers.sequence, headers.uptime
    if len(scopes) > 1:
        order = stable_order(scopes.index)
        owner, sequence, uptime, units = owner[order], sequence[order], uptime[order], units[:, order]
    first = np.ones(len(owner), np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(owner))
    states = [scopes.scopes[at] for at in owner[starts].tolist()]
    of_scope = np.array([0 if scope is None else scope.counting.manner for scope in states])
    alike = bool((of_scope == of_scope[0]).all())
    stream = _Stream.of(sequence, units, uptime, int(of_scope[0]) if alike else np.repeat(of_scope, ends - starts))
    expected = np.empty(len(owner), np.int64)
    expected[1:] = stream.after[:-1]
    expected[starts] = [UNKNOWN if scope is None else scope.next_sequence for scope in states]
    odd = np.add.reduceat(expected != stream.first, starts, dtype=np.int64).tolist()
    received = np.add.reduceat(np.maximum(stream.units, 0), starts).tolist()
    endings = np.concatenate([sequence[None, ends - 1], units[:, ends - 1]]).T.tolist()
    after, late_uptime = stream.after[ends - 1].tolist(), uptime[ends - 1].tolist()
    steps: _Steps | None = None
    gained: I64 | None = None
    same: list[int] = []
    for run, (scope, start, end) in enumerate(zip(states, starts.tolist(), ends.tolist(), strict=True)):
        if scope is None or not scope.followed:
            continue
        counting = scope.counting
        counting.datagrams += end - start
        teaches = odd[run] or counting.frozen is None
        if not teaches:
            if counting.mask:
                same = same or _same_units(units, stream.units, starts)
            even = not counting.mask or same[run] & counting.mask == counting.mask
            if even and counting.mask & CONSTANT and counting.last is not None:
                even = counting.last[1 + int(_UNIT[counting.manner])] == int(stream.units[start])
            teaches = not (even and counting.even)
            counting.even = even
        if teaches and steps is None:
            steps = _Steps.of(sequence, units, starts, states)
        if odd[run]:
            assert steps is not None
            counting.even = False
            counting.add_expected()
            lost, reordered = _follow_run(scope, _Run.of(sequence, uptime, steps, start, end))
            exporter, protocol = scopes.keys[int(owner[start])]
            counts.event(exporter, protocol, "lost", lost)
            counts.event(exporter, protocol, "reordered", reordered)
        else:
            if not teaches:
                counting.expected += end - start
            else:
                assert steps is not None
                counting.add_expected()
                gained = steps.gained() if gained is None else gained
                # All of these steps were as expected; the very first datagram is none.
                pairs = counting.pairs + end - start - (counting.last is None)
                counting.learn(counting.scores + gained[run], pairs, scope.version)
            scope.received += received[run]
            scope.next_sequence, scope.late, scope.uptime = after[run], 0, late_uptime[run]
        counting.last = endings[run]


def _same_units(units: I64, counted: I64, starts: I64) -> list[int]:
    """Bits of `UNITS` of which all datagrams of a scope have as much as of what it counts, and `CONSTANT`."""
    same = np.logical_and.reduceat(units == counted, starts, axis=1)
    bits = same.T @ (1 << np.arange(len(UNITS)))
    changes = np.zeros(len(counted), np.bool_)
    changes[1:] = counted[1:] != counted[:-1]
    changes[starts] = False
    bits += np.where(np.logical_or.reduceat(changes, starts), 0, CONSTANT)
    found: list[int] = bits.tolist()
    return found


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
    def of(cls, sequence: I64, units: I64, uptime: I64, manner: int | I64) -> _Stream:
        """Datagrams by sequence number and units; `manner` of all of them, or of each."""
        if isinstance(manner, int):
            amount = units[_UNIT[manner]]
            inclusive: Bool = np.full(1, ALL[manner].inclusive)
        else:
            amount = units[_UNIT[manner], np.arange(len(sequence))]
            inclusive = _INCLUSIVE[manner]
        unknown = amount < 0
        first = np.where(inclusive & unknown, UNKNOWN, (sequence - np.where(inclusive, amount, 0)) % _MODULUS)
        after = np.where(~inclusive & unknown, UNKNOWN, (sequence + np.where(inclusive, 0, amount)) % _MODULUS)
        return cls(first, after, amount, uptime)


@dataclass(frozen=True, slots=True)
class _Steps:
    """From each datagram to the next: by how much the number grew, and by how much each manner expects it to.

    Attributes
    ----------
    step : ndarray of int64, shape (n,)
    known : ndarray of bool, shape (n,)
        Whether there is a datagram before.
    before, here : ndarray of int64, shape (units, n)
        Units of the datagram before, and of the datagram.
    starts : ndarray of int64, shape (scopes,)
    """

    step: I64
    known: Bool
    before: I64
    here: I64
    starts: I64

    @classmethod
    def of(cls, sequence: I64, table: I64, starts: I64, states: list[Scope | None]) -> _Steps:
        """Steps of the datagrams of a batch, grouped by scope; the first of each from the one before the batch."""
        previous, before = np.empty_like(sequence), np.empty_like(table)
        previous[1:], before[:, 1:] = sequence[:-1], table[:, :-1]
        nothing = [UNKNOWN] * (len(table) + 1)
        lasting = np.array([nothing if s is None else s.counting.last or nothing for s in states], np.int64)
        previous[starts], before[:, starts] = lasting[:, 0], lasting[:, 1:].T
        return cls((sequence - previous) % _MODULUS, previous != UNKNOWN, before, table, starts)

    def explained(self, rows: slice) -> tuple[Bool, Bool]:
        """Which steps each manner of `ALL` explains, and which it has to; shape (manners, rows)."""
        expected = np.where(_INCLUSIVE[:, None], self.here[_UNIT, rows], self.before[_UNIT, rows])
        known = self.known[rows] & (expected >= 0)
        return known & (self.step[rows] == expected), known

    def gained(self) -> I64:
        """Steps that each manner explains, shape (scopes, manners)."""
        gained: I64 = np.add.reduceat(self.explained(slice(None))[0], self.starts, axis=1, dtype=np.int64).T
        return gained


@dataclass(frozen=True, slots=True)
class _Run:
    """Datagrams of one scope.

    Attributes
    ----------
    sequence, uptime, step : ndarray of int64, shape (n,)
    units : ndarray of int64, shape (units, n)
    matched, known : ndarray of bool, shape (manners, n)
        Steps that each manner of `ALL` explains, and those that it has to.
    scores, pairs : ndarray of int64, shape (manners, n)
        The same summed up to each datagram.
    """

    sequence: I64
    uptime: I64
    step: I64
    units: I64
    matched: Bool
    scores: I64
    pairs: I64

    @classmethod
    def of(cls, sequence: I64, uptime: I64, steps: _Steps, start: int, end: int) -> _Run:
        """The datagrams of some rows."""
        rows = slice(start, end)
        matched, known = steps.explained(rows)
        return cls(
            sequence[rows], uptime[rows], steps.step[rows], steps.here[:, rows], matched,
            np.cumsum(matched, axis=1, dtype=np.int64), np.cumsum(known, axis=1, dtype=np.int64),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.sequence)


class _Follower:
    """Goes through the datagrams of a scope that are not what was expected, and those that follow late ones."""

    def __init__(self, scope: Scope, run: _Run) -> None:
        self._scope = scope
        self._run = run
        self._scores, self._pairs = scope.counting.scores.copy(), scope.counting.pairs
        self._judged = -1
        self._was = ""
        self.lost = self.reordered = 0
        self._adopt(scope.counting.manner, 0)

    def _adopt(self, manner: int, at: int) -> None:
        """Follow a manner from a datagram on."""
        scope, run = self._scope, self._run
        scope.counting.manner = manner
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
            in_step = False
            while not in_step and at < len(run):
                units = self._stream.units
                if self._judge(at):
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
            pairs = self._pairs + int(run.pairs[counting.manner, at])
            counting.learn(self._scores + run.scores[:, at], pairs, self._scope.version)
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
        self._adopt(better, at + 1)
        counting.held, counting.frozen = {}, None
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
        """Another manner that may be the right one and expects a datagram as it is, or why there is no telling.

        A number that stays where it is, once, is a duplicate rather than a manner.
        """
        scope, run = self._scope, self._run
        counting = scope.counting
        if not counting.plausible:
            return IMPLAUSIBLE
        rivals = [rival for rival in counting.rivals(scope.version) if run.matched[rival, at]]
        if not run.step[at]:
            rivals = [rival for rival in rivals if ALL[rival].unit == "nothing" and counting.scores[rival] > 1]
        return max(rivals, key=lambda rival: counting.scores[rival], default=NO_EXCUSE)


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
