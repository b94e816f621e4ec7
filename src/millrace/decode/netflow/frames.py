"""Records that carry the first bytes of a packet (RFC 7133, RFC 5477) instead of its facts."""

from __future__ import annotations

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, plain
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.netflow.flows import Group
from millrace.decode.packet import Dissection, dissect
from millrace.decode.packet.cursor import Cursor
from millrace.schema import Kind, Schema

_FRAME, _LAYER2, _IP_HEADER = 315, 104, 313
_FRAME_SIZE, _FRAME_TYPE = 312, 408
_ETHERNET, _IPV4, _IPV6, _NOTHING = 1, 11, 12, 0
_WIFI = 2
_PACKET_COUNTERS, _BYTE_COUNTERS = (2, 86, 298, 24), (1, 85, 231, 23)


def has_frames(group: Group) -> bool:
    """Whether the records of a group carry a piece of a packet."""
    return any(group.plan.field(element) is not None for element in (_FRAME, _LAYER2, _IP_HEADER))


def overlay_frames(flows: FlowBatch, group: Group, schema: Schema) -> None:
    """Fill what the records of a group do not tell from the packets they carry.

    `flows` must own its arrays. Such a record is one packet, unless it counts
    packets itself, of the length that the IP header tells.
    """
    records = group.records
    element = next(e for e in (_FRAME, _LAYER2, _IP_HEADER) if group.plan.field(e) is not None)
    field = group.plan.elements[element, 0]
    start, length = records.extent(field)
    link = _links(group, start, length, is_ip=element == _IP_HEADER)
    found = dissect(schema, Cursor(records.arena, start), start + length, link)
    rows = np.arange(group.start, group.stop)
    for name, values in found.flows.columns.items():
        valid = found.flows.valid.get(name)
        _fill_unknown(flows, schema, name, values, np.ones(len(rows), np.bool_) if valid is None else valid, rows)
    carried = length > 0
    if not _tells(group, _PACKET_COUNTERS):
        _fill_unknown(flows, schema, "Packets", np.ones(len(rows), np.uint64), carried, rows)
    if not _tells(group, _BYTE_COUNTERS):
        size = _packet_bytes(group, found)
        _fill_unknown(flows, schema, "Bytes", np.maximum(size, 0).astype(np.uint64), carried & (size > 0), rows)


def _tells(group: Group, elements: tuple[int, ...]) -> bool:
    return any(group.plan.field(element) is not None for element in elements)


def _links(group: Group, start: I64, length: I64, *, is_ip: bool) -> U8:
    if is_ip:
        version = group.records.arena[start] >> 4
        link = np.where(version == 4, _IPV4, np.where(version == 6, _IPV6, _NOTHING))
    else:
        link = np.full(len(start), _ETHERNET)
        kind = group.plan.field(_FRAME_TYPE)
        if kind is not None:
            link[group.records.number(kind) == _WIFI] = _NOTHING
    return np.where(length > 0, link, _NOTHING).astype(np.uint8)


def _packet_bytes(group: Group, found: Dissection) -> I64:
    """Length of the IP packet by its header, else the frame's less its link header; 0: unknown."""
    frame_size = group.plan.field(_FRAME_SIZE)
    if frame_size is None:
        return found.l3_bytes
    rest = group.records.number(frame_size).astype(np.int64) - found.link_bytes
    return np.where(found.l3_bytes >= 0, found.l3_bytes, rest)


def _fill_unknown(
    flows: FlowBatch, schema: Schema, name: str, values: AnyArray | Coded | Lists, known: Bool, rows: I64
) -> None:
    """Write the known values to the given rows of a column, where it knows nothing yet."""
    kind = schema[name].kind
    old = flows.columns.get(name)
    if old is None:
        had = np.zeros(flows.rows, np.bool_)
    else:
        mask = flows.valid.get(name)
        had = np.ones(flows.rows, np.bool_) if mask is None else mask.copy()
    take = known & ~had[rows]
    if not take.any():
        return
    had[rows[take]] = True
    if kind in (Kind.TEXT, Kind.U32_LIST):
        _merge(flows, schema, name, values, rows, take)
    else:
        shape = (flows.rows, 16) if kind is Kind.ADDRESS else flows.rows
        column = np.zeros(shape, kind.dtype) if old is None else plain(old)  # type: ignore[arg-type]
        column[rows[take]] = plain(values)[take]  # type: ignore[arg-type]
        flows.columns[name] = column
    flows.put(name, flows.columns[name], None if had.all() else had)


def _merge(
    flows: FlowBatch, schema: Schema, name: str, values: AnyArray | Coded | Lists, rows: I64, take: Bool
) -> None:
    """The same for columns that cannot be written in place: pick each row from the old or the new column."""
    before = FlowBatch(flows.rows)
    if name in flows.columns:
        before.put(name, flows.columns[name])
    after = FlowBatch(len(rows))
    after.put(name, values)
    pick = np.arange(flows.rows)
    pick[rows[take]] = flows.rows + np.flatnonzero(take)
    flows.columns[name] = FlowBatch.concat([before, after], schema).take(pick).columns[name]
