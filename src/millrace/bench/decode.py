"""Benchmarks of decoding: datagrams in memory to a FlowBatch, on one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from millrace.batch import Coded, FlowBatch, Lists, plain
from millrace.batch.arrays import AnyArray
from millrace.bench.result import MILLION, BenchError, Options, Result, median_seconds
from millrace.bench.streams import ManyExporters, OneExporter, Stream
from millrace.decode import Decoder
from millrace.generate.netflow5 import AS_TRANS
from millrace.schema import FLOW_PROTOCOLS, Schema

_COMMON = (
    "SrcAddr", "DstAddr", "NextHop", "SrcPort", "DstPort", "Proto", "IPTos", "TCPFlags", "Bytes", "Packets",
    "InIf", "OutIf", "SrcNetMask", "DstNetMask", "EType",
)  # fmt: skip
_RECORD_ONLY = ("TimeFlowStart", "TimeFlowEnd", "SrcAS", "DstAS")
_CHECKED = {
    "netflow-v5": (*_COMMON, *_RECORD_ONLY),
    "netflow-v9": (*_COMMON, *_RECORD_ONLY, "ForwardingStatus", "FlowDirection"),
    "ipfix": (*_COMMON, *_RECORD_ONLY, "ForwardingStatus", "FlowDirection"),
    "sflow-v5": (*_COMMON, "SrcMAC", "DstMAC", "IPTTL", "IPFragmentID", "SrcVlan", "DstVlan"),
}
"""Columns that a protocol's datagrams tell."""


def check(stream: Stream, decoder: Decoder) -> None:
    """Decode a batch and compare every column that it tells with the flows it was built from.

    Raises
    ------
    BenchError
        If a flow is missing or a value differs.
    """
    decoded = decoder.decode(stream.next())
    flows = decoded.flows.ordered()
    if flows.rows != stream.flows.rows:
        raise BenchError(f"{stream.protocol}: {flows.rows} flows decoded, {stream.flows.rows} sent; {decoded.counts}")
    for name in _CHECKED[stream.protocol]:
        expected = _array(stream.flows, name)
        if stream.protocol == "netflow-v5" and name in ("SrcAS", "DstAS"):
            expected = np.where(expected > 0xFFFF, AS_TRANS, expected)
        if name not in flows.columns and not expected.any():
            # Zero means unknown there (an untagged VLAN): a decoder may leave the column out.
            continue
        found = _array(flows, name)
        wrong = (found != expected).reshape(flows.rows, -1).any(axis=1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BenchError(
                f"{stream.protocol}: {name} of {int(wrong.sum())} flows differs: {found[row]} for {expected[row]}"
            )
    for name, value in (("SamplingRate", 1000), ("FlowProtocol", FLOW_PROTOCOLS.index(stream.protocol))):
        if (_array(flows, name) != value).any():
            raise BenchError(f"{stream.protocol}: {name} is {_array(flows, name)[:1]}, not {value}")
    lost = sum(amount for (_, _, event), amount in decoded.counts.events.items() if event in ("lost", "reordered"))
    if lost or decoded.counts.drops:
        raise BenchError(f"{stream.protocol}: {lost} lost or reordered, drops {decoded.counts.drops}")


def _array(flows: FlowBatch, name: str) -> AnyArray:
    values = flows.columns.get(name)
    match values:
        case None:
            raise BenchError(f"column {name} was not decoded")
        case Coded():
            return plain(values)
        case Lists():
            return values.values
    return values


def measure(stream: Stream, options: Options) -> float:
    """Flows per second of decoding successive batches of a checked stream."""
    decoder = Decoder(Schema())
    preamble = stream.preamble()
    if preamble is not None:
        decoder.decode(preamble)
    check(stream, decoder)

    def prepare() -> Callable[[], object]:
        batch = stream.next()
        return lambda: decoder.decode(batch)

    return stream.flows.rows / median_seconds(options.rounds, prepare)


_FULL = {
    "netflow-v5": (15.0, "30 flows of 48 bytes"),
    "netflow-v9": (8.0, "24 flows of 20 fields"),
    "ipfix": (8.0, "24 flows of 20 fields"),
    "sflow-v5": (4.0, "7 samples of 128-byte headers, switch and router data"),
}


def decode_full(options: Options) -> Iterator[Result]:
    """Full datagrams of one exporter, 1024 in a batch."""
    for protocol, (target, shape) in _FULL.items():
        speed = measure(OneExporter(protocol, datagrams=1024), options)
        yield Result(f"decode {protocol}", speed, "flows/s", target * MILLION, note=f"{shape} in a datagram")


def decode_single(options: Options) -> Iterator[Result]:
    """One flow in each datagram, 4096 datagrams in a batch."""
    for protocol in ("netflow-v5", "netflow-v9", "ipfix"):
        speed = measure(OneExporter(protocol, datagrams=4096, flows_per_datagram=1), options)
        yield Result(
            f"decode {protocol}, one flow per datagram",
            speed,
            "flows/s",
            1.5 * MILLION,
            note="4096 datagrams in a batch",
        )


def decode_many(options: Options) -> Iterator[Result]:
    """500 exporters, with 4 templates each where there are templates, interleaved in a batch of 2000 datagrams."""
    for protocol, (target, shape) in _FULL.items():
        speed = measure(ManyExporters(protocol), options)
        templates = " × 4 templates" if protocol in ("netflow-v9", "ipfix") else ""
        yield Result(
            f"decode {protocol}, 500 exporters{templates}", speed, "flows/s", target / 2 * MILLION,
            note=f"2000 datagrams in random order; {shape} in a datagram",
        )  # fmt: skip
