"""Settings of the synthetic exporters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from millrace.config import Section

USUAL_PORTS = {"netflow-v5": 2055, "netflow-v9": 2055, "ipfix": 4739, "sflow-v5": 6343}


Mix = Literal["mix", "netflow-v5", "netflow-v9", "ipfix", "sflow-v5"]
"""Protocol of all exporters; ``mix``: each its own."""


class GenerateSettings(Section):
    """Synthetic exporters: where they send, what and how much."""

    host: str = "127.0.0.1"
    """Collector to send to, by name or address. On loopback each exporter has an address of its own."""

    port: int | None = Field(default=None, ge=1, le=65535)
    """UDP port of the collector; the usual port of each protocol if not set."""

    protocol: Mix = "mix"
    """Protocol of all exporters; `mix`: each its own."""

    rate: float = Field(default=500.0, gt=0, le=10_000_000)
    """Mean flows per second of all exporters together."""

    curve: bool = True
    """Whether traffic follows the time of day; else the rate is constant."""

    seed: int = Field(default=0, ge=0)
    """Equal seeds give equal traffic at equal times."""

    def port_of(self, protocol: str) -> int:
        """Port that an exporter of a protocol sends to."""
        return self.port or USUAL_PORTS[protocol]
