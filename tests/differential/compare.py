"""Comparing two decodes value by value, so that it is known how many values were compared."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from millrace.schema.elements import Element


@dataclass(frozen=True)
class Difference:
    """A value that an oracle shows otherwise than we do."""

    name: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.name}: the oracle says {self.expected!r}, we say {self.got!r}"


@dataclass
class Tally:
    """How many values were compared, and which differ."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)

    def check(self, name: str, expected: Any, got: Any) -> None:
        """Compare one value, or a list of values that belong to one name."""
        many = isinstance(expected, list | tuple)
        self.compared += len(expected) if many else 1
        if (list(expected) != list(got)) if many and isinstance(got, list | tuple) else expected != got:
            self.differences.append(Difference(name, expected, got))

    def names(self) -> set[str]:
        """Names that differ."""
        return {difference.name for difference in self.differences}

    def explain(self) -> str:
        """The first differences, for a failing test."""
        shown = [str(difference) for difference in self.differences[:20]]
        return f"{len(self.differences)} of {self.compared} values differ:\n" + "\n".join(shown)


def base_name(shown: str) -> str:
    """Name of an element as a raw record shows it, without the number of a repeated one."""
    return shown.partition("#")[0]


def forward_name(shown: str) -> str:
    """Name of an element, of its forward twin if it is a reverse one (RFC 5103)."""
    name = base_name(shown)
    if name.startswith("reverse") and len(name) > 7:
        return name[7].lower() + name[8:]
    return name


def address(text: str) -> str:
    """The one spelling of an address."""
    parsed = ip_address(text)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return f"::ffff:{mapped}" if mapped else str(parsed)


def unix_ns(text: str) -> int:
    """Unix nanoseconds of an ISO time with any number of digits after the point."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(f"{seconds}+00:00").timestamp()
    return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9] or 0)


def encode(value: Any, element: Element | None, length: int) -> bytes:
    """Bytes that a raw value was decoded from; `length` as in the template."""
    variable = length == 0xFFFF
    kind = element.type.value if element else "octetArray"
    if value is None:
        return b""
    if isinstance(value, bool):
        return bytes([1 if value else 2])
    if isinstance(value, int):
        return value.to_bytes(length, "big", signed=kind.startswith("signed"))
    if isinstance(value, float):
        return struct.pack(">f" if length == 4 else ">d", value)
    if kind == "string":
        return value.encode() if variable else value.encode().ljust(length, b"\0")
    if kind in ("ipv4Address", "ipv6Address") and ("." in value or ":" in value):
        return ip_address(value).packed
    if kind == "macAddress":
        return bytes.fromhex(value.replace(":", ""))
    if kind == "dateTimeMilliseconds":
        return (unix_ns(value) // 1_000_000).to_bytes(length, "big")
    if kind == "dateTimeSeconds":
        return (unix_ns(value) // 1_000_000_000).to_bytes(length, "big")
    return bytes.fromhex(value)
