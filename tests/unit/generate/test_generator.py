"""Generators that send: paced, numbered, from an address of each exporter's own."""

import socket
import threading

import numpy as np
import pytest

from millrace.batch import DatagramBatch
from millrace.decode import Decoder
from millrace.generate import GenerateSettings, Generator, LoadGenerator, LoadPlan, default_model
from millrace.schema import Schema


class Recorder:
    """Keeps what it is asked to send."""

    def __init__(self, source):
        self.source, self.payloads = source, []

    def open(self):
        pass

    def close(self):
        pass

    def send(self, datagrams):
        self.payloads += [datagrams.payload(index) for index in range(len(datagrams))]
        return len(datagrams)


class Recorders(dict):
    def __call__(self, host, port, source):
        recorder = self[source or len(self)] = Recorder(source)
        return recorder

    def decode(self):
        decoder, flows, lost = Decoder(Schema()), 0, 0
        for source, recorder in self.items():
            decoded = decoder.decode(DatagramBatch.from_payloads(recorder.payloads, source=source))
            flows += decoded.flows.rows
            lost += sum(n for key, n in decoded.counts.events.items() if key[2] in ("lost", "reordered"))
            assert not decoded.counts.drops
        return flows, lost


def test_each_exporter_sends_from_its_own_address_on_loopback():
    recorders = Recorders()
    Generator(GenerateSettings(rate=5000), sender=recorders).run(count=300)
    assert list(recorders) == [exporter.address for exporter in default_model().exporters]


@pytest.mark.parametrize("protocol", ["mix", "netflow-v5", "ipfix"])
def test_a_count_is_met_exactly_and_every_flow_can_be_decoded(protocol):
    recorders = Recorders()
    sent = Generator(GenerateSettings(rate=5000, protocol=protocol), sender=recorders).run(count=700)
    assert sent.flows == 700
    assert sent.failed == 0
    assert recorders.decode() == (700, 0)


def test_a_constant_rate_is_kept():
    recorders = Recorders()
    sent = Generator(GenerateSettings(rate=2000, curve=False), sender=recorders).run(duration_s=0.6)
    assert sent.flows == pytest.approx(1200, abs=10)
    assert sent.seconds == pytest.approx(0.6)


def test_it_ends_when_asked_to():
    stop = threading.Event()
    stop.set()
    assert Generator(GenerateSettings(), sender=Recorders()).run(stop=stop).flows == 0


def test_load_is_whole_datagrams_without_gaps():
    recorders = Recorders()
    plan = LoadPlan("127.0.0.1", 2055, "netflow-v9", rate=200_000, flows=10_000, exporters=3)
    sent = LoadGenerator(plan, sender=recorders).run()
    assert 10_000 <= sent.flows < 10_024
    assert recorders.decode() == (sent.flows, 0)


def test_flows_arrive_over_udp():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(5)
    settings = GenerateSettings(port=receiver.getsockname()[1], rate=1000)
    sent = Generator(settings).run(count=40)
    received = [receiver.recvfrom(9000) for _ in range(sent.datagrams)]
    receiver.close()
    assert {source for _, (source, _) in received} <= {exporter.address for exporter in default_model().exporters}
    assert np.all([len(payload) > 20 for payload, _ in received])


def test_beyond_loopback_observation_domains_tell_exporters_apart():
    recorders = Recorders()
    Generator(GenerateSettings(host="192.0.2.1", protocol="ipfix", rate=5000), sender=recorders).run(count=200)
    assert [recorder.source for recorder in recorders.values()] == [None] * 4
    domains = [{payload[12:16] for payload in recorder.payloads} for recorder in recorders.values()]
    assert domains == [{(index + 1).to_bytes(4, "big")} for index in range(4)]
