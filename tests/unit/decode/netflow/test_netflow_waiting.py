"""Data sets that wait for their template."""

from __future__ import annotations

import random

import pytest

from millrace.decode import Limits
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    LegacyRecord,
    Template,
    ipfix,
    message,
    options_template_set,
    template_set,
    v5,
    v9,
    withdrawal_set,
)

PORTS = Template(256, [(7, 2), (11, 2)])
OTHER = Template(257, [(7, 2)])


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_a_missing_template_costs_only_its_set(collector, version):
    flows = collector.send(
        message(version, template_set(version, OTHER), OTHER.data((1,)), PORTS.data((8, 9)), OTHER.data((2,)))
    )
    assert [flow["SrcPort"] for flow in flows] == [1, 2]
    assert collector.event("sets_waiting") == 1
    assert collector.drops == {}


def test_a_waiting_set_is_decoded_when_its_template_comes_and_keeps_its_times(collector):
    uptimes = Template(256, [(22, 4), (7, 2)])
    assert collector.send(v9(uptimes.data((900, 5)), uptime_ms=1000, export_s=EXPORT_S - 30), at_s=EXPORT_S) == []
    (flow,) = collector.send(v9(template_set(V9, uptimes), uptime_ms=99_000), at_s=EXPORT_S + 60)
    assert (flow["TimeReceived"], flow["TimeFlowStart"]) == (EXPORT_S * 1000, (EXPORT_S - 30) * 1000 - 100)
    assert collector.event("sets_released") == 1
    (status,) = collector.decoder.exporters()
    assert status.waiting == ()


def test_a_waiting_set_is_decoded_within_a_batch_and_within_a_datagram(collector):
    flows = collector.send(
        ipfix(PORTS.data((1, 2))), ipfix(PORTS.data((3, 4)), template_set(IPFIX, PORTS), PORTS.data((5, 6)))
    )
    assert sorted(flow["SrcPort"] for flow in flows) == [1, 3, 5]
    assert collector.event("sets_waiting") == collector.event("sets_released") == 2


def test_only_the_own_exporter_and_domain_release_a_set(collector):
    collector.send(ipfix(PORTS.data((1, 2)), domain=1))
    assert collector.send(ipfix(template_set(IPFIX, PORTS), domain=2)) == []
    assert collector.send(ipfix(template_set(IPFIX, PORTS), domain=1), source="192.0.2.7") == []
    assert len(collector.send(ipfix(template_set(IPFIX, PORTS), domain=1))) == 1


def test_options_wait_too_and_their_rate_holds_when_they_are_read(collector):
    told = Template(300, [(149, 4), (34, 4)], scopes=1)
    collector.send(ipfix(template_set(IPFIX, PORTS), told.data((0, 100))))
    (flow,) = collector.send(ipfix(options_template_set(IPFIX, told), PORTS.data((1, 2))))
    assert flow["SamplingRate"] == 100


def test_a_waiting_set_is_given_up_after_a_while(make):
    collector = make(Limits(waiting_s=60))
    collector.send(ipfix(PORTS.data((1, 2))), at_s=EXPORT_S)
    assert collector.send(ipfix(template_set(IPFIX, PORTS)), at_s=EXPORT_S + 61) == []
    collector.send(ipfix(OTHER.data((1,))), at_s=EXPORT_S + 61)
    collector.send(ipfix(), at_s=EXPORT_S + 200)
    collector.send(ipfix(template_set(IPFIX, PORTS)), at_s=EXPORT_S + 200)
    assert collector.drops == {("set", "template-never-came"): 2}


def test_what_waits_is_bounded_in_bytes(make):
    collector = make(Limits(waiting_bytes=10_000))
    for _ in range(100):
        collector.send(ipfix(PORTS.data(*[(1, 2)] * 100)))
    (status,) = collector.decoder.exporters()
    assert status.waiting_bytes <= 10_000
    kept = status.waiting_sets
    assert collector.drops == {("set", "waiting-full"): 100 - kept}
    assert len(collector.send(ipfix(template_set(IPFIX, PORTS)))) == 100 * kept


def test_one_exporter_cannot_take_the_room_of_all(make):
    collector = make(Limits(waiting_bytes=20_000))
    collector.send(*[ipfix(PORTS.data((1, 2)))] * 200, source="192.0.2.1")
    for source in ("192.0.2.2", "192.0.2.3"):
        collector.send(*[ipfix(PORTS.data((1, 2)))] * 5, source=source)
    flows = collector.send(*[ipfix(template_set(IPFIX, PORTS))] * 2, source=["192.0.2.2", "192.0.2.3"])
    assert len(flows) == 10
    statuses = {status.address[-1]: status.waiting_bytes for status in collector.decoder.exporters()}
    assert 0 < statuses[1] <= 20_000


def test_status_tells_what_waits_for_which_template_since_when(collector):
    collector.send(ipfix(PORTS.data((1, 2)), domain=3), at_s=EXPORT_S)
    collector.send(ipfix(PORTS.data((1, 2), (3, 4)), domain=3), at_s=EXPORT_S + 1)
    (waiting,) = collector.decoder.exporters()[0].waiting
    assert (waiting.protocol, waiting.domain, waiting.template_id) == ("ipfix", 3, 256)
    assert (waiting.sets, waiting.bytes, waiting.since_ns) == (2, 12, EXPORT_S * 1_000_000_000)


OTHERS = [ipfix(template_set(IPFIX, Template(300, [(7, 2)]))), v5(LegacyRecord())]


@pytest.mark.parametrize("other", OTHERS, ids=["with-sets", "without-sets"])
def test_sets_whose_template_comes_to_serve_their_port_in_a_batch_of_others_are_released_by_their_own(collector, other):
    """What an exporter told comes to serve its second port in steps, whoever sends meanwhile."""
    templates = [Template(300 + n, [(7, 2), (210, n % 8 + 1)]) for n in range(1500)]
    for first in range(0, 1500, 50):
        collector.send(ipfix(template_set(IPFIX, *templates[first : first + 50])), port=1)
    assert collector.send(ipfix(templates[-1].data((7, b"x"))), port=2) == []
    for _ in range(4):
        flows = collector.send(other, source="192.0.2.99")
        assert all(flow["ExporterAddress"] == "192.0.2.99" for flow in flows)
    (flow,) = collector.send(ipfix(template_set(IPFIX, templates[0])), port=2)
    assert (flow["ExporterAddress"], flow["SrcPort"]) == ("192.0.2.1", 7)
    assert collector.event("sets_released") == 1


def test_an_exporter_that_spreads_over_very_many_ports_loses_nothing_that_waited(collector):
    """After a restart data come before templates, and these from one of its ports only."""
    ports = range(1000, 1200)
    for port in ports:
        assert collector.send(ipfix(PORTS.data((port, 9))), port=port) == []
    flows = collector.send(ipfix(template_set(IPFIX, PORTS)), port=1000)
    for _ in range(4):
        flows += collector.send(ipfix(PORTS.data((1, 9))), port=1000)
    assert {flow["SrcPort"] for flow in flows} == {*ports, 1}
    assert collector.decoder.exporters()[0].waiting_sets == 0
    assert collector.drops == {}


@pytest.mark.variants(8)
@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_shared_and_given_up_in_small_steps_every_set_that_waited_is_accounted_for(make, seed, monkeypatch):
    monkeypatch.setattr("millrace.decode.netflow.remembered._SHARED_AT_ONCE", 3)
    monkeypatch.setattr("millrace.decode.netflow.remembered._SHARED_AT_A_TURN", 2)
    monkeypatch.setattr("millrace.decode.netflow.registry._AT_ONCE", 12)
    monkeypatch.setattr("millrace.decode.netflow.waiting._TRIED_KEYS", 3)
    rng = random.Random(seed)
    limits = Limits(
        exporters=rng.choice([3, 50]), domains=rng.choice([5, 100]), domains_per_exporter=rng.choice([3, 50]),
        ports_per_exporter=rng.choice([3, 50]), templates=rng.choice([20, 1000]), waiting_s=rng.choice([20, 600]),
        template_lifetime_s=rng.choice([0, 60, 86_400]),
    )  # fmt: skip
    collector = make(limits)

    def one_set():
        template = Template(256 + rng.randint(0, 9), [(7, 2), (210, rng.randint(1, 2))])
        data = template.data((rng.randint(1, 60_000), b"xx"[: template.specs()[1].length]))
        told = template_set(IPFIX, template, Template(256 + rng.randint(0, 9), [(7, 2)]))
        return rng.choice([told, data, data, withdrawal_set(template.id)])

    at_s = EXPORT_S
    for _ in range(60):
        at_s += rng.choice([0, 0.02, 1, 30, 700, -500])
        some = [
            (
                ipfix(*(one_set() for _ in range(rng.randint(0, 3))), domain=rng.randint(0, 2)),
                f"192.0.2.{rng.randint(1, 4)}", rng.randint(1, 6),
            )
            for _ in range(rng.randint(1, 5))
        ]  # fmt: skip
        payloads, sources, ports = zip(*some, strict=True)
        collector.send(*payloads, source=list(sources), port=list(ports), at_s=at_s)
    waiting = sum(status.waiting_sets for status in collector.decoder.exporters())
    given_up = sum(collector.drops.get(("set", reason), 0) for reason in ("waiting-full", "template-never-came"))
    assert collector.event("sets_waiting") == collector.event("sets_released") + given_up + waiting
