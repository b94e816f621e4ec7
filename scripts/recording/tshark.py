"""Rows as TShark decodes them: the oracle for what real programs sent.

TShark knows nothing of our columns, so its fields are named here. What is not sure to mean the same is left out: rows
name fewer columns than we know.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

from recording.files import EXPORTER, NETFLOW_PORT, SFLOW_PORT, Datagram, Recording, Row
from recording.tshark_sflow import counters_of, flows_of

Element = ET.Element
Fields = dict[str, str]
"""What TShark shows, by the name of its field."""

_NUMBERS = {
    "Bytes": ("octets", "permanent_octets"), "Packets": ("packets", "permanent_packets"), "SrcPort": ("srcport",),
    "DstPort": ("dstport",), "Proto": ("protocol",), "IPTos": ("tos",), "TCPFlags": ("tcpflags",),
    "InIf": ("inputint",), "OutIf": ("outputint",), "SrcAS": ("srcas",), "DstAS": ("dstas",),
    "SrcVlan": ("vlanid", "dot1q_vlan_id"), "DstVlan": ("post_vlanid",), "IPTTL": ("ip_ttl",),
    "IPv6FlowLabel": ("ipv6flowlabel",), "IPFragmentID": ("frag_ident",), "FlowEndReason": ("flow_end_reason",),
}  # fmt: skip
"""Fields by column; of several the first that is not zero."""

_FAMILIES = {
    4: {"SrcAddr": "srcaddr", "DstAddr": "dstaddr", "NextHop": "nexthop", "SrcNetMask": "srcmask",
        "DstNetMask": "dstmask"},
    6: {"SrcAddr": "srcaddrv6", "DstAddr": "dstaddrv6", "NextHop": "nexthopv6", "SrcNetMask": "srcmaskv6",
        "DstNetMask": "dstmaskv6"},
}  # fmt: skip
_ETYPES = {4: 0x0800, 6: 0x86DD}
_ICMP, _ICMP6 = 1, 58
_WORD = 1 << 32
_V9, _MOST_RECORDS = b"\0\x09", b"\xff\xff"
_NO_ADDRESS = ("::", "0.0.0.0")


def decode(recording: Recording) -> Recording:
    """The recording with the rows that TShark makes of it."""
    flows: list[Row] = []
    counters: list[Row] = []
    rates: dict[str, int] = {}
    options: set[tuple[str, str]] = set()
    shown = replace(recording, datagrams=[_without_count(datagram) for datagram in recording.datagrams])
    for packet in _packets(shown.capture()):
        received_ms = _milliseconds(_shown(packet.find("proto[@name='frame']"))["frame.time_epoch"])
        for proto in packet.findall("proto"):
            if proto.get("name") == "cflow":
                flows += [{"TimeReceived": received_ms} | row for row in _message(proto, rates, options)]
            elif proto.get("name") == "sflow":
                flows += list(flows_of(proto, received_ms))
                counters += list(counters_of(proto, received_ms))
    return Recording(recording.name, recording.datagrams, flows, counters, by=_version(), rows="named columns")


def _without_count(datagram: Datagram) -> Datagram:
    """A datagram of NetFlow v9 that counts as many records as it can, others as they are.

    TShark stops after as many records as the header counts; softflowd counts too few where it also sends options.
    """
    version, payload = datagram.payload[:2], datagram.payload
    return datagram._replace(payload=version + _MOST_RECORDS + payload[4:]) if version == _V9 else datagram


def _program() -> str:
    path = shutil.which("tshark")
    if path is None:
        raise SystemExit("tshark is not installed: it says what real exporters sent (Debian: package tshark)")
    return path


def _version() -> str:
    said = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", said)
    return f"TShark {found.group() if found else 'of unknown version'}"


def _packets(capture: bytes) -> Iterator[Element]:
    """Every packet of a capture as TShark shows it."""
    with tempfile.TemporaryDirectory(prefix="millrace-tshark-") as folder:
        path = Path(folder) / "capture.pcap"
        path.write_bytes(capture)
        command = [
            _program(), "-n", "-r", str(path), "-T", "pdml",
            "-d", f"udp.port=={NETFLOW_PORT},cflow", "-d", f"udp.port=={SFLOW_PORT},sflow",
        ]  # fmt: skip
        shown = subprocess.run(command, capture_output=True, check=True, env={**os.environ, "TZ": "UTC"}).stdout
    yield from ET.fromstring(shown).iter("packet")


def _shown(element: Element | None) -> Fields:
    """Every field below an element; of those with one name the first."""
    found: Fields = {}
    for field in () if element is None else element.iter("field"):
        found.setdefault(field.get("name", "").removeprefix("cflow."), field.get("show", ""))
    return found


def _message(proto: Element, rates: dict[str, int], options: set[tuple[str, str]]) -> Iterator[Row]:
    """Flows of a datagram; learns which sets are options, and the rates that these tell."""
    parts = {id(part): part.get("show", "") for part in proto}
    header: Fields = {}
    for part in proto:
        if not re.match(r"(Flow)?Set \d|pdu \d", parts[id(part)]):
            header = {part.get("name", "").removeprefix("cflow."): part.get("show", "")} | _shown(part) | header
    domain = header.get("od_id", header.get("source_id", ""))
    for part in proto:
        if parts[id(part)].startswith("pdu "):
            yield _legacy(header) | _record(_shown(part), header)
        elif re.match(r"(Flow)?Set \d", parts[id(part)]):
            yield from _of_set(part, header, domain, rates, options)


def _of_set(
    part: Element, header: Fields, domain: str, rates: dict[str, int], options: set[tuple[str, str]]
) -> Iterator[Row]:
    ident = _shown(part).get("flowset_id", "")
    for one in part:
        shown, fields = one.get("show", ""), _shown(one)
        if shown.startswith("Options Template"):
            options.add((domain, fields["template_id"]))
        elif not re.match(r"Flow \d", shown):
            continue
        elif (domain, ident) in options:
            rate = _rate(fields)
            if rate:
                rates[domain] = rate
        else:
            common: Row = {
                "FlowProtocol": "ipfix" if header["version"] == "10" else "netflow-v9", "ExporterAddress": EXPORTER,
                "ObservationDomain": int(domain),
            }  # fmt: skip
            if domain in rates:
                common |= {"SamplingRate": rates[domain], "SamplingRateSource": "options"}
            yield common | _record(fields, header)


def _legacy(header: Fields) -> Row:
    engine = int(header["engine_type"]) << 8 | int(header["engine_id"])
    common: Row = {"FlowProtocol": "netflow-v5", "ExporterAddress": EXPORTER, "ObservationDomain": engine}
    rate = int(header["samplerate"], 0)
    return common | ({"SamplingRate": rate, "SamplingRateSource": "header"} if rate else {})


def _rate(fields: Fields) -> int:
    """Rate that options tell; 0 if none."""
    if "sampling_interval" in fields:
        return int(fields["sampling_interval"])
    if "sampling_packet_interval" in fields and "sampling_packet_space" in fields:
        taken, left_out = int(fields["sampling_packet_interval"]), int(fields["sampling_packet_space"])
        return (taken + left_out) // taken if taken else 0
    return 0


def _record(fields: Fields, header: Fields) -> Row:
    """Columns of one record."""
    row: Row = {}
    for column, names in _NUMBERS.items():
        values = [int(fields[name], 0) for name in names if name in fields]
        if values:
            row[column] = next(filter(None, values), 0)
    for column, name in (("SrcMAC", "srcmac"), ("DstMAC", "dstmac")):
        if name in fields:
            row[column] = fields[name]
    if "direction" in fields:
        row["FlowDirection"] = {"0": "ingress", "1": "egress"}.get(fields["direction"], "undefined")
    family = _family(fields)
    for column, name in _FAMILIES.get(family, {}).items():
        if name in fields:
            row[column] = int(fields[name]) if column.endswith("Mask") else fields[name]
    if family:
        row["EType"] = _ETYPES[family]
    return row | _icmp(fields, row) | _times(fields, header)


def _family(fields: Fields) -> int:
    """4 or 6; 0 if that is not plain."""
    told = int(fields.get("ip_version", 0))
    used = [family for family, names in _FAMILIES.items() if fields.get(names["SrcAddr"], "::") not in _NO_ADDRESS]
    return told or (used[0] if len(used) == 1 else 0)


def _icmp(fields: Fields, row: Row) -> Row:
    if row.get("Proto") == _ICMP:
        both = fields.get("icmp_type", fields.get("icmp_type_code_ipv4"))
        if both is not None:
            return {"ICMPType": int(both, 0) >> 8, "ICMPCode": int(both, 0) & 0xFF}
    if row.get("Proto") == _ICMP6 and "icmp_ipv6_type" in fields and "icmp_ipv6_code" in fields:
        return {"ICMPType": int(fields["icmp_ipv6_type"]), "ICMPCode": int(fields["icmp_ipv6_code"])}
    return {}


def _times(fields: Fields, header: Fields) -> Row:
    """Start and end: dates as they are, uptimes against those of the header."""
    row: Row = {}
    for column, name in (("TimeFlowStart", "timestart"), ("TimeFlowEnd", "timeend")):
        if f"abs{name}" in fields:
            date = _date_ms(fields[f"abs{name}"])
            if date:  # TShark shows an uptime of 0 as 1970
                row[column] = date
        elif name in fields and "sysuptime" in header:
            export_ms = int(header["unix_secs"]) * 1000 + int(header.get("unix_nsecs", 0)) // 1_000_000
            ago = (_milliseconds(header["sysuptime"]) - _milliseconds(fields[name])) % _WORD
            row[column] = export_ms - (ago if ago < _WORD // 2 else ago - _WORD)
    return row


def _milliseconds(seconds: str) -> int:
    """Of seconds with a fraction."""
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1000 + int(fraction.ljust(3, "0")[:3])


def _date_ms(shown: str) -> int:
    """Of ``Jul 21, 2014 09:36:35.133000000 UTC``."""
    whole, _, fraction = shown.removesuffix(" UTC").partition(".")
    date = datetime.strptime(whole, "%b %d, %Y %H:%M:%S").replace(tzinfo=UTC)
    return int(date.timestamp()) * 1000 + int(fraction[:3] or 0)
