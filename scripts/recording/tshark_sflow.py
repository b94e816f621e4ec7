"""Flows and interface counters of sFlow as TShark shows them."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from recording.files import Row

Element = ET.Element
Fields = dict[str, str]

_FLOW, _COUNTERS, _EXPANDED_FLOW, _EXPANDED_COUNTERS = "1", "2", "3", "4"
_RAW_HEADER, _SWITCH = "1", "1001"
_GENERIC = "1"
_INTERNAL = 0x3FFFFFFF
_UNKNOWN32 = 0xFFFFFFFF
_IPV4, _IPV6 = 0x0800, 0x86DD

_NUMBERS = {
    "ip.dsfield": "IPTos", "ip.ttl": "IPTTL", "ip.proto": "Proto", "ip.id": "IPFragmentID", "ip.len": "Bytes",
    "ipv6.tclass": "IPTos", "ipv6.hlim": "IPTTL", "ipv6.nxt": "Proto", "ipv6.flow": "IPv6FlowLabel",
    "tcp.srcport": "SrcPort", "tcp.dstport": "DstPort", "tcp.flags": "TCPFlags", "udp.srcport": "SrcPort",
    "udp.dstport": "DstPort", "icmp.type": "ICMPType", "icmp.code": "ICMPCode", "icmpv6.type": "ICMPType",
    "icmpv6.code": "ICMPCode", "vlan.id": "SrcVlan",
}  # fmt: skip
_TEXTS = {
    "eth.src": "SrcMAC", "eth.dst": "DstMAC", "ip.src": "SrcAddr", "ip.dst": "DstAddr", "ipv6.src": "SrcAddr",
    "ipv6.dst": "DstAddr",
}  # fmt: skip

_GENERIC_COUNTERS = {
    "ifindex": "IfIndex", "iftype": "IfType", "ifspeed": "IfSpeed", "ifdirection": "IfDirection",
    "ifinoct": "InOctets", "ifinpkt": "InUcastPkts", "ifinmcast": "InMulticastPkts", "ifinbcast": "InBroadcastPkts",
    "ifindisc": "InDiscards", "ifinerr": "InErrors", "ifinunk": "InUnknownProtos", "ifoutoct": "OutOctets",
    "ifoutpkt": "OutUcastPkts", "ifoutmcast": "OutMulticastPkts", "ifoutbcast": "OutBroadcastPkts",
    "ifoutdisc": "OutDiscards", "ifouterr": "OutErrors", "ifpromisc": "PromiscuousMode",
}  # fmt: skip


def flows_of(proto: Element, received_ms: int) -> Iterator[Row]:
    """A flow for each flow sample."""
    agent = _agent(proto)
    for sample, fields in _samples(proto, (_FLOW, _EXPANDED_FLOW)):
        row: Row = {
            "TimeReceived": received_ms, "TimeFlowStart": received_ms, "TimeFlowEnd": received_ms,
            "FlowProtocol": "sflow-v5", "Packets": 1,
        } | agent  # fmt: skip
        rate = int(fields["sflow.flow_sample.sampling_rate"])
        if rate:
            row |= {"SamplingRate": rate, "SamplingRateSource": "sample"}
        row |= {"InIf": _interface(fields, "input"), "OutIf": _interface(fields, "output")}
        for record in _records(sample, "sflow_245.flow_record_format"):
            shown = _first(record)
            if shown["sflow_245.flow_record_format"] == _RAW_HEADER:
                row |= _packet(shown)
            elif shown["sflow_245.flow_record_format"] == _SWITCH:
                vlans = {"SrcVlan": shown["sflow_245.vlan.in"], "DstVlan": shown["sflow_245.vlan.out"]}
                row |= {column: int(vlan) for column, vlan in vlans.items() if 0 < int(vlan) < 1 << 12}
        yield row


def counters_of(proto: Element, received_ms: int) -> Iterator[Row]:
    """A row for each record of generic interface counters."""
    agent = _agent(proto)
    for sample, _ in _samples(proto, (_COUNTERS, _EXPANDED_COUNTERS)):
        for record in _records(sample, "sflow_245.counters_record_format"):
            shown = _first(record)
            if shown["sflow_245.counters_record_format"] != _GENERIC or shown.get("sflow.enterprise", "0") != "0":
                continue
            values = {column: int(shown[f"sflow_245.{name}"], 0) for name, column in _GENERIC_COUNTERS.items()}
            unknown = {
                column for column, value in values.items() if column.startswith(("In", "Out"))
                and value == (_UNKNOWN32 << 32 | _UNKNOWN32 if column.endswith("Octets") else _UNKNOWN32)
            }  # fmt: skip
            admin, oper = (_bit(shown[f"sflow_245.if{which}_status"]) for which in ("admin", "oper"))
            row = {column: value for column, value in values.items() if column not in unknown}
            # The column has 8 bits: "unknown" (all bits set) is as large as it can be.
            row |= {column: min(row[column], 255) for column in ("PromiscuousMode", "IfDirection")}
            yield {"TimeReceived": received_ms, "IfStatus": oper << 1 | admin} | agent | row


def _agent(proto: Element) -> Row:
    shown = _first(proto)
    agent = shown.get("sflow_245.agent", shown.get("sflow_245.agent.v6"))
    return {"ExporterAddress": agent, "ObservationDomain": int(shown["sflow_245.sub_agent_id"])}


def _samples(proto: Element, kinds: tuple[str, ...]) -> Iterator[tuple[Element, Fields]]:
    """Samples of these formats, with the fields of their heads."""
    for sample in proto:
        fields = {field.get("name", ""): field.get("show", "") for field in sample.iter("field")}
        own = {field.get("name", ""): field.get("show", "") for field in sample}
        if own.get("sflow_245.sampletype") in kinds:
            yield sample, fields | own


def _records(sample: Element, name: str) -> Iterator[Element]:
    for record in sample:
        if any(field.get("name") == name for field in record):
            yield record


def _first(element: Element) -> Fields:
    """Every field below an element; of those with one name the first: the outermost header."""
    found: Fields = {}
    for field in element.iter("field"):
        found.setdefault(field.get("name", ""), field.get("show", ""))
    return found


def _interface(fields: Fields, side: str) -> int:
    """An ifIndex; 0 where it is none, several, or the agent itself."""
    name = f"sflow.flow_sample.{side}_interface"
    if f"{name}_value" in fields:
        form, value = int(fields[f"{name}_format"], 0), int(fields[f"{name}_value"], 0)
    else:
        form, value = int(fields[name], 0) >> 30, int(fields[name], 0) & _INTERNAL
    return 0 if form or value == _INTERNAL else value


def _packet(shown: Fields) -> Row:
    """Columns of a sampled packet without tunnels."""
    row: Row = {column: int(shown[name], 0) for name, column in _NUMBERS.items() if name in shown}
    row |= {column: shown[name] for name, column in _TEXTS.items() if name in shown}
    if "ipv6.src" in shown:
        row |= {"EType": _IPV6, "Bytes": 40 + int(shown["ipv6.plen"])}
    elif "ip.src" in shown:
        row["EType"] = _IPV4
        if shown.get("ip.frag_offset") == "0":
            row["IPFragmentOffset"] = 0
    return row


def _bit(shown: str) -> int:
    return int(shown in ("1", "True"))
