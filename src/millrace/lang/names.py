"""Names that people use for numbers and codes, both ways."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import NamedTuple

_PROTOCOL_ALIASES = {"ICMPV6": 58, "OSPF": 89, "ISIS": 124, "UDP-LITE": 136}
_SERVICE_ALIASES = {"dns": 53, "dhcp": 67, "rdp": 3389, "wireguard": 51820, "netbios": 137}
_ETHERTYPES = {
    "ipv4": 0x0800, "arp": 0x0806, "vlan": 0x8100, "ipv6": 0x86DD, "mpls": 0x8847, "mpls-multicast": 0x8848,
    "pppoe-discovery": 0x8863, "pppoe": 0x8864, "eapol": 0x888E, "qinq": 0x88A8, "lldp": 0x88CC, "macsec": 0x88E5,
    "ptp": 0x88F7,
}  # fmt: skip


class Country(NamedTuple):
    """A country or territory of ISO 3166: its codes of two and three letters, its name, other names of it."""

    code: str
    alpha3: str
    name: str
    others: tuple[str, ...] = ()


def folded(text: str) -> str:
    """Text for comparing names: letters and digits only, regardless of case (``United-States``: ``unitedstates``)."""
    return "".join(filter(str.isalnum, text.casefold()))


def data_text(name: str) -> str:
    """Text of a CSV file of names, its first line the column names; `name` is without the extension."""
    return resources.files("millrace.lang").joinpath("data", f"{name}.csv").read_text("utf-8")


@dataclass(frozen=True, eq=False)
class Names:
    """Look-ups of names. Immutable; equal to itself only, so that it may be a key.

    Parameters
    ----------
    protocols : mapping of str to int
        Of several names of a number the first is the one shown.
    services : sequence of (str, int)
        Names of TCP and UDP ports. A name may stand for several ports, a port may have several names.
    ethertypes : mapping of str to int
    countries : sequence of Country
    autonomous_systems : mapping of int to str
        Name of each AS number; the same name may stand for several.
    """

    protocols: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    services: tuple[tuple[str, int], ...] = ()
    ethertypes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    countries: tuple[Country, ...] = ()
    autonomous_systems: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    def with_autonomous_systems(self, known: Mapping[int, str]) -> Names:
        """These names and further names of AS, which win over those that are there."""
        return Names(
            self.protocols,
            self.services,
            self.ethertypes,
            self.countries,
            MappingProxyType({**self.autonomous_systems, **known}),
        )

    def protocol_number(self, name: str) -> int | None:
        """IP protocol of a name."""
        return self._protocol_numbers.get(name.casefold())

    def ethertype_number(self, name: str) -> int | None:
        """Ethertype of a name."""
        return self._ethertype_numbers.get(name.casefold())

    def ports(self, name: str) -> tuple[int, ...]:
        """Ports of a service."""
        return self._ports.get(name.casefold(), ())

    def country_code(self, name: str) -> str | None:
        """Code of two letters of a country by code, by code of three letters or by name."""
        return self._country_codes.get(folded(name))

    def as_numbers(self, name: str) -> tuple[int, ...]:
        """AS numbers of a name."""
        return self._as_numbers.get(folded(name), ())

    def protocol(self, number: int) -> str:
        """Name of an IP protocol, or empty."""
        return self._protocol_names.get(number, "")

    def ethertype(self, number: int) -> str:
        """Name of an ethertype, or empty."""
        return self._ethertype_names.get(number, "")

    def service(self, port: int) -> str:
        """Name of the service of a port, or empty."""
        return self._service_names.get(port, "")

    def country(self, code: str) -> str:
        """Name of a country by its code of two letters, or empty."""
        return self._country_names.get(code, "")

    def as_name(self, number: int) -> str:
        """Name of an AS, or empty."""
        return self.autonomous_systems.get(number, "")

    @cached_property
    def _protocol_numbers(self) -> dict[str, int]:
        return {name.casefold(): number for name, number in self.protocols.items()}

    @cached_property
    def _protocol_names(self) -> dict[int, str]:
        return _first((number, name) for name, number in self.protocols.items())

    @cached_property
    def _ethertype_numbers(self) -> dict[str, int]:
        return {name.casefold(): number for name, number in self.ethertypes.items()}

    @cached_property
    def _ethertype_names(self) -> dict[int, str]:
        return _first((number, name) for name, number in self.ethertypes.items())

    @cached_property
    def _ports(self) -> dict[str, tuple[int, ...]]:
        return _grouped((name.casefold(), port) for name, port in self.services)

    @cached_property
    def _service_names(self) -> dict[int, str]:
        return _first((port, name) for name, port in self.services)

    @cached_property
    def _country_codes(self) -> dict[str, str]:
        codes = {folded(name): c.code for c in self.countries for name in (*c.others, c.name)}
        codes |= {c.alpha3.casefold(): c.code for c in self.countries}
        return codes | {c.code.casefold(): c.code for c in self.countries}

    @cached_property
    def _country_names(self) -> dict[str, str]:
        return {country.code: country.name for country in self.countries}

    @cached_property
    def _as_numbers(self) -> dict[str, tuple[int, ...]]:
        return _grouped((folded(name), number) for number, name in self.autonomous_systems.items())


def _first(pairs: Iterable[tuple[int, str]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, tuple[int, ...]]:
    groups: dict[str, set[int]] = {}
    for key, value in pairs:
        groups.setdefault(key, set()).add(value)
    return {key: tuple(sorted(values)) for key, values in groups.items()}


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(data_text(name).splitlines()))


def _from_data() -> Names:
    services = [(row["name"], int(row["port"])) for name in ("tcp", "udp") for row in _rows(name)]
    protocols = {row["name"]: int(row["proto"]) for row in _rows("protocols")}
    return Names(
        protocols=MappingProxyType({**protocols, **_PROTOCOL_ALIASES}),
        services=tuple(dict.fromkeys((*services, *_SERVICE_ALIASES.items()))),
        ethertypes=MappingProxyType(_ETHERTYPES),
        countries=tuple(
            Country(row["code"], row["alpha3"], row["name"], tuple(filter(None, row["others"].split("|"))))
            for row in _rows("countries")
        ),
        autonomous_systems=MappingProxyType({int(row["asn"]): row["name"] for row in _rows("as_names")}),
    )


DEFAULT_NAMES = _from_data()
"""Protocols and ethertypes (IANA, IEEE), common services, countries (ISO 3166), well-known AS."""
