"""The network that synthetic exporters belong to: routers, interfaces, neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

CurveName = Literal["evening", "office"]


@dataclass(frozen=True, slots=True)
class ModelInterface:
    """An interface of a synthetic router.

    Parameters
    ----------
    index : int
        ifIndex.
    name, description : str
    speed_mbps : int
    boundary : {"external", "internal"}
    connectivity, provider : str
        As enrichment says them, in lower case: transit, ix, pni, customer …
    asn : int
        The neighbour behind it: of a private peering only this AS is reached; 0 for exchanges and internal ones.
    vlan : int
        802.1Q tag of its frames; 0: untagged.
    share : float
        Of the traffic of the router's internal side; internal interfaces only.
    """

    index: int
    name: str
    description: str
    speed_mbps: int
    boundary: Literal["external", "internal"]
    connectivity: str = ""
    provider: str = ""
    asn: int = 0
    vlan: int = 0
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class ModelNetwork:
    """Some of the hosts behind a synthetic router.

    Parameters
    ----------
    name, role, tenant : str
        As enrichment says them.
    prefix4, prefix6 : str
        Addresses; of the hosts with the numbers from 16 on in each family.
    """

    name: str
    role: str
    tenant: str
    prefix4: str
    prefix6: str


@dataclass(frozen=True, slots=True)
class ModelExporter:
    """A synthetic router.

    Parameters
    ----------
    name, address : str
        The address is a loopback one, which can be bound on any Linux machine.
    protocol : str
        What it exports (`millrace.generate.PROTOCOLS`).
    sampling_rate : int
        N of 1-in-N.
    role, site, region, group, tenant : str
        As enrichment says them.
    place : tuple of str
        Country (ISO 3166 code), state and city of the people who use it.
    utc_offset_h : float
        Of the people who use it: moves its day.
    curve : {"evening", "office"}
        Shape of its day.
    share : float
        Of all flows.
    ipv6_share : float
        Of its flows.
    prefix4, prefix6 : str
        Addresses of the hosts behind it.
    interfaces : tuple of ModelInterface
    networks : tuple of ModelNetwork
        Hosts that are more than subscribers of the router's site.
    tells_sampling : bool
        Whether its datagrams tell the sampling rate; sFlow always does.
    """

    name: str
    address: str
    protocol: str
    sampling_rate: int
    role: str
    site: str
    region: str
    group: str
    tenant: str
    place: tuple[str, str, str]
    utc_offset_h: float
    curve: CurveName
    share: float
    ipv6_share: float
    prefix4: str
    prefix6: str
    interfaces: tuple[ModelInterface, ...]
    networks: tuple[ModelNetwork, ...] = ()
    tells_sampling: bool = True


DEFAULT_FLOWS_PER_S = 1600
"""Mean flows per second at which the traffic of `default_model` fits the speeds of its interfaces."""


@dataclass(frozen=True, slots=True)
class Model:
    """Routers of one network, and its AS number."""

    local_as: int
    exporters: tuple[ModelExporter, ...]

    def at_rate(self, flows_per_s: float) -> Model:
        """The same routers and the same traffic, sampled so that about so many flows a second come of it."""
        factor = DEFAULT_FLOWS_PER_S / flows_per_s
        return replace(
            self,
            exporters=tuple(replace(e, sampling_rate=max(1, round(e.sampling_rate * factor))) for e in self.exporters),
        )

    def with_protocol(self, protocol: str) -> Model:
        """The same routers, all exporting one protocol (NetFlow v5 knows no IPv6)."""
        ipv6 = protocol != "netflow-v5"
        return replace(
            self,
            exporters=tuple(
                replace(e, protocol=protocol, ipv6_share=e.ipv6_share if ipv6 else 0.0) for e in self.exporters
            ),
        )


def _transit(index: int, name: str, provider: str, asn: int, speed_mbps: int = 10_000) -> ModelInterface:
    text = f"Transit: {provider} (AS{asn})"
    return ModelInterface(index, name, text, speed_mbps, "external", "transit", _short(provider), asn)


def _peering(index: int, name: str, provider: str, asn: int, speed_mbps: int = 10_000) -> ModelInterface:
    text = f"PNI: {provider} (AS{asn})"
    return ModelInterface(index, name, text, speed_mbps, "external", "pni", _short(provider), asn)


def _exchange(index: int, name: str, provider: str, place: str = "", speed_mbps: int = 10_000) -> ModelInterface:
    text = f"IX: {provider} {place}".rstrip()
    return ModelInterface(index, name, text, speed_mbps, "external", "ix", _short(provider))


def _short(provider: str) -> str:
    """Provider as it is used to group and filter: ``deutsche-telekom``."""
    return provider.lower().replace(" ", "-")


def _inside(
    index: int, name: str, text: str, connectivity: str, share: float, speed_mbps: int = 10_000, vlan: int = 0
) -> ModelInterface:
    return ModelInterface(
        index, name, text, speed_mbps, "internal", connectivity, share=share, vlan=vlan
    )  # fmt: skip


def default_model() -> Model:
    """Three edge routers on two continents and an office, together speaking all four protocols.

    The office's router samples, but does not say so: its rate must be configured.

    The network has a documentation AS number (RFC 5398) and documentation,
    benchmark and private addresses; its neighbours have the AS numbers they
    have in the world.
    """
    amsterdam = ModelExporter(
        "edge1.ams", "127.0.1.1", "ipfix", 1024, "edge", "ams", "europe", "backbone", "carrier",
        ("NL", "North Holland", "Amsterdam"), 1, "evening", 0.40, 0.38, "192.0.2.0/24", "2001:db8:1::/48",
        (
            _transit(101, "xe-0/0/0", "Arelion", 1299), _transit(102, "xe-0/0/1", "Lumen", 3356),
            _exchange(110, "xe-0/1/0", "AMS-IX"), _peering(120, "ae20", "Google", 15169, 5_000),
            _peering(121, "ae21", "Netflix", 2906, 4_000),
            _inside(201, "ae1", "Access ring west", "access", 0.6, 20_000),
            _inside(202, "ae2", "Data centre AMS1", "datacentre", 0.3),
            _inside(203, "ae3", "Core to FRA", "core", 0.1, 5_000),
        ),
        (ModelNetwork("acme Amsterdam", "business", "acme", "192.0.2.16/28", "2001:db8:1:10::/60"),),
    )  # fmt: skip
    frankfurt = ModelExporter(
        "edge1.fra", "127.0.1.2", "netflow-v9", 1024, "edge", "fra", "europe", "backbone", "carrier",
        ("DE", "Hesse", "Frankfurt am Main"), 1, "evening", 0.30, 0.33, "198.51.100.0/24", "2001:db8:2::/48",
        (
            _transit(11, "TenGigE0/0/0/0", "Cogent", 174), _transit(12, "TenGigE0/0/0/1", "Arelion", 1299),
            _exchange(20, "TenGigE0/0/0/2", "DE-CIX"), _peering(21, "Bundle-Ether21", "Meta", 32934, 2_000),
            _peering(22, "Bundle-Ether22", "Amazon", 16509, 2_000),
            _inside(40, "Bundle-Ether1", "Access ring south", "access", 0.7, 20_000),
            _inside(41, "Bundle-Ether2", "Data centre FRA2", "datacentre", 0.3),
        ),
        (
            ModelNetwork("acme Frankfurt", "business", "acme", "198.51.100.16/28", "2001:db8:2:10::/60"),
            ModelNetwork("globex Frankfurt", "business", "globex", "198.51.100.32/27", "2001:db8:2:20::/59"),
        ),
    )  # fmt: skip
    new_york = ModelExporter(
        "edge1.nyc", "127.0.1.3", "sflow-v5", 2048, "edge", "nyc", "north-america", "backbone", "carrier",
        ("US", "New York", "New York"), -5, "evening", 0.24, 0.42, "203.0.113.0/24", "2001:db8:3::/48",
        (
            _transit(1, "Port-Channel1", "NTT", 2914, 4_000), _transit(2, "Port-Channel2", "Lumen", 3356, 4_000),
            _exchange(3, "Ethernet3/1", "DE-CIX", "New York"), _peering(4, "Ethernet4/1", "Cloudflare", 13335, 1_000),
            _inside(49, "Port-Channel49", "Access ring Brooklyn", "access", 0.8, vlan=149),
            _inside(50, "Port-Channel50", "Data centre NYC1", "datacentre", 0.2, 5_000, vlan=150),
        ),
        (ModelNetwork("globex New York", "business", "globex", "203.0.113.32/27", "2001:db8:3:20::/59"),),
    )  # fmt: skip
    office = ModelExporter(
        "gw1.office", "127.0.1.4", "netflow-v5", 128, "branch", "office", "europe", "enterprise", "corporate",
        ("DE", "Berlin", "Berlin"), 1, "office", 0.06, 0.0, "10.20.0.0/20", "2001:db8:4::/48",
        (
            _transit(1, "GigabitEthernet0/0", "Deutsche Telekom", 3320, 1_000),
            _inside(2, "GigabitEthernet0/1", "Staff", "lan", 0.8, 1_000, vlan=10),
            _inside(3, "GigabitEthernet0/2", "Servers", "lan", 0.2, 1_000, vlan=20),
        ),
        tells_sampling=False,
    )  # fmt: skip
    return Model(64500, (amsterdam, frankfurt, new_york, office))
