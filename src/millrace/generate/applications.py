"""What synthetic hosts do: applications with their ports, packet sizes and marks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import AnyArray


@dataclass(frozen=True, slots=True)
class Application:
    """An application.

    Parameters
    ----------
    name : str
    proto : int
        IP protocol.
    port : int
        Of the server; 0 where the protocol has none.
    share : float
        Relative number of flows.
    full_down, full_up : float
        Share of full-sized packets from the server and from the client.
    small : int
        Typical bytes of the other packets.
    tos : int
        Type of service of its packets.
    """

    name: str
    proto: int
    port: int
    share: float
    full_down: float
    full_up: float
    small: int
    tos: int = 0


APPLICATIONS: tuple[Application, ...] = (
    Application("https", 6, 443, 40, 0.75, 0.06, 60), Application("quic", 17, 443, 30, 0.85, 0.04, 70),
    Application("http", 6, 80, 5, 0.80, 0.04, 60), Application("dns", 17, 53, 5, 0.0, 0.0, 110),
    Application("dns-tcp", 6, 53, 0.2, 0.1, 0.0, 90), Application("dot", 6, 853, 0.6, 0.05, 0.0, 120),
    Application("ssh", 6, 22, 1.2, 0.25, 0.20, 100, 0x48), Application("smtp", 6, 25, 0.8, 0.05, 0.6, 80),
    Application("submission", 6, 587, 0.5, 0.03, 0.6, 80), Application("imaps", 6, 993, 1.0, 0.5, 0.05, 90),
    Application("rtmp", 6, 1935, 0.6, 0.1, 0.85, 60), Application("rdp", 6, 3389, 0.5, 0.5, 0.05, 90),
    Application("ntp", 17, 123, 0.6, 0.0, 0.0, 76), Application("stun", 17, 3478, 1.4, 0.0, 0.0, 160, 0xB8),
    Application("teams", 17, 3481, 1.6, 0.1, 0.1, 220, 0xB8), Application("sip", 17, 5060, 0.2, 0.0, 0.0, 480, 0x60),
    Application("wireguard", 17, 51820, 1.8, 0.6, 0.3, 110), Application("openvpn", 17, 1194, 0.7, 0.5, 0.3, 110),
    Application("ipsec-nat", 17, 4500, 1.0, 0.5, 0.3, 120), Application("esp", 50, 0, 0.6, 0.5, 0.4, 120),
    Application("gre", 47, 0, 0.2, 0.5, 0.4, 120), Application("bittorrent", 6, 6881, 1.2, 0.6, 0.5, 70),
    Application("bittorrent-utp", 17, 6881, 1.0, 0.6, 0.5, 80), Application("steam", 17, 27015, 1.2, 0.02, 0.0, 150),
    Application("xbox", 17, 3074, 0.6, 0.02, 0.0, 140), Application("ping", 1, 0, 0.5, 0.0, 0.0, 84),
)  # fmt: skip

PORTS = np.array([application.port for application in APPLICATIONS], np.uint16)
PROTOCOLS = np.array([application.proto for application in APPLICATIONS], np.uint8)
FULL_DOWN = np.array([application.full_down for application in APPLICATIONS])
FULL_UP = np.array([application.full_up for application in APPLICATIONS])
SMALL = np.array([application.small for application in APPLICATIONS], np.int64)
TOS = np.array([application.tos for application in APPLICATIONS], np.uint8)


def cumulative_shares() -> AnyArray:
    """Cumulative shares of the applications, the last being 1."""
    total: AnyArray = np.cumsum([application.share for application in APPLICATIONS])
    shares: AnyArray = total / total[-1]
    return shares
