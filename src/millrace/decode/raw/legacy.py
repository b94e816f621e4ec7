"""NetFlow v1, v5 and v7: records of a fixed layout, by Cisco's names."""

from __future__ import annotations

from typing import Any

from millrace.decode.raw.cursor import Cursor, Json, Problems

Layout = tuple[tuple[str, int | str], ...]
"""Name of each field, and its bytes or, for addresses, ``"ipv4"``."""

_CLOCK: Layout = (("version", 2), ("count", 2), ("sys_uptime", 4), ("unix_secs", 4), ("unix_nsecs", 4))

_COMMON: Layout = (
    ("srcaddr", "ipv4"), ("dstaddr", "ipv4"), ("nexthop", "ipv4"), ("input", 2), ("output", 2),
    ("dPkts", 4), ("dOctets", 4), ("first", 4), ("last", 4), ("srcport", 2), ("dstport", 2),
)  # fmt: skip

HEADERS: dict[int, Layout] = {
    1: _CLOCK,
    5: (*_CLOCK, ("flow_sequence", 4), ("engine_type", 1), ("engine_id", 1), ("sampling_interval", 2)),
    7: (*_CLOCK, ("flow_sequence", 4), ("reserved", 4)),
}

RECORDS: dict[int, Layout] = {
    1: (*_COMMON, ("pad1", 2), ("prot", 1), ("tos", 1), ("tcp_flags", 1), ("pad2", 3), ("reserved", 4)),
    5: (
        *_COMMON, ("pad1", 1), ("tcp_flags", 1), ("prot", 1), ("tos", 1), ("src_as", 2), ("dst_as", 2),
        ("src_mask", 1), ("dst_mask", 1), ("pad2", 2),
    ),
    7: (
        *_COMMON, ("flags1", 1), ("tcp_flags", 1), ("prot", 1), ("tos", 1), ("src_as", 2), ("dst_as", 2),
        ("src_mask", 1), ("dst_mask", 1), ("flags2", 2), ("router_sc", "ipv4"),
    ),
}  # fmt: skip

_SAMPLING_MODE_SHIFT = 14


def read_legacy(cursor: Cursor, version: int, problems: Problems) -> Json:
    """Read a datagram of NetFlow v1, v5 or v7."""
    shown: Json = {"header": {}, "records": []}
    with problems.truncation(cursor, "header", shown):
        shown["header"] = header = _read(cursor, HEADERS[version])
        if version == 5:
            header["sampling_mode"] = header["sampling_interval"] >> _SAMPLING_MODE_SHIFT
            header["sampling_interval"] &= (1 << _SAMPLING_MODE_SHIFT) - 1
        size = sum(4 if length == "ipv4" else int(length) for _, length in RECORDS[version])
        while len(shown["records"]) < header["count"] and cursor.left >= size:
            shown["records"].append(_read(cursor, RECORDS[version]))
        if len(shown["records"]) < header["count"]:
            problems.add("count-mismatch", 2, f"{header['count']} records announced, {len(shown['records'])} found")
        if cursor.left:
            problems.add("trailing-bytes", cursor.at, f"{cursor.left} bytes after the last record")
    return shown


def _read(cursor: Cursor, layout: Layout) -> dict[str, Any]:
    return {name: cursor.ipv4() if length == "ipv4" else cursor.uint(int(length)) for name, length in layout}
