"""Batches of datagrams to decode, with the flows that must come out of them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from millrace.batch import DatagramBatch, FlowBatch
from millrace.batch.arrays import U8
from millrace.generate import LoadPool, messages, netflow5, sflow
from millrace.generate.datagrams import Datagrams, join
from millrace.generate.load import POOL_TIME_MS, UPTIME_MS, load_flows
from millrace.generate.stamp import HEADERS
from millrace.generate.templates import Template, plain_template
from millrace.schema import Schema

TIME_NS = POOL_TIME_MS * 1_000_000
"""Time of every batch: that at which pools are built, so that times in records are as built."""

PORTS = {"netflow-v5": 2055, "netflow-v9": 2055, "ipfix": 4739, "sflow-v5": 6343}


class Stream(Protocol):
    """A source of successive batches with the same flows in them.

    Attributes
    ----------
    protocol : str
    flows : FlowBatch
        The flows of a batch, in wire order.
    """

    protocol: str
    flows: FlowBatch

    def preamble(self) -> DatagramBatch | None:
        """Templates and options, to be decoded first."""

    def next(self) -> DatagramBatch:
        """The next batch; its sequence numbers follow those of the batch before."""


class OneExporter:
    """Full datagrams of one exporter, one template."""

    def __init__(self, protocol: str, *, datagrams: int, flows_per_datagram: int | None = None) -> None:
        self.protocol = protocol
        self._pool = LoadPool(protocol, datagrams=datagrams, flows_per_datagram=flows_per_datagram)
        self.flows = self._pool.flows

    def preamble(self) -> DatagramBatch | None:
        """Templates and options, to be decoded first."""
        announced = self._pool.preamble(TIME_NS)
        return None if announced is None else self._batch(announced)

    def next(self) -> DatagramBatch:
        """The next batch: all datagrams of the pool, copied, since a batch is never written to again."""
        return self._batch(self._pool.take(len(self._pool), TIME_NS))

    def _batch(self, datagrams: Datagrams) -> DatagramBatch:
        own = Datagrams(
            datagrams.arena.copy(), datagrams.start, datagrams.stop, datagrams.flows, datagrams.records
        )  # fmt: skip
        return own.batch("192.0.2.1", port=PORTS[self.protocol], time_ns=TIME_NS)


class ManyExporters:
    """Datagrams of many exporters, in NetFlow v9 and IPFIX of several templates each, in random order.

    Parameters
    ----------
    exporters, templates : int
        A batch has one datagram of each exporter and template.
    """

    def __init__(self, protocol: str, *, exporters: int = 500, templates: int = 4) -> None:
        self.protocol = protocol
        self._exporters = exporters
        self._templates = (
            [_rotated(protocol, k) for k in range(templates)] if protocol in ("netflow-v9", "ipfix") else []
        )
        rng = np.random.default_rng(7)
        per_datagram = {"netflow-v5": 30, "sflow-v5": 7}.get(protocol, 24)
        parts = [
            load_flows(rng, exporters * per_datagram, sampled=protocol == "sflow-v5") for _ in range(templates)
        ]  # fmt: skip
        encoded = join([self._encode(part, index, per_datagram) for index, part in enumerate(parts)])
        order = rng.permutation(len(encoded))
        self._datagrams = Datagrams(
            encoded.arena, encoded.start[order], encoded.stop[order], encoded.flows[order], encoded.records[order]
        )
        rows = (order[:, None] * per_datagram + np.arange(per_datagram)).reshape(-1)
        self.flows = FlowBatch.concat(parts, Schema()).take(rows)
        self._exporter = order % exporters
        self._units = {"netflow-v5": per_datagram, "ipfix": per_datagram}.get(protocol, 1)
        self._sequence = 0

    def _encode(self, flows: FlowBatch, index: int, per_datagram: int) -> Datagrams:
        boot_ms = POOL_TIME_MS - UPTIME_MS
        if self._templates:
            return messages.encode(
                flows, _message_protocol(self.protocol), self._templates[index], boot_ms=boot_ms,
                flows_per_datagram=per_datagram, domain=1,
            )  # fmt: skip
        if self.protocol == "netflow-v5":
            return netflow5.encode(flows, boot_ms=boot_ms, sampling_rate=1000)
        return sflow.encode(flows, agent="192.0.2.1", sampling_rate=1000)

    def _sources(self) -> U8:
        addresses = np.zeros((self._exporters, 16), np.uint8)
        addresses[:, 10:12] = 255
        addresses[:, 12:] = (0xC6120001 + np.arange(self._exporters)).astype(">u4").view(np.uint8).reshape(-1, 4)
        return addresses

    def preamble(self) -> DatagramBatch | None:
        """Templates and options of every exporter."""
        if not self._templates:
            return None
        announced = messages.announce(
            _message_protocol(self.protocol), tuple(self._templates), domain=1, sampling=messages.Sampling(1000)
        )
        each = join([announced] * self._exporters)
        words = each.words()
        words[each.start + HEADERS[self.protocol].secs] = TIME_NS // 1_000_000_000
        self._sequence = 1
        return self._batch(each, self._sources())

    def next(self) -> DatagramBatch:
        """The next batch, in the same random order."""
        datagrams = self._datagrams
        words = datagrams.words()
        offsets = HEADERS[self.protocol]
        # How many datagrams of the same exporter come before, by the stable order of a sort.
        by_exporter = np.argsort(self._exporter, kind="stable")
        per_exporter = len(datagrams) // self._exporters
        before = np.empty(len(datagrams), np.int64)
        before[by_exporter] = np.tile(np.arange(per_exporter), self._exporters)
        words[datagrams.start + offsets.sequence] = self._sequence + before * self._units
        if offsets.secs >= 0:
            words[datagrams.start + offsets.secs] = TIME_NS // 1_000_000_000
        if offsets.uptime >= 0:
            words[datagrams.start + offsets.uptime] = UPTIME_MS
        sources = self._sources()[self._exporter]
        if self.protocol == "sflow-v5":
            words[datagrams.start + 8] = np.ascontiguousarray(sources[:, 12:]).view(">u4").reshape(-1)
        self._sequence += per_exporter * self._units
        return self._batch(datagrams, sources)

    def _batch(self, datagrams: Datagrams, sources: U8) -> DatagramBatch:
        n = len(datagrams)
        return DatagramBatch(
            datagrams.arena.copy(), datagrams.start, datagrams.stop, sources, np.full(n, 50000, np.uint16),
            np.full(n, TIME_NS, np.int64), np.full(n, PORTS[self.protocol], np.uint16),
        )  # fmt: skip


def _message_protocol(protocol: str) -> messages.Protocol:
    return "ipfix" if protocol == "ipfix" else "netflow-v9"


def _rotated(protocol: str, turn: int) -> Template:
    """The benchmark's template with its fields in another order."""
    fields = plain_template(protocol).fields
    turn = turn * 5 % len(fields)
    return Template(256 + turn, (*fields[turn:], *fields[:turn]))
