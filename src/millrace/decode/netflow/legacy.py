"""Records of NetFlow v1, v5 and v7: fixed structures, no templates.

::

    offset  v5 (48 bytes)        v1 (48)            v7 (52)
     0      srcaddr dstaddr nexthop input output dPkts dOctets first last srcport dstport (all the same)
    36      pad tcp_flags prot tos  pad pad prot tos  valid tcp_flags prot tos
    40      src_as dst_as        tcp_flags, unused  src_as dst_as
    44      masks, pad           unused             masks, valid
    48                                              router that was bypassed
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.decode.netflow.assembly import Rows, spread
from millrace.decode.netflow.blocks import copy_blocks, write_icmp_from_port, write_ipv4
from millrace.decode.netflow.flow_times import IMPLAUSIBLE, sound_ticks, uptime_ahead
from millrace.decode.netflow.headers import PROTOCOL_CODES, V1, V5, V7, Headers
from millrace.decode.netflow.scopes import BatchScopes
from millrace.decode.netflow.tally import count_by_scope, count_noted
from millrace.decode.result import Counts
from millrace.schema import COLUMNS, SAMPLING_SOURCES, Kind, Schema

_COMMON: list[tuple[str, Any]] = [
    ("srcaddr", ">u4"), ("dstaddr", ">u4"), ("nexthop", ">u4"), ("input", ">u2"), ("output", ">u2"), ("dPkts", ">u4"),
    ("dOctets", ">u4"), ("first", ">u4"), ("last", ">u4"), ("srcport", ">u2"), ("dstport", ">u2"),
]  # fmt: skip
_ROUTED: list[tuple[str, Any]] = [
    ("pad", "u1"), ("tcp_flags", "u1"), ("prot", "u1"), ("tos", "u1"), ("src_as", ">u2"), ("dst_as", ">u2"),
    ("src_mask", "u1"), ("dst_mask", "u1"), ("rest", ">u2"),
]  # fmt: skip
RECORDS = {
    V1: np.dtype([*_COMMON, ("pad", ">u2"), ("prot", "u1"), ("tos", "u1"), ("tcp_flags", "u1"), ("rest", "V7")]),
    V5: np.dtype([*_COMMON, *_ROUTED]),
    V7: np.dtype([*_COMMON, *_ROUTED, ("router", ">u4")]),
}
"""Fields by the names that the table of columns has for them; what it does not name feeds no column."""


def _fed(kinds: Container[Kind], record: np.dtype[Any]) -> dict[str, str]:
    """Field of a record for each column of some kinds."""
    named = {column.name: column.netflow_v5 for column in COLUMNS if column.kind in kinds}
    return {name: source for name, source in named.items() if source in (record.names or ())}


_NUMBERS = {version: _fed({Kind.U8, Kind.U16, Kind.U32, Kind.U64}, record) for version, record in RECORDS.items()}
_ADDRESSES = {version: _fed({Kind.ADDRESS}, record) for version, record in RECORDS.items()}
_TIMES = {version: _fed({Kind.TIME_MS}, record) for version, record in RECORDS.items()}

_FROM_HEADER = SAMPLING_SOURCES.index("header")
_INTERVAL_BITS = 0x3FFF
_ETYPE_IPV4 = 0x0800


def decode_legacy(
    arena: U8, headers: Headers, scopes: BatchScopes, version: int, schema: Schema, counts: Counts
) -> FlowBatch:
    """Decode the records of datagrams of one legacy version.

    Records that the header announces but the datagram does not hold are
    counted as ``truncated``; those that are whole are decoded.
    """
    record = RECORDS[version]
    whole = (headers.stop - headers.start) // record.itemsize
    records = np.minimum(headers.count, whole)
    _count(headers, scopes, records, counts)
    wire = copy_blocks(arena, headers.start, records, record)
    n = len(wire)
    rows = Rows(schema, n)
    for name, source in _NUMBERS[version].items():
        rows.slot(name, 0, n)[...] = wire[source]
    for name, source in _ADDRESSES[version].items():
        write_ipv4(rows.slot(name, 0, n), wire[source])
    _write_times(rows, wire, headers, records, _TIMES[version])
    for noted in rows.noted:
        count_noted(counts, scopes, noted, spread(scopes.index, records))
    _write_header_facts(rows, headers, scopes, records, version)
    write_icmp_from_port(rows, 0, n, wire["prot"], wire["dstport"])
    return rows.finish(spread(headers.datagram.astype(np.int32), records))


def _count(headers: Headers, scopes: BatchScopes, records: I64, counts: Counts) -> None:
    count_by_scope(counts, scopes, "data_records", scopes.index, records)
    missing = headers.count - records
    for at in np.flatnonzero(missing).tolist():
        exporter, protocol = scopes.keys[scopes.index[at]]
        announced, whole = int(headers.count[at]), int(records[at])
        detail = f"header announces {announced} records, the datagram holds {whole}"
        counts.drop(exporter, protocol, "record", "truncated", announced - whole, detail)


def _write_times(rows: Rows, wire: AnyArray, headers: Headers, records: I64, times: Mapping[str, str]) -> None:
    uptime = spread(headers.uptime.astype(np.uint32), records)
    export_ms = spread(headers.export_ms, records)
    n = len(wire)
    mistaken: Bool | None = None
    for name, source in times.items():
        ahead = uptime_ahead(wire[source], uptime)
        sound, wrong = sound_ticks(wire[source], uptime, ahead)
        if sound is not None and wrong is not None:
            mistaken = wrong if mistaken is None else mistaken | wrong
            ahead = np.where(sound, ahead, 0)
        np.add(export_ms, ahead, out=rows.slot(name, 0, n, sound))
    if mistaken is not None and mistaken.any():
        rows.note(IMPLAUSIBLE, 0, mistaken)
    rows.slot("TimeReceived", 0, n)[...] = spread(headers.time_ns // 1_000_000, records)


def _write_header_facts(rows: Rows, headers: Headers, scopes: BatchScopes, records: I64, version: int) -> None:
    n = rows.rows
    rows.slot("FlowProtocol", 0, n)[...] = PROTOCOL_CODES[version]
    rows.slot("EType", 0, n)[...] = _ETYPE_IPV4
    rows.slot("ObservationDomain", 0, n)[...] = spread(headers.domain.astype(np.uint32), records)
    rate = headers.sampling & _INTERVAL_BITS
    sampled = rate > 0
    rows.slot("SamplingRateSource", 0, n)[...] = spread(np.where(sampled, _FROM_HEADER, 0).astype(np.uint8), records)
    if sampled.any():
        known = None if sampled.all() else spread(sampled, records)
        rows.slot("SamplingRate", 0, n, known)[...] = spread(rate.astype(np.uint64), records)
    codes = scopes.exporter[scopes.index].astype(np.int32)
    rows.exporters(spread(codes, records), scopes.addresses)
