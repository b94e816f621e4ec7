"""Data sets that wait for their template."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from millrace.batch import ARENA_PADDING
from millrace.decode.limits import Limits
from millrace.decode.netflow.amounts import Amounts
from millrace.decode.netflow.deadlines import STEP, Deadlines
from millrace.decode.netflow.fitting import fits
from millrace.decode.netflow.layout import Layout
from millrace.decode.netflow.scopes import ExporterState, Scope
from millrace.decode.netflow.sets import Sets
from millrace.decode.netflow.templates import template_key

_MOST_REFUSALS = 4
"""Once what waits under a key was no records of so many templates of other ports, only its own one counts."""
_TRIED_KEYS, _TRIED_SETS = 64, 64
"""Keys that are tried with a template of another port, those that waited first; and sets of each that are looked at: if
they are no records of it, the others that wait under the key are not either."""

_OVERHEAD_BYTES = 400
"""What keeping a set costs beside its bytes."""


@dataclass(slots=True, eq=False)
class WaitingSet:
    """A data set with what its datagram told.

    `gone` marks a set that was released or given up while it is still queued.
    """

    scope: Scope
    id: int
    wire: bytes
    received_ns: int
    export_ms: int
    uptime: int
    gone: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes it costs to keep."""
        return len(self.wire) + _OVERHEAD_BYTES


@dataclass(slots=True)
class _Share:
    """What waits of one exporter, oldest first."""

    queue: deque[WaitingSet]
    gone: int = 0

    def take_oldest(self) -> WaitingSet:
        """Take the oldest that still waits off the queue."""
        while self.queue[0].gone:
            self.queue.popleft()
            self.gone -= 1
        self.gone -= 1  # it is about to be counted as gone, and no longer queued
        return self.queue.popleft()

    def tidy(self) -> None:
        """Drop what is no longer waiting, once that is most of the queue."""
        if 2 * self.gone > len(self.queue):
            self.queue = deque(waiting for waiting in self.queue if not waiting.gone)
            self.gone = 0


class Waiting:
    """Sets by the template they wait for, bounded in bytes and time.

    When there is no room, an exporter that holds more than an equal share
    gives up what it just sent; for one that holds less, the greediest exporter
    gives up its oldest. What has waited too long is given up in steps.
    """

    def __init__(self, limits: Limits) -> None:
        self._limit_bytes = limits.waiting_bytes
        self._lifetime_ns = int(limits.waiting_s * 1e9)
        self._by_template: dict[int, dict[WaitingSet, None]] = {}
        self._of_domain: dict[int, dict[int, None]] = {}
        """Keys that may be released by what other ports announce, by that of all ports of the domain."""
        self._of_scope: dict[int, dict[int, None]] = {}
        """Keys by number of their scope."""
        self._amounts: Counter[int] = Counter()
        """Sets by number of their scope."""
        self._refusals: dict[int, int] = {}
        self._shares: dict[int, _Share] = {}
        self._bytes: Amounts[int] = Amounts()
        """Of each of these, by number of the exporter as well."""
        self._deadlines: Deadlines[WaitingSet] = Deadlines(lambda kept: None if kept.gone else kept.received_ns)
        self._kept = 0
        """Since something was last given up for its age."""

    @property
    def nbytes(self) -> int:
        """Bytes that all of them cost to keep."""
        return self._bytes.total

    def __iter__(self) -> Iterator[WaitingSet]:
        return (kept for sets in self._by_template.values() for kept in sets)

    def __contains__(self, key: int) -> bool:
        return key in self._by_template

    def __len__(self) -> int:
        return len(self._by_template)

    def amount_of(self, exporter: ExporterState) -> int:
        """Sets of an exporter."""
        share = self._shares.get(exporter.number)
        return 0 if share is None else len(share.queue) - share.gone

    def amount_of_scope(self, scope: Scope) -> int:
        """Sets of an observation domain of a port."""
        return self._amounts[scope.number]

    def keys_of(self, key: int) -> list[int]:
        """Keys that wait for what arrives under a key: that of the template of a port, or of all ports of a domain.

        Of these a few at a time, and none that was refused often: looking through
        all that waits at each of a flood of templates would cost too much.
        """
        return [key, *islice(self._of_domain.get(key, ()), _TRIED_KEYS)]

    def has_more(self, key: int) -> bool:
        """Whether more wait for what arrives under a key than are tried at once; each is released or refused then."""
        return len(self._of_domain.get(key, ())) > _TRIED_KEYS

    def scope_of(self, key: int) -> Scope:
        """Whose sets wait under a key."""
        return next(iter(self._by_template[key])).scope

    def too_old(self, received_ns: int, time_ns: int) -> bool:
        """Whether what was received then has waited too long at that time."""
        return time_ns - received_ns > self._lifetime_ns

    def keep(self, waiting: WaitingSet, give_up: Callable[[WaitingSet, str], None]) -> None:
        """Keep a set; whatever has no room is given to `give_up` with a reason."""
        if waiting.nbytes > self._limit_bytes or not self._make_room(waiting, give_up):
            give_up(waiting, "waiting-full")
            return
        number = waiting.scope.exporter.number
        self._shares.setdefault(number, _Share(deque())).queue.append(waiting)
        self._bytes.set(number, self._bytes.of(number) + waiting.nbytes)
        key = template_key(waiting.scope.number, waiting.id)
        self._by_template.setdefault(key, {})[waiting] = None
        if self._refusals.get(key, 0) < _MOST_REFUSALS:
            self._of_domain.setdefault(_domain_key(waiting), {})[key] = None
        self._of_scope.setdefault(waiting.scope.number, {})[key] = None
        self._amounts[waiting.scope.number] += 1
        self._deadlines.add(waiting.received_ns, waiting)
        self._kept += 1

    def release(
        self, key: int, time_ns: int, give_up: Callable[[WaitingSet, str], None], layout: Layout | None = None
    ) -> list[WaitingSet]:
        """Take the sets out whose template came at `time_ns`; too old ones are given up.

        Parameters
        ----------
        layout : Layout, optional
            That of a template of another port: only sets that can be records of it are taken out.
        """
        kept = self._by_template.get(key, {})
        if layout is not None and not any(fits(layout, one.wire) for one in islice(kept, _TRIED_SETS)):
            self._refuse(key, next(iter(kept)))
            return []
        released = [one for one in kept if layout is None or fits(layout, one.wire)]
        if len(released) < len(kept):
            for one in released:
                del kept[one]
            self._refuse(key, next(iter(kept)))
        elif released:
            del self._by_template[key]
            self._nobody_waits(key, released[0])
        for waiting in released:
            self._settle(waiting)
        for waiting in released:
            if self.too_old(waiting.received_ns, time_ns):
                give_up(waiting, "template-never-came")
        return [waiting for waiting in released if not self.too_old(waiting.received_ns, time_ns)]

    def expire(self, time_ns: int, give_up: Callable[[WaitingSet, str], None]) -> None:
        """Give up what has waited too long, a step of it, but more than came since."""
        overdue = self._deadlines.due(time_ns - self._lifetime_ns, STEP + 2 * self._kept)
        self._kept = 0
        for waiting in overdue:
            waiting.gone = True
            self._remove(waiting)
            give_up(waiting, "template-never-came")

    def forget(self, scope: Scope, give_up: Callable[[WaitingSet, str], None]) -> None:
        """Give up everything of a scope."""
        for key in list(self._of_scope.get(scope.number, ())):
            kept = list(self._by_template.pop(key))
            self._nobody_waits(key, kept[0])
            for waiting in kept:
                self._settle(waiting)
                give_up(waiting, "template-never-came")

    def forget_oldest(self, exporter: ExporterState, most: int, give_up: Callable[[WaitingSet, str], None]) -> int:
        """Give up the oldest sets of an exporter; how many."""
        amount = min(most, self.amount_of(exporter))
        for _ in range(amount):
            oldest = self._shares[exporter.number].take_oldest()
            self._remove(oldest)
            give_up(oldest, "template-never-came")
        return amount

    def _refuse(self, key: int, one: WaitingSet) -> None:
        """What waits under a key is not all records of what another port announced."""
        refusals = self._refusals[key] = self._refusals.get(key, 0) + 1
        if refusals == _MOST_REFUSALS:
            self._leave_domain(key, one)

    def _leave_domain(self, key: int, one: WaitingSet) -> None:
        of_domain = _domain_key(one)
        keys = self._of_domain.get(of_domain, {})
        keys.pop(key, None)
        if not keys:
            self._of_domain.pop(of_domain, None)

    def _make_room(self, waiting: WaitingSet, give_up: Callable[[WaitingSet, str], None]) -> bool:
        while self.nbytes + waiting.nbytes > self._limit_bytes:
            fair = self._limit_bytes // max(1, len(self._shares))
            own = self._bytes.of(waiting.scope.exporter.number)
            greediest = self._bytes.greediest()
            if greediest is None or (own and own + waiting.nbytes > fair):
                return False
            oldest = self._shares[greediest[0]].take_oldest()
            self._remove(oldest)
            give_up(oldest, "waiting-full")
        return True

    def _remove(self, waiting: WaitingSet) -> None:
        key = template_key(waiting.scope.number, waiting.id)
        kept = self._by_template[key]
        del kept[waiting]
        if not kept:
            del self._by_template[key]
            self._nobody_waits(key, waiting)
        self._settle(waiting)

    def _nobody_waits(self, key: int, last: WaitingSet) -> None:
        self._refusals.pop(key, None)
        self._leave_domain(key, last)
        of_scope = self._of_scope[last.scope.number]
        del of_scope[key]
        if not of_scope:
            del self._of_scope[last.scope.number]

    def _settle(self, waiting: WaitingSet) -> None:
        if not waiting.gone:
            waiting.gone = True
            self._deadlines.gone()
        scope, number = waiting.scope.number, waiting.scope.exporter.number
        self._amounts[scope] -= 1
        if not self._amounts[scope]:
            del self._amounts[scope]
        left = self._bytes.of(number) - waiting.nbytes
        self._bytes.set(number, left)
        if not left:
            del self._shares[number]
            return
        share = self._shares[number]
        share.gone += 1
        share.tidy()


def _domain_key(waiting: WaitingSet) -> int:
    """Key of its template as all ports of its domain agree on it."""
    return template_key(waiting.scope.ports.number, waiting.id)


@dataclass(frozen=True, slots=True)
class Release:
    """A set whose template came in the set of `row` (of the sets of the batch).

    `scope` is the row of `BatchScopes` of the set's own scope: what came from
    another port than its template is not that port's.
    """

    waiting: WaitingSet
    row: int
    scope: int


def released_sets(releases: list[Release], sets: Sets) -> Sets:
    """Sets in an arena of their own; they count for the datagram whose template released them."""
    wires = [release.waiting.wire for release in releases]
    arena = np.frombuffer(b"".join([*wires, bytes(ARENA_PADDING)]), np.uint8)
    stop = np.cumsum([len(wire) for wire in wires], dtype=np.int64)
    row = np.array([release.row for release in releases], np.int64)

    def facts(*names: str) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
        return [np.array([getattr(r.waiting, name) for r in releases], np.int64) for name in names]

    scope = np.array([release.scope for release in releases], np.int64)
    ident, received_ns, export_ms, uptime = facts("id", "received_ns", "export_ms", "uptime")
    return Sets(
        arena, ident, stop - np.array([len(wire) for wire in wires], np.int64), stop, sets.row[row], scope,
        sets.version[row], sets.datagram[row], sets.position[row], received_ns // 1_000_000, export_ms, uptime,
    )  # fmt: skip
