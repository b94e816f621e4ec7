"""A synthetic exporter's stream of datagrams: its templates, sequence numbers and uptime."""

from __future__ import annotations

import numpy as np

from millrace.batch import FlowBatch
from millrace.generate import messages, netflow5, sflow
from millrace.generate.datagrams import Datagrams, join
from millrace.generate.model import ModelExporter
from millrace.generate.stamp import stamp
from millrace.generate.templates import router_templates
from millrace.generate.traffic import domain_of
from millrace.generate.wire_values import ETYPE_IPV6, numbers

MAX_PAYLOAD = 1400
"""Bytes of a datagram, so that it passes tunnels unfragmented."""

UPTIME_AT_START_MS = 12 * 86_400_000

_SFLOW_SAMPLES = 4
"""Samples of 128-byte headers with gateway data that fit `MAX_PAYLOAD`."""


class ExporterStream:
    """Encodes flows as one exporter would send them.

    Parameters
    ----------
    exporter : ModelExporter
    local_as : int
    start_ns : int
        Unix nanoseconds; the exporter has then been up for `UPTIME_AT_START_MS`.
    domain : int, optional
        Observation domain, engine or sub-agent; by default that of `Traffic`.
    refresh_s : float
        Seconds between announcements of templates and sampling.
    """

    def __init__(
        self,
        exporter: ModelExporter,
        *,
        local_as: int = 0,
        start_ns: int,
        domain: int | None = None,
        refresh_s: float = 30,
    ) -> None:
        self.exporter = exporter
        self._domain = domain_of(exporter.protocol) if domain is None else domain
        self._local_as = local_as
        self._boot_ms = start_ns // 1_000_000 - UPTIME_AT_START_MS
        self._refresh_ns = int(refresh_s * 1e9)
        self._announced_ns: int | None = None
        self._sequence = 0
        self._samples = 1

    def encode(self, flows: FlowBatch, time_ns: int) -> Datagrams:
        """Encode flows, with templates before them when they are due.

        Parameters
        ----------
        flows : FlowBatch
            Of this exporter.
        time_ns : int
            Unix time of sending.
        """
        match self.exporter.protocol:
            case "netflow-v5":
                parts = [self._v5(flows)] if flows.rows else []
            case "sflow-v5":
                parts = [self._sflow(flows)] if flows.rows else []
            case "ipfix":
                parts = self._messages(flows, "ipfix", time_ns)
            case _:
                parts = self._messages(flows, "netflow-v9", time_ns)
        datagrams = join(parts)
        self._sequence = stamp(
            self.exporter.protocol, datagrams, sequence=self._sequence, time_ns=time_ns, boot_ms=self._boot_ms
        )
        return datagrams

    def _v5(self, flows: FlowBatch) -> Datagrams:
        told = self.exporter.sampling_rate if self.exporter.tells_sampling else 0
        return netflow5.encode(flows, boot_ms=self._boot_ms, sampling_rate=told, engine=self._domain)

    def _sflow(self, flows: FlowBatch) -> Datagrams:
        first = self._samples
        self._samples += flows.rows
        return sflow.encode(
            flows, agent=self.exporter.address, sub_agent=self._domain, sampling_rate=self.exporter.sampling_rate,
            flows_per_datagram=_SFLOW_SAMPLES, gateway=True, local_as=self._local_as, first_sample=first,
        )  # fmt: skip

    def _messages(self, flows: FlowBatch, protocol: messages.Protocol, time_ns: int) -> list[Datagrams]:
        templates = router_templates(protocol)
        domain = self._domain
        parts = []
        if self._announced_ns is None or time_ns - self._announced_ns >= self._refresh_ns:
            self._announced_ns = time_ns
            sampling = messages.Sampling(self.exporter.sampling_rate) if self.exporter.tells_sampling else None
            parts.append(messages.announce(protocol, templates, domain=domain, sampling=sampling))
        ipv6 = numbers(flows, "EType") == ETYPE_IPV6
        for template, rows in zip(templates, (np.flatnonzero(~ipv6), np.flatnonzero(ipv6)), strict=True):
            if len(rows):
                fit = (MAX_PAYLOAD - 24) // template.dtype.itemsize
                part = flows.take(rows)
                parts.append(
                    messages.encode(
                        part, protocol, template, boot_ms=self._boot_ms, flows_per_datagram=fit, domain=domain
                    )
                )
        return parts
