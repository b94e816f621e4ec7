"""Fair shares of what is bounded over all exporters: who gives up room when there is none left.

Whoever can send a datagram can forge as many exporters as datagrams, and let
each of them send a flow, so neither equal shares nor good manners protect
anybody alone. There are four kinds: strangers, who never sent a flow or were
silent for long; senders of flows; known ones, who sent flows for ten minutes and
more; and those named in the configuration.

Those who send flows keep `PROTECTED` of the whole, the known ones before the
others, and the ones heard lately before the others. The rest is for newcomers to
pass through. Who is *exposed*, then, are strangers, and those who send flows as
far as these hold more than their part, the ones heard least lately; never the
configured ones. Room is taken

1. from the exposed who hold more than a fair share, down to it, the greediest first,
2. from the exposed, all that they hold, the ones heard least lately first,
3. from others, what is beyond a fair share.

Whoever asks and holds a fair share already gets only what lower kinds hold.

A fair share is the bound divided by the number of holders, but not less than
what a device needs: where a flood has more members than the bound has such
shares, members go, not honest devices' shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from millrace.batch.arrays import I64, Bool
from millrace.decode.netflow.ledger import Ledger

STRANGER, SENDER, KNOWN, CONFIGURED = range(4)
"""Standing of an exporter, or of a domain of one of its ports."""

KNOWN_NS = 600 * 10**9
"""Whoever sent flows over so long a time is known."""

PROTECTED = 0.5
"""Part of a bound that is kept for those who send flows. What is left decides how fast a flood may be before a newcomer
loses its place between its templates and its first data."""

_LEAST_PART = 4
"""No fair share is more than this part of the bound only because a device needs it."""
_CUT_PART = 16
"""So large a part of a fair share is cut off as well, so that the next who asks need not look again."""
_PLANNED = 1024
"""Most who are planned to give room before it is looked again who is."""
_PAUSE_NS, _FREE_OF_PAUSE = 10_000, 256
"""Pause per holder between two looks that may both be in vain; a few are looked through in each batch."""
_PLAN_PAUSES = 10
"""After so many of these pauses a plan is out of date."""


class HolderState(Protocol):
    """What holds something bounded."""

    number: int
    ledger: Ledger
    row: int


Holder = TypeVar("Holder", bound=HolderState)


@dataclass(frozen=True, slots=True)
class Survey(Generic[Holder]):
    """Who holds how much.

    Attributes
    ----------
    holders : list
    held : ndarray of int64, shape (n,)
    """

    holders: list[Holder]
    held: I64


@dataclass(frozen=True, slots=True)
class _Planned(Generic[Holder]):
    """Somebody who is to keep no more than `keeps`; `seen_ns`: when heard last as that was decided."""

    holder: Holder
    keeps: int
    standing: int
    seen_ns: int


def standings(ledger: Ledger, rows: I64, now_ns: int, idle_ns: int) -> I64:
    """Standing by row of the ledger, shape (n,)."""
    since, until, seen, configured = (
        ledger.column(name)[rows] for name in ("flows_since_ns", "flows_until_ns", "last_seen_ns", "configured")
    )
    standing = (until > 0).astype(np.int64) + (until - since >= KNOWN_NS)
    # Whoever was heard in the future was so before the clock was set back.
    standing[np.abs(now_ns - seen) > idle_ns] = STRANGER
    standing[configured > 0] = CONFIGURED
    return standing


def proven(ledger: Ledger, rows: I64) -> Bool:
    """Who is configured or known, by row of the ledger, shape (n,); one that comes back after a long silence is known.

    Row 0 is of those of whom nothing is kept.
    """
    since, until, configured = (
        ledger.column(name)[rows] for name in ("flows_since_ns", "flows_until_ns", "configured")
    )
    found: Bool = (rows > 0) & ((configured > 0) | (until - since >= KNOWN_NS))
    return found


def note_flows(ledger: Ledger, rows: I64, seen_ns: I64) -> bool:
    """Note when flows came; whether somebody is a sender or known from now on.

    Parameters
    ----------
    rows, seen_ns : ndarray of int64, shape (n,)
        Rows of the ledger (some may come several times), and Unix nanoseconds.
    """
    since, until = ledger.column("flows_since_ns"), ledger.column("flows_until_ns")
    first, before = since[rows], until[rows]
    seen_ns = np.maximum(seen_ns, 1)  # 0 says that none came
    back = seen_ns < first
    if back.any():
        # The clock was set back: for how long flows came is known all the same.
        first = since[rows] = np.where(back, np.maximum(seen_ns - (before - first), 1), first)
        before = np.where(back, seen_ns, before)
    # Where a row comes several times, any of these times will do.
    until[rows] = seen_ns
    new = first == 0
    if new.any():
        since[rows] = np.where(new, seen_ns, first)
        return True
    return bool(((seen_ns - first >= KNOWN_NS) & (before - first < KNOWN_NS)).any())


class Givers(Generic[Holder]):
    """Those who give up room of one bounded thing, one after the other.

    Parameters
    ----------
    limit : int
        The bound.
    least : int
        What a device needs of it.
    idle_s : float
        Whoever was silent for so long is a stranger again.
    """

    def __init__(self, limit: int, least: int, idle_s: float) -> None:
        self._limit = limit
        self._least = max(1, min(least, limit // _LEAST_PART))
        self._idle_ns = int(idle_s * 1e9)
        self._plan: list[_Planned[Holder]] = []
        self._made_ns = 0
        self._in_vain = False
        self._passing = False
        """Whether those who were left out when it was looked in vain are the reason: they may give room later."""
        self._checked = False
        self._pause_ns = 0
        self.fair = self._least

    def commit(self) -> None:
        """The batch is done: it may be looked again who has room."""
        self._checked = False

    def _check(self, now_ns: int) -> None:
        """Once per batch, whatever times are told in it: see whether it is time to look again."""
        if self._checked:
            return
        self._checked = True
        age_ns = abs(now_ns - self._made_ns)
        if not self._pause_ns or age_ns > _PLAN_PAUSES * self._pause_ns:
            self._plan = []
        if self._passing or not self._pause_ns or age_ns > self._pause_ns:
            self._in_vain = False

    def next(
        self,
        survey: Callable[[], Survey[Holder]],
        asker: Holder | None,
        asks: int,
        standing: int,
        now_ns: int,
        spared: set[int] | frozenset[int] = frozenset(),
    ) -> tuple[Holder, int] | None:
        """Who is next to give up room, and how much of it that one keeps; None: the asker gets none.

        Parameters
        ----------
        survey : callable
            Asked once for many who give up room.
        asker : holder, optional
            Who needs it; None: somebody who holds nothing yet.
        asks : int
            How much that one would hold.
        standing : int
            Of that one; at least that of its row.
        now_ns : int
            Time of the datagram, Unix nanoseconds.
        spared : set of int
            Numbers of holders that must not be taken from now.
        """
        looked = False
        self._check(now_ns)
        while True:
            while self._plan:
                planned = self._plan[-1]
                if asks > self.fair and planned.standing >= standing:
                    return None
                self._plan.pop()
                if planned.holder is not asker and planned.holder.number not in spared and self._stands(planned):
                    self._in_vain = False
                    return planned.holder, planned.keeps
            if looked or self._in_vain:
                return None
            looked = self._in_vain = True
            excluded = spared if asker is None else {asker.number}
            self._look(survey(), excluded, now_ns)

    def _stands(self, planned: _Planned[Holder]) -> bool:
        """Whether what was planned still is right: not if somebody who was to give up all was heard since."""
        return bool(planned.keeps) or planned.holder.ledger.get(planned.holder.row, "last_seen_ns") == planned.seen_ns

    def _look(self, survey: Survey[Holder], excluded: set[int] | frozenset[int], now_ns: int) -> None:
        """Plan who gives up room, the first to do so last; all by the same step."""
        self._made_ns = now_ns
        self._pause_ns = _PAUSE_NS * max(0, len(survey.holders) - _FREE_OF_PAUSE)
        if not survey.holders:
            return
        held, ledger = survey.held, survey.holders[0].ledger
        rows = np.fromiter((holder.row for holder in survey.holders), np.int64, len(survey.holders))
        seen = ledger.column("last_seen_ns")[rows]
        standing = standings(ledger, rows, now_ns, self._idle_ns)
        self.fair = max(self._least, self._limit // max(1, int((held > 0).sum())))
        over, exposed = held > self.fair, self._exposed(held, standing, seen)
        step = np.select([exposed & over, exposed, over], [1, 2, 3], 4)
        order = np.lexsort((np.where(over, -held, seen), np.where(exposed, 0, standing), step))
        order = order[(held[order] > 0) & (step[order] < 4)]
        self._passing = bool(len(order))
        order = order[[survey.holders[at].number not in excluded for at in order.tolist()]][:_PLANNED]
        # Once those of the first step gave up theirs, there may be new ones of it.
        order = order[step[order] == step[order[:1]]]
        keeps = np.where(over, max(self.fair - self.fair // _CUT_PART, 1), 0)
        self._plan = [
            _Planned(survey.holders[at], int(keeps[at]), int(standing[at]), int(seen[at]))
            for at in order[::-1].tolist()
        ]

    def _exposed(self, held: I64, standing: I64, seen: I64) -> Bool:
        """Who may have to give up all."""
        order = np.argsort(seen, kind="stable")
        exposed: Bool = standing == STRANGER
        for kind in (SENDER, KNOWN):
            excess = int(held[standing >= kind].sum()) - int(self._limit * PROTECTED)
            own = np.where(standing[order] == kind, held[order], 0)
            exposed[order] |= (own > 0) & (np.cumsum(own) - own < excess)
        return exposed
