"""Expected decodes of NetGauze (one JSON line per message), compared with the raw decoder."""

from __future__ import annotations

import json
import re
from typing import Any

from captures import ROOT
from differential.compare import Tally, address, base_name, unix_ns
from millrace.schema.elements import lookup

PROTOCOLS = {"TCP": 6, "UDP": 17, "VRRP": 112, "IPv6ICMP": 58, "ICMP": 1, "IGMP": 2, "IPv4": 4, "IPv6": 41,
             "GRE": 47, "ESP": 50, "OSPFIGP": 89,
             "PIM": 103}  # fmt: skip

ENUMERATIONS = {
    "flowEndReason": {"activetimeout": 2},
    "flowDirection": {"ingress": 0, "egress": 1},
    "mplsTopLabelType": {"Unknown": 0, "BGP": 4, "LDP": 5},
    "selectorAlgorithm": {"RandomnoutofNSampling": 3},
    "protocolIdentifier": PROTOCOLS,
}
"""Names that NetGauze shows for numbers (IANA's registries)."""

FORWARDING = {"Unknown": 0, "Forwarded": 1, "Dropped": 2, "Consumed": 3}
REASONS = {"Unknown": 0, "Forus": 3}

TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")


def messages(path: str) -> list[dict[str, Any]]:
    """Messages of a golden file."""
    return [json.loads(line) for line in (ROOT / path).read_text().splitlines() if line.strip()]


def compare_message(golden: dict[str, Any], shown: dict[str, Any], tally: Tally) -> None:
    """Compare header, templates and every field of every record."""
    ((version, message),) = golden.items()
    tally.check("protocol", {"IPFIX": "ipfix", "NetFlowV9": "netflow-v9"}[version], shown["protocol"])
    header = shown["header"]
    for key, name in (
        ("version", "version"), ("sequence_number", "sequence"), ("observation_domain_id", "observation_domain_id"),
        ("source_id", "source_id"), ("sys_up_time", "sys_uptime"),
    ):  # fmt: skip
        if key in message:
            tally.check(f"header {key}", message[key], header[name])
    for key, name in (("export_time", "export_time"), ("unix_time", "unix_secs")):
        if key in message:
            tally.check(f"header {key}", unix_ns(message[key]) // 1_000_000_000, header[name])
    tally.check("sets", len(message["sets"]), len(shown["sets"]))
    for theirs, ours in zip(message["sets"], shown["sets"], strict=False):
        ((kind, content),) = theirs.items()
        if kind == "Data":
            _compare_records(content, ours, tally)
        else:
            _compare_templates(content, ours["templates"], tally)


def _compare_templates(theirs: list[dict[str, Any]], ours: list[dict[str, Any]], tally: Tally) -> None:
    tally.check("templates", [t["id"] for t in theirs], [t["id"] for t in ours])
    for one, other in zip(theirs, ours, strict=False):
        for key, name in (("scope_field_specifiers", "scope"), ("field_specifiers", "fields")):
            # A scope that NetFlow v9 announces as `System` has no element.
            specs = [(_element(f["element_id"]), f["length"]) for f in one.get(key, ())]
            tally.check(key, specs, [(f["name"], f["length"]) for f in other.get(name, ())])


def _element(name: Any) -> str:
    if isinstance(name, str):
        return name
    ((registry, number),) = name.items()
    element = lookup(registry, number)
    return element.qualified if element else f"{registry}:{number}"


def _compare_records(theirs: dict[str, Any], ours: dict[str, Any], tally: Tally) -> None:
    tally.check("set id", theirs["id"], ours["id"])
    records = ours.get("records", [])
    tally.check("records", len(theirs["records"]), len(records))
    for one, other in zip(theirs["records"], records, strict=False):
        for key, name in (("scope_fields", "scope"), ("fields", "fields")):
            fields = [item for field in one.get(key) or () for item in field.items()]
            got = list(other.get(name, {}).items())
            tally.check(f"names of {name}", [n for n, _ in fields], [base_name(n) for n, _ in got])
            for (field, expected), (_, value) in zip(fields, got, strict=False):
                tally.check(field, plain(field, expected), address(value) if _is_address(field) else value)


def _is_address(name: str) -> bool:
    return name.endswith(("IPv6Address", "IPv4Address"))


def plain(name: str, value: Any) -> Any:
    """A NetGauze value as the raw decoder shows it."""
    if name in ENUMERATIONS and isinstance(value, str):
        return ENUMERATIONS[name].get(value, value)
    if isinstance(value, dict):
        return _from_tree(name, value)
    if isinstance(value, list):
        data = bytes(value)
        return data.hex(":") if name.endswith("MacAddress") else data.hex()
    if _is_address(name):
        return address(value)
    return re.sub(r"(\.\d{3})\d*Z$", r"\1Z", value) if name.endswith("Milliseconds") else value


def _from_tree(name: str, value: dict[str, Any]) -> int:
    if name == "tcpControlBits":
        return sum(value[flag] << bit for bit, flag in enumerate(TCP_FLAGS) if flag in value)
    ((kind, detail),) = value.items()
    if name == "forwardingStatus":
        return FORWARDING[kind] << 6 | REASONS[detail]
    return int(detail)
