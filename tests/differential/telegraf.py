"""Expected metrics of Telegraf's netflow input (line protocol), compared with the raw decoder.

The lines come in no order: each must be equal to one record or sample that no
other line has taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from captures import ROOT
from differential.compare import Tally, address, unix_ns
from millrace.schema.elements import lookup

_FIELD = re.compile(r'([A-Za-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^,\s]+)')

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "hopopt": 0}
END_REASONS = {"idle timeout": 1, "active timeout": 2, "end of flow": 3, "forced end": 4, "lack of resources": 5}
FLAGS = "CEUAPRSF"

FLOW = {
    "protocol": "protocolIdentifier prot", "src": "sourceIPv4Address sourceIPv6Address srcaddr",
    "dst": "destinationIPv4Address destinationIPv6Address dstaddr", "src_port": "sourceTransportPort srcport",
    "dst_port": "destinationTransportPort dstport", "in_bytes": "octetDeltaCount dOctets",
    "in_packets": "packetDeltaCount dPkts", "in_total_bytes": "octetTotalCount",
    "in_total_packets": "packetTotalCount", "first_switched": "flowStartSysUpTime first",
    "last_switched": "flowEndSysUpTime last", "tcp_flags": "tcpControlBits tcp_flags",
    "src_tos": "ipClassOfService tos",
    "dst_tos": "postIpClassOfService", "flow_end_reason": "flowEndReason", "vlan_src": "vlanId",
    "vlan_dst": "postVlanId", "src_mask": "sourceIPv4PrefixLength src_mask",
    "dst_mask": "destinationIPv4PrefixLength dst_mask", "in_snmp": "ingressInterface input",
    "out_snmp": "egressInterface output", "next_hop": "ipNextHopIPv4Address nexthop", "bgp_src_as": "src_as",
    "bgp_dst_as": "dst_as", "ip_version": "ipVersion", "in_src_mac": "sourceMacAddress",
    "out_dst_mac": "postDestinationMacAddress", "app_name": "applicationName", "app_desc": "applicationDescription",
    "app_id": "applicationId", "flow_start": "flowStartSeconds", "flow_end": "flowEndSeconds",
    "flow_start_ms": "flowStartMilliseconds", "flow_end_ms": "flowEndMilliseconds", "system_init_ms":
    "systemInitTimeMilliseconds", "icmp_type": "icmpTypeIPv4", "icmp_code": "icmpCodeIPv4",
    "engine_type": "engineType engine_type", "engine_id": "engineId engine_id",
    "observation_domain_id": "observationDomainId", "exporting_pid": "exportingProcessId",
    "exporter": "exporterIPv4Address", "total_flows_exported": "exportedFlowRecordTotalCount",
    "notsent_packet_total": "notSentPacketTotalCount", "ignored_packet_total": "ignoredPacketTotalCount",
    "event_time": "observationTimeSeconds", "dropped_packets_total": "droppedPacketTotalCount",
    "padding": "paddingOctets",
}  # fmt: skip

NTOP = {
    "app_latency_ms": 125, "client_nw_latency_ms": 123, "server_nw_latency_ms": 124, "retransmitted_in_pkts": 109,
    "retransmitted_in_bytes": 127, "retransmitted_out_pkts": 110, "retransmitted_out_bytes": 128, "l7_proto": 118,
    "ssl_server_name": 188, "ja3c_hash": 489, "ja3s_hash": 490, "ssl_cipher": 493, "ssl_unsafe_cipher": 494,
    "ssl_version": 495,
}  # fmt: skip

HEADER = {
    "flows": "count", "sys_uptime": "sys_uptime", "seq_number": "flow_sequence",
    "sampling_interval": "sampling_interval", "agent_ip": "agent_address", "agent_subid": "sub_agent_id",
}  # fmt: skip

SAMPLE = {
    "seq_number": "sequence", "sampling_interval": "sampling_rate", "in_total_packets": "sample_pool",
    "sampling_drops": "drops", "in_snmp": "source_index", "out_snmp": "output",
}  # fmt: skip
"""Telegraf shows the index of the data source in place of the input interface."""

COUNTERS = {
    "interface": "ifIndex", "in_snmp": "ifIndex", "interface_type": "ifType", "speed": "ifSpeed",
    "in_bytes": "ifInOctets", "in_unicast_packets_total": "ifInUcastPkts",
    "in_mcast_packets_total": "ifInMulticastPkts",
    "in_broadcast_packets_total": "ifInBroadcastPkts", "in_dropped_packets": "ifInDiscards", "in_errors": "ifInErrors",
    "in_unknown_protocol": "ifInUnknownProtos", "out_bytes": "ifOutOctets",
    "out_unicast_packets_total": "ifOutUcastPkts", "out_mcast_packets_total": "ifOutMulticastPkts",
    "out_broadcast_packets_total": "ifOutBroadcastPkts", "out_dropped_packets": "ifOutDiscards",
    "out_errors": "ifOutErrors", "promiscuous": "ifPromiscuousMode", "errors_alignment": "dot3StatsAlignmentErrors",
    "errors_fcs": "dot3StatsFCSErrors", "collision_frames_single": "dot3StatsSingleCollisionFrames",
    "collision_frames_multi": "dot3StatsMultipleCollisionFrames", "errors_sqetest": "dot3StatsSQETestErrors",
    "deferred": "dot3StatsDeferredTransmissions", "collisions_late": "dot3StatsLateCollisions",
    "collisions_excessive": "dot3StatsExcessiveCollisions",
    "errors_internal_mac_tx": "dot3StatsInternalMacTransmitErrors",
    "errors_carrier_sense": "dot3StatsCarrierSenseErrors", "errors_frame_too_long": "dot3StatsFrameTooLongs",
    "errors_internal_mac_rx": "dot3StatsInternalMacReceiveErrors", "errors_symbols": "dot3StatsSymbolErrors",
}  # fmt: skip

PACKET = {
    "in_src_mac": "src_mac", "out_dst_mac": "dst_mac", "src": "src", "dst": "dst", "src_port": "src_port",
    "dst_port": "dst_port", "ipv4_id": "id", "ipv4_total_len": "total_length", "ipv6_total_len": "payload_length",
    "fragment_offset": "fragment_offset", "ttl": "ttl", "src_tos": "tos", "l2_bytes": "frame_length",
    "vlan_src": "src_vlan", "vlan_src_priority": "src_priority", "vlan_dst": "dst_vlan",
    "vlan_dst_priority": "dst_priority",
}  # fmt: skip

NOT_COMPARED = {
    "source", "version", "fwd_status", "fwd_reason", "direction", "datalink_frame_type", "l2_protocol", "type",
    "fragment_flags", "ipv4_inet_header_len", "ip_total_len", "status", "bgp_id",
}  # fmt: skip
"""Tags, and words that Telegraf derives from values that are compared under other names."""


def lines(path: str) -> list[dict[str, str]]:
    """Fields of each line of a golden file."""
    rows = (ROOT / path).read_text().splitlines()
    return [{key: value.strip('"') for key, value in _FIELD.findall(row)} for row in rows if row.startswith("netflow")]


def candidates(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Records and samples of a datagram, by Telegraf's names."""
    found = [_flow(shown["header"], record) for record in shown.get("records", ())]
    for one in shown.get("sets", ()):
        found += [_flow({}, record["fields"] | record.get("scope", {})) for record in one.get("records", ())]
    return found + [_sample(shown["header"], sample) for sample in shown.get("samples", ())]


def compare(goldens: list[dict[str, str]], ours: list[dict[str, Any]], tally: Tally) -> None:
    """Find each golden line among ours."""
    rest = list(ours)
    for golden in goldens:
        wanted = {key: text for key, text in golden.items() if key not in NOT_COMPARED}
        best = min(rest, key=lambda one: len(_unequal(wanted, one)), default={})
        for key, text in wanted.items():
            tally.check(key, *(2 * (text,) if key not in _unequal({key: text}, best) else (text, best.get(key))))
        if best in rest:
            rest.remove(best)


def _unequal(golden: dict[str, str], ours: dict[str, Any]) -> list[str]:
    return [key for key, text in golden.items() if key not in ours or _read(key, text, ours[key]) != ours[key]]


def _read(key: str, text: str, like: Any) -> Any:
    """A Telegraf value in the form of ours."""
    try:
        return _READERS.get(key, _plain)(text, like)
    except (KeyError, ValueError):
        return text


def _plain(text: str, like: Any) -> Any:
    if isinstance(like, bytes):
        return bytes.fromhex(text.removeprefix("0x")) if text.startswith("0x") else text.encode()
    if isinstance(like, int):
        return int(text.removesuffix("u"), 0)
    return text


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "protocol": lambda text, _: PROTOCOLS[text],
    "flow_end_reason": lambda text, _: END_REASONS[text],
    "ip_version": lambda text, _: int(text[-1]),
    "tcp_flags": lambda text, _: sum(1 << bit for bit, flag in enumerate(reversed(FLAGS)) if flag in text),
    "src": lambda text, _: address(text),
    "dst": lambda text, _: address(text),
}


def _flow(header: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    shown = {key: header[name] for key, name in HEADER.items() if name in header}
    pool = {**header, **fields}
    for key, names in FLOW.items():
        name = next((one for one in names.split() if one in pool), None)
        if name is not None:
            shown[key] = _value(key, pool[name])
    if "icmpTypeCodeIPv4" in fields:
        shown["icmp_type"], shown["icmp_code"] = divmod(fields["icmpTypeCodeIPv4"], 256)
    for name, value in fields.items():
        shown |= _unnamed(name, value)
    return shown


def _value(key: str, value: Any) -> Any:
    if isinstance(value, str) and value.endswith("Z"):
        return unix_ns(value) // (1_000_000 if key.endswith("_ms") else 1_000_000_000)
    if key in ("app_id", "padding"):
        return bytes.fromhex(value)
    return address(value) if key in ("src", "dst") else value


def _unnamed(name: str, value: Any) -> dict[str, Any]:
    """An element that Telegraf knows by number: its bytes, as `type_PEN_ID`."""
    if isinstance(value, dict):
        return {}
    if ":" in name and name.split(":")[1].isdigit():
        pen, number = name.split(":")
        data = bytes.fromhex(value)
        own = {key: _ntop(data) for key, i in NTOP.items() if (int(pen), i) == (35632, int(number))}
        reverse = {f"type_6871_rev_{int(number) & 0x3FFF}": data} if int(number) & 0x4000 else {}
        return {f"type_{pen}_{number}": data, **own, **reverse}
    return dict.fromkeys(_numbered(name), value) if isinstance(value, int) else {}


def _ntop(data: bytes) -> int | str:
    return int.from_bytes(data, "big") if data else ""


def _numbered(name: str) -> list[str]:
    """Names under which Telegraf may show a registered element of an enterprise."""
    for pen in (29305, 6871):
        element = next((e for e in _enterprise(pen) if e.qualified == name), None)
        if element is not None:
            low = element.id & 0x3FFF
            reverse = [f"type_6871_rev_{low}"] if pen == 6871 and element.id & 0x4000 else []
            return [f"type_{pen}_{element.id}", *reverse, f"type_{pen}_{element.id | 0x8000}"]
    return []


def _enterprise(pen: int) -> list[Any]:
    if pen not in _KNOWN:
        _KNOWN[pen] = [e for number in range(0x8000) if (e := lookup(pen, number)) is not None]
    return _KNOWN[pen]


_KNOWN: dict[int, list[Any]] = {}


def _sample(header: dict[str, Any], sample: dict[str, Any]) -> dict[str, Any]:
    shown = {key: header[name] for key, name in HEADER.items() if name in header}
    shown |= {key: sample[name] for key, name in SAMPLE.items() if name in sample}
    fields: dict[str, Any] = {}
    for record in sample.get("records", ()):
        fields |= record.get("fields", {})
        for layer in record.get("packet", ()):
            fields |= _layer(layer)
    if "ifStatus" in fields:
        shown["ip_version"] = 6 if ":" in header["agent_address"] else 4
    else:
        fields.setdefault("src", None)
    table = COUNTERS if "ifIndex" in fields else PACKET
    shown |= {key: fields[name] for key, name in table.items() if name in fields}
    return shown | {key: fields[key] for key in ("protocol", "ip_version") if key in fields}


def _layer(layer: dict[str, Any]) -> dict[str, Any]:
    match layer["layer"]:
        case "ethernet":
            return {"src_mac": layer["src"], "dst_mac": layer["dst"]}
        case "ipv4":
            return {**layer, "ip_version": 4}
        case "ipv6":
            renamed = {"ttl": layer["hop_limit"], "protocol": layer["next_header"], "ip_version": 6}
            return {**layer, **renamed}
        case "udp" | "tcp":
            return {"src_port": layer["src_port"], "dst_port": layer["dst_port"]}
    return {}


def folder(path: str) -> str:
    """Folder of a test case, whose messages belong together."""
    return str(PurePath(path).parent)
