"""What is known of exporters and interfaces without asking them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from millrace.enrich.prefixes import PrefixRanges

BOUNDARIES = ("undefined", "external", "internal")
"""Names of `InIfBoundary` and `OutIfBoundary`, by code."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of an exporter; empty texts and a speed of 0 are not known.

    Parameters
    ----------
    name, description, provider, connectivity : str
    speed_mbps : int
        Mbit/s.
    boundary : str
        One of `BOUNDARIES`.
    """

    name: str = ""
    description: str = ""
    speed_mbps: int = 0
    provider: str = ""
    connectivity: str = ""
    boundary: str = "undefined"


@dataclass(frozen=True, slots=True)
class Exporter:
    """Exporters of a subnet.

    Parameters
    ----------
    subnet : str
        Subnet or single address.
    name, group, role, site, region, tenant : str
        Empty: not known.
    default_sampling_rate : int, optional
        N of 1-in-N where the flow's is unknown.
    sampling_rate : int, optional
        N of 1-in-N in place of the flow's.
    interfaces : mapping of int to Interface
        By ifIndex.
    default_interface : Interface, optional
        Interfaces not in `interfaces`, except number 0 (unknown).
    """

    subnet: str
    name: str = ""
    group: str = ""
    role: str = ""
    site: str = ""
    region: str = ""
    tenant: str = ""
    default_sampling_rate: int | None = None
    sampling_rate: int | None = None
    interfaces: Mapping[int, Interface] = field(default_factory=lambda: MappingProxyType({}))
    default_interface: Interface | None = None

    def interfaces_with(self, announced: Mapping[int, tuple[str, str]]) -> dict[int, Interface]:
        """Its interfaces by ifIndex, those it announced itself among them.

        Attribute by attribute, what is configured wins over what it announces.

        Parameters
        ----------
        announced : mapping of int to (name, description)
            By ifIndex; empty texts tell nothing.
        """
        merged = dict(self.interfaces)
        for index, (name, description) in announced.items():
            known = merged.get(index) or (self.default_interface if index else None) or Interface()
            merged[index] = replace(known, name=known.name or name, description=known.description or description)
        return merged


UNKNOWN_EXPORTER = Exporter("::/0")
"""Stands for an exporter that no subnet contains."""


class StaticMetadata:
    """Exporters by subnet; immutable.

    Parameters
    ----------
    exporters : iterable of Exporter

    Raises
    ------
    ConfigError
        If two name the same subnet.
    """

    def __init__(self, exporters: Iterable[Exporter] = ()) -> None:
        self.exporters: tuple[Exporter, ...] = (UNKNOWN_EXPORTER, *exporters)
        entries = ((exporter.subnet, number) for number, exporter in enumerate(self.exporters[1:], start=1))
        self._ranges = PrefixRanges("exporters", entries)

    def find(self, address: bytes) -> int:
        """Index into `exporters` of the longest prefix that contains an address; 0 if none does.

        Parameters
        ----------
        address : bytes
            Sixteen bytes; IPv6 or IPv4-mapped.
        """
        return self._ranges.find(address) or 0
