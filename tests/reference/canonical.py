"""Flows in the canonical schema, made from what the raw decoder shows, one record at a time.

This is the slow reference for the vectorised decoders: it follows the table of
columns and the RFCs, holds no arrays and shares no code with them.

A flow is a dict by column; a column that is absent is unknown. Addresses are
text (IPv4-mapped ones as IPv4), MACs and times are integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from millrace.schema import FLOW_PROTOCOLS, Kind, Schema
from millrace.schema.elements import lookup
from reference.packets import packet_columns
from reference.sampling import Sampling, rate_of
from reference.sflow import USUAL_CAPTURE, counters_of_sample, flow_of_sample, largest_capture

Flow = dict[str, Any]

_SIZES = {Kind.U8: 0xFF, Kind.U16: 0xFFFF, Kind.U32: 0xFFFFFFFF, Kind.U64: (1 << 64) - 1}

_SPECIAL = {
    "TimeFlowStart", "TimeFlowEnd", "SamplingRate", "FlowDirection", "EType", "ICMPType", "ICMPCode", "MPLSLabels",
    "ApplicationName",
}  # fmt: skip

_ICMP, _ICMP6 = 1, 58
_IPV4, _IPV6 = 0x0800, 0x86DD

_BY_FAMILY = {
    "SrcAddr", "DstAddr", "SrcNetMask", "DstNetMask", "NextHop", "BGPNextHop", "SrcAddrNAT", "DstAddrNAT",
}  # fmt: skip
_NAT64_EVENTS = {6, 7, 10, 11}
_PORTS = (
    "sourceTransportPort", "destinationTransportPort", "udpSourcePort", "udpDestinationPort", "tcpSourcePort",
    "tcpDestinationPort",
)  # fmt: skip

_FORMER_CISCO = {
    "xlateSourceIPv4Address": "postNATSourceIPv4Address",
    "xlateDestinationIPv4Address": "postNATDestinationIPv4Address",
    "xlateSourcePort": "postNAPTSourceTransportPort", "xlateDestinationPort": "postNAPTDestinationTransportPort",
    "asaFirewallEvent": "firewallEvent",
}  # fmt: skip

_OBSERVED = (
    "observationTimeMilliseconds", "observationTimeMicroseconds", "observationTimeNanoseconds",
    "observationTimeSeconds", "collectionTimeMilliseconds",
)  # fmt: skip

_LATEST_MS = 10_413_792_000_000
_BEFORE_MS, _LONGEST_MS, _BY_BOOT_MS, _AHEAD_MS = 8 * 86_400_000, 366 * 86_400_000, 3_600_000, 600_000
"""How far from the export times of flows can be: as the page on what a flow means says."""

_TURNED = (("Src", "Dst"), ("In", "Out"), ("Ingress", "Egress"))

_LEGACY = {
    "Bytes": "dOctets", "Packets": "dPkts", "SrcPort": "srcport", "DstPort": "dstport", "Proto": "prot",
    "IPTos": "tos", "TCPFlags": "tcp_flags", "InIf": "input", "OutIf": "output", "SrcAddr": "srcaddr",
    "DstAddr": "dstaddr", "NextHop": "nexthop", "SrcAS": "src_as", "DstAS": "dst_as", "SrcNetMask": "src_mask",
    "DstNetMask": "dst_mask",
}  # fmt: skip


Sender = tuple[str, int]
"""Address and UDP port."""


def agreed(told: dict[Sender, dict[Any, Any]], sender: Sender, keys: tuple[Any, ...]) -> Any:
    """What a sender told under the first key that it told anything under, else what all other ports agree on."""
    for key in keys:
        if key in told.get(sender, {}):
            return told[sender][key]
    for key in keys:
        values = [of[key] for (address, _), of in told.items() if address == sender[0] and key in of]
        if values and all(value == values[0] for value in values):
            return values[0]
    return None


class Canonical:
    """Makes flows of shown datagrams; keeps what options say, by exporter and UDP port.

    What a port was not told comes from other ports of the exporter as long as
    those agree.

    Parameters
    ----------
    schema : Schema
    """

    def __init__(self, schema: Schema) -> None:
        self._names = {
            column.name: [(column.kind, _element_name(ref.pen, ref.id)) for ref in column.elements]
            for column in schema
            if column.elements and column.name not in _SPECIAL
        }
        self._sampling = Sampling()
        self._boots: dict[Sender, dict[int, int]] = {}
        self._applications: dict[Sender, dict[Any, str]] = {}
        self._captured: dict[tuple[Any, Any], int] = {}

    def flows(self, shown: dict[str, Any], received_ns: int) -> list[Flow]:
        """Flows of a datagram, in wire order; learns what its options say."""
        common: Flow = {
            "TimeReceived": received_ns // 1_000_000,
            "FlowProtocol": FLOW_PROTOCOLS.index(shown["protocol"]),
            "ExporterAddress": shown["exporter"],
            "ObservationDomain": 0,
            "SamplingRateSource": 0,
        }
        header = shown.get("header", {}) | {"received_ms": received_ns // 1_000_000}
        if shown["protocol"] == "sflow-v5":
            return [common | flow for flow in self._sampled(shown, header, common)]
        if "records" in shown:
            return [common | self._legacy(record, header) for record in shown["records"]]
        return [common | flow for one in shown.get("sets", ()) for flow in self._of_set(shown, header, one)]

    def _sampled(self, shown: dict[str, Any], header: dict[str, Any], common: Flow) -> Iterator[Flow]:
        agent = header.get("agent_address") or shown["exporter"], header.get("sub_agent_id")
        self._captured[agent] = max(self._captured.get(agent, USUAL_CAPTURE), largest_capture(shown["samples"]))
        for sample in shown["samples"]:
            yield from flow_of_sample(sample, header, common, self._captured[agent])

    def counters(self, shown: dict[str, Any], received_ns: int) -> list[Flow]:
        """Interface counters of a datagram."""
        common: Flow = {"TimeReceived": received_ns // 1_000_000, "ExporterAddress": shown["exporter"]}
        header = shown.get("header", {})
        return [common | c for sample in shown.get("samples", ()) for c in counters_of_sample(sample, header, common)]

    def _legacy(self, record: dict[str, Any], header: dict[str, Any]) -> Flow:
        flow: Flow = {column: _plain(record[name]) for column, name in _LEGACY.items() if name in record}
        flow["EType"] = _IPV4
        if header["version"] == 5:
            flow["ObservationDomain"] = header["engine_type"] << 8 | header["engine_id"]
            if header["sampling_interval"]:
                flow |= {"SamplingRate": header["sampling_interval"], "SamplingRateSource": 4}
        flow |= _icmp({}, flow)
        export_ms = header["unix_secs"] * 1000 + header["unix_nsecs"] // 1_000_000 or header["received_ms"]
        for column, name in (("TimeFlowStart", "first"), ("TimeFlowEnd", "last")):
            time = _from_header(record[name], header["sys_uptime"], export_ms)
            if time is not None and -_BEFORE_MS <= time - export_ms <= _AHEAD_MS:
                flow[column] = time
        return flow

    def _of_set(self, shown: dict[str, Any], header: dict[str, Any], one: dict[str, Any]) -> Iterator[Flow]:
        domain = header.get("observation_domain_id", header.get("source_id"))
        exporter = shown["exporter"], shown["port"]
        for record in without_padding(one.get("records", [])):
            if one["kind"] == "options_data":
                self._learn(exporter, domain, record)
                continue
            flow = {"ObservationDomain": domain} | self._of_record(record["fields"], header, exporter, domain)
            for column, value in packet_columns(record.get("packets", {})).items():
                flow.setdefault(column, value)
            yield flow
            back = self._reverse(record["fields"], flow, header, exporter, domain)
            if back is not None:
                yield back

    def _learn(self, exporter: Sender, domain: int, record: dict[str, Any]) -> None:
        fields = record["scope"] | record["fields"]
        self._sampling.learn(exporter, domain, record)
        if "systemInitTimeMilliseconds" in fields:
            boots = self._boots.setdefault(exporter, {})
            boots[domain] = boots[-1] = _milliseconds(fields["systemInitTimeMilliseconds"])
        if "applicationId" in fields and "applicationName" in fields:
            self._applications.setdefault(exporter, {})[fields["applicationId"]] = fields["applicationName"]

    def _of_record(self, fields: dict[str, Any], header: dict[str, Any], exporter: Sender, domain: int) -> Flow:
        fields = {_FORMER_CISCO.get(name, name): value for name, value in fields.items() if value is not None}
        flow = self._plain_columns(fields, fields)
        flow |= _icmp(fields, flow) | _ethertype(fields) | _direction(fields) | _labels(fields)
        flow |= self._times(fields, fields, header, exporter, domain)
        rate = rate_of(fields)
        if rate:
            flow |= {"SamplingRate": rate, "SamplingRateSource": 1}
        else:
            learned = self._sampling.rate(exporter, domain, fields)
            if learned:
                flow |= {"SamplingRate": learned, "SamplingRateSource": 2}
        told = fields.get("applicationName")
        name = told or (agreed(self._applications, exporter, (fields.get("applicationId"),)) or told)
        if name is not None:
            # Text ends at its first NUL: exporters copy C strings into fields of fixed length.
            flow["ApplicationName"] = name.partition("\0")[0].strip()
        return flow

    def _plain_columns(self, fields: dict[str, Any], record: dict[str, Any]) -> Flow:
        """Columns that are the value of an element: of several the first that is not zero, of its family only."""
        flow: Flow = {}
        for column, sources in self._names.items():
            names = [name for _, name in sources if name in fields]
            allowed = _of_family(column, names, record)
            present = [(kind, fields[name]) for kind, name in sources if name in allowed]
            if present:
                values = [_value(kind, value) for kind, value in present]
                flow[column] = next((value for value in values if value not in (0, "0.0.0.0", "::")), values[0])
        for column in ("SrcVlan", "DstVlan"):
            if column in flow:
                flow[column] &= 0xFFF
        return flow

    def _times(
        self, fields: dict[str, Any], record: dict[str, Any], header: dict[str, Any], exporter: Sender, domain: int
    ) -> Flow:
        """Start and end: the first that can be, given when the message was exported; else by the duration."""
        export_ms = header.get("unix_secs", header.get("export_time", 0)) * 1000 or header["received_ms"]
        end, stale = self._end(fields, record, header, export_ms, exporter, domain)
        start = self._start(fields, record, header, export_ms, exporter, domain, end, stale)
        length = fields.get("flowDurationMilliseconds") or fields.get("flowDurationMicroseconds", 0) // 1000
        if "flowDurationMilliseconds" in fields or "flowDurationMicroseconds" in fields:
            if start is None and end is not None and _near(end - length, export_ms, _LONGEST_MS):
                start = end - length
            elif end is None and start is not None and _near(start + length, export_ms):
                end = start + length
        seen = next((time for name in _OBSERVED if name in fields
                     if (time := _milliseconds(fields[name])) and _near(time, export_ms)), None)  # fmt: skip
        times = {"TimeFlowStart": seen if start is None else start, "TimeFlowEnd": seen if end is None else end}
        return {column: time for column, time in times.items() if time is not None}

    def _end(
        self, fields: dict[str, Any], record: dict[str, Any], header: dict[str, Any], export_ms: int, *who: Any
    ) -> tuple[int | None, bool]:
        """End of a flow, and whether the start of the system is not the present one."""
        uptime = self._uptime(fields.get("flowEndSysUpTime"), record, header, export_ms, *who)
        boot = "sys_uptime" not in header
        sound = uptime is not None and _near(uptime, export_ms, _BY_BOOT_MS if boot else _BEFORE_MS)
        stale = boot and uptime is not None and not sound
        absolute = next((time for time in _absolute("flowEnd", fields, export_ms) if _near(time, export_ms)), None)
        return (uptime if sound else None) if absolute is None else absolute, stale

    def _start(
        self, fields: dict[str, Any], record: dict[str, Any], header: dict[str, Any], export_ms: int,
        exporter: Sender, domain: int, end: int | None, stale: bool,
    ) -> int | None:  # fmt: skip
        for time in _absolute("flowStart", fields, export_ms):
            of_long_flow = end is not None and time <= end and _near(time, export_ms, _LONGEST_MS)
            if _near(time, export_ms) or of_long_flow:
                return time
        uptime = self._uptime(fields.get("flowStartSysUpTime"), record, header, export_ms, exporter, domain)
        return uptime if uptime is not None and _near(uptime, export_ms) and not stale else None

    def _uptime(
        self, ticks: int | None, record: dict[str, Any], header: dict[str, Any], export_ms: int, *who: Any
    ) -> int | None:
        """Time of an uptime; 0 if the exporter started after it exported."""
        if ticks is None:
            return None
        if "sys_uptime" in header:
            return _from_header(ticks, header["sys_uptime"], export_ms)
        exporter, domain = who
        own = record.get("systemInitTimeMilliseconds")
        boot = agreed(self._boots, exporter, (domain, -1))
        boot = _milliseconds(own) if own is not None else boot
        if not boot or (not ticks and not 0 < export_ms - boot < _AHEAD_MS):
            return None
        if boot > export_ms + _AHEAD_MS:
            return 0
        return _from_uptime(ticks, export_ms - boot & 0xFFFFFFFF, export_ms)

    def _reverse(
        self, fields: dict[str, Any], flow: Flow, header: dict[str, Any], exporter: Sender, domain: int
    ) -> Flow | None:
        """The other direction of a biflow (RFC 5103) or of an NSEL connection, if it has packets or bytes."""
        backward = {
            name[7].lower() + name[8:]: value
            for name, value in fields.items()
            if name.startswith("reverse") and ":" not in name
        }
        for responder, initiator in (("responderOctets", "initiatorOctets"), ("responderPackets", "initiatorPackets")):
            if responder in fields:
                backward.setdefault(initiator, fields[responder])
        columns = self._plain_columns(backward, fields) | _labels(backward)
        if not columns.get("Bytes") and not columns.get("Packets"):
            return None
        turned = {_turn(column): value for column, value in flow.items()}
        for column in _told_times(backward):
            turned.pop(column, None)
        if _told_times(backward):
            times = self._times(backward, fields, header, exporter, domain)
            columns |= {column: time for column, time in times.items() if column in _told_times(backward)}
        for column in ("Bytes", "Packets", "TCPFlags", "NextHop", "BGPNextHop", "MPLSLabels"):
            turned.pop(column, None)
        return turned | columns


def without_padding(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records of a set without those of zero bytes at its end: padding that is longer than a record."""
    kept = list(records)
    while kept and all(_is_zero(v) for part in ("scope", "fields") for v in kept[-1].get(part, {}).values()):
        kept.pop()
    return kept


def _is_zero(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip("0.:") or value.startswith("1970-01-01T00:00:00")
    return not value


def _turn(column: str) -> str:
    for one, other in _TURNED:
        for a, b in ((one, other), (other, one)):
            if column.startswith(a) and column[len(a) :][:1].isupper():
                return b + column[len(a) :]
    return column


def _element_name(pen: int, number: int) -> str:
    element = lookup(pen, number)
    assert element is not None
    return element.qualified


def _plain(value: Any) -> Any:
    return canonical_address(value) if isinstance(value, str) else value


def canonical_address(text: str) -> str:
    """Text of an address; IPv4-mapped ones as IPv4."""
    address = ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def _value(kind: Kind, value: Any) -> Any:
    if kind is Kind.ADDRESS:
        return canonical_address(value)
    if kind is Kind.MAC:
        return int(value.replace(":", ""), 16)
    if isinstance(value, str):
        value = int(value, 16)
    return int(value) & _SIZES[kind]


def _milliseconds(text: str) -> int:
    """Unix ms of a time; 0 of what is no time: 1970 itself, and what lies after the year 2300."""
    if "T" not in text:
        return 0
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    whole = int(datetime.fromisoformat(f"{seconds}+00:00").timestamp())
    time = whole * 1000 + int(fraction[:3] or 0)
    return time if 0 < time < _LATEST_MS else 0


def _near(time: int, export_ms: int, before_ms: int = _BEFORE_MS) -> bool:
    """Whether a time can be."""
    return time > 0 and -before_ms <= time - export_ms <= _AHEAD_MS


def _absolute(prefix: str, fields: dict[str, Any], export_ms: int) -> Iterator[int]:
    """Times that a record tells without a second clock, the finest first."""
    for unit in ("Milliseconds", "Microseconds", "Nanoseconds", "Seconds"):
        if f"{prefix}{unit}" in fields:
            yield _milliseconds(fields[f"{prefix}{unit}"])
    if f"{prefix}DeltaMicroseconds" in fields:
        yield export_ms - -(-fields[f"{prefix}DeltaMicroseconds"] // 1000)


def _told_times(fields: dict[str, Any]) -> set[str]:
    """Which of its times a direction tells."""
    columns = {"TimeFlowStart": "flowStart", "TimeFlowEnd": "flowEnd"}
    told = {column for column, prefix in columns.items() if any(name.startswith(prefix) for name in fields)}
    if any(name in fields for name in _OBSERVED):
        return set(columns)
    return set(columns) if told and any(name.startswith("flowDuration") for name in fields) else told


def _from_uptime(ticks: int, uptime: int, export_ms: int) -> int:
    """Time of an uptime that wraps after 2³² ms: the nearest to the export time."""
    ago = (ticks - uptime) & 0xFFFFFFFF
    return export_ms + (ago - (1 << 32) if ago >> 31 else ago)


def _from_header(ticks: int, uptime: int, export_ms: int) -> int | None:
    """The same by the uptime of a header; None where that or the record tells nothing: both are 0 then.

    A flow of the very moment of the start is told as 0 too, but not for long.
    """
    time = _from_uptime(ticks, uptime, export_ms)
    untold = (not ticks and uptime >= _AHEAD_MS) or (not uptime and time >= export_ms)
    return None if untold else time


def _of_family(column: str, names: list[str], record: dict[str, Any]) -> list[str]:
    """Of the elements that a record has for a column those that its family allows."""
    if column not in _BY_FAMILY or not names:
        return names
    family = _family(record)
    if column.endswith("NAT") and record.get("natEvent") in _NAT64_EVENTS:
        family = 4
    own = [name for name in names if f"IPv{family}" in name]
    if own or not family:
        return own or names
    told = "ipVersion" in record or "ethernetType" in record
    strict = column.endswith("NetMask") or (column in ("SrcAddr", "DstAddr") and told)
    return [] if strict else names


def _family(record: dict[str, Any]) -> int:
    """4 or 6: what the record says, unless its addresses are of the other family; else whose are not zero; 0: none."""
    ends = {
        family: [record[name] for name in (f"sourceIPv{family}Address", f"destinationIPv{family}Address")
                 if name in record]
        for family in (4, 6)
    }  # fmt: skip
    used = {family: sum(value not in ("0.0.0.0", "::") for value in ends[family]) for family in (4, 6)}
    told = record.get("ipVersion")
    if told not in (4, 6):
        told = {_IPV4: 4, _IPV6: 6}.get(record.get("ethernetType", 0), 0)
    if told and (ends[told] or not used[10 - told]):
        return int(told)
    if bool(ends[4]) != bool(ends[6]):
        return 4 if ends[4] else 6
    if used[4] or used[6]:
        return 4 if used[4] >= used[6] else 6
    return 0


def _icmp(fields: dict[str, Any], flow: Flow) -> Flow:
    """Type and code of ICMP: in elements of their own, in one, or in the destination port; and its protocol."""
    proto = flow.get("Proto")
    if proto not in (_ICMP, _ICMP6, None):
        return {}
    told = {
        family: [fields.get(f"icmp{what}IPv{family}") for what in ("TypeCode", "Type", "Code")] for family in (4, 6)
    }
    told = {family: values for family, values in told.items() if any(value is not None for value in values)}
    if not told:
        port = flow.get("DstPort")
        return {} if proto is None or port is None else {"ICMPType": port >> 8, "ICMPCode": port & 0xFF}
    used = {family: any(told.get(family, ())) for family in (4, 6)}
    found: Flow = {}
    if proto is None:
        if any(name in fields for name in _PORTS) and not any(used.values()):
            return {}
        family = _family(fields) or (6 if 4 not in told or (used[6] and not used[4]) else 4)
        found["Proto"] = {4: _ICMP, 6: _ICMP6}[family]
    else:
        family = {_ICMP: 4, _ICMP6: 6}[proto]
    columns: dict[str, dict[int, int]] = {"ICMPType": {}, "ICMPCode": {}}
    for its, (both, kind, code) in told.items():
        for column, own, shift in (("ICMPType", kind, 8), ("ICMPCode", code, 0)):
            if own is not None or both is not None:
                columns[column][its] = own or (both or 0) >> shift & 0xFF
    for column, values in columns.items():
        if values:
            found[column] = values.get(family, next(iter(values.values())))
    return found


def _ethertype(fields: dict[str, Any]) -> Flow:
    family = {4: _IPV4, 6: _IPV6}.get(_family(fields), 0)
    ends = [fields[name] for name in ("sourceIPv6Address", "destinationIPv6Address") if name in fields]
    if family == _IPV6 and ends and all(ip_address(end).ipv4_mapped for end in ends):
        family = _IPV4
    if fields.get("ipVersion") in (4, 6):
        return {"EType": family}
    etype = fields.get("ethernetType") or family
    return {"EType": etype} if etype else {}


def _direction(fields: dict[str, Any]) -> Flow:
    if "flowDirection" not in fields:
        return {}
    return {"FlowDirection": {0: 1, 1: 2}.get(fields["flowDirection"], 0)}


def _labels(fields: dict[str, Any]) -> Flow:
    names = ("mplsTopLabelStackSection", *(f"mplsLabelStackSection{n}" for n in range(2, 11)))
    sections = [fields[name] for name in names if name in fields]
    if not sections:
        return {}
    labels = [int(section, 16) >> max(0, 4 * len(section) - 20) & 0xFFFFF for section in sections]
    return {"MPLSLabels": [label for label in labels if label]}
