"""A capture and the file of its expected rows: what a recording is, and how it is written.

A line of the rows' file is a JSON object: first what the rows are and where they come from, then a row each::

    {"by": "hand", "rows": "whole"}
    {"flow": {"TimeReceived": 1760000000000, "SrcAddr": "198.51.100.1", …}}
    {"counters": {"TimeReceived": 1760000000000, "IfIndex": 3, …}}
    {"drop": {"unit": "set", "reason": "reserved-id", "amount": 1}}

``whole`` rows name every column that is known; of others the columns that they name must be equal.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from recording.wire import ipv4, udp

FOLDER = Path(__file__).parents[2] / "tests" / "recorded"

EXPORTER, COLLECTOR = "192.0.2.1", "192.0.2.2"
NETFLOW_PORT, SFLOW_PORT = 2055, 6343

_RAW_IP = 101
"""Link type of packets that begin with their IP header."""
_EXPORTER_PORT = 50000
_UDP = 17

Row = dict[str, Any]
"""Values by column: numbers; addresses, MACs and enumerations as text; times in Unix milliseconds."""


class Datagram(NamedTuple):
    """A payload, when it was received (Unix µs), and the UDP port that it went to."""

    time_us: int
    payload: bytes
    port: int


@dataclass
class Recording:
    """Datagrams and the rows that they must give, in wire order.

    Attributes
    ----------
    drops : dict
        Amounts by unit and reason, as in `docs/reference/reasons.md`.
    by : str
        ``hand``, or the program that decoded.
    rows : str
        Whether rows name every column that is known.
    """

    name: str
    datagrams: list[Datagram]
    flows: list[Row]
    counters: list[Row] = field(default_factory=list)
    drops: dict[tuple[str, str], int] = field(default_factory=dict)
    by: str = "hand"
    rows: Literal["whole", "named columns"] = "whole"

    def capture(self) -> bytes:
        """Its capture file: pcap of microseconds, IPv4 from `EXPORTER` to `COLLECTOR`."""
        parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP)]
        for time_us, payload, port in self.datagrams:
            packet = ipv4(_UDP, udp(_EXPORTER_PORT, port, payload), src=EXPORTER, dst=COLLECTOR)
            parts += [struct.pack("<IIII", *divmod(time_us, 1_000_000), len(packet), len(packet)), packet]
        return b"".join(parts)

    def expected(self) -> str:
        """Its file of rows."""
        return "".join(json.dumps(line) + "\n" for line in self._lines())

    def _lines(self) -> Iterator[Row]:
        yield {"by": self.by, "rows": self.rows}
        yield from ({"flow": row} for row in self.flows)
        yield from ({"counters": row} for row in self.counters)
        for (unit, reason), amount in self.drops.items():
            yield {"drop": {"unit": unit, "reason": reason, "amount": amount}}

    def write(self, folder: Path = FOLDER) -> None:
        """Write both files."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name}.pcap").write_bytes(self.capture())
        (folder / f"{self.name}.jsonl").write_text(self.expected())
