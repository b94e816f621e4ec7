"""What is measured, as SQL and as a factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from millrace.query.questions import Unit

OVERHEAD_BYTES = 38
"""What Ethernet adds to each packet on the wire: header 14, frame check sequence 4, preamble 8, gap 12 (IEEE 802.3)."""

Side = Literal["", "In", "Out"]

OCTETS = "toUInt128(Bytes) * SamplingRate"
PACKETS = "toUInt128(Packets) * SamplingRate"
FLOWS = "Flows"
"""SQL of what a row adds, scaled by the sampling rate; of 128 bits, since one forged record is enough to wrap 64."""

_WIRE_BYTES = f"(toUInt128(Bytes) + {OVERHEAD_BYTES} * toUInt128(Packets)) * SamplingRate"


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit.

    Parameters
    ----------
    amount : str
        SQL of what a row of flows adds: bytes, packets or flows.
    factor : float
        What one of these is in the unit's own count (8 bits).
    rate : bool
        Whether the unit is per second.
    side : {"", "In", "Out"}
        Interfaces of whose speed it is a percentage; flows of interfaces of unknown speed are left out.
    """

    amount: str
    factor: int = 1
    rate: bool = True
    side: Side = ""

    def value(self, seconds: float, capacity: float = 0.0) -> float:
        """What one byte, packet or flow is in the unit.

        Parameters
        ----------
        seconds : float
            Length of the range or interval in which it was counted.
        capacity : float
            Bits per second of the interfaces, for percentages.
        """
        if not self.rate:
            return float(self.factor)
        if not seconds:  # there are no data, and nothing to divide
            return 0.0
        if not self.side:
            return self.factor / seconds
        return 100 * self.factor / seconds / capacity if capacity else 0.0

    @property
    def condition(self) -> str:
        """SQL that keeps the flows that can be measured; empty: all of them."""
        return f"{self.side}IfSpeed > 0" if self.side else ""


MEASURES: dict[Unit, Measure] = {
    "bits/s": Measure(OCTETS, 8),
    "l2-bits/s": Measure(_WIRE_BYTES, 8),
    "packets/s": Measure(PACKETS),
    "flows/s": Measure(FLOWS),
    "in-%": Measure(_WIRE_BYTES, 8, side="In"),
    "out-%": Measure(_WIRE_BYTES, 8, side="Out"),
    "bytes": Measure(OCTETS, rate=False),
}


def opposite(unit: Unit) -> Unit:
    """The unit of the opposite direction: what comes in there goes out here."""
    return {"in-%": "out-%", "out-%": "in-%"}.get(unit, unit)  # type: ignore[return-value]  # units all
