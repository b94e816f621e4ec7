"""Headers of NetFlow v1, v5, v7, v9 and IPFIX datagrams.

::

    v1  version count uptime secs nsecs                                   16 bytes
    v5  version count uptime secs nsecs sequence type id sampling         24 bytes
    v7  version count uptime secs nsecs sequence reserved                 24 bytes
    v9  version count uptime secs sequence source-id (RFC 3954 §5.1)      20 bytes
    10  version length export-time sequence domain (RFC 7011 §3.1)        16 bytes

Version, count and length have two bytes, engine type and id one, the rest four.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from millrace.batch import DatagramBatch, windows
from millrace.batch.arrays import I64, U8, AnyArray, Bool

V1, V5, V7, V9, IPFIX = 1, 5, 7, 9, 10
LEGACY = (V1, V5, V7)
SAMPLING_INTERVAL = 0x3FFF
"""Bits of the sampling word of NetFlow v5 that are the rate; the two above are the mode."""
VERSIONS = (*LEGACY, V9, IPFIX)
HEADER_BYTES = {V1: 16, V5: 24, V7: 24, V9: 20, IPFIX: 16}
PROTOCOLS = {V1: "netflow-v1", V5: "netflow-v5", V7: "netflow-v7", V9: "netflow-v9", IPFIX: "ipfix"}
"""Version word to the name in `FLOW_PROTOCOLS`."""
PROTOCOL_CODES = {V1: 1, V5: 2, V7: 3, V9: 4, IPFIX: 5}
"""Version word to the code in `FLOW_PROTOCOLS`."""


@dataclass(slots=True)
class Headers:
    """A row per datagram, in wire order; every array is int64 of shape (n,) but `source`.

    Attributes
    ----------
    datagram : index in the batch
    version, count : as sent (`count` is the length of an IPFIX message)
    start, stop : byte range of what follows the header
    uptime : ms since the exporter started; 0 for IPFIX
    export_ms : Unix ms of the header; those of receipt where it tells none
    sequence, domain : as sent; a v5 engine is type × 256 + id
    sampling : sampling word of v5
    port : UDP port of the sender
    time_ns : time of receipt
    source : ndarray of uint8, shape (n, 16)
    """

    datagram: I64
    version: I64
    count: I64
    start: I64
    stop: I64
    uptime: I64
    export_ms: I64
    sequence: I64
    domain: I64
    sampling: I64
    time_ns: I64
    port: I64
    source: U8

    def __len__(self) -> int:
        return len(self.datagram)

    def take(self, which: I64 | Bool) -> Headers:
        """Rows of `which`."""
        return Headers(*(getattr(self, field.name)[which] for field in fields(self)))


def read_headers(batch: DatagramBatch, which: I64, version: I64) -> Headers:
    """Read the headers of some datagrams.

    Parameters
    ----------
    batch : DatagramBatch
    which : ndarray of int64, shape (n,)
        Indices of datagrams at least as long as the header of their version.
    version : ndarray of int64, shape (n,)
        Their version words, each one of `VERSIONS`.
    """
    everything = len(which) == len(batch)
    start = batch.start if everything else batch.start[which]
    stop = batch.stop if everything else batch.stop[which]
    time_ns = batch.time_ns if everything else batch.time_ns[which]
    source = batch.source if everything else batch.source[which]
    port = (batch.source_port if everything else batch.source_port[which]).astype(np.int64)
    n = len(which)
    count, uptime, export_ms, sequence, domain, sampling = (np.zeros(n, np.int64) for _ in range(6))
    headers = Headers(
        which, version, count, start, stop, uptime, export_ms, sequence, domain, sampling, time_ns, port, source
    )
    size = np.zeros(n, np.int64)
    for kind in np.flatnonzero(np.bincount(version)).tolist():
        same = version == kind
        rows = slice(None) if same.all() else np.flatnonzero(same)
        _FILL[kind](headers, batch.arena, rows)
        size[rows] = HEADER_BYTES[kind]
    untold = headers.export_ms == 0
    if untold.any():
        headers.export_ms = np.where(untold, time_ns // 1_000_000, headers.export_ms)
    headers.start = start + size
    return headers


_V9 = np.dtype([("v", ">u2"), ("count", ">u2"), ("uptime", ">u4"), ("secs", ">u4"), ("seq", ">u4"), ("domain", ">u4")])
_IPFIX = np.dtype([("v", ">u2"), ("length", ">u2"), ("secs", ">u4"), ("seq", ">u4"), ("domain", ">u4")])
_V1 = np.dtype([("v", ">u2"), ("count", ">u2"), ("uptime", ">u4"), ("secs", ">u4"), ("nsecs", ">u4")])
_V5 = np.dtype(
    [*((name, _V1[name]) for name in _V1.names or ()), ("seq", ">u4"), ("engine", ">u2"), ("sampling", ">u2")]
)


def _read(arena: U8, header: np.dtype[Any], start: I64) -> AnyArray:
    """Headers at the given offsets; copied as plain bytes, which is much faster than field by field."""
    return windows(arena, np.dtype((np.void, header.itemsize)))[start].view(header)


def _fill_legacy(headers: Headers, arena: U8, rows: I64 | slice) -> None:
    wire = _read(arena, _V1, headers.start[rows])
    headers.count[rows] = wire["count"]
    headers.uptime[rows] = wire["uptime"]
    headers.export_ms[rows] = wire["secs"] * np.int64(1000) + wire["nsecs"] // 1_000_000


def _fill_v5(headers: Headers, arena: U8, rows: I64 | slice) -> None:
    _fill_legacy(headers, arena, rows)
    wire = _read(arena, _V5, headers.start[rows])
    headers.sequence[rows] = wire["seq"]
    headers.domain[rows] = wire["engine"]
    headers.sampling[rows] = wire["sampling"]


def _fill_v7(headers: Headers, arena: U8, rows: I64 | slice) -> None:
    _fill_legacy(headers, arena, rows)
    headers.sequence[rows] = _read(arena, _V5, headers.start[rows])["seq"]


def _fill_v9(headers: Headers, arena: U8, rows: I64 | slice) -> None:
    wire = _read(arena, _V9, headers.start[rows])
    headers.count[rows] = wire["count"]
    headers.uptime[rows] = wire["uptime"]
    headers.export_ms[rows] = wire["secs"] * np.int64(1000)
    headers.sequence[rows] = wire["seq"]
    headers.domain[rows] = wire["domain"]


def _fill_ipfix(headers: Headers, arena: U8, rows: I64 | slice) -> None:
    wire = _read(arena, _IPFIX, headers.start[rows])
    headers.count[rows] = wire["length"]
    headers.export_ms[rows] = wire["secs"] * np.int64(1000)
    headers.sequence[rows] = wire["seq"]
    headers.domain[rows] = wire["domain"]


_FILL = {V1: _fill_legacy, V5: _fill_v5, V7: _fill_v7, V9: _fill_v9, IPFIX: _fill_ipfix}
