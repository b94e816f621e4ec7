"""The reverse direction of biflows as rows of their own (RFC 5103, NSEL responder counters)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64
from millrace.decode.netflow.assembly import Rows
from millrace.decode.netflow.flows import Group, SpreadClock, count_all_noted
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.result import Counts
from millrace.schema import Schema

_ONE_WAY = frozenset(
    {"Bytes", "Packets", "TCPFlags", "NextHop", "BGPNextHop", "DstASPath", "DstCommunities", "MPLSLabels"}
)
"""Columns that tell nothing about the other direction."""


def reverse_flows(
    flows: FlowBatch, groups: list[Group], schema: Schema, counts: Counts, scopes: BatchScopes
) -> list[FlowBatch]:
    """Rows for the reverse direction of the groups that have one with packets or bytes.

    Ends, interfaces and VRFs change places; what the record tells of the
    reverse direction replaces what it tells of the forward one.
    """
    found: list[FlowBatch] = []
    for group in groups:
        if not group.plan.counters:
            continue
        counters = [group.records.number(field) > 0 for field in group.plan.counters]
        rows = np.flatnonzero(np.logical_or.reduce(counters))
        if len(rows):
            turned = _turned(flows.take(group.start + rows), schema)
            told = _told(group, schema)
            chosen = np.zeros(len(group.records), np.bool_)
            chosen[rows] = True
            count_all_noted(counts, scopes, [replace(group, start=0)], told, chosen)
            found.append(_overridden(turned, told, rows))
    return found


def _turned(flows: FlowBatch, schema: Schema) -> FlowBatch:
    turned = FlowBatch(flows.rows, datagram=flows.datagram)
    for name, values in flows.columns.items():
        if name not in _ONE_WAY:
            turned.put(schema.opposite(schema[name]).name, values, flows.valid.get(name))
    return turned


def _told(group: Group, schema: Schema) -> Rows:
    """What the records tell of the reverse direction."""
    total = len(group.records)
    rows = Rows(schema, total)
    clock = SpreadClock(group)
    for step in group.plan.reverse:
        step.write(rows, 0, total, group.records, clock)
    return rows


def _overridden(turned: FlowBatch, told: Rows, which: I64) -> FlowBatch:
    some = told.finish(np.zeros(told.rows, np.int32)).take(which)
    for name, values in some.columns.items():
        turned.put(name, values, some.valid.get(name))
    return turned
