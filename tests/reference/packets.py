"""Columns of a sampled packet, from the layers that the raw decoder shows.

Addresses, ports and protocol are those of the innermost IP header that is
whole; MACs, VLAN and MPLS labels those of the outermost headers.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

Layers = list[dict[str, Any]]

_EXTENSIONS = {
    "hop-by-hop", "routing", "fragment", "authentication", "destination", "mobility", "hip", "shim6",
}  # fmt: skip
_ETHERTYPES = {"ipv4": 0x0800, "ipv6": 0x86DD}
_IPIP, _GRE, _VXLAN, _GENEVE, _GTP_U, _SRV6 = range(1, 7)
_TUNNELS = {"gre": _GRE, "vxlan": _VXLAN, "geneve": _GENEVE, "gtp-u": _GTP_U}


def packet_columns(packets: dict[str, Layers]) -> dict[str, Any]:
    """Columns of the packet that a record carries, if it carries one."""
    for layers in packets.values():
        return columns_of(layers)
    return {}


def columns_of(layers: Layers) -> dict[str, Any]:
    """Columns of a packet."""
    whole = [layer for layer in layers if _usable(layer)]
    found = _link(whole)
    starts = [at for at, layer in enumerate(whole) if layer["layer"] in _ETHERTYPES]
    if starts:
        found |= _network(whole[starts[-1] :])
        found |= _tunnel(whole, starts)
    else:
        found |= next(({"EType": layer["ethertype"]} for layer in reversed(whole) if "ethertype" in layer), {})
    return found


def _usable(layer: dict[str, Any]) -> bool:
    """Whether a header is whole, or as much of it as matters (options of IPv4, the end of a transport header)."""
    needed = {"ipv4": "dst", "tcp": "dst_port", "udp": "dst_port", "sctp": "dst_port", "ports": "dst_port",
              "icmp": "code", "icmpv6": "code", "geneve": "vni", "gtp-u": "teid"}  # fmt: skip
    return not layer.get("truncated") or needed.get(layer["layer"], "") in layer


def _link(layers: Layers) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if layers and layers[0]["layer"] == "ethernet":
        found |= {f"{side}MAC": int(layers[0][side.lower()].replace(":", ""), 16) for side in ("Src", "Dst")}
    outer = []
    for layer in layers:
        if layer["layer"] in _ETHERTYPES:
            break
        outer.append(layer)
    tag = next((layer["id"] for layer in outer if layer["layer"] == "vlan" and layer["id"]), 0)
    if tag:
        found["SrcVlan"] = tag
    labels = [layer["label"] for layer in outer if layer["layer"] == "mpls"]
    return found | ({"MPLSLabels": labels} if labels else {})


def _network(layers: Layers) -> dict[str, Any]:
    """Columns of an IP header and of what follows it."""
    head, rest = layers[0], layers[1:]
    found = {
        "EType": _ETHERTYPES[head["layer"]],
        "SrcAddr": canonical(head["src"]),
        "DstAddr": canonical(head["dst"]),
    }
    if head["layer"] == "ipv4":
        found |= {"IPTos": head["tos"], "IPTTL": head["ttl"], "Proto": head["protocol"]}
        found |= {"IPFragmentID": head["id"], "IPFragmentOffset": head["fragment_offset"]}
    else:
        found |= {"IPTos": head["traffic_class"], "IPTTL": head["hop_limit"], "Proto": head["next_header"]}
        found["IPv6FlowLabel"] = head["flow_label"]
    for layer in rest:
        if layer["layer"] in _EXTENSIONS:
            found["Proto"] = layer["next_header"]
        if layer["layer"] == "fragment":
            found |= {"IPFragmentID": layer["id"], "IPFragmentOffset": layer["fragment_offset"]}
        if "src_port" in layer:
            found |= {"SrcPort": layer["src_port"], "DstPort": layer["dst_port"]}
        if layer["layer"] == "tcp" and "flags" in layer:
            found["TCPFlags"] = layer["flags"]
        if layer["layer"] in ("icmp", "icmpv6") and "code" in layer:
            found |= {"ICMPType": layer["type"], "ICMPCode": layer["code"]}
    return found


def _tunnel(layers: Layers, starts: list[int]) -> dict[str, Any]:
    """The outermost encapsulation: what follows the first IP header, up to the second if that is there."""
    outer, inside = layers[starts[0]], len(starts) > 1
    between = layers[starts[0] + 1 : starts[1] if inside else None]
    found: dict[str, Any] = {}
    if inside:
        found = {"OuterSrcAddr": canonical(outer["src"]), "OuterDstAddr": canonical(outer["dst"])}
    announced = [layer.get("protocol", layer.get("next_header")) for layer in (outer, *between)]
    if announced[-1] in (4, 41) and not any(layer.get("fragment_offset") for layer in (outer, *between)):
        found["TunnelType"] = _IPIP
    for layer in between:
        if layer["layer"] == "vxlan" and not layer.get("flags", 0) & 0x08:
            return found
        if layer["layer"] in _TUNNELS:
            found["TunnelType"] = _TUNNELS[layer["layer"]]
            key = next((layer[name] for name in ("vni", "key", "teid") if name in layer), None)
            return found | ({} if key is None else {"VNI": key})
        if layer["layer"] == "routing" and layer["type"] == 4 and announced[-1] in (4, 41, 143):
            found["TunnelType"] = _SRV6
    return found


def ip_length(layers: Layers) -> int | None:
    """Length of the outermost IP packet by its own header."""
    for layer in layers:
        if layer["layer"] == "ipv4" and layer.get("total_length"):
            return layer["total_length"]
        if layer["layer"] == "ipv6" and layer.get("payload_length"):
            return 40 + layer["payload_length"]
        if layer["layer"] in _ETHERTYPES:
            return None
    return None


def link_length(layers: Layers) -> int:
    """Bytes before the outermost IP header; where none is seen, labels count as payload."""
    sizes = {"ethernet": 14, "vlan": 4, "pppoe": 8}
    if any(layer["layer"] in _ETHERTYPES for layer in layers):
        sizes["mpls"] = 4
    total = 0
    for layer in layers:
        if layer["layer"] in _ETHERTYPES:
            break
        total += 0 if layer.get("truncated") else sizes.get(layer["layer"], 0)
    return total


def canonical(text: str) -> str:
    """Text of an address; IPv4-mapped ones as IPv4."""
    address = ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)
