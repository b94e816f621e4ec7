"""Streams to decode: the decoder must give back what they say they hold."""

import numpy as np
import pytest

from millrace.batch import FlowBatch
from millrace.bench.decode import check
from millrace.bench.result import BenchError, Options, median_seconds
from millrace.bench.streams import ManyExporters, OneExporter
from millrace.decode import Decoder
from millrace.generate import PROTOCOLS
from millrace.schema import Schema


def prepared(stream):
    decoder = Decoder(Schema())
    preamble = stream.preamble()
    if preamble is not None:
        decoder.decode(preamble)
    return decoder


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stream_of_one_exporter_holds_its_flows_batch_after_batch(protocol):
    stream = OneExporter(protocol, datagrams=4)
    decoder = prepared(stream)
    for _ in range(3):
        check(stream, decoder)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stream_of_many_exporters_holds_its_flows_batch_after_batch(protocol):
    stream = ManyExporters(protocol, exporters=7, templates=4)
    decoder = prepared(stream)
    for _ in range(3):
        check(stream, decoder)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_many_exporters_are_interleaved(protocol):
    batch = ManyExporters(protocol, exporters=20).next()
    assert len(np.unique(batch.source, axis=0)) == 20
    assert len(np.unique(batch.source[:20], axis=0)) > 5


def test_a_wrong_value_stops_the_benchmark():
    stream = OneExporter("netflow-v9", datagrams=2)
    decoder = prepared(stream)
    stream.flows.columns["Bytes"][5] += 1
    with pytest.raises(BenchError, match="Bytes of 1 flows differs"):
        check(stream, decoder)


def test_a_missing_flow_stops_the_benchmark():
    stream = OneExporter("netflow-v9", datagrams=2)
    decoder = prepared(stream)
    stream.flows = FlowBatch(stream.flows.rows + 1)
    with pytest.raises(BenchError, match="48 flows decoded, 49 sent"):
        check(stream, decoder)


def test_the_median_leaves_out_preparation_and_the_first_rounds():
    prepared_times = []
    assert median_seconds(Options(quick=True).rounds, lambda: prepared_times.append(1) or (lambda: None)) < 0.01
    assert len(prepared_times) == 7
