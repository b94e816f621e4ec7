"""The decoder of all protocols: recognises each datagram by its version word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from millrace.batch import DatagramBatch, FlowBatch, windows
from millrace.batch.arrays import I64
from millrace.decode.exporters import number_exporters
from millrace.decode.limits import Limits
from millrace.decode.netflow import HEADER_BYTES, PROTOCOLS, NetflowDecoder
from millrace.decode.netflow.manners import PROOF_DATAGRAMS
from millrace.decode.netflow.netflow import InterfaceName
from millrace.decode.netflow.snapshot import SnapshotPart, join_snapshot
from millrace.decode.netflow.status import DomainStatus, ExporterStatus, SamplingStatus
from millrace.decode.oddities import Oddities
from millrace.decode.quirks import QuirksOf, no_quirks
from millrace.decode.result import Counts, Decoded
from millrace.decode.sflow import AgentStatus, SflowDecoder
from millrace.decode.trust import TrustOf, no_trust
from millrace.schema import Schema

_SFLOW5 = 5
_UNKNOWN = "unknown"
_SFLOW = "sflow-v5"
_LONGEST_VERSION = 16
_PART = 500
"""Agents that a part of the status tells of."""
_DEFAULT_LIMITS = Limits()


class Decoder:
    """Decodes datagrams of any mix of NetFlow v1, v5, v7, v9, IPFIX and sFlow v5.

    Every port takes every protocol. The decoder keeps what exporters announce
    (templates, sampling rates, names) from batch to batch; it reads no clock:
    all times are those of the datagrams. Not safe for use by several threads.

    Parameters
    ----------
    schema : Schema
        Columns to fill.
    limits : Limits
        Bounds on memory and work.
    quirks : callable
        How the exporter of an address departs from the standards.
    trust : callable
        What the configuration vouches for, by address.
    """

    def __init__(
        self,
        schema: Schema,
        limits: Limits = _DEFAULT_LIMITS,
        quirks: QuirksOf = no_quirks,
        trust: TrustOf = no_trust,
    ) -> None:
        self._schema = schema
        self._netflow = NetflowDecoder(schema, limits, quirks, trust)
        self._sflow = SflowDecoder(schema, limits, trust)
        self._oddities = Oddities(limits.exporters, self._netflow.knows)

    def decode(self, batch: DatagramBatch) -> Decoded:
        """Decode a batch; whatever the bytes are, it does not raise.

        Returns
        -------
        Decoded
            Flows in the order of layouts, not of datagrams: see `FlowBatch.ordered`.
        """
        counts = Counts()
        netflow, version, sflow = self._recognise(batch, counts)
        flows = self._netflow.decode(batch, netflow, version, counts) if len(netflow) else FlowBatch(0)
        counters = FlowBatch(0)
        if len(sflow):
            sampled, counters = self._sflow.decode(batch, sflow, counts)
            flows = FlowBatch.concat([flows, sampled], self._schema)
        if counts.odd:
            self._oddities.note(counts, int(batch.time_ns.max()))
        return Decoded(flows, counters, counts, self._netflow.take_changed())

    def _recognise(self, batch: DatagramBatch, counts: Counts) -> tuple[I64, I64, I64]:
        """Datagrams of NetFlow, their version words, and datagrams of sFlow; others are counted."""
        word = windows(batch.arena, ">u4")[batch.start].astype(np.int64)
        size = batch.stop - batch.start
        version = word >> 16
        sflow = (word == _SFLOW5) & (size >= 4)
        if sflow.all():
            return np.zeros(0, np.int64), version, np.arange(len(batch))
        known = _HEADER_BYTES[np.minimum(version, _LONGEST_VERSION)]
        netflow = (known > 0) & (size >= known)
        if netflow.all():
            return np.arange(len(batch)), version, np.zeros(0, np.int64)
        strange = np.flatnonzero(~(netflow | sflow))
        if len(strange):
            self._drop(batch, strange, version, counts)
        which = np.flatnonzero(netflow)
        return which, version[which], np.flatnonzero(sflow)

    def _drop(self, batch: DatagramBatch, which: I64, version: I64, counts: Counts) -> None:
        """Count datagrams that are none of ours, per sender and version."""
        senders = number_exporters(batch.source[which])
        size = batch.stop[which] - batch.start[which]
        named = np.where(size < 2, _LONGEST_VERSION, np.minimum(version[which], _LONGEST_VERSION))
        group = senders.index * (_LONGEST_VERSION + 1) + named
        _, first, index, amount = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
        octets = np.bincount(index, size)
        for number, at in enumerate(first.tolist()):
            exporter, protocol = senders.addresses[senders.index[at]].tobytes(), PROTOCOLS.get(int(named[at]), _UNKNOWN)
            reason = "unknown-version" if protocol == _UNKNOWN else "truncated"
            counts.event(exporter, protocol, "datagrams", int(amount[number]))
            counts.event(exporter, protocol, "bytes", int(octets[number]))
            head = batch.payload(int(which[at]))[:8].hex(" ") or "nothing"
            detail = f"{size[at]} bytes that begin with {head}"
            counts.drop(exporter, protocol, "datagram", reason, int(amount[number]), detail)

    def snapshot(self) -> dict[str, Any]:
        """Templates, sampling rates and names of all exporters, as plain JSON-able data."""
        return join_snapshot(part for parts in self.snapshot_parts() for part in parts)

    def snapshot_parts(self) -> Iterator[list[SnapshotPart]]:
        """The same in parts of some milliseconds, between which it may decode; see `join_snapshot`."""
        return self._netflow.snapshot_parts()

    def restore(self, state: Mapping[str, Any]) -> bool:
        """Take a snapshot over; what is wrong in it, or no longer fits the limits, is skipped.

        False if it is of another kind: nothing is taken over then.
        """
        return self._netflow.restore(state)

    def exporters(self) -> list[ExporterStatus]:
        """What is known of every exporter, agents of sFlow included."""
        return [status for part in self.exporter_parts() for status in part]

    def exporter_parts(self) -> Iterator[list[ExporterStatus]]:
        """The same in parts of some milliseconds, between which it may decode: who holds it up must not for long."""
        agents: dict[bytes, ExporterStatus] = {}
        for some in self._sflow.status_parts():
            for agent in some:
                status = _agent_status(agent)
                agents[agent.address] = _joined(agents[agent.address], status) if agent.address in agents else status
            yield []
        for part in self._netflow.exporter_parts():
            joined = (
                _joined(status, agents.pop(status.address)) if status.address in agents else status for status in part
            )
            yield [replace(status, oddities=self._oddities.of(status.address)) for status in joined]
        rest = list(agents.values())
        for first in range(0, len(rest), _PART):
            part = rest[first : first + _PART]
            yield [replace(status, oddities=self._oddities.of(status.address)) for status in part]

    def interface_names(self) -> dict[tuple[bytes, int], tuple[str, str]]:
        """Name and description by exporter (16 bytes) and ifIndex, as told by options."""
        return dict(name for part in self.interface_parts() for name in part)

    def interface_parts(self) -> Iterator[list[InterfaceName]]:
        """The same in parts, as `exporter_parts`."""
        return self._netflow.interface_parts()


def _agent_status(agent: AgentStatus) -> ExporterStatus:
    domain = DomainStatus(
        _SFLOW,
        agent.sub_agent,
        agent.last_seen_ns,
        agent.lost,
        agent.reordered,
        0.0,
        agent.datagrams,
        agent.datagrams >= PROOF_DATAGRAMS,
    )
    sampling = tuple(
        SamplingStatus(_SFLOW, agent.sub_agent, "source", source, rate, "sample")
        for source, rate in agent.sampling_rates.items()
    )
    return ExporterStatus(
        address=agent.address, protocols=(_SFLOW,), domains=(domain,), templates=(), sampling=sampling,
        last_seen_ns=agent.last_seen_ns, lost=agent.lost, reordered=agent.reordered, clock_skew_s=0.0, waiting=(),
        applications=0, interfaces=0, last_issue=agent.last_issue, last_issue_ns=agent.last_issue_ns,
    )  # fmt: skip


def _joined(status: ExporterStatus, agent: ExporterStatus) -> ExporterStatus:
    """One status of an exporter that speaks several protocols or has several sub-agents."""
    latest = max(status, agent, key=lambda known: known.last_issue_ns)
    return replace(
        status,
        protocols=tuple(dict.fromkeys(status.protocols + agent.protocols)),
        domains=status.domains + agent.domains,
        sampling=status.sampling + agent.sampling,
        last_seen_ns=max(status.last_seen_ns, agent.last_seen_ns),
        lost=status.lost + agent.lost,
        reordered=status.reordered + agent.reordered,
        last_issue=latest.last_issue,
        last_issue_ns=latest.last_issue_ns,
    )


_HEADER_BYTES = np.zeros(_LONGEST_VERSION + 1, np.int64)
for _version, _bytes in HEADER_BYTES.items():
    _HEADER_BYTES[_version] = _bytes
