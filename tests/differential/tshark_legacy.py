"""NetFlow v1, v5 and v7 as TShark 4.0 shows them, compared with the raw decoder."""

from __future__ import annotations

from typing import Any

from differential.compare import Tally
from differential.tshark_netflow import _milliseconds, leaves

HEADER = {
    "version": "version", "count": "count", "sequence": "flow_sequence", "engine_type": "engine_type",
    "engine_id": "engine_id", "samplingmode": "sampling_mode", "samplerate": "sampling_interval",
    "sysuptime": "sys_uptime", "unix_secs": "unix_secs", "unix_nsecs": "unix_nsecs",
}  # fmt: skip

RECORD = {
    "srcaddr": "srcaddr", "dstaddr": "dstaddr", "nexthop": "nexthop", "inputint": "input", "outputint": "output",
    "packets": "dPkts", "octets": "dOctets", "timestart": "first", "timeend": "last", "srcport": "srcport",
    "dstport": "dstport", "tcpflags": "tcp_flags", "protocol": "prot", "tos": "tos", "srcas": "src_as",
    "dstas": "dst_as", "srcmask": "src_mask", "dstmask": "dst_mask",
}  # fmt: skip

NOT_COMPARED = {"timestamp", "timedelta", "padding", "reserved", "abstimestart", "abstimeend"}
"""The times of the header once more; durations; filling. Uptimes of zero, which TShark shows as dates."""


def compare_message(tshark: dict[str, Any], shown: dict[str, Any], tally: Tally) -> None:
    """Compare header and records of a datagram."""
    pdus = [value for key, value in tshark.items() if key.startswith("pdu ")]
    header = {key: value for key, value in tshark.items() if not key.startswith("pdu ")}
    _compare(header, shown["header"], HEADER, tally)
    tally.check("records", len(pdus), len(shown["records"]))
    for pdu, record in zip(pdus, shown["records"], strict=False):
        _compare(pdu, record, RECORD, tally)


def _compare(tshark: dict[str, Any], ours: dict[str, Any], names: dict[str, str], tally: Tally) -> None:
    for key, text in leaves(tshark):
        name = key.removeprefix("cflow.")
        if name in NOT_COMPARED or name.startswith(("tcpflags.", "sequence_analysis", "unexpected_sequence", "_ws.")):
            continue
        got = ours.get(names.get(name, name))
        tally.check(name, _value(name, text), got)


def _value(name: str, text: str) -> int | str:
    if name in ("srcaddr", "dstaddr", "nexthop"):
        return text
    return _milliseconds(text) if name in ("sysuptime", "timestart", "timeend") else int(text, 0)
