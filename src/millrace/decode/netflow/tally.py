"""Counts of a batch by exporter and protocol, from arrays by set or datagram."""

from __future__ import annotations

import numpy as np

from millrace.batch.arrays import I64
from millrace.decode.netflow.assembly import Noted
from millrace.decode.netflow.records import Records
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.netflow.sets import Sets
from millrace.decode.result import Counts, Event

_ALIGNMENT_BYTES = 3
"""Padding up to here is what exporters use to align sets to four bytes; more is looked at."""


def count_by_scope(counts: Counts, scopes: BatchScopes, event: Event, scope: I64, amount: I64 | None = None) -> None:
    """Count an event per scope: one per row, or `amount` of it."""
    if len(scopes) == 1:
        totals = [len(scope) if amount is None else int(amount.sum())]
    else:
        by_scope = np.bincount(scope, amount, minlength=len(scopes))
        totals = np.bincount(scopes.stream, by_scope, minlength=len(scopes.streams)).astype(np.int64).tolist()
    counts.add_events(event, zip(scopes.keys_of(event), totals, strict=True))


def count_noted(counts: Counts, scopes: BatchScopes, noted: Noted, scope: I64) -> None:
    """Count an event once for each row it was noted of, given the scope of each row."""
    by_scope = np.bincount(scope[noted.rows], minlength=len(scopes))
    for at in np.flatnonzero(by_scope).tolist():
        counts.event(*scopes.keys[at], noted.event, int(by_scope[at]))


def count_leftovers(counts: Counts, scopes: BatchScopes, sets: Sets, records: Records) -> None:
    """Count what sets hold beside records: cut records, and as many as would have room in the zero bytes at the end."""
    for at in np.flatnonzero(records.padding).tolist():
        counts.event(*scopes.keys[int(sets.scope[at])], "padding_records", int(records.padding[at]))
    for at in np.flatnonzero(records.rest > _ALIGNMENT_BYTES).tolist():
        rest, stop = int(records.rest[at]), int(sets.stop[at])
        if sets.arena[stop - rest : stop].any():
            key = scopes.keys[int(sets.scope[at])]
            detail = f"set {int(sets.id[at])} ends with {rest} bytes that are no whole record"
            counts.drop(*key, "record", "truncated", 1, detail)


def count_costly(counts: Counts, scopes: BatchScopes, scope: I64, layout: I64) -> None:
    """Count the data sets that are given up as there was no time for their layouts."""
    for at, amount in enumerate(np.bincount(scope, minlength=len(scopes)).tolist()):
        if amount:
            different = len(np.unique(layout[scope == at]))
            detail = f"{amount} data sets of {different} different templates that take more time than their bytes allow"
            counts.drop(*scopes.keys[at], "set", "costly-layouts", amount, detail)
            counts.event(*scopes.keys[at], "costly_sets", amount)
