"""sFlow v5 as TShark 4.0 shows it, compared with the raw decoder."""

from __future__ import annotations

import re
from typing import Any

from differential.compare import Tally, address
from differential.tshark_netflow import leaves
from differential.tshark_packet import compare_packet

HEADER = {
    "sflow_245.version": "version", "sflow_245.agent": "agent_address", "sflow_245.agent.v6": "agent_address",
    "sflow_245.sub_agent_id": "sub_agent_id", "sflow_245.sequence_number": "sequence",
    "sflow_245.sysuptime": "sys_uptime", "sflow_245.numsamples": "samples",
}  # fmt: skip

SAMPLE = {
    "sflow.enterprise": "enterprise", "sflow_245.sampletype": "format", "sflow_5.sample_length": "length",
    **{
        f"sflow.{kind}_sample.{key}": name
        for kind in ("flow", "counters")
        for key, name in {
            "sequence_number": "sequence", "source_id_class": "source_type", "source_id_type": "source_type",
            "index": "source_index", "source_id_index": "source_index", "sampling_rate": "sampling_rate",
            "sample_pool": "sample_pool", "dropped_packets": "drops", "flow_record": "record_count",
            "counters_records": "record_count", "input_interface_format": "input_format",
            "input_interface_value": "input", "output_interface_format": "output_format",
            "output_interface.format": "output_format", "output_interface_value": "output",
        }.items()
    },
}  # fmt: skip

RECORD = {
    "sflow.enterprise": "enterprise", "sflow_245.flow_record_format": "format",
    "sflow_245.counters_record_format": "format", "sflow_5.flow_data_length": "length",
}  # fmt: skip

FIELDS = {
    "sflow_245.header_protocol": "header_protocol", "sflow_245.header.frame_length": "frame_length",
    "sflow_245.header.payload_stripped": "stripped", "sflow_245.header": "header",
    "sflow_245.vlan.in": "src_vlan", "sflow_245.pri.in": "src_priority", "sflow_245.vlan.out": "dst_vlan",
    "sflow_245.pri.out": "dst_priority", "sflow_245.nexthop": "nexthop", "sflow_245.nexthop.v6": "nexthop",
    "sflow_245.nexthop.src_mask": "src_mask_len", "sflow_245.nexthop.dst_mask": "dst_mask_len",
    "sflow_245.as": "as", "sflow_245.srcAS": "src_as", "sflow_245.peerAS": "src_peer_as",
    "sflow_245.localpref": "localpref", "sflow_245.ethernet.length": "length",
    "sflow_245.ethernet.source_mac_address": "src_mac", "sflow_245.ethernet.destination_mac_address": "dst_mac",
    "sflow_245.ethernet.packet_type": "type", "sflow_245.ip.length": "length", "sflow.ip_protocol": "protocol",
    "sflow_245.ipv4_src": "src_ip", "sflow_245.ipv4_dst": "dst_ip", "sflow_245.ipv6_src": "src_ip",
    "sflow_245.ipv6_dst": "dst_ip", "sflow_245.ip.source_port": "src_port",
    "sflow.ip.destination_port": "dst_port", "sflow_245.ipv6_priority": "priority",
    "sflow_245.ifindex": "ifIndex", "sflow_245.iftype": "ifType", "sflow_245.ifspeed": "ifSpeed",
    "sflow_245.ifdirection": "ifDirection", "sflow_245.ifinoct": "ifInOctets", "sflow_245.ifinpkt": "ifInUcastPkts",
    "sflow_245.ifinmcast": "ifInMulticastPkts", "sflow_245.ifinbcast": "ifInBroadcastPkts",
    "sflow_245.ifindisc": "ifInDiscards", "sflow_245.ifinerr": "ifInErrors", "sflow_245.ifinunk": "ifInUnknownProtos",
    "sflow_245.ifoutoct": "ifOutOctets", "sflow_245.ifoutpkt": "ifOutUcastPkts",
    "sflow_245.ifoutmcast": "ifOutMulticastPkts", "sflow_245.ifoutbcast": "ifOutBroadcastPkts",
    "sflow_245.ifoutdisc": "ifOutDiscards", "sflow_245.ifouterr": "ifOutErrors",
    "sflow_245.ifpromisc": "ifPromiscuousMode",
    "sflow.lag_port.actor_system_id": "dot3adAggPortActorSystemID",
    "sflow.lag_port.partner_oper_system_id": "dot3adAggPortPartnerOperSystemID",
    "sflow.lag_port.attached_agg_id": "dot3adAggPortAttachedAggID",
    "sflow.lag_port.lacpdus.rx": "LACPDUsRx", "sflow.lag_port.marker_pdus.rx": "MarkerPDUsRx",
    "sflow.lag_port.marker_response_pdus.rx": "MarkerResponsePDUsRx", "sflow.lag_port.unknown.rx": "UnknownRx",
    "sflow.lag_port.illegal.rx": "IllegalRx", "sflow.lag_port.lacpdus.tx": "LACPDUsTx",
    "sflow.lag_port.marker_pdus.tx": "MarkerPDUsTx",
    "sflow.lag_port.marker_response_pdus.tx": "MarkerResponsePDUsTx",
    **{f"sflow_5.{name}": name for name in ("cpu_5s", "cpu_1m", "cpu_5m", "total_memory", "free_memory")},
}  # fmt: skip
"""Fields of a record; further ones of `sflow_245` have the name of the specification."""

COMPUTED = {
    "sflow_245.header.sampled_header_length": lambda fields: fields["header_length"],
    "sflow_245.ifadmin_status": lambda fields: fields["ifStatus"] & 1,
    "sflow_245.ifoper_status": lambda fields: fields["ifStatus"] >> 1 & 1,
    "sflow_245.dstASentries": lambda fields: len(fields["dst_as_path"]),
    "sflow_245.communityEntries": lambda fields: len(fields["communities"]),
    "sflow.lag_port.actor_admin_state": lambda fields: fields["dot3adAggPortState"][0],
    "sflow.lag_port.actor_oper_state": lambda fields: fields["dot3adAggPortState"][1],
    "sflow.lag_port.partner_admin_state": lambda fields: fields["dot3adAggPortState"][2],
    "sflow.lag_port.partner_oper_state": lambda fields: fields["dot3adAggPortState"][3],
    "sflow.lag_port.state": lambda fields: int.from_bytes(bytes(fields["dot3adAggPortState"]), "big"),
    **{
        f"sflow_245.ip.tcp_flag.{name}": lambda fields, bit=bit: fields["tcp_flags"] >> bit & 1
        for bit, name in enumerate(("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"))
    },
    "sflow_245.ipv4_precedence_type": lambda fields: fields["tos"] >> 5,
    **{
        f"sflow_245.ipv4_{name}": lambda fields, bit=bit: fields["tos"] >> bit & 1
        for bit, name in ((4, "delay"), (3, "throughput"), (2, "reliability"), (1, "cost"))
    },
}

AS_PATH = re.compile(r"sflow_245\.dstAS$|sflow\.as_type|sflow_245\.dstASentries_")


def compare_datagram(tshark: dict[str, Any], shown: dict[str, Any], tally: Tally) -> None:
    """Compare header, samples and records of a datagram."""
    samples = _children(tshark)
    for key, value in tshark.items():
        if key in HEADER:
            _check(key, value, shown["header"][HEADER[key]], tally)
    rest = list(shown["samples"])
    for theirs in samples:
        # Samples of one kind and number are merged under the name of the first: find ours by what names it.
        same = [ours for ours in rest if _identity(ours) == _tshark_identity(theirs)] or rest[:1]
        tally.check("sample", True, bool(same))
        if same:
            rest.remove(same[0])
            _compare_sample(theirs, same[0], tally)
    tally.check("samples left over", 0, len(rest))


def _identity(sample: dict[str, Any]) -> tuple[int, int, int]:
    return sample["format"], sample.get("sequence", -1), sample.get("source_index", -1)


def _tshark_identity(sample: dict[str, Any]) -> tuple[int, int, int]:
    kind = next((key.rpartition(".")[0] for key in sample if key.endswith("_sample.sequence_number")), "")
    index = sample.get(f"{kind}.index", sample.get(f"{kind}.source_id_index", -1))
    return int(sample.get("sflow_245.sampletype", -1)), int(sample.get(f"{kind}.sequence_number", -1)), int(index)


def _children(tshark: dict[str, Any]) -> list[dict[str, Any]]:
    """Sub-trees that are samples or records, in order; those of one name are merged into a list."""
    return [
        one
        for key, value in tshark.items()
        if not key.endswith("_tree") and not key.startswith("_ws")
        for one in (value if isinstance(value, list) else [value])
        if isinstance(one, dict)
    ]


def _compare_sample(tshark: dict[str, Any], ours: dict[str, Any], tally: Tally) -> None:
    children = _children(tshark)
    flat = {key: value for key, value in tshark.items() if not isinstance(value, dict | list) or key.endswith("_tree")}
    for key, text in leaves(flat):
        if key in SAMPLE:
            _check(key, text, ours.get(SAMPLE[key]), tally)
        elif key.endswith(("put_interface",)):
            side = key.rpartition(".")[2].removesuffix("_interface")
            _check(key, text, ours[f"{side}_format"] << 30 | ours[side], tally)
        elif not key.startswith("_ws"):
            tally.check(key, text, None)
    rest = list(ours.get("records", ()))
    for child in children:
        number = child.get("sflow_245.flow_record_format", child.get("sflow_245.counters_record_format"))
        enterprise = int(child.get("sflow.enterprise", 0))
        same = [r for r in rest if (r["enterprise"], r["format"]) == (enterprise, int(number or -1))]
        tally.check("record", True, bool(same))
        if same:
            rest.remove(same[0])
            _compare_record(child, same[0], tally)
    tally.check("records", len(children), len(ours.get("records", ())))


def _compare_record(tshark: dict[str, Any], ours: dict[str, Any], tally: Tally) -> None:
    fields = ours.get("fields", {})
    tree = tshark.get("sflow_245.header_tree")
    if tree:
        compare_packet(tree, ours["packet"], tally)
    flat = {key: value for key, value in tshark.items() if key != "sflow_245.header_tree"}
    lists: dict[str, list[int]] = {}
    for key, text in leaves(flat):
        if AS_PATH.match(key):
            lists.setdefault(key, []).append(int(text))
        elif key in RECORD:
            _check(key, text, ours[RECORD[key]], tally)
        elif key in COMPUTED:
            _check(key, text, COMPUTED[key](fields), tally)
        elif not key.startswith(("_ws", "sflow.lag_port.padding")):
            _check(key, text, fields.get(FIELDS.get(key, key.removeprefix("sflow_245."))), tally)
    if "sflow_245.dstAS" in lists:
        # TShark shows communities under the name of the path.
        path = [asn for part in fields["dst_as_path"] for asn in part["as"]]
        tally.check("AS path and communities", lists["sflow_245.dstAS"], path + fields["communities"])
    if "sflow.as_type" in lists:
        tally.check("AS path types", lists["sflow.as_type"], [part["type"] for part in fields["dst_as_path"]])


def _check(key: str, text: str, got: Any, tally: Tally) -> None:
    expected: Any = text
    if isinstance(got, int):
        expected = int(text, 0)
    elif key == "sflow_245.header":
        # TShark shows the bytes up to the next multiple of four, which are filling.
        expected = text.replace(":", "")[: len(text.replace(":", "")) - (-len(got) // 2 % 4) * 2]
    elif isinstance(got, str) and re.fullmatch(r"[\da-f:.]+", got) and got.count(":") != 5:
        expected = address(text)
    tally.check(key, expected, got)
