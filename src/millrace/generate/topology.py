"""Look-up tables of a model's interfaces: which one leads where."""

from __future__ import annotations

from functools import cached_property
from ipaddress import ip_network

import numpy as np
from numpy.typing import NDArray

from millrace.batch.arrays import I64, Bool
from millrace.generate.model import Model, ModelExporter
from millrace.generate.networks import NETWORKS, Network

F64 = NDArray[np.float64]

_USUAL_WAY = 0.85
"""Share of the traffic with a network that takes the preferred interface."""

_ABSENT_EVERY = 3
"""At each exchange one of so many networks is not present: transit reaches it."""


class Topology:
    """Arrays by exporter and network of a model.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self._exporters = model.exporters
        ways = [[_ways(exporter, network) for network in NETWORKS] for exporter in model.exporters]
        self._ways = np.array(ways, np.int64)
        inside = [[i for i in exporter.interfaces if i.boundary == "internal"] for exporter in model.exporters]
        width = max(len(interfaces) for interfaces in inside)
        self._inside = np.array([_padded([i.index for i in row], width) for row in inside], np.int64)
        shares = [np.cumsum([i.share for i in row]) / sum(i.share for i in row) for row in inside]
        self._inside_limits = np.array([_padded(list(row), width) for row in shares], np.float64)

    def external(self, exporter: I64, network: I64, draws: F64) -> I64:
        """The ifIndex through which a network is reached, shape (n,)."""
        found: I64 = self._ways[exporter, network, (draws > _USUAL_WAY).astype(np.int64)]
        return found

    def internal(self, exporter: I64, server: Bool, draws: F64) -> I64:
        """The ifIndex behind which a local host is; servers are behind the second internal one."""
        position = (self._inside_limits[exporter] < draws[:, None]).sum(axis=1)
        found: I64 = self._inside[exporter, np.where(server, min(1, self._inside.shape[1] - 1), position)]
        return found

    def vlan(self, exporter: I64, index: I64) -> I64:
        """802.1Q tag of interfaces, 0 where untagged, shape (n,)."""
        return self._lookup(exporter, index, "vlan")

    def neighbour_as(self, exporter: I64, index: I64) -> I64:
        """AS behind interfaces; 0 where there is not one, shape (n,)."""
        return self._lookup(exporter, index, "asn")

    def _lookup(self, exporter: I64, index: I64, attribute: str) -> I64:
        out = np.zeros(len(index), np.int64)
        for number, model in enumerate(self._exporters):
            for interface in model.interfaces:
                value = getattr(interface, attribute)
                if value:
                    out[(exporter == number) & (index == interface.index)] = value
        return out

    @cached_property
    def local_prefixes(self) -> tuple[I64, I64]:
        """First IPv4 address, and first 48 bits of IPv6 addresses, of the hosts of each exporter."""
        first4 = [int(ip_network(exporter.prefix4).network_address) for exporter in self._exporters]
        first6 = [int(ip_network(exporter.prefix6).network_address) >> 80 for exporter in self._exporters]
        return np.array(first4, np.int64), np.array(first6, np.int64)


def _ways(exporter: ModelExporter, network: Network) -> tuple[int, int]:
    """Preferred and second ifIndex of the way to a network: private peering, exchange, transit."""
    outside = [interface for interface in exporter.interfaces if interface.boundary == "external"]
    transit = [interface for interface in outside if interface.connectivity == "transit"] or outside
    fallback = transit[network.asn % len(transit)].index
    direct = [interface for interface in outside if interface.asn == network.asn]
    exchanges = [
        interface
        for interface in outside
        if interface.connectivity == "ix" and network.exchanges and (network.asn + interface.index) % _ABSENT_EVERY
    ]
    for interface in (*direct, *exchanges):
        return interface.index, fallback
    return fallback, transit[(network.asn + 1) % len(transit)].index


def _padded(values: list[int] | list[float], width: int) -> list[int] | list[float]:
    return [*values, *([values[-1]] * (width - len(values)))]
