"""Settings of the HTTP interface."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

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

    socket: Path | None = None
    """Unix socket to answer on, in place of `host` and `port`: only users of this machine whom its mode lets in reach
    it, such as a reverse proxy. Its folder must exist and let them in, so it is none in the data folder."""

    socket_mode: Literal["0600", "0660"] = "0600"
    """Who may connect to the socket: the user of the collector, or its group, too."""

    allowed_hosts: tuple[str, ...] = ()
    """Names in the `Host` header that are answered; `*`: all. Empty: the loopback names if `host` is a loopback
    address (a web page elsewhere must not reach it by a name of its own), else all (also of a `socket`)."""

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
    """Connections at the same time. Who comes when there are so many takes the place of one that owes a request, or
    the rest of one, of the address that has the most of those; where there is none, only `/health` is answered."""

    max_connections_per_address: int = Field(default=0, ge=0, le=65_536)
    """Of these, connections of one address (of IPv6: of one network of 64 bits); 0: three quarters."""

    header_timeout_seconds: float = Field(default=10.0, gt=0, le=300)
    """How long a client may take to send the head of a request, from connecting or from its first byte."""

    send_timeout_seconds: float = Field(default=60.0, gt=0, le=3600)
    """How long a client may read nothing of an answer that it is sent."""

    max_live_clients: int = Field(default=16, ge=0, le=64)
    """Clients of the live stream at the same time. One client (user or address) has half of these places at most."""

    max_exports: int = Field(default=8, ge=1, le=64)
    """Files of flows that are made at the same time. One client has half of these places at most."""

    max_live_flows: int = Field(default=500, ge=1, le=10_000)
    """Flows per second that one client of the live stream may ask for; of more, a sample is sent."""

    @field_validator("socket_mode", mode="before")
    @classmethod
    def _as_digits(cls, value: Any) -> Any:  # noqa: ANN401 - what was written, whatever it is
        # YAML reads 0660 as an octal number.
        return f"{value:04o}" if isinstance(value, int) else value

    @property
    def local_host(self) -> str:
        """Address that tells who can reach it: that of a loopback for a socket."""
        return "127.0.0.1" if self.socket is not None else self.host

    def hosts(self) -> list[str]:
        """Host names that are answered."""
        if self.allowed_hosts:
            return list(self.allowed_hosts)
        if self.socket is not None:
            return ["*"]
        return list(dict.fromkeys((*_LOOPBACK_NAMES, self.host))) if is_loopback(self.host) else ["*"]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
