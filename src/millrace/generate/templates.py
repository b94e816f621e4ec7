"""Templates that synthetic exporters use in NetFlow v9 and IPFIX, and records of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import AnyArray
from millrace.generate.wire_values import addresses, fixed_texts, ipv4_words, numbers

Form = Literal["number", "ipv4", "ipv6", "uptime", "icmp", "mac", "constant", "text"]
"""How a field is written.

``uptime`` is milliseconds since the exporter booted, ``icmp`` type × 256 +
code, ``constant`` the same value in each record, ``text`` UTF-8 padded with zeros.
"""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a template.

    Parameters
    ----------
    element : int
        IANA information element, or NetFlow v9 field type.
    length : int
        In bytes.
    column : str
        Column that it is written from.
    form : Form
    value : int
        Of a constant.
    """

    element: int
    length: int
    column: str
    form: Form = "number"
    value: int = 0

    @property
    def dtype(self) -> str:
        """Item of the record's dtype."""
        match self.form:
            case "ipv6":
                return "V16"
            case "mac":
                return "V6"
            case "text":
                return f"S{self.length}"
        return "u1" if self.length == 1 else f">u{self.length}"


@dataclass(frozen=True)
class Template:
    """A template: its number and its fields in wire order."""

    id: int
    fields: tuple[Field, ...]

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Structured dtype of a record; fields are named ``f<element>``."""
        return np.dtype([(f"f{field.element}", field.dtype) for field in self.fields])

    def records(self, flows: FlowBatch, boot_ms: int) -> AnyArray:
        """The flows as records of this template, shape (rows,)."""
        out = np.zeros(flows.rows, self.dtype)
        for field in self.fields:
            out[f"f{field.element}"] = _values(field, flows, boot_ms)
        return out


def _values(field: Field, flows: FlowBatch, boot_ms: int) -> AnyArray:
    match field.form:
        case "ipv4":
            return ipv4_words(flows, field.column)
        case "ipv6":
            return np.ascontiguousarray(addresses(flows, field.column)).view("V16").reshape(-1)
        case "uptime":
            return (numbers(flows, field.column).astype(np.int64) - boot_ms) & 0xFFFFFFFF
        case "icmp":
            return numbers(flows, "ICMPType").astype(np.uint16) * 256 + numbers(flows, "ICMPCode")
        case "mac":
            words = numbers(flows, field.column).astype(">u8").view(np.uint8).reshape(-1, 8)
            return np.ascontiguousarray(words[:, 2:]).view("V6").reshape(-1)
        case "constant":
            return np.full(flows.rows, field.value, np.uint64)
        case "text":
            return fixed_texts(flows, field.column, field.length)
    return numbers(flows, field.column)


_IPV4 = (Field(8, 4, "SrcAddr", "ipv4"), Field(12, 4, "DstAddr", "ipv4"), Field(15, 4, "NextHop", "ipv4"))
_IPV6 = (Field(27, 16, "SrcAddr", "ipv6"), Field(28, 16, "DstAddr", "ipv6"), Field(62, 16, "NextHop", "ipv6"))
_TIMES = {
    "netflow-v9": (Field(22, 4, "TimeFlowStart", "uptime"), Field(21, 4, "TimeFlowEnd", "uptime")),
    "ipfix": (Field(152, 8, "TimeFlowStart"), Field(153, 8, "TimeFlowEnd")),
}
_MASKS_V4 = (Field(9, 1, "SrcNetMask"), Field(13, 1, "DstNetMask"))
_MASKS_V6 = (Field(29, 1, "SrcNetMask"), Field(30, 1, "DstNetMask"))


def _transport(counter_bytes: int, interface_bytes: int) -> tuple[Field, ...]:
    return (
        Field(7, 2, "SrcPort"), Field(11, 2, "DstPort"), Field(4, 1, "Proto"), Field(5, 1, "IPTos"),
        Field(6, 1, "TCPFlags"), Field(1, counter_bytes, "Bytes"), Field(2, counter_bytes, "Packets"),
        Field(10, interface_bytes, "InIf"), Field(14, interface_bytes, "OutIf"),
        Field(16, 4, "SrcAS"), Field(17, 4, "DstAS"),
    )  # fmt: skip


_STATE = (Field(61, 1, "FlowDirection", "constant"), Field(89, 1, "ForwardingStatus"))


def plain_template(protocol: str, template_id: int = 256) -> Template:
    """The template of 20 fields that the benchmark uses (IPv4).

    An IPFIX record has 8-byte times and 2-byte interfaces, so that 24 records
    still fit an Ethernet frame as they do in NetFlow v9.
    """
    interface_bytes = 2 if protocol == "ipfix" else 4
    fields = (*_IPV4, *_transport(4, interface_bytes), *_MASKS_V4, *_TIMES[protocol], *_STATE)
    return Template(template_id, fields)


def router_templates(protocol: str, selector: int = 1) -> tuple[Template, Template]:
    """What a synthetic router uses: a template for IPv4 and one for IPv6.

    IPFIX records name the selector (302) that sampled them, and the application (96).
    """
    ipfix_only = (Field(302, 1, "", "constant", selector), Field(96, 16, "ApplicationName", "text"))
    common = (
        *_transport(8 if protocol == "ipfix" else 4, 4), *_TIMES[protocol], *_STATE,
        Field(136, 1, "FlowEndReason"), Field(192, 1, "IPTTL"), Field(58, 2, "SrcVlan"),
        *(ipfix_only if protocol == "ipfix" else ()),
    )  # fmt: skip
    return (
        Template(256, (*_IPV4, *common, *_MASKS_V4, Field(32, 2, "", "icmp"))),
        Template(257, (*_IPV6, *common, *_MASKS_V6, Field(31, 4, "IPv6FlowLabel"), Field(139, 2, "", "icmp"))),
    )
