"""What is missing of each exporter's stream, by its sequence numbers.

NetFlow v5 and v7 number flows, v9 numbers datagrams (RFC 3954 §5.1), IPFIX
numbers data records (RFC 7011 §3.1); all modulo 2³².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64
from millrace.decode.netflow.assembly import stable_order
from millrace.decode.netflow.headers import IPFIX, V1, V9, Headers
from millrace.decode.netflow.scopes import UNKNOWN, BatchScopes, Scope
from millrace.decode.result import Counts

_MODULUS = 1 << 32
_LONGEST_GAP = {V9: 1 << 20}
_LONGEST_GAP_RECORDS = 1 << 24
"""A larger jump ahead is a stream that began anew, not a loss."""
_LATEST = {V9: 256}
_LATEST_RECORDS = 8192
"""What is further behind is a stream that began anew, not a late datagram."""
_LATE_IN_A_ROW = 4
"""Datagrams that are late but in order among themselves: the stream began anew a little behind."""
_RESTART_MS = 10_000
_WRAP_MS = _MODULUS - 3_600_000


def follow(headers: Headers, scopes: BatchScopes, records: I64, counts: Counts) -> None:
    """Count what is missing and what came late, and remember where each stream is.

    ``lost`` are units that were missing when the next datagram came;
    ``reordered`` are units that came later all the same, so their difference is
    the real loss. One that restarts counts as neither.

    Parameters
    ----------
    records : ndarray of int64, shape (datagrams,)
        Data records of each IPFIX message; -1 where a template was missing.
    """
    units = np.where(headers.version == V9, 1, np.where(headers.version == IPFIX, records, headers.count))
    order = stable_order(scopes.index)
    owner, sequence, units = scopes.index[order], headers.sequence[order], units[order]
    after = np.where(units < 0, UNKNOWN, (sequence + units) % _MODULUS)
    uptime = headers.uptime[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = owner[1:] != owner[:-1]
    starts = np.flatnonzero(first)
    states = [scopes.scopes[at] for at in owner[starts].tolist()]
    expected, uptime_before = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    expected[1:], uptime_before[1:] = after[:-1], uptime[:-1]
    expected[starts] = [UNKNOWN if scope is None else scope.next_sequence for scope in states]
    uptime_before[starts] = [0 if scope is None else scope.uptime for scope in states]
    run = _Run(sequence, units, after, uptime, expected, uptime_before)
    odd = np.flatnonzero(expected != sequence)
    ends = np.append(starts[1:], len(order))
    odd_from, odd_to = np.searchsorted(odd, starts).tolist(), np.searchsorted(odd, ends).tolist()
    last = ends - 1
    received = np.add.reduceat(np.maximum(units, 0), starts).tolist()
    for scope, since, end, low, high, following, up, amount in zip(
        states, starts.tolist(), ends.tolist(), odd_from, odd_to, after[last].tolist(), uptime[last].tolist(), received,
        strict=True,
    ):  # fmt: skip
        if scope is None or scope.version == V1:
            continue
        scope.received += amount
        if low == high:
            scope.next_sequence, scope.late, scope.uptime = following, 0, up
            continue
        lost, reordered = _follow_scope(scope, run, odd[low:high].tolist(), end)
        exporter, protocol = scopes.keys[int(owner[since])]
        counts.event(exporter, protocol, "lost", lost)
        counts.event(exporter, protocol, "reordered", reordered)


@dataclass(frozen=True, slots=True)
class _Run:
    """Datagrams grouped by scope: sequence number, units, what is expected next, uptime; and before each of them.

    `expected` and `uptime_before` are right where the datagram before was not a late one.
    """

    sequence: I64
    units: I64
    after: I64
    uptime: I64
    expected: I64
    uptime_before: I64


def _follow_scope(scope: Scope, run: _Run, odd: list[int], end: int) -> tuple[int, int]:
    """Go through the datagrams of a scope that are not what was expected, and those that follow late ones."""
    lost = reordered = 0
    at = -1
    in_step = True
    for next_odd in odd:
        if next_odd <= at:
            continue
        scope.next_sequence, scope.uptime = int(run.expected[next_odd]), int(run.uptime_before[next_odd])
        at = next_odd
        in_step = False
        while not in_step and at < end:
            missing, late = _follow_one(scope, run, at)
            in_step = late < 0
            lost += missing
            reordered += max(0, late)
            at += 1
        at -= 1
    if in_step:
        scope.next_sequence, scope.late, scope.uptime = int(run.after[end - 1]), 0, int(run.uptime[end - 1])
    scope.lost += lost
    scope.reordered += reordered
    return lost, reordered


def _follow_one(scope: Scope, run: _Run, at: int) -> tuple[int, int]:
    """Units missing before a datagram, and its own units if it is late; -1: it is not."""
    sequence, units, after, uptime = (int(a[at]) for a in (run.sequence, run.units, run.after, run.uptime))
    longest = _LONGEST_GAP.get(scope.version, _LONGEST_GAP_RECORDS)
    latest = _LATEST.get(scope.version, _LATEST_RECORDS)
    gap = (sequence - scope.next_sequence + _MODULUS // 2) % _MODULUS - _MODULUS // 2
    restarted = uptime + _RESTART_MS < scope.uptime < _WRAP_MS
    missing = 0
    if scope.next_sequence != UNKNOWN and not restarted:
        if -latest <= gap < 0 and not _began_anew(scope, sequence, after):
            return 0, max(0, units)
        missing = gap if 0 < gap <= longest else 0
    scope.next_sequence, scope.late, scope.uptime = after, 0, uptime
    return missing, -1


def _began_anew(scope: Scope, sequence: int, after: int) -> bool:
    scope.late = scope.late + 1 if scope.late and sequence == scope.late_next else 1
    scope.late_next = after
    return scope.late >= _LATE_IN_A_ROW
