"""sFlow version 5: datagrams, samples and records (sflow.org, "sFlow Version 5", July 2004)."""

from __future__ import annotations

from millrace.decode.raw.cursor import Cursor, Json, Problems
from millrace.decode.raw.packet import read_packet
from millrace.decode.raw.sflow_structures import (
    COUNTER_RECORDS,
    FLOW_RECORDS,
    RAW_HEADER,
    Layout,
    address,
    least_bytes,
    read_layout,
)
from millrace.decode.raw.templates import RawLimits

FLOW, COUNTERS, EXPANDED_FLOW, EXPANDED_COUNTERS, DISCARD = 1, 2, 3, 4, 5

SAMPLE_KINDS = {
    FLOW: "flow", COUNTERS: "counters", EXPANDED_FLOW: "expanded_flow",
    EXPANDED_COUNTERS: "expanded_counters", DISCARD: "discard",
}  # fmt: skip
"""Samples of enterprise 0 by format (sFlow v5 p. 39; discards: sFlow Dropped Packet Notification)."""

HEADER_PROTOCOLS = {1: "ethernet", 11: "ipv4", 12: "ipv6", 13: "mpls"}
"""First layer of a sampled header, by header protocol (sFlow v5 p. 29)."""

_FORMAT_BITS = 12


def read_sflow(cursor: Cursor, limits: RawLimits, problems: Problems) -> Json:
    """Read a datagram of sFlow v5 (p. 41)."""
    shown: Json = {"header": {}, "samples": []}
    with problems.truncation(cursor, "header", shown):
        shown["header"] = {"version": cursor.u32(), "agent_address": address(cursor)}
        names = ("sub_agent_id", "sequence", "sys_uptime", "samples")
        shown["header"] |= {name: cursor.u32() for name in names}
        _read_samples(cursor, shown, limits, problems)
    return shown


def _read_samples(cursor: Cursor, shown: Json, limits: RawLimits, problems: Problems) -> None:
    announced = shown["header"]["samples"]
    while len(shown["samples"]) < announced and cursor.left:
        sample = _open(cursor)
        shown["samples"].append(sample)
        under = _data(cursor, sample, problems)
        with problems.truncation(under, f"sample {len(shown['samples'])}", sample):
            _read_sample(under, sample, limits, problems)
    if len(shown["samples"]) < announced:
        problems.add("count-mismatch", cursor.at, f"{announced} samples announced, {len(shown['samples'])} found")
    if cursor.left:
        problems.add("trailing-bytes", cursor.at, f"{cursor.left} bytes after the last sample")


def _open(cursor: Cursor) -> Json:
    """Read the data format and the length of a sample or record, whose data follow."""
    offset = cursor.at
    code, length = cursor.u32(), cursor.u32()
    return {
        "enterprise": code >> _FORMAT_BITS,
        "format": code & (1 << _FORMAT_BITS) - 1,
        "length": length,
        "offset": offset,
    }


def _data(cursor: Cursor, shown: Json, problems: Problems) -> Cursor:
    """The data of a sample or record; what there is of them if its length is wrong, as some agents have it."""
    length = shown["length"]
    if length > cursor.left:
        problems.add("truncated", shown["offset"], f"{length} bytes announced, {cursor.left} left")
        shown["truncated"] = True
    return cursor.sub(min(length, cursor.left))


def _is_too_short(cursor: Cursor, shown: Json, least: int, problems: Problems) -> bool:
    """Whether a structure says it has fewer bytes than its kind has at least; then its fields are not where they look.

    One that is cut by the end of the datagram is shown as far as it goes.
    """
    if shown["length"] >= least:
        return False
    detail = f"{shown['kind']} of {shown['length']} bytes has at least {least}"
    problems.add("too-short", shown["offset"], detail)
    shown |= {"too_short": True, "data": cursor.rest().hex()}
    return True


def _read_sample(cursor: Cursor, sample: Json, limits: RawLimits, problems: Problems) -> None:
    kind = SAMPLE_KINDS.get(sample["format"]) if sample["enterprise"] == 0 else None
    if kind is None:
        sample |= {"kind": "unknown", "data": cursor.rest().hex()}
        return
    sample["kind"] = kind
    if _is_too_short(cursor, sample, _HEADER_BYTES[kind], problems):
        return
    for part in _SAMPLE_HEADERS[kind]:
        sample |= part(cursor)
    records = sample["records"] = []
    layouts = COUNTER_RECORDS if kind in ("counters", "expanded_counters") else FLOW_RECORDS
    announced = sample["record_count"]
    while len(records) < announced and cursor.left:
        _read_record(cursor, records, layouts, limits, problems)
    if len(records) < announced:
        problems.add("count-mismatch", cursor.at, f"{announced} records announced, {len(records)} found")


def _read_record(
    cursor: Cursor, records: list[Json], layouts: dict[int, tuple[str, Layout]], limits: RawLimits, problems: Problems
) -> None:
    record = _open(cursor)
    records.append(record)
    under = _data(cursor, record, problems)
    name, layout = layouts.get(record["format"], ("unknown", ())) if record["enterprise"] == 0 else ("unknown", ())
    record["kind"] = name
    if name == "unknown":
        record["data"] = under.rest().hex()
        return
    if _is_too_short(under, record, least_bytes(layout), problems):
        return
    with problems.truncation(under, name, record):
        record["fields"] = {}
        read_layout(under, layout, record["fields"])
        if name == RAW_HEADER:
            _read_header(under, record, limits, problems)
    if under.left:
        record["more"] = under.rest().hex()


def _read_header(cursor: Cursor, record: Json, limits: RawLimits, problems: Problems) -> None:
    """Read the sampled header, or what there is of it."""
    fields = record["fields"]
    length = fields["header_length"]
    if length > cursor.left:
        problems.add("truncated", cursor.at, f"header of {length} bytes announced, {cursor.left} left")
    header = cursor.take(min(length, cursor.left))
    cursor.take(min(-length % 4, cursor.left))
    first = HEADER_PROTOCOLS.get(fields["header_protocol"])
    fields["header"] = header.hex()
    record["packet"] = read_packet(header, first, limits.packet_layers) if first else []


def _compact_source(cursor: Cursor) -> Json:
    """Kind in 8 bits, index in 24 (p. 26)."""
    word = cursor.u32()
    return {"source_type": word >> 24, "source_index": word & 0xFFFFFF}


def _expanded_source(cursor: Cursor) -> Json:
    return {"source_type": cursor.u32(), "source_index": cursor.u32()}


def _compact_interfaces(cursor: Cursor) -> Json:
    """Format in 2 bits (0 ifIndex, 1 discarded: reason, 2 several: their number), value in 30 (p. 28)."""
    shown: Json = {}
    for side in ("input", "output"):
        word = cursor.u32()
        shown |= {f"{side}_format": word >> 30, side: word & 0x3FFFFFFF}
    return shown


def _expanded_interfaces(cursor: Cursor) -> Json:
    return {name: cursor.u32() for name in ("input_format", "input", "output_format", "output")}


def _sampling(cursor: Cursor) -> Json:
    return {name: cursor.u32() for name in ("sampling_rate", "sample_pool", "drops")}


def _sequence(cursor: Cursor) -> Json:
    return {"sequence": cursor.u32()}


def _record_count(cursor: Cursor) -> Json:
    return {"record_count": cursor.u32()}


def _discard(cursor: Cursor) -> Json:
    return {name: cursor.u32() for name in ("drops", "input", "output", "reason")}


_SAMPLE_HEADERS = {
    "flow": (_sequence, _compact_source, _sampling, _compact_interfaces, _record_count),
    "expanded_flow": (_sequence, _expanded_source, _sampling, _expanded_interfaces, _record_count),
    "counters": (_sequence, _compact_source, _record_count),
    "expanded_counters": (_sequence, _expanded_source, _record_count),
    "discard": (_sequence, _expanded_source, _discard, _record_count),
}
"""Parts of the header of each kind of sample, in order."""

_HEADER_BYTES = {"flow": 32, "expanded_flow": 44, "counters": 12, "expanded_counters": 16, "discard": 32}
"""Their bytes."""
