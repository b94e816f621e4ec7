"""Sampling rates that the headers of NetFlow v5 tell, per engine."""

from __future__ import annotations

import numpy as np

from millrace.decode.netflow.headers import SAMPLING_INTERVAL, V5, Headers
from millrace.decode.netflow.ledger import Ledger
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.rate_jumps import find_jumps
from millrace.decode.result import Counts


def note_header_rates(headers: Headers, scopes: BatchScopes, ledger: Ledger, counts: Counts) -> None:
    """Remember the last rate of each engine; those that change remarkably are counted.

    A header that tells none (0) changes nothing: a jump must not hide behind it.
    """
    if not (headers.version == V5).any():
        return
    rate, row = headers.sampling & SAMPLING_INTERVAL, scopes.rows[scopes.index]
    tells = (headers.version == V5) & (rate > 0) & (row > 0)
    known = ledger.column("header_rate")
    before = known[row]
    if not (tells & (before != rate)).any():
        return
    told = np.flatnonzero(tells)
    rate, row = rate[told], row[told]
    found = find_jumps(row, rate, before[told])
    known[row[found.last]] = rate[found.last]
    jumped = scopes.index[told[found.rows]]
    # Backwards: the first of each scope is the last that jumped; the latest of an exporter is its example.
    _, backwards, amount = np.unique(jumped[::-1], return_index=True, return_counts=True)
    for at, jumps in sorted(zip((len(jumped) - 1 - backwards).tolist(), amount.tolist(), strict=True)):
        scope, now = int(jumped[at]), rate[found.rows[at]]
        example = f"engine {scopes.domain[scope]} told 1 in {found.before[at]}, then 1 in {now}"
        counts.event(*scopes.keys[scope], "sampling_rate_jumps", jumps, example)
