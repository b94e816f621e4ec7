"""Marks flows whose own figures contradict each other: defects, wrong settings, forged records.

They are kept as they came: only who looks at them can tell which of the
figures is wrong. Each rule needs what it compares to be known, and leaves
flows alone where it is not. Where several rules hold, the first of
`IMPLAUSIBLE` but the interface's speed is said, which mostly follows.
"""

from __future__ import annotations

import numpy as np

from millrace.batch import FlowBatch
from millrace.batch.arrays import I64, U32, U64, AnyArray, Bool
from millrace.schema import IMPLAUSIBLE

PACKET_BYTES = 65_535
"""Longest IP packet (RFC 791, RFC 8200; jumbograms of RFC 2675 are not routed)."""

SPEED_FACTOR = 10
"""How many times what its interface can carry a flow may claim: speeds are configured, times are rounded."""

LEAST_MS = 1000
"""Shortest duration that is reckoned with: exporters round times, and export what they had buffered."""

MAX_RATE = 2**24
"""Highest 1-in-N that anybody configures: at it one packet stands for 16 million."""

FEW_PACKETS = 10
"""Sampled packets below which nothing is concluded from their estimate: it may be ten times too high by chance.

Of ten and more packets that happens once in 10⁷ flows (Poisson)."""

_PACKET_SIZE, _INTERFACE_SPEED, _SAMPLING_RATE = (
    np.uint8(IMPLAUSIBLE.index(rule)) for rule in ("packet-size", "interface-speed", "sampling-rate")
)
_CARRIED = SPEED_FACTOR * 125_000
"""Bytes that a flow may claim for each Mbit/s of its interface and each second."""


def mark_implausible(flows: FlowBatch) -> None:
    """Put ``Implausible`` into a batch that nobody else reads yet.

    * ``packet-size``: more bytes than packets × `PACKET_BYTES`; also bytes in no packets, where the packets are told.
    * ``sampling-rate``: above `MAX_RATE`.
    * ``interface-speed``: more bytes (scaled by the sampling rate, unless they are of fewer than `FEW_PACKETS`
      sampled packets) than the slower of its interfaces carries in `SPEED_FACTOR` times the duration.

    Parameters
    ----------
    flows : FlowBatch
        With the speeds of its interfaces, if they are known.
    """
    octets, rate = _numbers(flows, "Bytes"), _numbers(flows, "SamplingRate")
    if octets is None and rate is None:
        return
    marks = np.zeros(flows.rows, np.uint8)
    flows.put("Implausible", marks)
    if octets is not None:
        marks[_above_speed(flows, octets, rate)] = _INTERFACE_SPEED
    if rate is not None and flows.rows and rate.max() > MAX_RATE:
        marks[rate > MAX_RATE] = _SAMPLING_RATE
    if octets is not None:
        marks[_above_packets(flows, octets)] = _PACKET_SIZE


def _above_packets(flows: FlowBatch, octets: U64) -> I64:
    """Rows with more bytes than their packets can hold."""
    packets = _numbers(flows, "Packets")
    if packets is None:
        return np.zeros(0, np.int64)
    # More packets than that make the product wrap, and can hold any number of bytes.
    found = np.flatnonzero(octets > packets * np.uint64(PACKET_BYTES))
    return found[(packets[found] <= (2**64 - 1) // PACKET_BYTES) & _known(flows, "Packets", found)]


def _above_speed(flows: FlowBatch, octets: U64, rate: U64 | None) -> I64:
    """Rows that claim more than the slower of their interfaces can carry."""
    speed = _slower(flows)
    start, end = _numbers(flows, "TimeFlowStart"), _numbers(flows, "TimeFlowEnd")
    if speed is None or start is None or end is None:
        return np.zeros(0, np.int64)
    # Whom not even the slowest interface and the highest rate of the batch accuse: nearly all.
    highest = 1 if rate is None else max(int(rate.max()), 1)
    found = np.flatnonzero(octets > (int(speed.min()) + 1) * _CARRIED // highest)
    found = found[(speed[found] != _UNKNOWN_SPEED) & _known(flows, "Bytes", found)]
    for name, times in (("TimeFlowStart", start), ("TimeFlowEnd", end)):
        found = found[(times[found] > 0) & _known(flows, name, found)]
    found = found[end[found] >= start[found]]
    claimed = octets[found].astype(np.float64)
    if rate is not None:
        packets = _numbers(flows, "Packets")
        told = np.zeros(len(found), np.uint64) if packets is None else packets[found]
        claimed = np.where(told < FEW_PACKETS, claimed, claimed * rate[found])
    seconds = np.maximum(end[found] - start[found], LEAST_MS) / 1000
    above: Bool = claimed > (speed[found] + 1.0) * seconds * _CARRIED
    implausible: I64 = found[above]
    return implausible


_UNKNOWN_SPEED = np.uint32(2**32 - 1)


def _slower(flows: FlowBatch) -> U32 | None:
    """Mbit/s less one of the slower interface whose speed is known; `_UNKNOWN_SPEED` where none is."""
    slower: U32 | None = None
    for side in ("In", "Out"):
        speed = _numbers(flows, f"{side}IfSpeed")
        if speed is not None:
            # An unknown speed, 0, becomes the highest.
            less = speed - np.uint32(1)
            slower = less if slower is None else np.minimum(slower, less)
    return slower


def _numbers(flows: FlowBatch, name: str) -> AnyArray | None:
    values = flows.columns.get(name)
    return values if isinstance(values, np.ndarray) else None


def _known(flows: FlowBatch, name: str, rows: I64) -> Bool:
    valid = flows.valid.get(name)
    return np.ones(len(rows), np.bool_) if valid is None else valid[rows]
