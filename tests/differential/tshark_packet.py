"""Headers of a sampled packet as TShark 4.0 shows them, compared with the raw decoder's layers."""

from __future__ import annotations

from typing import Any

from differential.compare import Tally, address
from differential.tshark_netflow import leaves

LAYERS = {
    "eth": "ethernet", "vlan": "vlan", "ip": "ipv4", "ipv6": "ipv6", "tcp": "tcp", "udp": "udp", "icmp": "icmp",
    "icmpv6": "icmpv6", "mpls": "mpls",
}  # fmt: skip

NUMBERS = {
    "eth.type": "ethertype", "vlan.priority": "priority", "vlan.dei": "dei", "vlan.id": "id", "vlan.etype": "ethertype",
    "ip.hdr_len": "header_bytes", "ip.dsfield": "tos", "ip.len": "total_length", "ip.id": "id", "ip.flags": "flags",
    "ip.frag_offset": "fragment_offset", "ip.ttl": "ttl", "ip.proto": "protocol", "ip.checksum": "checksum",
    "ipv6.tclass": "traffic_class", "ipv6.flow": "flow_label", "ipv6.plen": "payload_length",
    "ipv6.nxt": "next_header", "ipv6.hlim": "hop_limit", "udp.srcport": "src_port", "udp.dstport": "dst_port",
    "udp.length": "length", "udp.checksum": "checksum", "tcp.srcport": "src_port", "tcp.dstport": "dst_port",
    "tcp.seq_raw": "sequence", "tcp.ack_raw": "acknowledgement", "tcp.hdr_len": "header_bytes", "tcp.flags": "flags",
    "tcp.window_size_value": "window", "icmp.type": "type", "icmp.code": "code", "icmpv6.type": "type",
    "icmpv6.code": "code",
}  # fmt: skip

TEXTS = {
    "eth.dst": "dst", "eth.src": "src", "ip.src": "src", "ip.dst": "dst", "ipv6.src": "src", "ipv6.dst": "dst",
}  # fmt: skip


def compare_packet(tree: dict[str, Any] | list, layers: list[dict[str, Any]], tally: Tally) -> None:
    """Compare every header field that both show; the payload of the transport is not ours to read."""
    for part in tree if isinstance(tree, list) else [tree]:
        for name, shown in part.items():
            if name in LAYERS and isinstance(shown, dict):
                ours = next((layer for layer in layers if layer["layer"] == LAYERS[name]), None)
                tally.check(f"layer {name}", True, ours is not None)
                if ours:
                    _compare_layer(shown, ours, tally)


def _compare_layer(shown: dict[str, Any], ours: dict[str, Any], tally: Tally) -> None:
    for key, text in leaves(shown):
        if key in NUMBERS:
            tally.check(key, int(text, 0), ours.get(NUMBERS[key]))
        elif key in TEXTS:
            tally.check(key, text if key.startswith("eth") else address(text), ours.get(TEXTS[key]))
