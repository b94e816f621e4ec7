"""Layouts of the sFlow v5 structures (sflow.org specifications), as data.

Each layout is a tuple of (field, XDR type). Types are read by `XDR`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from millrace.decode.raw.cursor import Cursor
from millrace.decode.raw.values import Scalar, read_scalar, text_of
from millrace.schema.elements import DataType

Layout = tuple[tuple[str, str], ...]


def read_layout(cursor: Cursor, layout: Layout, shown: dict[str, Any]) -> None:
    """Read the fields of a structure in order; those that are whole are in `shown` even if one is cut short."""
    for name, kind in layout:
        shown[name] = XDR[kind](cursor)


def opaque(cursor: Cursor, length: int | None = None) -> bytes:
    """Bytes filled up to a multiple of four; preceded by their number if that is not given (RFC 4506 §4.9, §4.10)."""
    count = cursor.u32() if length is None else length
    data = cursor.take(count)
    cursor.take(min(-count % 4, cursor.left))
    return data


def address(cursor: Cursor) -> str | None:
    """Address preceded by its kind: 0 unknown, 1 IPv4, 2 IPv6 (sFlow v5 p. 25)."""
    kind = cursor.u32()
    if kind == 1:
        return cursor.ipv4()
    return cursor.ipv6() if kind == 2 else None


def _text(cursor: Cursor) -> str:
    return text_of(opaque(cursor))


def _float(cursor: Cursor) -> Scalar:
    return read_scalar(DataType.F32, cursor.take(4))


def _numbers(cursor: Cursor) -> list[int]:
    count = cursor.u32()
    return [int.from_bytes(cursor.take(4), "big") for _ in range(min(count, cursor.left // 4 + 1))]


def _as_path(cursor: Cursor) -> list[dict[str, Any]]:
    """Segments of an AS path: kind (1 set, 2 sequence) and ASes (sFlow v5 p. 33)."""
    count = cursor.u32()
    return [{"type": cursor.u32(), "as": _numbers(cursor)} for _ in range(min(count, cursor.left // 8 + 1))]


def _adapters(cursor: Cursor) -> list[dict[str, Any]]:
    count = cursor.u32()
    return [
        {
            "ifIndex": cursor.u32(),
            "mac_addresses": [_mac(cursor) for _ in range(min(cursor.u32(), cursor.left // 8 + 1))],
        }
        for _ in range(min(count, cursor.left // 8 + 1))
    ]


def _mac(cursor: Cursor) -> str:
    return opaque(cursor, 6).hex(":")


XDR: dict[str, Callable[[Cursor], Any]] = {
    "u32": Cursor.u32,
    "u64": Cursor.u64,
    "float": _float,
    "ipv4": Cursor.ipv4,
    "ipv6": Cursor.ipv6,
    "address": address,
    "mac": _mac,
    "text": _text,
    "opaque": lambda cursor: opaque(cursor).hex(),
    "uuid": lambda cursor: opaque(cursor, 16).hex(),
    "bytes4": lambda cursor: list(cursor.take(4)),
    "numbers": _numbers,
    "as_path": _as_path,
    "adapters": _adapters,
}


LEAST_BYTES = {
    "u32": 4, "u64": 8, "float": 4, "ipv4": 4, "ipv6": 16, "address": 4, "mac": 8, "text": 4, "opaque": 4, "uuid": 16,
    "bytes4": 4, "numbers": 4, "as_path": 4, "adapters": 4,
}  # fmt: skip
"""Bytes that a value of each type has at least: a list without items, an address that is not known."""


def least_bytes(layout: Layout) -> int:
    """Bytes that a structure has at least."""
    return sum(LEAST_BYTES[kind] for _, kind in layout)


def _u32(names: str) -> Layout:
    return tuple((name, "u32") for name in names.split())


def _u64(names: str) -> Layout:
    return tuple((name, "u64") for name in names.split())


_ETHERNET: Layout = (("length", "u32"), ("src_mac", "mac"), ("dst_mac", "mac"), ("type", "u32"))
_PORTS: Layout = _u32("src_port dst_port tcp_flags")
_IPV4: Layout = (*_u32("length protocol"), ("src_ip", "ipv4"), ("dst_ip", "ipv4"), *_PORTS, ("tos", "u32"))
_IPV6: Layout = (*_u32("length protocol"), ("src_ip", "ipv6"), ("dst_ip", "ipv6"), *_PORTS, ("priority", "u32"))
_SOCKET4: Layout = (("protocol", "u32"), ("local_ip", "ipv4"), ("remote_ip", "ipv4"), *_u32("local_port remote_port"))
_SOCKET6: Layout = (("protocol", "u32"), ("local_ip", "ipv6"), ("remote_ip", "ipv6"), *_u32("local_port remote_port"))

RAW_HEADER = "raw_packet_header"
"""Record that holds the beginning of a packet, which follows the fields of its layout (sFlow v5 p. 30)."""

FLOW_RECORDS: dict[int, tuple[str, Layout]] = {
    1: (RAW_HEADER, _u32("header_protocol frame_length stripped header_length")),
    2: ("ethernet_frame_data", _ETHERNET),
    3: ("ipv4_data", _IPV4),
    4: ("ipv6_data", _IPV6),
    1001: ("extended_switch", _u32("src_vlan src_priority dst_vlan dst_priority")),
    1002: ("extended_router", (("nexthop", "address"), *_u32("src_mask_len dst_mask_len"))),
    1003: (
        "extended_gateway",
        (
            ("nexthop", "address"), *_u32("as src_as src_peer_as"),
            ("dst_as_path", "as_path"), ("communities", "numbers"), ("localpref", "u32"),
        ),
    ),
    1004: (
        "extended_user",
        (("src_charset", "u32"), ("src_user", "text"), ("dst_charset", "u32"), ("dst_user", "text")),
    ),
    1005: ("extended_url", (("direction", "u32"), ("url", "text"), ("host", "text"))),
    1006: ("extended_mpls", (("nexthop", "address"), ("in_stack", "numbers"), ("out_stack", "numbers"))),
    1007: ("extended_nat", (("src_address", "address"), ("dst_address", "address"))),
    1008: ("extended_mpls_tunnel", (("tunnel_lsp_name", "text"), *_u32("tunnel_id tunnel_cos"))),
    1009: ("extended_mpls_vc", (("vc_instance_name", "text"), *_u32("vll_vc_id vc_label_cos"))),
    1010: ("extended_mpls_ftn", (("ftn_descr", "text"), ("ftn_mask", "u32"))),
    1011: ("extended_mpls_ldp_fec", _u32("fec_addr_prefix_length")),
    1012: ("extended_vlan_tunnel", (("stack", "numbers"),)),
    1013: ("extended_80211_payload", (("cipher_suite", "u32"), ("data", "opaque"))),
    1014: (
        "extended_80211_rx",
        (
            ("ssid", "text"), ("bssid", "mac"), *_u32("version channel"), ("speed", "u64"),
            *_u32("rsni rcpi packet_duration"),
        ),
    ),
    1015: (
        "extended_80211_tx",
        (
            ("ssid", "text"), ("bssid", "mac"), *_u32("version transmissions packet_duration retrans_duration channel"),
            ("speed", "u64"), ("power", "u32"),
        ),
    ),
    1020: ("extended_nat_port", _u32("src_port dst_port")),
    1021: ("extended_l2_tunnel_egress", _ETHERNET),
    1022: ("extended_l2_tunnel_ingress", _ETHERNET),
    1023: ("extended_ipv4_tunnel_egress", _IPV4),
    1024: ("extended_ipv4_tunnel_ingress", _IPV4),
    1025: ("extended_ipv6_tunnel_egress", _IPV6),
    1026: ("extended_ipv6_tunnel_ingress", _IPV6),
    1027: ("extended_decapsulate_egress", _u32("inner_header_offset")),
    1028: ("extended_decapsulate_ingress", _u32("inner_header_offset")),
    1029: ("extended_vni_egress", _u32("vni")),
    1030: ("extended_vni_ingress", _u32("vni")),
    1036: ("extended_egress_queue", _u32("queue")),
    1037: ("extended_acl", (("number", "u32"), ("name", "text"), ("direction", "u32"))),
    1038: ("extended_function", (("symbol", "text"),)),
    1039: ("extended_transit_delay", _u32("delay_ns")),
    1040: ("extended_queue_depth", _u32("depth_bytes")),
    1041: ("extended_hw_trap", (("group", "text"), ("trap", "text"))),
    1042: ("extended_linux_drop_reason", (("reason", "text"),)),
    2100: ("extended_socket_ipv4", _SOCKET4),
    2101: ("extended_socket_ipv6", _SOCKET6),
    2102: ("extended_proxy_socket_ipv4", _SOCKET4),
    2103: ("extended_proxy_socket_ipv6", _SOCKET6),
    2206: (
        "http_request",
        (
            *_u32("method protocol"),
            *((name, "text") for name in ("uri", "host", "referer", "useragent", "xff", "authuser", "mime_type")),
            *_u64("req_bytes resp_bytes"), *_u32("duration_us status"),
        ),
    ),
}  # fmt: skip
"""Records of flow and discard samples of enterprise 0: name and layout by format."""

COUNTER_RECORDS: dict[int, tuple[str, Layout]] = {
    1: (
        "generic_interface",
        (
            *_u32("ifIndex ifType"), ("ifSpeed", "u64"), *_u32("ifDirection ifStatus"), ("ifInOctets", "u64"),
            *_u32("ifInUcastPkts ifInMulticastPkts ifInBroadcastPkts ifInDiscards ifInErrors ifInUnknownProtos"),
            ("ifOutOctets", "u64"),
            *_u32("ifOutUcastPkts ifOutMulticastPkts ifOutBroadcastPkts ifOutDiscards ifOutErrors ifPromiscuousMode"),
        ),
    ),
    2: (
        "ethernet_interface",
        _u32(
            "dot3StatsAlignmentErrors dot3StatsFCSErrors dot3StatsSingleCollisionFrames "
            "dot3StatsMultipleCollisionFrames dot3StatsSQETestErrors dot3StatsDeferredTransmissions "
            "dot3StatsLateCollisions dot3StatsExcessiveCollisions dot3StatsInternalMacTransmitErrors "
            "dot3StatsCarrierSenseErrors dot3StatsFrameTooLongs dot3StatsInternalMacReceiveErrors dot3StatsSymbolErrors"
        ),
    ),
    3: (
        "token_ring",
        _u32(
            "dot5StatsLineErrors dot5StatsBurstErrors dot5StatsACErrors dot5StatsAbortTransErrors "
            "dot5StatsInternalErrors dot5StatsLostFrameErrors dot5StatsReceiveCongestions dot5StatsFrameCopiedErrors "
            "dot5StatsTokenErrors dot5StatsSoftErrors dot5StatsHardErrors dot5StatsSignalLoss "
            "dot5StatsTransmitBeacons dot5StatsRecoverys dot5StatsLobeWires dot5StatsRemoves dot5StatsSingles "
            "dot5StatsFreqErrors"
        ),
    ),
    4: (
        "100baseVG_interface",
        (
            ("dot12InHighPriorityFrames", "u32"), ("dot12InHighPriorityOctets", "u64"),
            ("dot12InNormPriorityFrames", "u32"), ("dot12InNormPriorityOctets", "u64"),
            *_u32("dot12InIPMErrors dot12InOversizeFrameErrors dot12InDataErrors dot12InNullAddressedFrames"),
            ("dot12OutHighPriorityFrames", "u32"), ("dot12OutHighPriorityOctets", "u64"),
            ("dot12TransitionIntoTrainings", "u32"),
            *_u64("dot12HCInHighPriorityOctets dot12HCInNormPriorityOctets dot12HCOutHighPriorityOctets"),
        ),
    ),
    5: ("vlan", (("vlan_id", "u32"), ("octets", "u64"), *_u32("ucastPkts multicastPkts broadcastPkts discards"))),
    6: (
        "ieee80211",
        _u32(
            "dot11TransmittedFragmentCount dot11MulticastTransmittedFrameCount dot11FailedCount dot11RetryCount "
            "dot11MultipleRetryCount dot11FrameDuplicateCount dot11RTSSuccessCount dot11RTSFailureCount "
            "dot11ACKFailureCount dot11ReceivedFragmentCount dot11MulticastReceivedFrameCount dot11FCSErrorCount "
            "dot11TransmittedFrameCount dot11WEPUndecryptableCount dot11QoSDiscardedFragmentCount "
            "dot11AssociatedStationCount dot11QoSCFPollsReceivedCount dot11QoSCFPollsUnusedCount "
            "dot11QoSCFPollsUnusableCount dot11QoSCFPollsLostCount"
        ),
    ),
    7: (
        "lag_port",
        (
            ("dot3adAggPortActorSystemID", "mac"), ("dot3adAggPortPartnerOperSystemID", "mac"),
            ("dot3adAggPortAttachedAggID", "u32"), ("dot3adAggPortState", "bytes4"),
            *_u32(
                "LACPDUsRx MarkerPDUsRx MarkerResponsePDUsRx UnknownRx IllegalRx LACPDUsTx MarkerPDUsTx "
                "MarkerResponsePDUsTx"
            ),
        ),
    ),
    1001: ("processor", (*_u32("cpu_5s cpu_1m cpu_5m"), *_u64("total_memory free_memory"))),
    1002: ("radio_utilization", _u32("elapsed_time on_channel_time on_channel_busy_time")),
    1004: ("of_port", (("datapath_id", "u64"), ("port_no", "u32"))),
    1005: ("port_name", (("name", "text"),)),
    2000: (
        "host_descr",
        (("hostname", "text"), ("uuid", "uuid"), *_u32("machine_type os_name"), ("os_release", "text")),
    ),
    2001: ("host_adapters", (("adapters", "adapters"),)),
    2002: ("host_parent", _u32("container_type container_index")),
    2003: (
        "host_cpu",
        (
            ("load_one", "float"), ("load_five", "float"), ("load_fifteen", "float"),
            *_u32(
                "proc_run proc_total cpu_num cpu_speed uptime cpu_user cpu_nice cpu_system cpu_idle cpu_wio cpu_intr "
                "cpu_sintr interrupts contexts"
            ),
        ),
    ),
    2004: (
        "host_memory",
        (
            *_u64("mem_total mem_free mem_shared mem_buffers mem_cached swap_total swap_free"),
            *_u32("page_in page_out swap_in swap_out"),
        ),
    ),
    2005: (
        "host_disk_io",
        (
            *_u64("disk_total disk_free"), *_u32("part_max_used reads"), ("bytes_read", "u64"),
            *_u32("read_time writes"), ("bytes_written", "u64"), ("write_time", "u32"),
        ),
    ),
    2006: (
        "host_net_io",
        (
            ("bytes_in", "u64"), *_u32("pkts_in errs_in drops_in"),
            ("bytes_out", "u64"), *_u32("packets_out errs_out drops_out"),
        ),
    ),
    2007: (
        "mib2_ip_group",
        _u32(
            "ipForwarding ipDefaultTTL ipInReceives ipInHdrErrors ipInAddrErrors ipForwDatagrams ipInUnknownProtos "
            "ipInDiscards ipInDelivers ipOutRequests ipOutDiscards ipOutNoRoutes ipReasmTimeout ipReasmReqds "
            "ipReasmOKs ipReasmFails ipFragOKs ipFragFails ipFragCreates"
        ),
    ),
    2008: (
        "mib2_icmp_group",
        _u32(
            "icmpInMsgs icmpInErrors icmpInDestUnreachs icmpInTimeExcds icmpInParamProbs icmpInSrcQuenchs "
            "icmpInRedirects icmpInEchos icmpInEchoReps icmpInTimestamps icmpInAddrMasks icmpInAddrMaskReps "
            "icmpOutMsgs icmpOutErrors icmpOutDestUnreachs icmpOutTimeExcds icmpOutParamProbs icmpOutSrcQuenchs "
            "icmpOutRedirects icmpOutEchos icmpOutEchoReps icmpOutTimestamps icmpOutTimestampReps icmpOutAddrMasks "
            "icmpOutAddrMaskReps"
        ),
    ),
    2009: (
        "mib2_tcp_group",
        _u32(
            "tcpRtoAlgorithm tcpRtoMin tcpRtoMax tcpMaxConn tcpActiveOpens tcpPassiveOpens tcpAttemptFails "
            "tcpEstabResets tcpCurrEstab tcpInSegs tcpOutSegs tcpRetransSegs tcpInErrs tcpOutRsts tcpInCsumErrs"
        ),
    ),
    2010: (
        "mib2_udp_group",
        _u32(
            "udpInDatagrams udpNoPorts udpInErrors udpOutDatagrams udpRcvbufErrors udpSndbufErrors udpInCsumErrors"
        ),
    ),
    2100: ("virt_node", (*_u32("mhz cpus"), *_u64("memory memory_free"), ("num_domains", "u32"))),
    2101: ("virt_cpu", _u32("state cpu_time nr_virt_cpu")),
    2102: ("virt_memory", _u64("memory max_memory")),
    2103: (
        "virt_disk_io",
        (
            *_u64("capacity allocation available"), ("rd_req", "u32"), ("rd_bytes", "u64"),
            ("wr_req", "u32"), ("wr_bytes", "u64"), ("errs", "u32"),
        ),
    ),
    2104: (
        "virt_net_io",
        (
            ("rx_bytes", "u64"), *_u32("rx_packets rx_errs rx_drop"),
            ("tx_bytes", "u64"), *_u32("tx_packets tx_errs tx_drop"),
        ),
    ),
    2201: (
        "http_counters",
        _u32(
            "method_option_count method_get_count method_head_count method_post_count method_put_count "
            "method_delete_count method_trace_count method_connect_count method_other_count status_1XX_count "
            "status_2XX_count status_3XX_count status_4XX_count status_5XX_count status_other_count"
        ),
    ),
    2207: ("ovs_dp_stats", _u32("hits misses lost mask_hits flows masks")),
}  # fmt: skip
"""Records of counter samples of enterprise 0: name and layout by format."""
