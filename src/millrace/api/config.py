"""Settings of the HTTP interface."""

from __future__ import annotations

from ipaddress import ip_address

from pydantic import Field

from millrace.config import Section

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class ApiSettings(Section):
    """HTTP interface: console, questions, metrics, health."""

    enabled: bool = True
    """Whether it is there at all."""

    host: str = "127.0.0.1"
    """Address to listen on. Where it is not a loopback address, `access.mode` must tell users apart, unless
    `access.allow_open_network` says that everybody who reaches it may see and change everything."""

    port: int = Field(default=8080, ge=0, le=65535)
    """TCP port; 0: any that is free."""

    allowed_hosts: tuple[str, ...] = ()
    """Names in the `Host` header that are answered; `*`: all. Empty: the loopback names if `host` is a loopback
    address (a web page elsewhere must not reach it by a name of its own), else all."""

    max_body_bytes: int = Field(default=65_536, ge=1024, le=16 * 2**20)
    """Longest request body."""

    body_timeout_seconds: float = Field(default=10.0, gt=0, le=300)
    """How long a client may take to send a request body."""

    max_questions: int = Field(default=4, ge=1, le=64)
    """Questions answered at the same time; more wait. One client (user or address) has all but one of these places at
    most."""

    max_waiting_questions: int = Field(default=1000, ge=1, le=65_536)
    """Questions that wait; more are refused until one is answered. One client has three quarters of these places at
    most."""

    question_timeout_seconds: float = Field(default=60.0, gt=0, le=3600)
    """How long a question may wait and run altogether; then it is ended."""

    max_connections: int = Field(default=1500, ge=8, le=65_536)
    """Connections and requests at the same time."""

    max_live_clients: int = Field(default=16, ge=0, le=64)
    """Clients of the live stream at the same time."""

    max_live_flows: int = Field(default=500, ge=1, le=10_000)
    """Flows per second that one client of the live stream may ask for; of more, a sample is sent."""

    def hosts(self) -> list[str]:
        """Host names that are answered."""
        if self.allowed_hosts:
            return list(self.allowed_hosts)
        return list(dict.fromkeys((*_LOOPBACK_NAMES, self.host))) if _is_loopback(self.host) else ["*"]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
