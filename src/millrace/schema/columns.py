"""The table of flow columns: the only list of them.

The Arrow schema, the DDL and its migrations, the rollups, the decoder's field
map, the API's metadata and the reference page follow from it. Adding a column
is adding a row here, or in the configuration (`UserColumn`).

Element numbers are IANA's unless a private enterprise number is given.
"""

from __future__ import annotations

from collections.abc import Iterator

from millrace.schema.column import Column, Display, ElementRef, Kind, Rollup

FLOW_PROTOCOLS = ("unknown", "netflow-v1", "netflow-v5", "netflow-v7", "netflow-v9", "ipfix", "sflow-v5")
"""Names of `FlowProtocol`, by code."""

SAMPLING_SOURCES = ("unknown", "record", "options", "sample", "header", "configured")
"""How a sampling rate is known (`SamplingRateSource`), by code."""

IMPLAUSIBLE = ("no", "packet-size", "interface-speed", "sampling-rate")
"""Why the figures of a flow cannot be right (`Implausible`), by code."""

MAX_SAMPLING_RATE = 2**32 - 1
"""Highest `SamplingRate` that is stored: no exporter has more bits for it, and sums of 128 bits are exact up to it."""

TUNNEL_TYPES = ("none", "ipip", "gre", "vxlan", "geneve", "gtp-u", "srv6")
"""Names of `TunnelType`, by code."""

_TIME_CODEC = "DoubleDelta, LZ4"
_WIDE_CODEC = "ZSTD(1)"


def _ie(*ids: int) -> tuple[ElementRef, ...]:
    return tuple(ElementRef(number) for number in ids)


def _flow() -> Iterator[Column]:
    group = "Flow"
    yield Column(
        "TimeReceived", Kind.TIME_MS, "Received",
        "When the collector's kernel received the datagram (capture time for capture files).",
        group, dimension=False, codec=_TIME_CODEC, display="time",
    )  # fmt: skip
    yield Column(
        "TimeFlowStart", Kind.TIME_MS, "Flow start", "When the first packet of the flow was seen.",
        group, elements=_ie(150, 152, 154, 156, 158, 22), netflow_v5="first", sflow="datagram receive time",
        dimension=False, codec=_TIME_CODEC, display="time",
    )  # fmt: skip
    yield Column(
        "TimeFlowEnd", Kind.TIME_MS, "Flow end", "When the last packet of the flow was seen.",
        group, elements=_ie(151, 153, 155, 157, 159, 21), netflow_v5="last", sflow="datagram receive time",
        dimension=False, codec=_TIME_CODEC, display="time",
    )  # fmt: skip
    yield Column(
        "FlowProtocol", Kind.ENUM, "Flow protocol", "Protocol that carried the flow to the collector.",
        group, values=FLOW_PROTOCOLS, rollup="key", display="text",
    )  # fmt: skip
    yield Column(
        "ObservationDomain", Kind.U32, "Observation domain",
        "IPFIX observation domain, NetFlow v9 source ID, NetFlow v5 engine, sFlow sub-agent.",
        group, sflow="datagram sub_agent_id",
    )  # fmt: skip
    yield Column(
        "SamplingRate", Kind.U64, "Sampling rate",
        "N of 1-in-N packet sampling. 1 where it is unknown (see SamplingRateSource).",
        group, elements=_ie(34, 50, 305, 309), netflow_v5="sampling_interval", sflow="sample sampling_rate",
        default=1, dimension=False, rollup="key",
    )  # fmt: skip
    yield Column(
        "SamplingRateSource", Kind.ENUM, "Sampling known by", "How the sampling rate is known.",
        group, values=SAMPLING_SOURCES, rollup="key", display="text",
    )  # fmt: skip
    yield Column(
        "Bytes", Kind.U64, "Bytes",
        "Layer-3 bytes as reported; multiply by SamplingRate for the estimate.",
        group, elements=_ie(1, 85, 231, 23), netflow_v5="dOctets", sflow="sampled header: length of the IP packet",
        dimension=False, rollup="sum", codec="T64, LZ4", display="bytes",
    )  # fmt: skip
    yield Column(
        "Packets", Kind.U64, "Packets", "Packets as reported; multiply by SamplingRate for the estimate.",
        group, elements=_ie(2, 86, 298, 24), netflow_v5="dPkts", sflow="1 per flow sample",
        dimension=False, rollup="sum", codec="T64, LZ4", display="packets",
    )  # fmt: skip
    yield Column(
        "FlowDirection", Kind.ENUM, "Direction", "Where the exporter metered the flow.",
        group, elements=_ie(61), values=("undefined", "ingress", "egress"), rollup="key", display="text",
    )  # fmt: skip
    yield Column(
        "ForwardingStatus", Kind.U8, "Forwarding status",
        "IANA forwardingStatus: 64 to 127 forwarded, 128 to 191 dropped, 192 and more consumed.",
        group, elements=_ie(89), sflow="discard reason", rollup="key",
    )  # fmt: skip
    yield Column(
        "FlowEndReason", Kind.U8, "End reason", "Why the exporter ended the flow (IANA flowEndReason).",
        group, elements=_ie(136),
    )  # fmt: skip
    yield Column(
        "FirewallEvent", Kind.U8, "Firewall event",
        "IANA firewallEvent: 1 created, 2 deleted, 3 denied, 4 alert, 5 update.",
        group, elements=_ie(233),
    )  # fmt: skip
    yield Column(
        "ApplicationName", Kind.TEXT, "Application", "Application as the exporter names it.",
        group, elements=_ie(96), rollup="key", display="text",
    )  # fmt: skip


EXPORTER_ATTRIBUTES = ("Name", "Group", "Role", "Site", "Region", "Tenant")
"""What is known of an exporter beside its address: columns ``ExporterName`` …, and settings of the same names."""


def _exporter() -> Iterator[Column]:
    group = "Exporter"
    yield Column(
        "ExporterAddress", Kind.ADDRESS, "Exporter", "Address of the exporter (sFlow: of the agent).",
        group, sflow="datagram agent_address", rollup="key", codec=_WIDE_CODEC, display="address",
    )  # fmt: skip
    for attribute in EXPORTER_ATTRIBUTES:
        yield Column(
            f"Exporter{attribute}", Kind.TEXT, f"Exporter {attribute.lower()}",
            f"{attribute} of the exporter, by configuration or classification.",
            group, rollup="key", display="text",
        )  # fmt: skip


def _ends() -> Iterator[Column]:
    """Columns that exist once for the source and once for the destination."""
    group = "Addresses"
    for side, prefix, addr, nat, port, as_, mask, mac, vlan in (
        ("source", "Src", (8, 27), (225, 281), 7, (16,), (9, 29), (56, 81), (58, 243)),
        ("destination", "Dst", (12, 28), (226, 282), 11, (17,), (13, 30), (80, 57), (59, 254)),
    ):
        low = prefix.lower()
        first = prefix == "Src"
        yield Column(
            f"{prefix}Addr", Kind.ADDRESS, f"{side.capitalize()} address",
            f"IPv6 or IPv4-mapped {side} address of the innermost packet.",
            group, elements=_ie(*addr), netflow_v5=f"{low}addr", sflow="sampled header, sampled IPv4 or IPv6",
            codec=_WIDE_CODEC, display="address",
        )  # fmt: skip
        yield Column(
            f"{prefix}Port", Kind.U16, f"{side.capitalize()} port", f"Transport {side} port.",
            group, elements=_ie(port, *((180, 182) if first else (181, 183))),
            netflow_v5=f"{low}port", sflow="sampled header, sampled IPv4 or IPv6",
            display="port",
        )  # fmt: skip
        yield Column(
            f"{prefix}NetMask", Kind.U8, f"{side.capitalize()} prefix length",
            f"Length of the routed prefix of the {side} address.",
            group, elements=_ie(*mask), netflow_v5=f"{low}_mask", sflow="extended router",
            dimension=False, display="prefix-length",
        )  # fmt: skip
        yield Column(
            f"{prefix}AS", Kind.U32, f"{side.capitalize()} AS", f"Autonomous system of the {side}.",
            "Routing", elements=_ie(*as_), netflow_v5=f"{low}_as", sflow="extended gateway",
            rollup="key", display="as",
        )  # fmt: skip
        yield Column(
            f"{prefix}ASName", Kind.TEXT, f"{side.capitalize()} AS name", f"Name of the {side}'s autonomous system.",
            "Routing", rollup="key", display="text",
        )  # fmt: skip
        for attribute in ("Name", "Role", "Site", "Region", "Tenant"):
            yield Column(
                f"{prefix}Net{attribute}", Kind.TEXT, f"{side.capitalize()} network {attribute.lower()}",
                f"{attribute} of the network that the {side} address belongs to.",
                "Networks", rollup="key", display="text",
            )  # fmt: skip
        yield Column(
            f"{prefix}Country", Kind.TEXT, f"{side.capitalize()} country",
            f"ISO 3166 code of the country of the {side} address.",
            "Geography", rollup="key", display="text",
        )  # fmt: skip
        for attribute in ("State", "City"):
            yield Column(
                f"{prefix}Geo{attribute}", Kind.TEXT, f"{side.capitalize()} {attribute.lower()}",
                f"{attribute} of the {side} address.", "Geography", display="text",
            )  # fmt: skip
        yield Column(
            f"{prefix}Vlan", Kind.U16, f"{side.capitalize()} VLAN",
            f"VLAN identifier on the {'ingress' if first else 'egress'} side, priority bits removed.",
            "Layer 2", elements=_ie(*vlan), sflow="extended switch, sampled header",
        )  # fmt: skip
        yield Column(
            f"{prefix}MAC", Kind.MAC, f"{side.capitalize()} MAC", f"{side.capitalize()} MAC address.",
            "Layer 2", elements=_ie(*mac), sflow="sampled header, sampled Ethernet",
            codec=_WIDE_CODEC, display="mac",
        )  # fmt: skip
        yield Column(
            f"{prefix}AddrNAT", Kind.ADDRESS, f"Translated {side} address",
            f"{side.capitalize()} address after translation.",
            "NAT", elements=_ie(*nat), sflow="extended NAT", codec=_WIDE_CODEC, display="address",
        )  # fmt: skip
        yield Column(
            f"{prefix}PortNAT", Kind.U16, f"Translated {side} port", f"{side.capitalize()} port after translation.",
            "NAT", elements=_ie(227 if first else 228), sflow="extended NAT port", display="port",
        )  # fmt: skip


def _interfaces() -> Iterator[Column]:
    group = "Interfaces"
    for side, prefix, ids in (("input", "In", (10, 252)), ("output", "Out", (14, 253))):
        yield Column(
            f"{prefix}If", Kind.U32, f"{side.capitalize()} ifIndex", f"ifIndex of the {side} interface; 0: unknown.",
            group, elements=_ie(*ids), netflow_v5=side, sflow=f"sample {side} (format bits split off)",
            rollup="key",
        )  # fmt: skip
        for attribute, description in (
            ("Name", "Name (ifName)"),
            ("Description", "Description (ifAlias)"),
            ("Connectivity", "Kind of connectivity (transit, peering, customer …)"),
            ("Provider", "Provider or peer at the other end"),
        ):
            yield Column(
                f"{prefix}If{attribute}", Kind.TEXT, f"{side.capitalize()} interface {attribute.lower()}",
                f"{description} of the {side} interface.", group, rollup="key", display="text",
            )  # fmt: skip
        yield Column(
            f"{prefix}IfSpeed", Kind.U32, f"{side.capitalize()} interface speed",
            f"Speed of the {side} interface in Mbit/s.", group, rollup="key", display="bits",
        )  # fmt: skip
        yield Column(
            f"{prefix}IfBoundary", Kind.ENUM, f"{side.capitalize()} boundary",
            f"Whether the {side} interface faces another network.",
            group, values=("undefined", "external", "internal"), rollup="key", display="text",
        )  # fmt: skip


def _plausibility() -> Iterator[Column]:
    yield Column(
        "Implausible", Kind.ENUM, "Implausible",
        "Why the figures of the flow cannot be right: more bytes than its packets hold, or than its interfaces carry, "
        "or a sampling rate that nobody configures.",
        "Flow", values=IMPLAUSIBLE, rollup="key", display="text",
    )  # fmt: skip


def _routing() -> Iterator[Column]:
    group = "Routing"
    for name, title, ids, field, sflow in (
        ("NextHop", "Next hop", (15, 62), "nexthop", "extended router"),
        ("BGPNextHop", "BGP next hop", (18, 63), "", "extended gateway"),
    ):
        yield Column(
            name, Kind.ADDRESS, title, f"{title} of the route to the destination.", group,
            elements=_ie(*ids), netflow_v5=field, sflow=sflow, codec=_WIDE_CODEC, display="address",
        )  # fmt: skip
    yield Column(
        "DstASPath", Kind.U32_LIST, "AS path", "AS path of the route to the destination.",
        group, sflow="extended gateway", display="as",
    )  # fmt: skip
    for position, ordinal in enumerate(("1st", "2nd", "3rd"), start=1):
        yield Column(
            f"Dst{ordinal}AS", Kind.U32, f"{ordinal} AS", f"AS {position} of the AS path, repeats removed.",
            group, sflow="extended gateway", display="as",
        )  # fmt: skip
    yield Column(
        "DstCommunities", Kind.U32_LIST, "Communities", "BGP communities of the route to the destination.",
        group, sflow="extended gateway", display="community",
    )  # fmt: skip
    for prefix, number in (("Ingress", 234), ("Egress", 235)):
        yield Column(
            f"{prefix}VRFID", Kind.U32, f"{prefix} VRF", f"Number of the {prefix.lower()} VRF.",
            group, elements=_ie(number), rollup="key",
        )  # fmt: skip


def _headers() -> Iterator[Column]:
    group = "Packet headers"

    def column(
        name: str, kind: Kind, title: str, description: str, *ids: int, v5: str = "",
        rollup: Rollup | None = None, display: Display = "number",
    ) -> Column:  # fmt: skip
        return Column(
            name, kind, title, description, group, elements=_ie(*ids), netflow_v5=v5,
            sflow="sampled header", rollup=rollup, display=display,
        )  # fmt: skip

    yield column("EType", Kind.U16, "Ethertype", "2048: IPv4, 34525: IPv6.", 256, rollup="key", display="ethertype")
    yield column(
        "Proto",
        Kind.U8,
        "Protocol",
        "IP protocol of the innermost packet.",
        4,
        v5="prot",
        rollup="key",
        display="protocol",
    )
    yield column("TCPFlags", Kind.U16, "TCP flags", "TCP flags seen, or-ed together.", 6, v5="tcp_flags")
    yield column("IPTos", Kind.U8, "ToS", "IPv4 type of service or IPv6 traffic class (DSCP and ECN).", 5, v5="tos")
    yield column("IPTTL", Kind.U8, "TTL", "IPv4 time to live or IPv6 hop limit.", 192, 52, 53)
    yield column("IPFragmentID", Kind.U32, "Fragment ID", "Identification of the fragments of a packet.", 54)
    yield column("IPFragmentOffset", Kind.U16, "Fragment offset", "Offset of a fragment in units of 8 bytes.", 88)
    yield column("IPv6FlowLabel", Kind.U32, "IPv6 flow label", "Flow label of the IPv6 header.", 31)
    yield column("ICMPType", Kind.U8, "ICMP type", "Type of ICMP or ICMPv6 messages.", 176, 178)
    yield column("ICMPCode", Kind.U8, "ICMP code", "Code of ICMP or ICMPv6 messages.", 177, 179)
    yield Column(
        "MPLSLabels", Kind.U32_LIST, "MPLS labels", "MPLS labels, top of the stack first.",
        group, elements=_ie(*range(70, 80)), sflow="extended MPLS, sampled header",
    )  # fmt: skip


def _nat_and_tunnels() -> Iterator[Column]:
    yield Column(
        "NATEvent", Kind.U8, "NAT event", "IANA natEvent: 1 create, 2 delete, 4 session create, 5 session delete …",
        "NAT", elements=_ie(230),
    )  # fmt: skip
    group = "Tunnels"
    yield Column(
        "TunnelType", Kind.ENUM, "Tunnel", "Outermost encapsulation of the packet.",
        group, sflow="sampled header", values=TUNNEL_TYPES, rollup="key", display="text",
    )  # fmt: skip
    yield Column(
        "VNI", Kind.U32, "VNI", "VXLAN or Geneve network identifier, GRE key, GTP-U tunnel endpoint.",
        group, elements=_ie(351), sflow="sampled header, extended VNI",
    )  # fmt: skip
    for prefix, side in (("Src", "source"), ("Dst", "destination")):
        yield Column(
            f"Outer{prefix}Addr", Kind.ADDRESS, f"Outer {side}",
            f"{side.capitalize()} of the outermost IP header of a tunnel.",
            group, sflow="sampled header, extended tunnel", codec=_WIDE_CODEC, display="address",
        )  # fmt: skip


COLUMNS: tuple[Column, ...] = (
    *_flow(), *_exporter(), *_ends(), *_interfaces(), *_plausibility(), *_routing(), *_headers(), *_nat_and_tunnels(),
)  # fmt: skip
"""Every built-in column, in storage order."""
