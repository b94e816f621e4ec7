"""Pools of prebuilt datagrams for load: sent over and over, with numbers and times stamped anew."""

from __future__ import annotations

import numpy as np

from millrace.batch import FlowBatch, map_ipv4
from millrace.batch.arrays import I64, U8
from millrace.generate import messages, netflow5, sflow
from millrace.generate.datagrams import Datagrams
from millrace.generate.stamp import stamp, units
from millrace.generate.templates import Template, plain_template
from millrace.generate.wire_values import ETYPE_IPV4

PROTOCOLS = ("netflow-v5", "netflow-v9", "ipfix", "sflow-v5")

FLOWS_PER_DATAGRAM = {"netflow-v5": 30, "netflow-v9": 24, "ipfix": 24, "sflow-v5": 7}
"""Usual numbers for full datagrams of about an Ethernet frame."""

UPTIME_MS = 3_600_000
"""Uptime that pooled datagrams show: an hour, whenever they are sent."""

POOL_TIME_MS = 1_700_000_000_000
"""Time at which a pool is built; absolute times in its records move on from it when it is sent."""

_LOCAL_MAC = 0x02 << 40
"""First locally administered unicast address."""


def load_flows(rng: np.random.Generator, rows: int, *, sampled: bool = False) -> FlowBatch:
    """Random IPv4 TCP flows between documentation addresses, every column known.

    Parameters
    ----------
    sampled : bool
        One packet per flow, long enough to fill a sampled header (for sFlow).
    """
    flows = FlowBatch(rows)
    for name in ("SrcAddr", "DstAddr"):
        flows.put(name, _addresses(rng, rows))
    flows.put("NextHop", map_ipv4((0xC0000200 + rng.integers(1, 9, rows)).astype(">u4")))
    end = POOL_TIME_MS - rng.integers(0, 5_000, rows)
    flows.put("TimeFlowStart", end - rng.integers(0, 50_000, rows))
    flows.put("TimeFlowEnd", end)
    packets = np.ones(rows, np.uint64) if sampled else rng.integers(1, 200, rows).astype(np.uint64)
    flows.put("Packets", packets)
    flows.put("Bytes", packets * rng.integers(150, 1500, rows).astype(np.uint64))
    for name, low, high, dtype in (
        ("SrcPort", 1024, 65536, np.uint16), ("DstPort", 1, 1024, np.uint16), ("TCPFlags", 0, 64, np.uint16),
        ("IPTos", 0, 64, np.uint8), ("SrcAS", 64496, 64512, np.uint32), ("DstAS", 1, 64496, np.uint32),
        ("SrcNetMask", 8, 25, np.uint8), ("DstNetMask", 8, 25, np.uint8), ("InIf", 1, 200, np.uint32),
        ("OutIf", 1, 200, np.uint32), ("SrcMAC", _LOCAL_MAC, _LOCAL_MAC + (1 << 40), np.uint64),
        ("DstMAC", _LOCAL_MAC, _LOCAL_MAC + (1 << 40), np.uint64), ("IPTTL", 30, 65, np.uint8),
        ("IPFragmentID", 0, 65536, np.uint32),
    ):  # fmt: skip
        flows.put(name, rng.integers(low, high, rows).astype(dtype))
    for name, value, dtype in (
        ("Proto", 6, np.uint8), ("EType", ETYPE_IPV4, np.uint16), ("ForwardingStatus", 64, np.uint8),
        ("FlowDirection", 1, np.uint8), ("SrcVlan", 0, np.uint16), ("DstVlan", 200, np.uint16),
    ):  # fmt: skip
        flows.put(name, np.full(rows, value, dtype))
    return flows


def _addresses(rng: np.random.Generator, rows: int) -> U8:
    words = 0xC6120000 + rng.integers(0, 1 << 17, rows)
    return map_ipv4(words.astype(">u4"))


class LoadPool:
    """Prebuilt full datagrams of one exporter, sent over and over.

    A receiver sees a proper stream: `take` stamps sequence numbers, times and
    uptime, so that there is no gap and flows are recent.

    Parameters
    ----------
    protocol : str
        One of `PROTOCOLS`.
    datagrams : int
        Size of the pool.
    flows_per_datagram : int, optional
        Full datagrams by default (`FLOWS_PER_DATAGRAM`).
    template : Template, optional
        NetFlow v9 and IPFIX: of IPv4 flows; `plain_template` by default.
    domain : int
        Observation domain, source ID, engine or sub-agent.
    sampling_rate : int
    agent : str
        sFlow agent address.
    seed : int

    Attributes
    ----------
    flows : FlowBatch
        The flows of the pool, in wire order.
    """

    def __init__(
        self,
        protocol: str,
        *,
        datagrams: int = 1024,
        flows_per_datagram: int | None = None,
        template: Template | None = None,
        domain: int = 1,
        sampling_rate: int = 1000,
        agent: str = "192.0.2.1",
        seed: int = 0,
    ) -> None:
        self.protocol = protocol
        self.per_datagram = flows_per_datagram or FLOWS_PER_DATAGRAM[protocol]
        self._domain = domain
        self._rate = sampling_rate
        rows = datagrams * self.per_datagram
        self.flows = load_flows(np.random.default_rng(seed), rows, sampled=protocol == "sflow-v5")
        self._template: Template | None = None
        if protocol in ("netflow-v9", "ipfix"):
            self._template = template or plain_template(protocol)
        self.datagrams = self._encode(agent)
        self._units = int(units(protocol, self.datagrams.slice(0, 1))[0])
        self._samples: I64 | None = None
        self._taken = 0
        self._sequence = 0
        self._shifted_ms = np.zeros(datagrams, np.int64)
        if protocol == "sflow-v5":
            self._samples = sflow.sample_offsets(self.datagrams).reshape(datagrams, self.per_datagram)

    def __len__(self) -> int:
        return len(self.datagrams)

    def _encode(self, agent: str) -> Datagrams:
        boot_ms = POOL_TIME_MS - UPTIME_MS
        if self._template is not None:
            protocol: messages.Protocol = "ipfix" if self.protocol == "ipfix" else "netflow-v9"
            return messages.encode(
                self.flows, protocol, self._template, boot_ms=boot_ms, flows_per_datagram=self.per_datagram,
                domain=self._domain,
            )  # fmt: skip
        if self.protocol == "netflow-v5":
            return netflow5.encode(
                self.flows, boot_ms=boot_ms, sampling_rate=self._rate, engine=self._domain,
                flows_per_datagram=self.per_datagram,
            )  # fmt: skip
        return sflow.encode(
            self.flows, agent=agent, sub_agent=self._domain, sampling_rate=self._rate,
            flows_per_datagram=self.per_datagram,
        )  # fmt: skip

    def preamble(self, time_ns: int) -> Datagrams | None:
        """Templates and sampling options, to be sent first and again from time to time; None if there are none."""
        if self._template is None:
            return None
        protocol: messages.Protocol = "ipfix" if self.protocol == "ipfix" else "netflow-v9"
        announced = messages.announce(
            protocol, (self._template,), domain=self._domain, sampling=messages.Sampling(self._rate)
        )
        self._stamp(announced, time_ns)
        return announced

    def take(self, count: int, time_ns: int) -> Datagrams:
        """The next datagrams of the stream, at most `count`, stamped.

        They share the pool's arena: send or copy them before the next call.
        """
        first = self._taken % len(self)
        last = min(first + count, len(self))
        part = self.datagrams.slice(first, last)
        self._stamp(part, time_ns)
        if self._samples is not None:
            self._number_samples(part, self._samples[first:last])
        if self._template is not None and self.protocol == "ipfix":
            self._move_times(first, last, time_ns // 1_000_000 - POOL_TIME_MS)
        self._taken += last - first
        return part

    def _stamp(self, part: Datagrams, time_ns: int) -> None:
        # A constant uptime makes times that are relative to it move on with the clock.
        boot_ms = time_ns // 1_000_000 - UPTIME_MS
        self._sequence = stamp(self.protocol, part, sequence=self._sequence, time_ns=time_ns, boot_ms=boot_ms)

    def _number_samples(self, part: Datagrams, offsets: I64) -> None:
        words = part.words()
        first = self._taken * self.per_datagram + 1
        sequence = np.arange(first, first + offsets.size, dtype=np.int64).reshape(offsets.shape)
        words[offsets + 4 * sflow.SAMPLE_SEQUENCE_WORD] = sequence & 0xFFFFFFFF
        words[offsets + 4 * sflow.SAMPLE_POOL_WORD] = (sequence * self._rate) & 0xFFFFFFFF

    def _move_times(self, first: int, last: int, shift_ms: int) -> None:
        """Move the absolute times of the records to `shift_ms` after `POOL_TIME_MS`."""
        assert self._template is not None
        layout = messages.message_dtype("ipfix", self._template, self.per_datagram)
        blocks = np.ndarray((len(self),), layout, self.datagrams.arena.data)[first:last]
        change = (shift_ms - self._shifted_ms[first:last])[:, None]
        for field in self._template.fields:
            if field.element in (152, 153):
                times = blocks["records"][f"f{field.element}"]
                times[...] = times.astype(np.int64) + change
        self._shifted_ms[first:last] = shift_ms
