"""Flows and interface counters of sFlow samples, as the raw decoder shows them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from reference.packets import canonical, columns_of, ip_length, link_length

Flow = dict[str, Any]

_INTERNAL = 0x3FFFFFFF
_DROPPED_UNKNOWN = 128
_DROPPED = {0: 131, 1: 132, 4: 133, 9: 129, 10: 129, 13: 129, 257: 137, 258: 130}
"""IANA forwardingStatus of discard reasons: ICMP unreachable codes (net, host, fragmentation needed, prohibited),
time to live, access list."""
_SAMPLE = 3
_ETHERNET_BYTES = 18
_IPV4, _IPV6 = 0x0800, 0x86DD
_PORTED = {6, 17, 33, 132, 136}
_EXTENSIONS = {0, 43, 44, 51, 60, 135, 139, 140}
_UNKNOWN32, _UNKNOWN64 = 0xFFFFFFFF, (1 << 64) - 1

_COUNTERS = (
    "ifInOctets", "ifInUcastPkts", "ifInMulticastPkts", "ifInBroadcastPkts", "ifInDiscards", "ifInErrors",
    "ifInUnknownProtos", "ifOutOctets", "ifOutUcastPkts", "ifOutMulticastPkts", "ifOutBroadcastPkts", "ifOutDiscards",
    "ifOutErrors",
)  # fmt: skip


USUAL_CAPTURE = 128


def largest_capture(samples: list[dict[str, Any]]) -> int:
    """Most bytes that a datagram shows of a packet."""
    return max(
        (
            len(record["fields"].get("header", "")) // 2
            for sample in samples
            for record in sample.get("records", ())
            if record["kind"] == "raw_packet_header" and "fields" in record
        ),
        default=0,
    )


def flow_of_sample(
    sample: dict[str, Any], header: dict[str, Any], common: Flow, largest: int = USUAL_CAPTURE
) -> Iterator[Flow]:
    """The flow of a flow sample or of a discarded packet; none of counter samples.

    `largest` is the most that the agent ever captured of a packet.
    """
    if sample["kind"] not in ("flow", "expanded_flow", "discard") or "record_count" not in sample:
        return
    flow: Flow = {
        "ObservationDomain": header["sub_agent_id"],
        "TimeFlowStart": common["TimeReceived"],
        "TimeFlowEnd": common["TimeReceived"],
        "Packets": 1,
    }
    if header["agent_address"]:
        flow["ExporterAddress"] = canonical(header["agent_address"])
    flow |= _interfaces(sample)
    if sample.get("sampling_rate"):
        flow |= {"SamplingRate": sample["sampling_rate"], "SamplingRateSource": _SAMPLE}
    yield flow | _records(sample, largest)


def _interfaces(sample: dict[str, Any]) -> Flow:
    """Interface of each side; 0 where it is none, several or the agent itself."""
    found: Flow = {}
    for side, column in (("input", "InIf"), ("output", "OutIf")):
        known = sample.get(f"{side}_format", 0) == 0 and sample[side] != _INTERNAL
        found[column] = sample[side] if known else 0
    if sample["kind"] == "discard":
        found["ForwardingStatus"] = _DROPPED.get(sample["reason"], _DROPPED_UNKNOWN)
    elif sample["output_format"] == 1:
        found["ForwardingStatus"] = _DROPPED.get(sample["output"], _DROPPED_UNKNOWN)
    return found


def _records(sample: dict[str, Any], largest: int) -> Flow:
    records: dict[str, dict[str, Any]] = {}
    for record in sample.get("records", ()):
        if record.get("fields"):
            records.setdefault(record["kind"], record)
    found: Flow = {}
    if "raw_packet_header" in records:
        found |= _header(records["raw_packet_header"], largest)
    for kind, etype in (("ipv4_data", _IPV4), ("ipv6_data", _IPV6)):
        if kind in records:
            told = _sampled_ip(records[kind]["fields"], etype)
            if "Proto" not in found:
                found |= told
            elif all(found[column] == told[column] for column in ("SrcAddr", "DstAddr")) and (
                found["Proto"] == told["Proto"] or _cut(found, told)
            ):
                found["Proto"] = told["Proto"]
                later = found.get("IPFragmentOffset", 0)
                gaps = {c: v for c, v in told.items() if not (later and c in ("SrcPort", "DstPort", "TCPFlags"))}
                found = gaps | found
    if "ethernet_frame_data" in records:
        fields = records["ethernet_frame_data"]["fields"]
        for column, value in _sampled_ethernet(fields).items():
            found.setdefault(column, value)
    for kind, read in _EXTENDED.items():
        if kind in records:
            found |= read(records[kind]["fields"])
    return found


def _cut(found: Flow, told: Flow) -> bool:
    """Whether a header ends among extension headers, and the agent tells the protocol after them."""
    return found["EType"] == _IPV6 and found["Proto"] in _EXTENSIONS and told["Proto"] not in _EXTENSIONS


def _header(record: dict[str, Any], largest: int) -> Flow:
    fields, layers = record["fields"], record.get("packet", [])
    found = columns_of(layers)
    length = ip_length(layers)
    captured = len(fields["header"]) // 2
    # The agent captured all that it ever captures, so that something was cut off, whatever it says.
    full = captured >= max(largest, USUAL_CAPTURE) and abs(fields["frame_length"] - captured) <= fields["stripped"]
    longest = max(fields["frame_length"], captured)
    if length is None or (length + link_length(layers) > longest and not full):
        length = max(0, fields["frame_length"] - fields["stripped"] - link_length(layers))
    return found | {"Bytes": length}


def _sampled_ip(fields: dict[str, Any], etype: int) -> Flow:
    found = {
        "EType": etype,
        "SrcAddr": canonical(fields["src_ip"]),
        "DstAddr": canonical(fields["dst_ip"]),
        "Proto": fields["protocol"],
        "Bytes": fields["length"],
        "IPTos": fields.get("tos", fields.get("priority", 0)) & 0xFF,
    }
    if fields["protocol"] in _PORTED:
        found |= {"SrcPort": fields["src_port"], "DstPort": fields["dst_port"]}
    if fields["protocol"] == 6:
        found["TCPFlags"] = fields["tcp_flags"]
    return found


def _sampled_ethernet(fields: dict[str, Any]) -> Flow:
    found = {
        "SrcMAC": int(fields["src_mac"].replace(":", ""), 16),
        "DstMAC": int(fields["dst_mac"].replace(":", ""), 16),
        "Bytes": max(0, fields["length"] - _ETHERNET_BYTES),
    }
    return found | ({"EType": fields["type"]} if 1536 <= fields["type"] <= 0xFFFF else {})


def _switch(fields: dict[str, Any]) -> Flow:
    vlans = {"SrcVlan": fields["src_vlan"], "DstVlan": fields["dst_vlan"]}
    return {column: vlan for column, vlan in vlans.items() if 0 < vlan <= 4095}


def _router(fields: dict[str, Any]) -> Flow:
    found: Flow = {}
    if "dst_mask_len" not in fields:
        return found
    if _told(fields["nexthop"]):
        found["NextHop"] = canonical(fields["nexthop"])
    for column, name in (("SrcNetMask", "src_mask_len"), ("DstNetMask", "dst_mask_len")):
        if fields[name] <= 128:
            found[column] = fields[name]
    return found


def _gateway(fields: dict[str, Any]) -> Flow:
    found: Flow = {}
    if _told(fields["nexthop"]):
        found["BGPNextHop"] = canonical(fields["nexthop"])
    if fields.get("src_as"):
        found["SrcAS"] = fields["src_as"]
    path = [number for segment in fields.get("dst_as_path", ()) for number in segment["as"]]
    if path:
        found |= {"DstAS": path[-1], "DstASPath": path}
        distinct = [number for number, _ in groupby(path)]
        found |= {f"Dst{ordinal}AS": number for ordinal, number in zip(("1st", "2nd", "3rd"), distinct, strict=False)}
    if fields.get("communities"):
        found["DstCommunities"] = fields["communities"]
    return found


def _nat(fields: dict[str, Any]) -> Flow:
    both = {"SrcAddrNAT": fields["src_address"], "DstAddrNAT": fields["dst_address"]}
    return {column: canonical(text) for column, text in both.items() if _told(text)}


def _nat_port(fields: dict[str, Any]) -> Flow:
    return {"SrcPortNAT": fields["src_port"] & 0xFFFF, "DstPortNAT": fields["dst_port"] & 0xFFFF}


def _tunnel(fields: dict[str, Any]) -> Flow:
    return {"OuterSrcAddr": canonical(fields["src_ip"]), "OuterDstAddr": canonical(fields["dst_ip"])}


def _vni(fields: dict[str, Any]) -> Flow:
    return {"VNI": fields["vni"]}


_EXTENDED = {
    "extended_switch": _switch,
    "extended_router": _router,
    "extended_gateway": _gateway,
    "extended_nat": _nat,
    "extended_nat_port": _nat_port,
    "extended_ipv4_tunnel_ingress": _tunnel,
    "extended_ipv6_tunnel_ingress": _tunnel,
    "extended_ipv4_tunnel_egress": _tunnel,
    "extended_ipv6_tunnel_egress": _tunnel,
    "extended_vni_ingress": _vni,
    "extended_vni_egress": _vni,
}


def _told(address: str | None) -> bool:
    return address not in (None, "0.0.0.0", "::")


def counters_of_sample(sample: dict[str, Any], header: dict[str, Any], common: Flow) -> Iterator[Flow]:
    """Interface counters of a counter sample."""
    del common
    if sample["kind"] not in ("counters", "expanded_counters"):
        return
    for record in sample.get("records", ()):
        fields = record.get("fields", {})
        if record["kind"] == "generic_interface" and "ifPromiscuousMode" in fields:
            found: Flow = {"ObservationDomain": header["sub_agent_id"]}
            if header["agent_address"]:
                found["ExporterAddress"] = canonical(header["agent_address"])
            for name, value in fields.items():
                counter = name in _COUNTERS
                if counter and value == (_UNKNOWN64 if name.endswith("Octets") else _UNKNOWN32):
                    continue
                column = name[2:] if counter or name == "ifPromiscuousMode" else f"If{name[2:]}"
                found[column] = min(value, 255) if name in ("ifStatus", "ifDirection", "ifPromiscuousMode") else value
            yield found
