"""Expected events of Logstash's NetFlow codec, compared with the raw decoder."""

from __future__ import annotations

import re
import struct
from typing import Any

from captures import ROOT, read_json
from differential.compare import Tally, address, unix_ns
from millrace.decode.raw.values import iso_time
from millrace.schema.elements import lookup

EXPECTED = "logstash-plugins+logstash-codec-netflow/_extracted/netflow_spec.expected.shared.json"
FOLDER = "logstash-plugins+logstash-codec-netflow/spec/codecs"

LEGACY = {
    "ipv4_src_addr": "srcaddr", "ipv4_dst_addr": "dstaddr", "ipv4_next_hop": "nexthop", "input_snmp": "input",
    "output_snmp": "output", "in_pkts": "dPkts", "in_bytes": "dOctets", "first_switched": "first",
    "last_switched": "last", "l4_src_port": "srcport", "l4_dst_port": "dstport", "tcp_flags": "tcp_flags",
    "protocol": "prot", "src_tos": "tos", "src_as": "src_as", "dst_as": "dst_as", "src_mask": "src_mask",
    "dst_mask": "dst_mask",
}  # fmt: skip

HEADER = {
    "version": "version", "flow_seq_num": "flow_sequence", "engine_type": "engine_type", "engine_id": "engine_id",
    "sampling_algorithm": "sampling_mode", "sampling_interval": "sampling_interval", "flow_records": "count",
}  # fmt: skip

V9 = {
    "ipv4_src_addr": "sourceIPv4Address", "ipv4_dst_addr": "destinationIPv4Address",
    "ipv4_next_hop": "ipNextHopIPv4Address", "bgp_ipv4_next_hop": "bgpNextHopIPv4Address",
    "input_snmp": "ingressInterface", "output_snmp": "egressInterface", "in_pkts": "packetDeltaCount",
    "in_bytes": "octetDeltaCount", "out_pkts": "postPacketDeltaCount", "out_bytes": "postOctetDeltaCount",
    "first_switched": "flowStartSysUpTime", "last_switched": "flowEndSysUpTime",
    "l4_src_port": "sourceTransportPort", "l4_dst_port": "destinationTransportPort", "tcp_flags": "tcpControlBits",
    "protocol": "protocolIdentifier", "src_tos": "ipClassOfService", "src_as": "bgpSourceAsNumber",
    "dst_as": "bgpDestinationAsNumber", "src_mask": "sourceIPv4PrefixLength", "dst_mask": "destinationIPv4PrefixLength",
    "ip_protocol_version": "ipVersion", "in_src_mac": "sourceMacAddress", "in_dst_mac": "destinationMacAddress",
    "out_src_mac": "postSourceMacAddress", "out_dst_mac": "postDestinationMacAddress", "conn_id": "flowId",
    "icmp_type": ("icmpTypeIPv4", "icmpTypeCodeIPv4"), "icmp_code": "icmpCodeIPv4",
    "xlate_src_addr_ipv4": "xlateSourceIPv4Address",
    "xlate_dst_addr_ipv4": "xlateDestinationIPv4Address", "xlate_src_port": "xlateSourcePort",
    "xlate_dst_port": "xlateDestinationPort", "fw_event": ("asaFirewallEvent", "firewallEvent"),
    "fw_ext_event": "firewallEventExtended", "event_time_msec": "observationTimeMilliseconds",
    "in_permanent_bytes": "octetTotalCount", "flow_start_msec": "flowStartMilliseconds",
    "ingress_acl_id": "ingressAclId", "egress_acl_id": "egressAclId", "username": "asaUserName",
    "scope_system": "system", "total_flows_exp": "exportedFlowRecordTotalCount",
    "total_pkts_exp": "exportedMessageTotalCount", "total_bytes_exp": "exportedOctetTotalCount",
    "direction": "flowDirection", "dst_traffic_index": "dstTrafficIndex", "src_traffic_index": "srcTrafficIndex",
    "flows": "deltaFlowCount", "src_vlan": "vlanId", "dst_vlan": "postVlanId",
    "flow_active_timeout": "flowActiveTimeout", "flow_inactive_timeout": "flowIdleTimeout",
    "sampling_algorithm": "samplingAlgorithm", "sampling_interval": "samplingInterval",
    "if_desc": ("interfaceDescription", "interfaceName"), "rev_flow_delta_bytes": "responderOctets",
    "application_id": "applicationId", "application_name": "applicationName",
    "application_description": "applicationDescription", "ip_dscp": "ipDiffServCodePoint",
    "icmp_type_code": "icmpTypeCodeIPv4",
}  # fmt: skip

IXIA = {
    "ixiaL7AppId": 110, "ixiaL7AppName": 111, "ixiaSrcLatitude": 126, "ixiaSrcLongitude": 127, "ixiaDstLatitude": 146,
    "ixiaDstLongitude": 147, "ixiaDeviceId": 160, "ixiaDeviceName": 161, "ixiaBrowserId": 162, "ixiaBrowserName": 163,
    "ixiaRevOctetDeltaCount": 176, "ixiaRevPacketDeltaCount": 177, "ixiaHttpHostName": 182, "ixiaHttpUri": 183,
    "ixiaHttpUserAgent": 184, "ixiaSrcAsName": 186, "ixiaDstAsName": 187, "ixiaLatency": 188, "ixiaThreatType": 192,
    "ixiaThreatIPv4": 193,
}  # fmt: skip

STREAMCORE = {
    "streamcore_wan_rtt": 8192, "streamcore_net_app_resp_time": 8193, "streamcore_total_app_resp_time": 8194,
    "streamcore_tcp_retrans_rate": 8195, "streamcore_call_direction": 8196, "streamcore_hostname": 8256,
    "streamcore_url": 8257, **{f"streamcore_id_rule_{n}": 8383 + n for n in range(1, 11)},
}  # fmt: skip

PROCERA = {
    "proceraService": 1, "proceraBaseService": 2, "proceraIncomingOctets": 3, "proceraOutgoingOctets": 4,
    "proceraFlowBehavior": 15, "proceraContentCategories": 16, "proceraHttpUrl": 21, "proceraHttpLocation": 22,
    "proceraHttpFileLength": 25, "proceraHttpContentType": 26, "proceraSubscriberIdentifier": 28,
    "proceraTemplateName": 47,
}  # fmt: skip

PALO_ALTO = {"app_id": "panosAppId", "user_id": "panosUserId"}

NOT_FIELDS = {"@timestamp", "@version", "type"}


def contexts() -> list[dict[str, Any]]:
    """The expectations: a list of files each, and events by position."""
    return read_json(EXPECTED)["contexts"] if ROOT.is_dir() else []


def paths(context: dict[str, Any]) -> list[str]:
    """Captures of a context, in the order in which they are sent."""
    return [f"{FOLDER}/{name}" for name in context["data_files_in_order"]]


def events(shown: dict[str, Any]) -> list[dict[str, Any]]:
    """Events of a datagram: records with the header and the set that they came in."""
    header = shown["header"]
    found = [{"header": header, "set": None, "record": record} for record in shown.get("records", ())]
    for one in shown.get("sets", ()):
        found += [{"header": header, "set": one["id"], "record": record} for record in one.get("records", ())]
    return found


def compare_context(context: dict[str, Any], found: list[dict[str, Any]], tally: Tally) -> None:
    """Compare what the context expects of its events."""
    positions, goldens = context["json_events_compare_to_decoded_index"], context["json_events"]
    if len(positions) != len(goldens):
        goldens = [goldens[position] for position in positions]
    for index, golden in zip(positions, goldens, strict=True):
        for key, expected in (golden or {}).get("netflow", {}).items():
            _compare(key, expected, found[index], tally)
    for index, key, expected in context["field_assertions"]:
        name = key.removeprefix("[netflow][").removesuffix("]")
        _compare(name, expected, found[index], tally)


def _compare(key: str, expected: Any, event: dict[str, Any], tally: Tally) -> None:
    if key in NOT_FIELDS:
        return
    try:
        got = _ours(key, expected, event)
    except (KeyError, ValueError) as why:
        got = f"{type(why).__name__}: {why}"
    if key.endswith("_switched") and isinstance(got, str) and unix_ns(expected) - unix_ns(got) == 1_000_000_000:
        # Logstash takes the seconds and the fraction of an uptime off apart, and forgets to borrow a second.
        expected = got
    tally.check(key, expected, got)


def _ours(key: str, expected: Any, event: dict[str, Any]) -> Any:
    header, record = event["header"], event["record"]
    if key in ("version", "flowset_id", "flow_seq_num"):
        return {"version": header["version"], "flowset_id": event["set"],
                "flow_seq_num": header.get("sequence", header.get("flow_sequence"))}[key]  # fmt: skip
    if header["version"] in (1, 5, 7):
        if key in ("first_switched", "last_switched"):
            return _absolute(record[LEGACY[key]], header)
        return record[LEGACY[key]] if key in LEGACY else header[HEADER[key]]
    fields = {**record.get("scope", {}), **record["fields"]}
    if header["version"] == 9:
        return _v9(key, expected, fields, header)
    return _ipfix(key, expected, fields)


def _v9(key: str, expected: Any, fields: dict[str, Any], header: dict[str, Any]) -> Any:
    if key == "forwarding_status":
        return {"status": fields["forwardingStatus"] >> 6, "reason": fields["forwardingStatus"] & 0x3F}
    if key.startswith("mpls_label_stack_octets"):
        entry = int(fields[key.replace("mpls_label_stack_octets", "mplsTopLabelStackSection")], 16)
        return {"label": entry >> 4, "experimental": entry >> 1 & 7, "bottom_of_stack": entry & 1}
    if key in STREAMCORE:
        return _from_hex(fields[f"0:{STREAMCORE[key]}"], expected)
    names = PALO_ALTO.get(key) or V9.get(key, key)
    present = [name for name in ((names,) if isinstance(names, str) else names) if name in fields]
    value = fields[present[0] if present else key]
    if key in ("first_switched", "last_switched"):
        return _absolute(value, header)
    if key == "application_id":
        # One byte of engine, then the selector.
        return f"{value >> 24}..{value & 0xFFFFFF}" if isinstance(value, int) else _selector(value)
    if key.endswith("_acl_id"):
        return "-".join(value[at : at + 8] for at in range(0, 24, 8))
    return unix_ns(value) // 1_000_000 if key.endswith("_msec") else value


def _ipfix(key: str, expected: Any, fields: dict[str, Any]) -> Any:
    if key in IXIA:
        return _from_hex(fields[f"3054:{IXIA[key]}"], expected)
    if key in PROCERA:
        return _from_hex(fields[f"15397:{PROCERA[key]}"], expected)
    if key.startswith("vmware"):
        bare = key.removeprefix("vmware")
        number = re.fullmatch(r"Unknown(\d+)", bare)
        return fields[_vmware(int(number[1])) if number else f"6876:{bare[0].lower()}{bare[1:]}"]
    value = fields[key]
    if isinstance(expected, int) and isinstance(value, str):
        return unix_ns(value) // 1_000_000 if value.endswith("Z") else int(value, 16)
    return value.replace("Z", ".000Z") if key.endswith("Seconds") and "." not in value else value


def _vmware(number: int) -> str:
    element = lookup(6876, number)
    return element.qualified if element else f"6876:{number}"


def _selector(value: str) -> str:
    wire = bytes.fromhex(value)
    return f"{wire[0]}..{int.from_bytes(wire[1:], 'big')}"


def _from_hex(text: str, like: Any) -> Any:
    """A value of an element that our registry does not hold, read as the oracle reads it."""
    if isinstance(like, str):
        data = bytes.fromhex(text)
        return (
            address(".".join(map(str, data)))
            if like.count(".") == 3 and len(data) == 4
            else data.rstrip(b"\0").decode()
        )
    return struct.unpack(">f", bytes.fromhex(text))[0] if isinstance(like, float) else int(text or "0", 16)


def _absolute(uptime_ms: int, header: dict[str, Any]) -> str:
    """The time of an uptime, as Logstash works it out: no wrap of the uptime."""
    now_ms = header["unix_secs"] * 1000 + header.get("unix_nsecs", 0) // 1_000_000
    text = iso_time(*divmod(now_ms - header["sys_uptime"] + uptime_ms, 1000), 3)
    assert text is not None
    return text
