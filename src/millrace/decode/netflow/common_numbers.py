"""Whether the ports of a domain share their sequence numbers.

Several devices behind one address each number their own datagrams; but one
device may send from several ports and go on numbering from port to port. What
the other ports carried then looks lost on each. Such a domain gives itself
away where the port changes: the numbers go on all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from millrace.batch.arrays import I64
from millrace.decode.netflow.manners import ALL, LAST, NO_UNITS, candidates
from millrace.decode.netflow.steps import Steps

if TYPE_CHECKING:
    from millrace.decode.netflow.headers import Headers
    from millrace.decode.netflow.scopes import BatchScopes, Ports

_ENOUGH = 16
"""Changes of port after which something is concluded."""
_MOST = 256
"""Changes of port after which the ports are known to be of several devices."""


@dataclass(slots=True)
class Changes:
    """What happened where the datagrams of a domain came from another port than the one before.

    Attributes
    ----------
    last : ndarray of int64, shape (columns of `LAST`,)
        Sequence number and units of the last datagram.
    scope : int
        Number of its scope.
    explained : ndarray of int64, shape (manners,)
        Changes at which the number is what each manner of `ALL` expects.
    amount : int
        Changes seen.
    """

    last: I64 = field(default_factory=lambda: np.full(len(LAST), NO_UNITS, np.int64))
    scope: int = 0
    explained: I64 = field(default_factory=lambda: np.zeros(len(ALL), np.int64))
    amount: int = 0

    def shared(self, version: int) -> bool:
        """Whether the numbers go on from port to port: at three of four changes, as some datagrams may be lost."""
        best = int(self.explained[candidates(version)].max())
        return self.amount >= _ENOUGH and 4 * best >= 3 * self.amount


def watch_ports(headers: Headers, scopes: BatchScopes, units: I64) -> None:
    """Find domains whose ports share their numbers, and follow the numbers of these no longer.

    Parameters
    ----------
    headers : Headers
    scopes : BatchScopes
    units : ndarray of int64, shape (units, datagrams)
        As `follow` has it.
    """
    if not scopes.shared:
        return
    watched = {s.ports.number: s.ports for s in scopes.scopes if s is not None and _is_open(s.ports)}
    if not watched:
        return
    domain = scopes.domain_numbers[scopes.index]
    rows = np.flatnonzero(np.isin(domain, list(watched)))
    rows = rows[np.argsort(domain[rows], kind="stable")]
    starts = np.append(0, np.flatnonzero(np.diff(domain[rows])) + 1)
    ends = np.append(starts[1:], len(rows))
    of_runs = [watched[number] for number in domain[rows[starts]].tolist()]
    changes = [_changes_of(ports) for ports in of_runs]
    scope = scopes.numbers[scopes.index[rows]]
    other = np.empty(len(rows), np.bool_)
    other[1:] = scope[1:] != scope[:-1]
    other[starts] = scope[starts] != [one.scope for one in changes]
    if other.any():
        before = np.stack([one.last for one in changes], axis=1)
        steps = Steps.of(headers.sequence[rows], units[:, rows], starts, before)
        for run in np.flatnonzero(np.logical_or.reduceat(other, starts)).tolist():
            matched, known = steps.explained(run)
            there = other[steps.rows(run)]
            changes[run].explained += (matched & there).sum(axis=1)
            changes[run].amount += int((known.any(axis=0) & there).sum())
            _conclude(of_runs[run], changes[run])
    for seen, end in zip(changes, ends.tolist(), strict=True):
        row = rows[end - 1]
        seen.last = np.append(headers.sequence[row], units[:, row])
        seen.scope = int(scope[end - 1])


def _is_open(ports: Ports) -> bool:
    return len(ports.scopes) > 1 and not ports.common and (ports.changes is None or ports.changes.amount < _MOST)


def _changes_of(ports: Ports) -> Changes:
    if ports.changes is None:
        ports.changes = Changes()
    return ports.changes


def _conclude(ports: Ports, changes: Changes) -> None:
    scopes = list(ports.scopes.values())
    if not changes.shared(scopes[0].version):
        return
    ports.common = True
    for scope in scopes:
        scope.followed = scope.lost = scope.reordered = 0
