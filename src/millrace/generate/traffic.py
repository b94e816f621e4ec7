"""Flows of a model as a FlowBatch: what its exporters would report, with every column a decoder would fill."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, address_bytes, map_ipv4
from millrace.batch.arrays import I64, U8, AnyArray, Bool
from millrace.generate import applications as apps
from millrace.generate.conversations import BURST_PACKET, BURST_PORT, Conversations, draw
from millrace.generate.model import Model, ModelExporter
from millrace.generate.netflow5 import AS_TRANS
from millrace.generate.networks import RemoteHosts, ipv6_addresses
from millrace.generate.topology import Topology
from millrace.generate.wire_values import ETYPE_IPV4, ETYPE_IPV6, numbers
from millrace.schema import FLOW_PROTOCOLS, SAMPLING_SOURCES

_FULL_PACKET = 1500
_FASTEST_FLOW_BPS = 2e9
_MAX_PACKETS = 4000
_PACKETS_LOG_MEAN, _PACKETS_LOG_DEVIATION = 1.16, 0.55
"""Packets of a record, log-normal: few, as under sampling, and alike enough for a graph of twenty flows a second."""

_TCP, _UDP, _ICMP, _ICMPV6 = 6, 17, 1, 58
_RATE_SOURCE = {"netflow-v5": "header", "netflow-v9": "options", "ipfix": "options", "sflow-v5": "sample"}
_FORWARDED = 64


class Traffic:
    """Draws flows of a model.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._topology = Topology(model)
        self._remote = RemoteHosts()
        names = [exporter.protocol for exporter in model.exporters]
        self._protocol = np.array([FLOW_PROTOCOLS.index(name) for name in names], np.uint8)
        self._is_sflow = np.array([name == "sflow-v5" for name in names])
        self._is_v5 = np.array([name == "netflow-v5" for name in names])
        self._rate_source = np.array([_rate_source(exporter) for exporter in model.exporters], np.uint8)
        self._is_ipfix = np.array([name == "ipfix" for name in names])
        self._rate = np.array([exporter.sampling_rate for exporter in model.exporters], np.uint64)
        self._ipv6_share = np.array([exporter.ipv6_share for exporter in model.exporters])
        self._domain = np.array([domain_of(name) for name in names], np.uint32)

    @cached_property
    def _exporter_addresses(self) -> U8:
        packed = b"".join(address_bytes(exporter.address) for exporter in self.model.exporters)
        return np.frombuffer(packed, np.uint8).reshape(-1, 16)

    def draw(
        self,
        rng: np.random.Generator,
        start_ms: int,
        stop_ms: int,
        rows: int,
        *,
        sampling_factor: int = 1,
        first: int = 0,
    ) -> FlowBatch:
        """Draw flow records that exporters report in a range of time.

        Parameters
        ----------
        rng : numpy.random.Generator
            With `first` decides everything: equal states give equal flows.
        start_ms, stop_ms : int
            Unix milliseconds at which the records are received.
        rows : int
        sampling_factor : int
            What sampling rates are multiplied by, to show the same traffic with fewer flows.
        first : int
            How many were drawn of the stretches before, for what is spread evenly over records.
        """
        talk = draw(self.model, self._remote, rng, start_ms, stop_ms, rows, first)
        flows = FlowBatch(rows)
        ipv6: Bool = (rng.random(rows) < self._ipv6_share[talk.exporter]) & ~talk.burst & ~talk.backup
        self._put_exporter(flows, talk, sampling_factor)
        self._put_addresses(flows, talk, ipv6)
        _put_transport(flows, talk, ipv6, self._is_v5[talk.exporter], rng)
        self._put_application(flows, talk)
        self._put_volume(flows, talk, ipv6, rng)
        self._put_routing(flows, talk, rng)
        return flows

    def _put_exporter(self, flows: FlowBatch, talk: Conversations, sampling_factor: int) -> None:
        exporter = talk.exporter
        flows.put("TimeReceived", talk.time_ms)
        flows.put("FlowProtocol", self._protocol[exporter])
        flows.put("ObservationDomain", self._domain[exporter])
        flows.put("SamplingRate", self._rate[exporter] * np.uint64(sampling_factor))
        flows.put("SamplingRateSource", self._rate_source[exporter])
        flows.put("ExporterAddress", Coded(exporter.astype(np.int32), self._exporter_addresses))

    def _put_addresses(self, flows: FlowBatch, talk: Conversations, ipv6: Bool) -> None:
        sites4, sites6 = self._topology.local_prefixes
        local = _choose(
            ipv6, map_ipv4((sites4[talk.exporter] + talk.local_host + 1).astype(">u4")),
            ipv6_addresses(sites6[talk.exporter], talk.local_host),
        )  # fmt: skip
        remote = _choose(
            ipv6, self._remote.ipv4(talk.network, talk.remote_host), self._remote.ipv6(talk.network, talk.remote_host)
        )
        flows.put("SrcAddr", _choose(talk.inbound, local, remote))
        flows.put("DstAddr", _choose(talk.inbound, remote, local))
        flows.put("EType", np.where(ipv6, ETYPE_IPV6, ETYPE_IPV4).astype(np.uint16))
        local_mask, remote_mask = np.where(ipv6, 48, 24), np.where(ipv6, 48, 22)
        for name, first, second in (("SrcNetMask", remote_mask, local_mask), ("DstNetMask", local_mask, remote_mask)):
            flows.put(name, np.where(talk.inbound, first, second).astype(np.uint8))

    def _put_application(self, flows: FlowBatch, talk: Conversations) -> None:
        """Names of applications, which the routers that speak IPFIX tell."""
        told = self._is_ipfix[talk.exporter]
        application = np.where(talk.burst, _NTP, talk.application)
        flows.put("ApplicationName", Coded(np.where(told, application + 1, 0).astype(np.int32), _NAMES), told)

    def _put_volume(self, flows: FlowBatch, talk: Conversations, ipv6: Bool, rng: np.random.Generator) -> None:
        rows = flows.rows
        sflow = self._is_sflow[talk.exporter]
        drawn = np.exp(rng.normal(_PACKETS_LOG_MEAN, _PACKETS_LOG_DEVIATION, rows)) * np.where(
            talk.backup, 6, np.where(talk.burst, 4, 1)
        )
        packets = np.where(sflow, 1, np.clip(drawn, 1, _MAX_PACKETS)).astype(np.int64)
        share = np.where(talk.down, apps.FULL_DOWN[talk.application], apps.FULL_UP[talk.application])
        full = rng.binomial(packets, np.where(talk.backup, np.where(talk.down, 0.0, 0.98), share))
        small = np.minimum(apps.SMALL[talk.application] + rng.integers(0, 24, rows) + 20 * ipv6, _FULL_PACKET)
        total = np.where(talk.burst, packets * BURST_PACKET, packets * small + full * (_FULL_PACKET - small))
        flows.put("Packets", packets.astype(np.uint64))
        flows.put("Bytes", total.astype(np.uint64))
        lag = np.where(sflow, 0, rng.integers(0, 3_000, rows))
        drawn_ms = np.minimum(rng.exponential(8_000, rows), 60_000)
        # What a sampled flow stands for must have gone through a port.
        least_ms = total * numbers(flows, "SamplingRate") * (8_000 / _FASTEST_FLOW_BPS)
        duration = np.where(sflow | (packets == 1), 0, np.maximum(drawn_ms, least_ms)).astype(np.int64)
        flows.put("TimeFlowEnd", talk.time_ms - lag)
        flows.put("TimeFlowStart", talk.time_ms - lag - duration)
        templated = ~sflow & ~self._is_v5[talk.exporter]
        flows.put("FlowEndReason", np.where(templated, rng.choice(_END_REASONS, rows), 0).astype(np.uint8), templated)
        flows.put("IPTTL", (np.where(talk.inbound, 52, 63) - rng.integers(0, 8, rows)).astype(np.uint8))

    def _put_routing(self, flows: FlowBatch, talk: Conversations, rng: np.random.Generator) -> None:
        topology, rows = self._topology, flows.rows
        outside = topology.external(talk.exporter, talk.network, rng.random(rows))
        inside = topology.internal(talk.exporter, talk.local_server, rng.random(rows))
        flows.put("InIf", np.where(talk.inbound, outside, inside).astype(np.uint32))
        flows.put("OutIf", np.where(talk.inbound, inside, outside).astype(np.uint32))
        local, remote = np.full(rows, self.model.local_as), self._remote.asn[talk.network].astype(np.int64)
        remote = np.where(self._is_v5[talk.exporter] & (remote > 0xFFFF), AS_TRANS, remote)
        flows.put("SrcAS", np.where(talk.inbound, remote, local).astype(np.uint32))
        flows.put("DstAS", np.where(talk.inbound, local, remote).astype(np.uint32))
        out = numbers(flows, "OutIf").astype(np.int64)
        next_hop = np.where(talk.inbound, 0x0A000000, 0xCB007100) + out % 251 + 1
        flows.put("NextHop", map_ipv4(next_hop.astype(">u4")))
        flows.put("FlowDirection", np.full(rows, 1, np.uint8))
        flows.put("ForwardingStatus", np.full(rows, _FORWARDED, np.uint8))
        self._put_layer2(flows, talk)
        self._put_gateway(flows, talk, remote)

    def _put_layer2(self, flows: FlowBatch, talk: Conversations) -> None:
        sflow = self._is_sflow[talk.exporter]
        for name, interface, router in (("Src", "InIf", 0), ("Dst", "OutIf", 0x8000)):
            index = numbers(flows, interface).astype(np.int64)
            vlan = self._topology.vlan(talk.exporter, index)
            flows.put(f"{name}Vlan", vlan.astype(np.uint16))
            mac = (0x02 << 40) + (talk.exporter << 24) + router + index
            flows.put(f"{name}MAC", np.where(sflow, mac, 0).astype(np.uint64), sflow)

    def _put_gateway(self, flows: FlowBatch, talk: Conversations, remote: I64) -> None:
        """AS path and communities, which sFlow tells of what leaves."""
        leaves = self._is_sflow[talk.exporter] & ~talk.inbound
        neighbour = self._topology.neighbour_as(talk.exporter, numbers(flows, "OutIf").astype(np.int64))
        through = leaves & (neighbour > 0) & (neighbour != remote)
        lengths = through.astype(np.int64) + leaves
        path = np.stack([neighbour, remote], axis=1)
        flows.put("DstASPath", _lists(lengths, path[np.stack([through, leaves], axis=1)]), leaves)
        local_as = self.model.local_as
        community = np.stack([np.full(flows.rows, local_as << 16 | 100), (local_as << 16) + 3000 + neighbour % 1000], 1)
        flows.put("DstCommunities", _lists(2 * leaves.astype(np.int64), community[leaves].reshape(-1)), leaves)
        first = np.where(through, neighbour, remote)
        for name, value, known in (("Dst1stAS", first, leaves), ("Dst2ndAS", remote, through)):
            flows.put(name, np.where(known, value, 0).astype(np.uint32), known)


_NAMES = ["", *(application.name for application in apps.APPLICATIONS)]
_NTP = _NAMES.index("ntp") - 1
_END_REASONS = np.array([1, 1, 1, 2, 3], np.uint8)


def _rate_source(exporter: ModelExporter) -> int:
    """How a collector that is configured knows the sampling rate of an exporter."""
    told = exporter.tells_sampling or exporter.protocol == "sflow-v5"
    return SAMPLING_SOURCES.index(_RATE_SOURCE[exporter.protocol] if told else "configured")


def domain_of(protocol: str) -> int:
    """Observation domain that synthetic exporters use."""
    return 1 if protocol in ("netflow-v9", "ipfix") else 0


def of_exporter(flows: FlowBatch, index: int) -> FlowBatch:
    """The flows of one exporter, by its index in the model (copies)."""
    coded = flows.columns["ExporterAddress"]
    assert isinstance(coded, Coded)
    return flows.take(np.flatnonzero(coded.codes == index))


def _put_transport(flows: FlowBatch, talk: Conversations, ipv6: Bool, v5: Bool, rng: np.random.Generator) -> None:
    rows = flows.rows
    proto = np.where(talk.burst, _UDP, apps.PROTOCOLS[talk.application])
    proto = np.where(ipv6 & (proto == _ICMP), _ICMPV6, proto).astype(np.uint8)
    flows.put("Proto", proto)
    with_ports = (proto == _TCP) | (proto == _UDP)
    server = np.where(talk.burst, BURST_PORT, apps.PORTS[talk.application])
    client = rng.integers(32768, 61000, rows)
    icmp_type = _icmp_type(proto, talk.down)
    # NetFlow v5 tells ICMP's type and code in the destination port.
    no_port: dict[str, AnyArray | int] = {"SrcPort": 0, "DstPort": np.where(v5, icmp_type.astype(np.int64) * 256, 0)}
    for name, is_server in (("SrcPort", talk.down), ("DstPort", ~talk.down)):
        port = np.where(is_server, server, client)
        flows.put(name, np.where(with_ports, port, no_port[name]).astype(np.uint16))
    flags = rng.choice(_TCP_FLAGS, rows)
    flows.put("TCPFlags", np.where(proto == _TCP, flags, 0).astype(np.uint16))
    flows.put("IPTos", np.where(talk.burst, 0, apps.TOS[talk.application]).astype(np.uint8))
    flows.put("ICMPType", icmp_type)
    flows.put("ICMPCode", np.zeros(rows, np.uint8))
    label = np.where(ipv6, rng.integers(0, 1 << 20, rows), 0)
    flows.put("IPv6FlowLabel", label.astype(np.uint32), ipv6)


_TCP_FLAGS = np.array([0x10, 0x10, 0x10, 0x10, 0x18, 0x18, 0x1B, 0x02, 0x12, 0x11, 0x14], np.uint16)


def _icmp_type(proto: U8, reply: Bool) -> U8:
    """Echo requests and replies of ICMP (8, 0) and ICMPv6 (128, 129)."""
    code = np.where(proto == _ICMP, np.where(reply, 0, 8), np.where(reply, 129, 128))
    return np.where((proto == _ICMP) | (proto == _ICMPV6), code, 0).astype(np.uint8)


def _choose(second: Bool, if_false: U8, if_true: U8) -> U8:
    chosen: U8 = np.where(second[:, None], if_true, if_false)
    return chosen


def _lists(lengths: I64, values: AnyArray) -> Lists:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return Lists(offsets, values.astype(np.uint32))
