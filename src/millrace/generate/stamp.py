"""Write sequence numbers and times into the headers of encoded datagrams, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from millrace.batch.arrays import I64
from millrace.generate.datagrams import Datagrams, sequence_before


@dataclass(frozen=True, slots=True)
class HeaderOffsets:
    """Byte offsets of the fields of a header that change; -1 where there is none."""

    sequence: int
    secs: int = -1
    nsecs: int = -1
    uptime: int = -1


HEADERS = {
    "netflow-v5": HeaderOffsets(sequence=16, secs=8, nsecs=12, uptime=4),
    "netflow-v9": HeaderOffsets(sequence=12, secs=8, uptime=4),
    "ipfix": HeaderOffsets(sequence=8, secs=4),
    # With an IPv4 agent address.
    "sflow-v5": HeaderOffsets(sequence=16, uptime=20),
}
SFLOW_IPV6_SHIFT = 12
"""How much further the fields of an sFlow header are with an IPv6 agent."""


def units(protocol: str, datagrams: Datagrams) -> I64:
    """What each datagram adds to the sequence number: v5 flows, IPFIX data records, else one."""
    match protocol:
        case "netflow-v5":
            return datagrams.flows
        case "ipfix":
            return datagrams.records
    return np.ones(len(datagrams), np.int64)


def stamp(
    protocol: str, datagrams: Datagrams, *, sequence: int, time_ns: int, boot_ms: int, ipv6_agent: bool = False
) -> int:
    """Stamp the headers in place.

    Parameters
    ----------
    sequence : int
        Number of the first datagram.
    time_ns : int
        Unix time of sending.
    boot_ms : int
        Unix milliseconds at which the uptime was zero.

    Returns
    -------
    int
        Sequence number of the datagram that follows.
    """
    offsets = HEADERS[protocol]
    shift = SFLOW_IPV6_SHIFT if ipv6_agent else 0
    words = datagrams.words()
    start = datagrams.start + shift
    added = units(protocol, datagrams)
    words[start + offsets.sequence] = sequence_before(added, sequence) & 0xFFFFFFFF
    if offsets.secs >= 0:
        words[start + offsets.secs] = time_ns // 1_000_000_000
    if offsets.nsecs >= 0:
        words[start + offsets.nsecs] = time_ns % 1_000_000_000
    if offsets.uptime >= 0:
        # The uptime is that of the time the header shows: where it shows whole seconds only (NetFlow v9), an uptime
        # with milliseconds would move every flow by the fraction.
        shown_ms = time_ns // 1_000_000_000 * 1000 if protocol == "netflow-v9" else time_ns // 1_000_000
        words[start + offsets.uptime] = (shown_ms - boot_ms) & 0xFFFFFFFF
    return (sequence + int(added.sum())) & 0xFFFFFFFF
