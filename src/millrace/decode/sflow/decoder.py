"""sFlow v5: datagrams to flows and interface counters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from millrace.batch import Coded, DatagramBatch, FlowBatch
from millrace.batch.arrays import I64, U8
from millrace.decode.exporters import Exporters, number_exporters
from millrace.decode.limits import Limits
from millrace.decode.packet.sheet import Sheet
from millrace.decode.result import Counts
from millrace.decode.sflow import counters, extended, packets
from millrace.decode.sflow.agents import Agents, AgentStatus, Visit
from millrace.decode.sflow.gateway import fill_gateway
from millrace.decode.sflow.headers import Headers, read_headers
from millrace.decode.sflow.interfaces import forwarding_status, if_index
from millrace.decode.sflow.records import Formats, Records, locate_records
from millrace.decode.sflow.samples import (
    COUNTERS,
    DISCARD,
    EXPANDED_COUNTERS,
    EXPANDED_FLOW,
    FLOW,
    FlowHeads,
    Samples,
    locate_samples,
    read_counter_heads,
    read_flow_heads,
)
from millrace.decode.sflow.tally import PROTOCOL, Tally
from millrace.decode.trust import TrustOf, no_trust
from millrace.schema import FLOW_PROTOCOLS, SAMPLING_SOURCES, Schema

_RAW, _GATEWAY = 1, 1003

_FILLERS: dict[int, tuple[int, Callable[[Records, Sheet], None]]] = {
    3: (32, partial(packets.fill_sampled_ip, layout=packets.SAMPLED_IPV4)),
    4: (56, partial(packets.fill_sampled_ip, layout=packets.SAMPLED_IPV6)),
    2: (24, packets.fill_sampled_ethernet),
    1012: (4, extended.fill_vlan_tunnel),
    1001: (16, extended.fill_switch),
    1002: (12, extended.fill_router),
    1006: (12, extended.fill_mpls),
    1007: (8, extended.fill_nat),
    1020: (8, extended.fill_nat_ports),
    1024: (32, partial(extended.fill_tunnel, layout=packets.SAMPLED_IPV4)),
    1026: (56, partial(extended.fill_tunnel, layout=packets.SAMPLED_IPV6)),
    1023: (32, partial(extended.fill_tunnel, layout=packets.SAMPLED_IPV4)),
    1025: (56, partial(extended.fill_tunnel, layout=packets.SAMPLED_IPV6)),
    1030: (4, extended.fill_vni),
    1029: (4, extended.fill_vni),
}
"""By record format: its least number of bytes and who fills columns from it.

The order decides who wins: what stands later overwrites, except where a filler
only fills what is missing. Of tunnels the ingress one (the header the packet
arrived with) comes before the egress one.
"""

_FORMATS = Formats(
    {_RAW: 16, _GATEWAY: 20, **{form: least for form, (least, _) in _FILLERS.items()}},
    frozenset(
        (1004, 1005, *range(1008, 1012), *range(1013, 1017), 1021, 1022, 1027, 1028, *range(1031, 1050),
         *range(2100, 2300))
    ),
)  # fmt: skip
"""User, URL, MPLS tunnels and circuits, 802.11, layer-2 tunnels, offsets of inner headers, queues, ACLs, sockets,
applications: known, without a column."""


_COUNTER_FORMATS = Formats({counters.GENERIC: counters.GENERIC_BYTES}, counters.UNUSED)


class SflowDecoder:
    """Decode sFlow v5 datagrams.

    Between batches only the sequence and status of agents is kept. What a
    datagram decodes to depends on it in one case: most bytes that an agent ever
    captured of a packet decide which of two lengths to believe (see `packet_bytes`).

    Parameters
    ----------
    schema : Schema
    limits : Limits, optional
        Its `exporters` bounds the agents and sub-agents whose status is remembered.
    trust : callable
        What the configuration vouches for, by address.
    """

    def __init__(self, schema: Schema, limits: Limits | None = None, trust: TrustOf = no_trust) -> None:
        self._schema = schema
        self._agents = Agents((limits or Limits()).exporters, trust)

    def status(self) -> list[AgentStatus]:
        """State of every agent and sub-agent remembered."""
        return [agent for part in self.status_parts() for agent in part]

    def status_parts(self) -> Iterator[list[AgentStatus]]:
        """The same in parts, between which it may decode."""
        return self._agents.status_parts()

    def decode(self, batch: DatagramBatch, which: I64, counts: Counts) -> tuple[FlowBatch, FlowBatch]:
        """Decode datagrams; flows and counters are in the order of the wire.

        Parameters
        ----------
        batch : DatagramBatch
        which : ndarray of int64, shape (k,)
            Rows to decode, version 5.
        counts : Counts
            Where events and drops are counted: under the agent's address, or
            the sender's where the header cannot be read.

        Returns
        -------
        flows : FlowBatch
            A row per flow sample and discarded packet.
        counters : FlowBatch
            A row per generic interface counters, columns of `COUNTER_COLUMNS`.
        """
        headers, unreadable = read_headers(batch, np.asarray(which, np.int64))
        for reason, rows in unreadable.items():
            _count_unreadable(batch, rows, reason, counts)
        if not len(headers.row):
            return FlowBatch(0), FlowBatch(0)
        exporters = number_exporters(headers.agent)
        tally = Tally(counts, exporters)
        tally.event("datagrams", None)
        tally.event("bytes", None, batch.stop[headers.row] - batch.start[headers.row])
        visit = self._agents.visit(headers, exporters, batch.time_ns[headers.row])
        _count_gaps(tally, visit)
        samples = locate_samples(batch.arena, headers, tally)
        origin = _Origin(headers, exporters, batch.time_ns[headers.row] // 1_000_000)
        flows = self._decode_flows(batch.arena, samples.having(FLOW, EXPANDED_FLOW, DISCARD), origin, tally, visit)
        interface = _decode_counters(batch.arena, samples.having(COUNTERS, EXPANDED_COUNTERS), origin, tally)
        self._note_issues(tally, exporters, visit)
        return flows, interface

    def _decode_flows(self, arena: U8, samples: Samples, origin: _Origin, tally: Tally, visit: Visit) -> FlowBatch:
        if not len(samples):
            return FlowBatch(0)
        tally.event("flow_samples", samples.having(FLOW, EXPANDED_FLOW).datagram)
        tally.event("discard_samples", samples.having(DISCARD).datagram)
        tally.event("flows", samples.datagram)
        heads, cursor = read_flow_heads(arena, samples)
        records = locate_records(samples, cursor, heads.records, _FORMATS, tally)
        sheet = Sheet(self._schema, len(samples))
        if _RAW in records:
            largest = partial(self._agents.largest_captures, visit)
            packets.fill_raw_headers(self._schema, records[_RAW], sheet, tally, samples.datagram, largest)
        for form, (_, fill) in _FILLERS.items():
            if form in records and len(records[form]):
                fill(records[form], sheet)
        if _GATEWAY in records:
            fill_gateway(records[_GATEWAY], sheet, tally, samples.datagram)
        _fill_heads(sheet, heads)
        self._note_rates(samples, heads, visit, tally)
        flows = sheet.flows()
        origin.tell(flows, samples)
        return flows

    def _note_rates(self, samples: Samples, heads: FlowHeads, visit: Visit, tally: Tally) -> None:
        """Remember the rate of each data source; those that change remarkably are counted."""
        place = visit.slot[visit.number][samples.datagram]
        if int(place.min()) >= 0 and self._agents.rates.known(place, heads.source, heads.rate):
            return
        told = np.flatnonzero((place >= 0) & (heads.rate > 0))
        if self._agents.rates.known(place[told], heads.source[told], heads.rate[told]):
            return
        # As they were received: samples come with the first of all datagrams first.
        told = told[np.argsort(samples.datagram[told], kind="stable")]
        found = self._agents.rates.note(place[told], heads.source[told], heads.rate[told])
        if len(found.rows):
            rows = told[found.rows]
            source, before, now = heads.source[rows], found.before, heads.rate[rows]
            tally.odd(
                "sampling_rate_jumps",
                samples.datagram[rows],
                lambda at: f"source {source[at]} told 1 in {before[at]}, then 1 in {now[at]}",
            )

    def _note_issues(self, tally: Tally, exporters: Exporters, visit: Visit) -> None:
        if not tally.example:
            return
        for slot, exporter in zip(visit.slot.tolist(), exporters.index[visit.first].tolist(), strict=True):
            if slot >= 0 and exporter in tally.example:
                self._agents.note_issue(slot, tally.example[exporter])


class _Origin:
    """When and from whom the samples of a batch came."""

    def __init__(self, headers: Headers, exporters: Exporters, time_ms: I64) -> None:
        self._row = headers.row.astype(np.int32)
        self._codes = exporters.index.astype(np.int32)
        self._addresses = exporters.addresses
        self._domain = headers.sub_agent.astype(np.uint32)
        self._time_ms = time_ms

    def tell(self, flows: FlowBatch, samples: Samples) -> None:
        """Add the columns of the datagram, and what every sFlow sample has."""
        datagram = samples.datagram
        time_ms = self._time_ms[datagram]
        for name in ("TimeReceived", "TimeFlowStart", "TimeFlowEnd"):
            flows.put(name, time_ms)
        flows.put("FlowProtocol", np.full(len(samples), FLOW_PROTOCOLS.index(PROTOCOL), np.uint8))
        flows.put("ExporterAddress", self.exporter(datagram))
        flows.put("ObservationDomain", self._domain[datagram])
        flows.put("Packets", np.ones(len(samples), np.uint64))
        flows.datagram = self._row[datagram]

    def tell_counters(self, batch: FlowBatch, datagram: I64) -> None:
        """Add the columns of the datagram to interface counters."""
        batch.put("TimeReceived", self._time_ms[datagram])
        batch.put("ExporterAddress", self.exporter(datagram))
        batch.put("ObservationDomain", self._domain[datagram])
        batch.datagram = self._row[datagram]

    def exporter(self, datagram: I64) -> Coded:
        """Agents of datagrams."""
        return Coded(self._codes[datagram], self._addresses)


def _fill_heads(sheet: Sheet, heads: FlowHeads) -> None:
    known = heads.rate > 0
    sheet.put_known("SamplingRate", None, heads.rate, known)
    sheet.put("SamplingRateSource", None, np.where(known, SAMPLING_SOURCES.index("sample"), 0))
    sheet.put("InIf", None, if_index(heads.input_format, heads.input))
    sheet.put("OutIf", None, if_index(heads.output_format, heads.output))
    dropped = heads.reason >= 0
    if dropped.any():
        sheet.put_known("ForwardingStatus", None, forwarding_status(np.maximum(heads.reason, 0)), dropped)


def _decode_counters(arena: U8, samples: Samples, origin: _Origin, tally: Tally) -> FlowBatch:
    if not len(samples):
        return FlowBatch(0)
    tally.event("counter_samples", samples.datagram)
    announced, cursor = read_counter_heads(arena, samples)
    records = locate_records(samples, cursor, announced, _COUNTER_FORMATS, tally)
    if counters.GENERIC not in records:
        return FlowBatch(0)
    generic = records[counters.GENERIC]
    batch = counters.read_interface_counters(generic)
    origin.tell_counters(batch, samples.datagram[generic.sample])
    return batch


def _count_gaps(tally: Tally, visit: Visit) -> None:
    lost = np.flatnonzero(visit.gaps.lost)
    if len(lost):
        tally.event("lost", lost, visit.gaps.lost[lost])
    tally.event("reordered", np.flatnonzero(visit.gaps.reordered))


def _count_unreadable(batch: DatagramBatch, rows: I64, reason: str, counts: Counts) -> None:
    if not len(rows):
        return
    senders = number_exporters(batch.source[rows])
    lengths = batch.stop[rows] - batch.start[rows]
    totals = np.bincount(senders.index).tolist()
    volumes = np.bincount(senders.index, lengths).astype(np.int64).tolist()
    detail = f"datagram of {lengths[0]} bytes has no usable sFlow v5 header"
    for sender, total, volume in zip(senders.keys(), totals, volumes, strict=True):
        counts.event(sender, PROTOCOL, "datagrams", total)
        counts.event(sender, PROTOCOL, "bytes", volume)
        counts.drop(sender, PROTOCOL, "datagram", reason, total, detail)
