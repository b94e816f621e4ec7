"""What is missing of each exporter's stream, by its sequence numbers, all modulo 2³².

What they count is learned, see `manners`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64, Bool
from millrace.decode.netflow.assembly import stable_order
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.ledger import Ledger
from millrace.decode.netflow.manners import ALL, CONSTANT, IMPLAUSIBLE, LAST, NO_EXCUSE, NO_UNITS, UNITS
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


def follow(headers: Headers, scopes: BatchScopes, units: I64, ledger: Ledger, counts: Counts) -> None:
    """Count what is missing and what came late, and remember where each stream is.

    ``lost`` are units that were missing when the next datagram came;
    ``reordered`` are units that came later all the same, so their difference is
    the real loss. One that restarts counts as neither.

    Streams of which all is as expected and which teach nothing are followed
    all at once, others one by one.

    Parameters
    ----------
    units : ndarray of int64, shape (units, datagrams)
        How much of each of `UNITS` a datagram has; -1: not known, as a template was missing.
    """
    owner, sequence, uptime = scopes.index, headers.sequence, headers.uptime
    starts = np.zeros(1, np.int64)
    if len(scopes) > 1:
        order = stable_order(owner)
        owner, sequence, uptime, units = owner[order], sequence[order], uptime[order], units[:, order]
        starts = np.append(0, np.flatnonzero(owner[1:] != owner[:-1]) + 1)
    ends = np.append(starts[1:], len(owner))
    rows, amount = scopes.rows[owner[starts]], ends - starts
    manner = ledger.column("manner")[rows]
    alike = bool((manner == manner[0]).all())
    stream = _Stream.of(sequence, units, uptime, int(manner[0]) if alike else np.repeat(manner, amount))
    expected = np.empty(len(owner), np.int64)
    expected[1:] = stream.after[:-1]
    expected[starts] = ledger.column("next_sequence")[rows]
    odd = np.add.reduceat(expected != stream.first, starts, dtype=np.int64) > 0
    followed = ledger.column("followed")[rows] > 0
    calm = followed & ~odd & (ledger.column("left")[rows] != NO_UNITS)
    calm[calm] = _teach_nothing(ledger, rows, stream, units, manner, starts, calm)
    ledger.column("datagrams")[rows[followed]] += amount[followed]
    others = np.flatnonzero(followed & ~calm).tolist()
    if others:
        steps = Steps.of(sequence, units, starts, ledger.columns(LAST[0], LAST[-1])[:, rows])
        gained = steps.gained() if (followed & ~calm & ~odd).any() else None
    for run in others:
        of, start, end = int(owner[starts[run]]), int(starts[run]), int(ends[run])
        scope = scopes.scopes[of]
        assert scope is not None
        counting = scope.counting
        counting.add_expected()
        if gained is None or odd[run]:
            counting.even = 0
            lost, reordered = _follow_run(scope, _Run.of(sequence, uptime, steps, start, end))
            counts.event(*scopes.keys[of], "lost", lost)
            counts.event(*scopes.keys[of], "reordered", reordered)
        else:
            # All of these steps were as expected; the very first datagram is none.
            pairs = counting.pairs + end - start - (counting.last_sequence == NO_UNITS)
            counting.learn(counting.scores + gained[run], pairs, scope.version)
    ledger.column("expected")[rows[calm]] += amount[calm]
    last, sound = ends - 1, followed & ~odd
    at = rows[sound]
    counted = sound | ~followed
    ledger.column("received")[rows[counted]] += np.add.reduceat(np.maximum(stream.units, 0), starts)[counted]
    ledger.column("next_sequence")[at], ledger.column("late")[at] = stream.after[last[sound]], 0
    ledger.column("uptime")[at] = uptime[last[sound]]
    ledger.columns(LAST[0], LAST[-1])[:, rows[followed]] = np.concatenate([sequence[None, last], units[:, last]])[
        :, followed
    ]


def _teach_nothing(
    ledger: Ledger, rows: I64, stream: _Stream, units: I64, manner: I64, starts: I64, which: Bool
) -> Bool:
    """Of some runs, whose datagrams are as expected, which do not tell the manners apart that are left.

    They do not as long as all datagrams, and those of the batch before, have
    as much of what one counts as of what the other does.
    """
    rows = rows[which]
    mask, was_even = ledger.column("mask")[rows], ledger.column("even")[rows] > 0
    even = np.ones(len(rows), np.bool_)
    if mask.any():
        any_of = int(np.bitwise_or.reduce(mask))
        same = _same_units(units, stream.units, starts, any_of)[which]
        even = same & mask == mask
        if any_of & CONSTANT:
            unit = UNIT_OF[manner[which]]
            before = ledger.columns(LAST[1], LAST[-1])[unit, rows]
            even &= (mask & CONSTANT == 0) | (before == stream.units[starts[which]])
    ledger.column("even")[rows] = even
    return even & was_even


def _same_units(units: I64, counted: I64, starts: I64, which: int) -> I64:
    """Those of some bits of `UNITS` of which all datagrams of a run have as much as of what it counts, and `CONSTANT`.

    The last one is set where they have no more or less of that than the datagram before in the run.
    """
    bits = np.zeros(len(starts), np.int64)
    for number in range(len(UNITS)):
        if which >> number & 1:
            bits += np.where(_all_of_runs(units[number] == counted, starts), 1 << number, 0)
    if which & CONSTANT:
        steady = np.ones(len(counted), np.bool_)
        steady[1:] = counted[1:] == counted[:-1]
        steady[starts] = True
        bits += np.where(_all_of_runs(steady, starts), CONSTANT, 0)
    return bits


def _all_of_runs(mask: Bool, starts: I64) -> bool | Bool:
    """Whether a mask holds in all of a run; one answer for all where it holds everywhere."""
    return True if mask.all() else np.logical_and.reduceat(mask, starts)


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
            amount = units[UNIT_OF[manner]]
            inclusive: bool | Bool = bool(INCLUSIVE[manner])
            first, after = (sequence - amount, sequence) if inclusive else (sequence, sequence + amount)
        else:
            amount = units[UNIT_OF[manner], np.arange(len(sequence))]
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
    def of(cls, sequence: I64, uptime: I64, steps: Steps, start: int, end: int) -> _Run:
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
