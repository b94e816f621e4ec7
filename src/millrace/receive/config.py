"""Settings of the UDP listeners."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from pydantic import Field, model_validator

from millrace.config import Section

_MIB = 1 << 20


class ListenerSettings(Section):
    """A UDP address to listen on; may be written as a port, ``host:port`` or ``[host]:port``."""

    address: IPv4Address | IPv6Address = IPv6Address("::")
    """Local address. The default `::` takes IPv6 and IPv4, unless another listener takes IPv4 on that port."""

    port: int = Field(ge=0, le=65535)
    """UDP port. Every port recognises every protocol. 0 lets the system choose."""

    interface: str = Field(default="", max_length=15)
    """Network interface on which datagrams must arrive, such as that of the management network. Empty: any. Linux."""

    sockets: int = Field(default=1, ge=1, le=64)
    """Sockets that share the port (SO_REUSEPORT), one thread each. The kernel keeps an exporter on one socket."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the configuration file holds
        if isinstance(value, int) and not isinstance(value, bool):
            return {"port": value}
        if isinstance(value, str):
            host, _, port = value.rpartition(":")
            host = host.removeprefix("[").removesuffix("]")
            return {"address": host, "port": port} if host else {"port": port}
        return value


class ReceiveSettings(Section):
    """How flow datagrams are received. These UDP ports are open to the network by default."""

    listeners: tuple[ListenerSettings, ...] = (
        ListenerSettings(port=2055),
        ListenerSettings(port=4739),
        ListenerSettings(port=6343),
    )
    """Where to listen."""

    receive_buffer_bytes: int = Field(default=64 * _MIB, ge=65536, le=1 << 30)
    """Kernel buffer asked for each socket. Without CAP_NET_ADMIN the kernel grants at most net.core.rmem_max."""

    allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Subnets of the exporters that are listened to; datagrams from others are counted and discarded. Empty: all."""

    datagram_bytes: int = Field(default=65535, ge=512, le=65535)
    """Longest datagram that is taken whole. Longer ones are cut and counted as truncated."""

    batch_datagrams: int = Field(default=4096, ge=1, le=65536)
    """Most datagrams in one batch."""

    batch_interval_ms: int = Field(default=20, ge=0, le=1000)
    """Longest time, in milliseconds, that a datagram waits for others to join its batch."""
