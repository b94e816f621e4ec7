"""The networks that synthetic hosts talk to: real AS numbers, documentation addresses.

An AS number and the name of its owner are facts; how much traffic each has
here is made up, and its addresses are benchmark (RFC 2544) and documentation
(RFC 3849) ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from millrace.batch import map_ipv4
from millrace.batch.arrays import I64, U8, U32, AnyArray


@dataclass(frozen=True, slots=True)
class Network:
    """A remote network.

    Parameters
    ----------
    asn : int
    name, country : str
    content : float
        Relative traffic of its servers with our clients.
    eyeballs : float
        Relative traffic of its clients with our servers.
    exchanges : bool
        Whether it is reached over internet exchanges; else over transit.
    """

    asn: int
    name: str
    country: str
    content: float
    eyeballs: float
    exchanges: bool = True


NETWORKS: tuple[Network, ...] = (
    Network(15169, "Google", "US", 100, 4), Network(36040, "YouTube", "US", 60, 0),
    Network(2906, "Netflix", "US", 85, 0), Network(32934, "Meta", "US", 62, 1),
    Network(16509, "Amazon", "US", 55, 6), Network(13335, "Cloudflare", "US", 42, 5),
    Network(20940, "Akamai", "NL", 40, 0), Network(54113, "Fastly", "US", 26, 0),
    Network(8075, "Microsoft", "US", 36, 5), Network(714, "Apple", "US", 28, 2),
    Network(6185, "Apple CDN", "US", 12, 0), Network(46489, "Twitch", "US", 18, 0),
    Network(32590, "Valve", "US", 14, 0), Network(396982, "Google Cloud", "US", 12, 3),
    Network(138699, "TikTok", "SG", 22, 0), Network(22822, "Edgio", "US", 6, 0),
    Network(60068, "CDN77", "GB", 8, 0), Network(16276, "OVHcloud", "FR", 9, 5),
    Network(24940, "Hetzner", "DE", 8, 5), Network(14061, "DigitalOcean", "US", 6, 5),
    Network(63949, "Akamai Linode", "US", 4, 3), Network(51167, "Contabo", "DE", 3, 2),
    Network(12876, "Scaleway", "FR", 3, 2), Network(20473, "Vultr", "US", 3, 2),
    Network(2635, "Automattic", "US", 3, 0), Network(36459, "GitHub", "US", 4, 0),
    Network(14907, "Wikimedia", "US", 5, 0), Network(13414, "X", "US", 5, 0),
    Network(8068, "Microsoft Azure", "US", 6, 2), Network(19679, "Dropbox", "US", 4, 0),
    Network(45102, "Alibaba", "CN", 5, 3), Network(132203, "Tencent", "CN", 4, 3),
    Network(3320, "Deutsche Telekom", "DE", 3, 40, exchanges=False),
    Network(3209, "Vodafone Germany", "DE", 2, 24), Network(6805, "Telefónica Germany", "DE", 1, 16),
    Network(8881, "1&1 Versatel", "DE", 1, 10), Network(1136, "KPN", "NL", 2, 22),
    Network(33915, "VodafoneZiggo", "NL", 1, 20), Network(3215, "Orange", "FR", 2, 22, exchanges=False),
    Network(12322, "Free", "FR", 1, 16), Network(15557, "SFR", "FR", 1, 10),
    Network(2856, "BT", "GB", 2, 16), Network(5089, "Virgin Media", "GB", 1, 14),
    Network(5607, "Sky UK", "GB", 1, 12), Network(3269, "Telecom Italia", "IT", 1, 14, exchanges=False),
    Network(3352, "Telefónica", "ES", 1, 12, exchanges=False), Network(5617, "Orange Polska", "PL", 1, 10),
    Network(6830, "Liberty Global", "AT", 1, 12), Network(3301, "Telia", "SE", 1, 8),
    Network(3303, "Swisscom", "CH", 1, 9), Network(8447, "A1", "AT", 1, 7),
    Network(7922, "Comcast", "US", 2, 38, exchanges=False), Network(701, "Verizon", "US", 2, 26, exchanges=False),
    Network(7018, "AT&T", "US", 2, 28, exchanges=False), Network(20115, "Charter", "US", 1, 22),
    Network(21928, "T-Mobile US", "US", 1, 18), Network(6327, "Shaw", "CA", 1, 6),
    Network(577, "Bell Canada", "CA", 1, 9), Network(4134, "China Telecom", "CN", 2, 12, exchanges=False),
    Network(4837, "China Unicom", "CN", 1, 9, exchanges=False), Network(2516, "KDDI", "JP", 1, 8),
    Network(4713, "NTT OCN", "JP", 1, 8), Network(17676, "SoftBank", "JP", 1, 7),
    Network(4766, "Korea Telecom", "KR", 1, 6, exchanges=False), Network(9498, "Bharti Airtel", "IN", 1, 10),
    Network(55836, "Reliance Jio", "IN", 1, 14), Network(1221, "Telstra", "AU", 1, 5, exchanges=False),
    Network(28573, "Claro", "BR", 1, 10), Network(26599, "Vivo", "BR", 1, 8), Network(262195, "Telecentro", "AR", 0, 3),
    Network(37457, "Telkom", "ZA", 0, 3), Network(9121, "Türk Telekom", "TR", 1, 8, exchanges=False),
    Network(12389, "Rostelecom", "RU", 1, 8, exchanges=False),
)  # fmt: skip
"""Remote networks; the order decides their addresses."""

_FIRST_IPV4 = 0xC6120000  # 198.18.0.0
_IPV4_EACH = 1024
_FIRST_SITE = 0x1000  # 2001:db8:1000::
_HASH = np.uint64(0x9E3779B97F4A7C15)


class RemoteHosts:
    """Addresses and weights of the hosts of `NETWORKS`."""

    @cached_property
    def asn(self) -> U32:
        """AS numbers, shape (networks,)."""
        return np.array([network.asn for network in NETWORKS], np.uint32)

    @cached_property
    def content(self) -> AnyArray:
        """Cumulative weights of servers, the last being 1."""
        return _cumulative([network.content for network in NETWORKS])

    @cached_property
    def eyeballs(self) -> AnyArray:
        """Cumulative weights of clients, the last being 1."""
        return _cumulative([network.eyeballs for network in NETWORKS])

    def ipv4(self, network: I64, host: I64) -> U8:
        """IPv4-mapped addresses of hosts (host numbers wrap at 1024), shape (n, 16)."""
        return map_ipv4((_FIRST_IPV4 + network * _IPV4_EACH + host % _IPV4_EACH).astype(">u4"))

    def ipv6(self, network: I64, host: I64) -> U8:
        """IPv6 addresses of hosts in 2001:db8:1000::/36, shape (n, 16)."""
        return ipv6_addresses((0x20010DB8 << 16) + _FIRST_SITE + network, host)


def ipv6_addresses(site: I64, host: I64) -> U8:
    """Addresses in /48 sites with interface identifiers that follow from the host number.

    Parameters
    ----------
    site : ndarray of int64, shape (n,)
        First 48 bits.
    host : ndarray of int64, shape (n,)
    """
    out = np.zeros((len(host), 2), ">u8")
    out[:, 0] = site.astype(np.uint64) << np.uint64(16) | (host % 97).astype(np.uint64)
    out[:, 1] = (host.astype(np.uint64) + np.uint64(1)) * _HASH
    return out.view(np.uint8).reshape(-1, 16)


def prefixes() -> list[dict[str, object]]:
    """Which addresses belong to which network: prefix, AS number, name, country."""
    found: list[dict[str, object]] = []
    for index, network in enumerate(NETWORKS):
        first = _FIRST_IPV4 + index * _IPV4_EACH
        text = ".".join(str(first >> shift & 0xFF) for shift in (24, 16, 8, 0))
        found += [
            {"prefix": prefix, "asn": network.asn, "name": network.name, "country": network.country}
            for prefix in (f"{text}/22", f"2001:db8:{_FIRST_SITE + index:x}::/48")
        ]
    return found


def _cumulative(weights: list[float]) -> AnyArray:
    total: AnyArray = np.cumsum(np.array(weights, np.float64)) / sum(weights)
    return total
