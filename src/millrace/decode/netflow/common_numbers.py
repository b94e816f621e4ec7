"""Whether the ports of a domain share their sequence numbers.

Several devices behind one address each number their own datagrams; but one
device may send from several ports and go on numbering from port to port. What
the other ports carried then looks lost on each. Such a domain gives itself
away where the port changes: the numbers go on all the same.
"""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I32
from millrace.decode.netflow.headers import Headers
from millrace.decode.netflow.number_changes import NumberChanges
from millrace.decode.netflow.scopes import BatchScopes, Ports
from millrace.decode.netflow.steps import Steps

_MOST = 256
"""Changes of port after which the ports are known to be of several devices."""


def watch_ports(headers: Headers, scopes: BatchScopes, units: I32) -> None:
    """Find domains whose ports share their numbers, and follow the numbers of these no longer.

    Parameters
    ----------
    headers : Headers
    scopes : BatchScopes
    units : ndarray of int32, shape (units, datagrams)
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


def _changes_of(ports: Ports) -> NumberChanges:
    if ports.changes is None:
        ports.changes = NumberChanges()
    return ports.changes


def _conclude(ports: Ports, changes: NumberChanges) -> None:
    scopes = list(ports.scopes.values())
    if not changes.shared(scopes[0].version):
        return
    ports.common = True
    for scope in scopes:
        scope.followed = scope.lost = scope.reordered = 0
