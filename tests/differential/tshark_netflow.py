"""NetFlow v9 and IPFIX as TShark 4.0 shows them, compared with the raw decoder."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from differential.compare import Tally, address, encode, forward_name, unix_ns
from millrace.schema.elements import Element, by_name, lookup

NUMBERS = {
    "octets": "octetDeltaCount", "packets": "packetDeltaCount", "inputint": "ingressInterface",
    "outputint": "egressInterface", "ip_version": "ipVersion", "tos": "ipClassOfService", "ip_ttl": "ipTTL",
    "protocol": "protocolIdentifier", "srcport": "sourceTransportPort", "dstport": "destinationTransportPort",
    "sampling_interval": "samplingInterval", "sampling_algorithm": "samplingAlgorithm", "tcpflags": "tcpControlBits",
    "icmp_type_code_ipv4": "icmpTypeCodeIPv4", "icmp_type": "icmpTypeCodeIPv4", "vlanid": "vlanId",
    "post_vlanid": "postVlanId", "srcmask": "sourceIPv4PrefixLength", "dstmask": "destinationIPv4PrefixLength",
    "srcmaskv6": "sourceIPv6PrefixLength", "dstmaskv6": "destinationIPv6PrefixLength", "srcas": "bgpSourceAsNumber",
    "dstas": "bgpDestinationAsNumber", "biflow_direction": "biflowDirection",
    "observation_point_id": "observationPointId", "direction": "flowDirection", "ethernet_type": "ethernetType",
    "ethernet_header_length": "ethernetHeaderLength", "ip_dscp": "ipDiffServCodePoint",
    "ip_precedence": "ipPrecedence", "layer2_octet_delta_count": "layer2OctetDeltaCount",
    "flow_end_reason": "flowEndReason", "delta_octets_squared": "octetDeltaSumOfSquares",
    "length_min": "minimumIpTotalLength", "length_max": "maximumIpTotalLength",
    "flowsexp": "exportedFlowRecordTotalCount", "packetsexp": "exportedMessageTotalCount",
    "octetsexp": "exportedOctetTotalCount", "ttl_min": "minimumTTL", "ttl_max": "maximumTTL",
    "dot1q_vlan_id": "dot1qVlanId", "dot1q_customer_vlan_id": "dot1qCustomerVlanId",
    "dot1q_priority": "dot1qPriority", "frag_ident": "fragmentIdentification",
    "icmp_ipv4_type": "icmpTypeIPv4", "icmp_ipv4_code": "icmpCodeIPv4",
    "ipv6_exthdr": "ipv6ExtensionHeaders", "ipv6flowlabel": "flowLabelIPv6",
    "mpls_top_label_prefix_length": "mplsTopLabelPrefixLength", "toplabeltype": "mplsTopLabelType",
    "sampler_id": "samplerId", "ingress_vrfid": "ingressVRFID", "egress_vrfid": "egressVRFID",
    "selector_id": "selectorId", "sampling_packet_interval": "samplingPacketInterval",
    "sampling_packet_space": "samplingPacketSpace", "selector_algorithm": "selectorAlgorithm",
    "sampling_size": "samplingSize", "sampling_population": "samplingPopulation", "od_id": "observationDomainId",
    "mp_id": "meteringProcessId", "permanent_octets": "octetTotalCount", "permanent_packets": "packetTotalCount",
    "flow_exporter": "exportingProcessId", "drop_total_packets": "droppedPacketTotalCount",
    "ignore_packets": "ignoredPacketTotalCount", "notsent_packets": "notSentPacketTotalCount",
    "post_tos": "postIpClassOfService", "engine_type": "engineType", "engine_id": "engineId",
    "layer2_segment_id": "layer2SegmentId", "flow_id": "flowId", "fw_ext_event": "firewallEventExtended",
    "post_ip_diff_serv_code_point": "postIpDiffServCodePoint", "flow_active_timeout": "flowActiveTimeout",
    "flow_inactive_timeout": "flowIdleTimeout", "post_octets": "postOctetDeltaCount",
    "post_packets": "postPacketDeltaCount", "responder_octets": "responderOctets",
    "initiator_octets": "initiatorOctets", "ingress_physical_interface": "ingressPhysicalInterface",
    "egress_physical_interface": "egressPhysicalInterface", "private_enterprise_number": "privateEnterpriseNumber",
    "flows": "deltaFlowCount", "mpls_label_length": "mplsLabelStackLength",
    "sampler_random_interval": "samplerRandomInterval", "sampler_mode": "samplerMode",
    "firewall_event": ("firewallEvent", "asaFirewallEvent"),
    "post_naptsource_transport_port": ("postNAPTSourceTransportPort", "xlateSourcePort"),
    "post_naptdestination_transport_port": ("postNAPTDestinationTransportPort", "xlateDestinationPort"),
    "timestart": "flowStartSysUpTime", "timeend": "flowEndSysUpTime",
}  # fmt: skip

TEXTS = {
    "srcaddr": "sourceIPv4Address", "dstaddr": "destinationIPv4Address", "srcaddrv6": "sourceIPv6Address",
    "dstaddrv6": "destinationIPv6Address", "srcmac": "sourceMacAddress", "dstmac": "destinationMacAddress",
    "post_srcmac": "postSourceMacAddress", "post_dstmac": "postDestinationMacAddress",
    "nexthop": "ipNextHopIPv4Address", "nexthopv6": "ipNextHopIPv6Address", "toplabeladdr": "mplsTopLabelIPv4Address",
    "toplabeladdr_v6": "mplsTopLabelIPv6Address", "bgpnexthop": "bgpNextHopIPv4Address",
    "bgpnexthopv6": "bgpNextHopIPv6Address", "exporter_addr": "exporterIPv4Address", "vrfname": "VRFname",
    "if_descr": "interfaceDescription", "if_name": "interfaceName", "sampler_name": "samplerName",
    "selector_name": "selectorName", "appl_name": "applicationName", "appl_desc": "applicationDescription",
    "post_natsource_ipv4_address": ("postNATSourceIPv4Address", "xlateSourceIPv4Address"),
    "post_natdestination_ipv4_address": ("postNATDestinationIPv4Address", "xlateDestinationIPv4Address"),
    "aaa_username": "asaUserName", "sta_mac_address": "staMacAddress", "sta_ipv4_address": "staIPv4Address",
    "wlan_ssid": "wlanSSID", "wtp_mac_address": "wtpMacAddress",
}  # fmt: skip

TIMES = {
    "abstimestart": (
        "flowStartSeconds", "flowStartMilliseconds", "flowStartMicroseconds", "flowStartNanoseconds",
        "flowStartDeltaMicroseconds", "flowStartSysUpTime",
    ),
    "abstimeend": (
        "flowEndSeconds", "flowEndMilliseconds", "flowEndMicroseconds", "flowEndNanoseconds",
        "flowEndDeltaMicroseconds", "flowEndSysUpTime",
    ),
    "sys_init_time": "systemInitTimeMilliseconds", "observation_time_seconds": "observationTimeSeconds",
    "observation_time_milliseconds": "observationTimeMilliseconds",
}  # fmt: skip

BYTES = {
    "scope_system": "system", "scope_interface": "interface", "scope_linecard": "lineCard",
    "scope_cache": "netflowCache", "scope_template": "template",
    "mpls_vpn_rd": "mplsVpnRouteDistinguisher", "padding": "paddingOctets", "ingress_acl_id": "ingressAclId",
    "egress_acl_id": "egressAclId", "tcp_option_map": "tcpOptions",
}  # fmt: skip

IXIA = {
    "l7-application-id": (110, int), "l7-application-name": (111, str), "source-ip-latitude": (126, float),
    "source-ip-longitude": (127, float), "destination-ip-latitude": (146, float),
    "destination-ip-longitude": (147, float), "os-device-id": (160, int), "os-device-name": (161, str),
    "browser-id": (162, int), "browser-name": (163, str), "reverse-octet-delta-count": (176, int),
    "reverse-packet-delta-count": (177, int), "src-as-name": (186, str), "dest-as-name": (187, str),
    "transact-latency-us": (188, int), "threat-ipv4": (193, address),
}  # fmt: skip
"""Elements of Ixia (enterprise 3054), which our registry does not hold."""

NTOP = {
    "ntop.client_nw_latency_ms": 123, "server_nw_latency_ms": 124, "ntop.appl_latency_ms": 125,
    "ntop.retransmitted_in_bytes": 127, "ntop.retransmitted_in_pkts": 109, "ntop.retransmitted_out_bytes": 128,
    "ntop.retransmitted_out_pkts": 110, "ntop.l7_proto": 118,
}  # fmt: skip
"""Elements of ntop (enterprise 35632), likewise."""

KNOWN_TO_TSHARK = {(9, 12235), *((3054, number) for number, _ in IXIA.values()), *((35632, n) for n in NTOP.values())}
"""Enterprise elements that TShark shows under their own names."""

DERIVED = re.compile(
    r"timedelta$|tcpflags\.|string_len_|pie\.(cisco|ixia|ntop)$|unexpected_sequence|sequence_analysis|options.too_many"
)
"""What TShark works out from values that are compared themselves, and what it says about other frames."""


class Value(NamedTuple):
    """A field of a raw record together with its place in the template."""

    name: str
    value: Any
    element: Element | None
    pen: int
    id: int
    length: int

    @property
    def wire(self) -> bytes:
        return encode(self.value, self.element, self.length)


def compare_message(tshark: dict[str, Any], shown: dict[str, Any], templates: dict, tally: Tally) -> None:
    """Compare a message; `templates` keeps what TShark and we agreed on, by (domain, template)."""
    _compare_header(tshark, shown["header"], tally)
    version = shown["header"]["version"]
    domain = shown["header"]["observation_domain_id" if version == 10 else "source_id"]
    export_s = shown["header"]["export_time" if version == 10 else "unix_secs"]
    theirs = [value for key, value in tshark.items() if re.match(r"(Flow)?Set \d+ ", key)]
    ours = shown["sets"]
    tally.check("sets", True, len(theirs) <= len(ours))
    for one, other in zip(theirs, ours, strict=False):
        tally.check("set id", int(one["cflow.flowset_id"]), other["id"])
        tally.check("set length", int(one["cflow.flowset_length"]), other["length"])
        if "templates" in other:
            _compare_templates(one, other["templates"], domain, version, templates, tally)
        elif "records" in other:
            _compare_records(one, other, templates.get((domain, other["id"])), export_s, tally)


def _compare_header(tshark: dict[str, Any], header: dict[str, Any], tally: Tally) -> None:
    for key, name in (
        ("version", "version"), ("len", "length"), ("sequence", "sequence"), ("od_id", "observation_domain_id"),
        ("count", "count"), ("source_id", "source_id"),
    ):  # fmt: skip
        if f"cflow.{key}" in tshark:
            tally.check(f"header {name}", int(tshark[f"cflow.{key}"]), header[name])
    times = tshark["cflow.timestamp_tree"]
    for key, name in (("exporttime", "export_time"), ("unix_secs", "unix_secs")):
        if f"cflow.{key}" in times:
            tally.check(f"header {name}", int(times[f"cflow.{key}"]), header[name])
    if "cflow.sysuptime" in tshark:
        tally.check("header sys_uptime", _milliseconds(tshark["cflow.sysuptime"]), header["sys_uptime"])


def _compare_templates(
    tshark: dict[str, Any], ours: list[dict], domain: int, version: int, templates: dict, tally: Tally
) -> None:
    theirs: dict[tuple[int, int], list[dict]] = {}
    for key, value in tshark.items():
        if re.match(r"(Options )?Template \(", key):
            for one in value if isinstance(value, list) else [value]:
                theirs.setdefault((int(one["cflow.template_id"]), _template_fields(one)), []).append(one)
    announced = sum(map(len, theirs.values()))
    for other in ours:
        specs = [*other.get("scope", ()), *other["fields"]]
        same = theirs.get((other["id"], len(specs)))
        tally.check("template", True, bool(same))
        if not same:
            continue
        one = same.pop(0)
        if "cflow.option_scope_length" in one:
            tally.check("scope bytes", int(one["cflow.option_scope_length"]), 4 * len(other["scope"]))
        if "cflow.template_ipfix_scope_field_count" in one and version == 10:
            tally.check("scope fields", int(one["cflow.template_ipfix_scope_field_count"]), len(other["scope"]))
        fields = [value for key, value in one.items() if key.startswith("Field (")]
        tally.check("fields of a template", len(fields), len(specs))
        for field, spec in zip(fields, specs, strict=False):
            _compare_spec(field, spec, tally)
        templates[domain, other["id"]] = other
    tally.check("templates of a set", announced, len(ours))


def _template_fields(tshark: dict[str, Any]) -> int:
    if "cflow.option_length" in tshark:
        return (int(tshark["cflow.option_scope_length"]) + int(tshark["cflow.option_length"])) // 4
    names = ("cflow.template_field_count", "cflow.template_ipfix_total_field_count")
    return next((int(tshark[name]) for name in names if name in tshark), 0)


def _compare_spec(tshark: dict[str, Any], spec: dict, tally: Tally) -> None:
    numbers = {key.removeprefix("cflow."): int(value) for key, value in tshark.items() if key.startswith("cflow.")}
    tally.check("field length", numbers.pop("template_field_length"), spec["length"])
    enterprise = numbers.pop("template_ipfix_pen_provided", 0)
    if enterprise:
        tally.check("field enterprise", numbers.pop("template_ipfix_field_pen", spec["pen"]), spec["pen"])
    for key, number in numbers.items():
        if key.endswith("field_type_enterprise") or re.fullmatch(r"template_\w+_field_type|\w+_field_type", key):
            tally.check("field number", number, spec["id"])
        else:
            tally.check(f"field {key}", number, None)


def _compare_records(tshark: dict[str, Any], ours: dict, template: dict | None, export_s: int, tally: Tally) -> None:
    flows = [value for key, value in tshark.items() if re.match(r"Flow \d+", key)]
    tally.check("records of a set", len(flows), len(ours["records"]))
    if "cflow.padding" in tshark:
        tally.check("padding", tshark["cflow.padding"].replace(":", ""), ours.get("padding"))
    if template is None or len(flows) != len(ours["records"]):
        return
    specs = [*template.get("scope", ()), *template["fields"]]
    for flow, record in zip(flows, ours["records"], strict=True):
        shown = [*record.get("scope", {}).items(), *record["fields"].items()]
        values = [
            Value(
                forward_name(name), value, None if name in V9_SCOPE_NAMES else lookup(spec["pen"], spec["id"]),
                spec["pen"], spec["id"], spec["length"],
            )
            for (name, value), spec in zip(shown, specs, strict=True)
        ]  # fmt: skip
        compare_record(flow, values, export_s, tally)


V9_SCOPE_NAMES = {"system", "interface", "lineCard", "netflowCache", "template"}


def compare_record(flow: dict[str, Any], values: list[Value], export_s: int, tally: Tally) -> None:
    """Compare every value that TShark shows of a record with ours."""
    theirs: dict[str, list[str]] = {}
    for key, text in leaves(flow):
        theirs.setdefault(key.removeprefix("cflow."), []).append(text)
    for key, texts in theirs.items():
        if DERIVED.match(key):
            continue
        try:
            expected, got = _pair(key, texts, values, export_s)
        except (KeyError, ValueError, OverflowError, struct.error) as why:
            expected, got = texts, f"{type(why).__name__}: {why}"
        tally.check(key, expected, got)


def leaves(shown: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and texts of a TShark tree, in its order."""
    for key, value in shown.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield from leaves(one)
            elif not key.endswith("_tree"):
                yield key, one


def _pair(key: str, texts: list[str], values: list[Value], export_s: int) -> tuple[list, list]:
    """What TShark says under a key, and what we say of the elements that it stands for."""
    if key in NUMBERS:
        read: Callable[[str], Any] = _milliseconds if key in ("timestart", "timeend") else _number
        return [read(text) for text in texts], [v.value for v in _named(values, NUMBERS[key])]
    if key in TEXTS:
        return [_text(text) for text in texts], [_text(v.value) for v in _named(values, TEXTS[key])]
    if key in TIMES:
        # TShark shows an uptime of zero as the beginning of 1970, and other uptimes under `timestart`, `timeend`.
        shown = [v for v in _named(values, TIMES[key]) if not (v.name.endswith("SysUpTime") and v.value)]
        return [_time(text) for text in texts], [_value_ns(v, export_s) for v in shown]
    if key in BYTES:
        return [_bytes(text) for text in texts], [v.wire for v in _named(values, BYTES[key])]
    return _special(key, texts, values)


def _value_ns(value: Value, export_s: int) -> int:
    """Unix nanoseconds of a time; the delta ones count microseconds back from the export time."""
    if value.name.endswith("DeltaMicroseconds"):
        return export_s * 1_000_000_000 - value.value * 1000
    if value.name.endswith("SysUpTime"):
        return value.value * 1_000_000
    return unix_ns(value.value)


def _special(key: str, texts: list[str], values: list[Value]) -> tuple[list, list]:
    if key in ("icmp_ipv6_type", "icmp_ipv6_code"):
        own = "icmpTypeIPv6" if key == "icmp_ipv6_type" else "icmpCodeIPv6"
        shift = 8 if key == "icmp_ipv6_type" else 0
        pairs = [
            v.value if v.name == own else v.value >> shift & 0xFF for v in _named(values, (own, "icmpTypeCodeIPv6"))
        ]
        return [_number(text) for text in texts], pairs
    if key.startswith("mpls_"):
        stack = [int(v.value, 16) for v in values if re.fullmatch(r"mpls(TopLabelStack|LabelStack)Section\d*", v.name)]
        shift, mask = {"mpls_label": (4, 0xFFFFF), "mpls_exp": (1, 7), "mpls_bos": (0, 1)}[key]
        return [_number(text) for text in texts], [entry >> shift & mask for entry in stack]
    if key.startswith("forwarding_status"):
        bits = (6, 3) if key == "forwarding_status" else (0, 0x3F)
        status = [v.value >> bits[0] & bits[1] for v in _named(values, "forwardingStatus")]
        return [_number(text) for text in texts], status
    if key.startswith("appl_id."):
        ids = [v.wire for v in _named(values, "applicationId")]
        if key == "appl_id.classification_engine_id":
            return [_number(text) for text in texts], [wire[0] for wire in ids]
        return [_bytes(text) for text in texts], [wire[1:] for wire in ids]
    if key.startswith("pie.cisco.application_http_host"):
        wires = [v.wire for v in values if (v.pen, v.id) == (9, 12235)]
        part = {"_sub_app_id": slice(4, 6), "_app_id": slice(0, 4), "": slice(6, None)}
        cut = part[key.removeprefix("pie.cisco.application_http_host")]
        # The text is shown once more, empty, as the name of its parts.
        parts = [text.encode() if cut.stop is None else _bytes(text) for text in texts if text]
        return parts, [wire[cut] for wire in wires if wire[cut]]
    if key == "enterprise_private_entry":
        return [_bytes(text) for text in texts], _private(values, texts)
    if key == "unknown_field_type":
        return [_bytes(text) for text in texts], [
            v.wire for v in values if v.element is None or v.name.startswith("panos")
        ]
    if key.startswith("pie.ixia."):
        number, read = IXIA[key.removeprefix("pie.ixia.")]
        return [read(text) for text in texts], [_ixia(v.wire, read) for v in values if (v.pen, v.id) == (3054, number)]
    number = NTOP[key.removeprefix("pie.")]
    return [int(text) for text in texts], [int(v.value, 16) for v in values if (v.pen, v.id) == (35632, number)]


def _private(values: list[Value], texts: list[str]) -> list[bytes]:
    """Bytes of the elements whose enterprise TShark does not know; it leaves out empty ones."""
    found: list[bytes] = []
    for v in values:
        if isinstance(v.value, dict):
            # We show lists decoded; that they read whole is tested by their own tests.
            found.append(_bytes(texts[len(found)]))
        elif v.pen not in (0, 29305) and (v.pen, v.id) not in KNOWN_TO_TSHARK and v.wire:
            found.append(v.wire)
    return found


def _named(values: list[Value], names: str | tuple[str, ...]) -> list[Value]:
    wanted = (names,) if isinstance(names, str) else names
    for name in wanted:
        if name not in V9_SCOPE_NAMES:
            by_name(name)
    return [v for v in values if v.name in wanted and v.pen in (0, 29305)]


def _ixia(wire: bytes, read: Callable[..., Any]) -> Any:
    if read is float:
        return float(f"{struct.unpack('>f', wire)[0]:.6g}")
    if read is str:
        return wire.rstrip(b"\0").decode()
    return int.from_bytes(wire, "big") if read is int else address(".".join(map(str, wire)))


def _number(text: str) -> int:
    return int(text, 0)


def _text(text: Any) -> Any:
    try:
        return address(text)
    except ValueError:
        return text


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _milliseconds(text: str) -> int:
    """Seconds with a fraction, as TShark shows uptimes."""
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 1000 + int(fraction[:3])


def _time(text: str) -> int:
    """``Jul 21, 2014 09:36:35.133000000 UTC`` as Unix nanoseconds."""
    whole, _, fraction = text.removesuffix(" UTC").partition(".")
    seconds = datetime.strptime(whole, "%b %d, %Y %H:%M:%S").replace(tzinfo=UTC).timestamp()
    return int(seconds) * 1_000_000_000 + int(fraction)
