"""Floods of domains, templates and waiting sets: what a stranger brings costs what it is, not what is known."""

from __future__ import annotations

import random
from itertools import pairwise
from statistics import median

import pytest

from effort import Effort
from millrace.batch import DatagramBatch, address_text
from millrace.decode import Decoder, Limits
from millrace.decode.netflow.deadlines import STEP
from millrace.schema import Schema
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    Template,
    data_set,
    ipfix,
    options_template_set,
    template_set,
    withdrawal_set,
)

PORTS = Template(256, [(7, 2), (11, 2)])
RECORD = PORTS.record(1, 2)
OWN = 8
"""Domains and ports that an exporter has whatever others do."""


def source(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def seconds_of(decoder, payloads, **batch):
    """CPU that decoding takes."""
    made = DatagramBatch.from_payloads(payloads, **batch)
    with Effort() as spent:
        decoder.decode(made)
    return spent.seconds


def test_a_new_domain_costs_the_same_however_many_there_are():
    decoder = Decoder(Schema(), Limits(domains=100_000))
    flows = [ipfix(template_set(IPFIX, PORTS), data_set(256, *[RECORD] * 20), domain=1)] * 20
    for exporter in range(20):
        seconds_of(decoder, [ipfix(domain=domain) for domain in range(1000)], source=source(exporter))
    known, new = [], []
    for turn in range(15):
        known.append(seconds_of(decoder, flows, source="192.0.2.1"))
        new.append(seconds_of(decoder, [*flows, ipfix(domain=turn)], source=["192.0.2.1"] * 20 + ["10.9.9.9"]))
    # To make an index of 20 000 anew takes 10 ms and more.
    assert median(new) - median(known) < 0.004


def test_domains_of_all_exporters_together_are_bounded(make):
    collector = make(Limits(domains=50))
    for exporter in range(20):
        collector.send(*(ipfix(template_set(IPFIX, PORTS), domain=d) for d in range(100)), source=source(exporter))
    known = [len(status.domains) for status in collector.decoder.exporters()]
    assert len(known) == 20
    assert sum(known) == 20 * OWN + 50
    assert collector.drops["set", "exporter-limit"] > 0


def test_ports_of_all_exporters_together_are_bounded(make):
    collector = make(Limits(domains=50))
    for exporter in range(20):
        for port in range(1000, 1040):
            collector.send(ipfix(template_set(IPFIX, PORTS), domain=1), source=source(exporter), port=port)
    scopes = [len(exporter.scopes) for exporter in collector.decoder._netflow._state.scopes]
    # Those that are not kept apart share one scope.
    assert sum(scopes) <= 20 * OWN + 50 + 20
    assert min(scopes) >= OWN


def test_whoever_has_many_domains_gives_up_some_for_whoever_has_few(make):
    collector = make(Limits(domains=50))
    collector.send(*(ipfix(template_set(IPFIX, PORTS), domain=d) for d in range(1000)), source="203.0.113.1")
    for _ in range(2):
        # A chassis whose line cards are domains, and its flows.
        collector.send(*(ipfix(template_set(IPFIX, PORTS), domain=d) for d in range(20)), source="192.0.2.9")
        flows = collector.send(*(ipfix(PORTS.data((d, 9)), domain=d) for d in range(20)), source="192.0.2.9")
        assert [flow["SrcPort"] for flow in flows] == list(range(20))
    greedy, chassis = (len(status.domains) for status in collector.decoder.exporters())
    assert chassis == 20
    assert OWN + 50 - 12 - OWN <= greedy <= OWN + 50 - 12


@pytest.mark.variants(2)
@pytest.mark.parametrize(("exporters", "at_once"), [(8, 2048), (4, 2048), (4, 12), (3, 2)])
def test_what_comes_and_goes_is_never_taken_for_one_another(make, exporters, at_once, monkeypatch):
    """Numbers of domains and exporters that made room are given again: nothing may be left under them."""
    monkeypatch.setattr("millrace.decode.netflow.registry._AT_ONCE", at_once)
    monkeypatch.setattr("millrace.decode.netflow.registry._SHRUNK", min(at_once, 64))
    monkeypatch.setattr("millrace.decode.netflow.registry._PER_DATAGRAM", 1)
    rng = random.Random(8)
    collector = make(Limits(domains=6, exporters=exporters, exporter_idle_s=2))
    options = Template(300, [(302, 2), (34, 4)], scopes=1)
    fields = [[(7, 2), (11, 2)], [(11, 2), (7, 2)], [(7, 2), (4, 1), (11, 2)], [(11, 2), (5, 1), (7, 2)]]
    seen = 0
    for turn in range(1500):
        exporter, domain, port = rng.randrange(6), rng.randrange(12), rng.randrange(2000, 2003)
        template = Template(256, fields[(exporter + domain) % 4])
        record = [1000 * exporter + domain if element == 7 else 50_000 for element, _ in template.fields]
        sets = [template_set(IPFIX, template)] * rng.randrange(2) + [template.data(record)] * rng.randrange(3)
        if rng.random() < 0.2:
            sets += [options_template_set(IPFIX, options), options.data((1, 100 + exporter))]
        sent = ipfix(*sets, domain=domain)
        for flow in collector.send(sent, source=source(exporter), port=port, at_s=EXPORT_S + turn / 4):
            seen += 1
            assert flow.get("SamplingRate", 0) in (0, 100 + exporter)
            assert flow["DstPort"] == 50_000
            assert flow["SrcPort"] == 1000 * exporter + flow["ObservationDomain"]
    assert seen > 300
    assert sum(len(e.scopes) for e in collector.decoder._netflow._state.scopes) <= 2 * (6 * OWN + 6)


def test_forgetting_exporters_costs_what_they_left_waiting(make):
    collector = make(Limits(exporters=2000, exporter_idle_s=60))
    waiting = ipfix(*(data_set(300 + number, b"12") for number in range(8)), domain=1)
    for first in range(0, 2000, 100):
        collector.send(*[waiting] * 100, source=[source(first + number) for number in range(100)])
    with Effort() as spent:
        collector.send(ipfix(domain=1), source="192.0.2.1", at_s=EXPORT_S + 100)
    # Looking through all 16 000 for each of the 2000 takes a second and more.
    assert spent.seconds < 0.5
    # Those that are forgotten are as many as are needed, and some more.
    assert 0 < collector.drops["set", "template-never-came"] <= 64 * 8
    assert len(collector.decoder.exporters()) > 1900


def test_sets_that_waited_too_long_are_given_up_in_steps(make):
    collector = make()
    sets = ipfix(*(data_set(300 + number, b"12") for number in range(500)), domain=1)
    for number in range(10):
        collector.send(sets, source=source(number))
    flow = ipfix(template_set(IPFIX, PORTS), PORTS.data((1, 2)), domain=1)
    given_up = []
    for turn in range(5):
        assert len(collector.send(flow, at_s=EXPORT_S + 700 + turn)) == 1
        given_up.append(collector.drops.get(("set", "template-never-came"), 0))
    assert 0 < given_up[0] <= STEP
    assert given_up[-1] == 5000
    assert all(status.waiting_sets == 0 for status in collector.decoder.exporters())


def test_sets_that_waited_too_long_are_not_decoded_before_they_are_given_up(make):
    collector = make()
    for number in range(10):
        collector.send(ipfix(*[PORTS.data((1, 2))] * 500, domain=1), source=source(number))
    late = ipfix(template_set(IPFIX, PORTS), domain=1)
    for number in range(10):
        assert collector.send(late, source=source(number), at_s=EXPORT_S + 700) == []
    assert collector.drops == {("set", "template-never-came"): 5000}


def test_more_sets_expire_than_come(make):
    """Whoever keeps sending what never gets a template does not grow what waits."""
    collector = make(Limits(waiting_s=10))
    sets = [ipfix(*(data_set(300 + number, b"12") for number in range(900)), domain=1)] * 5
    for second in range(12):
        collector.send(*sets, at_s=EXPORT_S + second)
    held = []
    for second in range(12, 24):
        collector.send(*sets, at_s=EXPORT_S + second)
        held.append(collector.decoder.exporters()[0].waiting_sets)
    assert max(held) <= 12 * 4500


def test_templates_expire_in_steps(make):
    collector = make(Limits(template_lifetime_s=60, templates_per_exporter=10_000))
    flood = ipfix(template_set(IPFIX, *(Template(300 + n, [(7, 2)]) for n in range(5000))), domain=1)
    collector.send(flood, source="203.0.113.1")
    left = []
    for turn in range(4):
        collector.send(ipfix(template_set(IPFIX, PORTS), domain=1), at_s=EXPORT_S + 61 + turn)
        left.append(len(collector.decoder.exporters()[0].templates))
    assert left == [5000 - STEP, 5000 - 2 * STEP, 0, 0]
    assert len(collector.decoder.exporters()[1].templates) == 1


def test_what_options_told_expires_in_steps(make):
    collector = make(Limits(options_lifetime_s=600))
    names = Template(300, [(10, 4), (82, 4)], scopes=1)
    told = names.data(*((n + 1, "eth") for n in range(5000)))
    collector.send(ipfix(options_template_set(IPFIX, names), told, domain=1), source="203.0.113.1")
    left = []
    for turn in range(4):
        collector.send(ipfix(domain=1), at_s=EXPORT_S + 700 + turn)
        left.append(collector.decoder.exporters()[0].interfaces)
    assert left == [5000 - STEP, 5000 - 2 * STEP, 0, 0]


def test_a_template_that_is_renewed_in_the_batch_in_which_it_would_expire_lives_its_time_again(make):
    collector = make(Limits(template_lifetime_s=60))
    renewal = ipfix(template_set(IPFIX, PORTS), domain=1)
    collector.send(renewal)
    batch = DatagramBatch.from_payloads(
        [renewal, ipfix(PORTS.data((1, 2)), domain=1)],
        time_ns=[(EXPORT_S + 50) * 10**9, (EXPORT_S + 70) * 10**9],
    )
    assert len(collector.decoder.decode(batch).flows) == 1
    flow = ipfix(PORTS.data((1, 2)), domain=1)
    assert len(collector.send(flow, at_s=EXPORT_S + 109)) == 1
    assert len(collector.send(flow, at_s=EXPORT_S + 111)) == 0


def test_templates_that_come_and_go_leave_nothing_to_expire(make):
    collector = make()
    many = template_set(IPFIX, *(Template(300 + number, [(7, 2)]) for number in range(200)))
    for turn in range(40):
        collector.send(ipfix(many, withdrawal_set(2), domain=1), at_s=EXPORT_S + turn)
    assert collector.event("templates") == 8000
    assert len(collector.decoder._netflow._state.templates._deadlines._heap) < 3000


def test_an_exporter_of_the_batch_makes_no_room_for_another_one_of_it(make):
    """It was silent for long, and now it is not."""
    collector = make(Limits(exporters=2, exporter_idle_s=60))
    for address in ("192.0.2.1", "192.0.2.2"):
        collector.send(ipfix(template_set(IPFIX, PORTS), domain=1), source=address)
    flow = ipfix(PORTS.data((1, 2)), domain=1)
    flows = collector.send(flow, flow, source=["192.0.2.1", "192.0.2.3"], at_s=EXPORT_S + 100)
    assert len(flows) == 1
    known = {status.address[-1] for status in collector.decoder.exporters()}
    assert known == {1, 3}


FAT = "203.0.113.1"
RATES = Template(300, [(302, 4), (34, 4)], scopes=1)


def test_an_exporter_that_holds_much_makes_room_in_steps_and_holds_up_nobody(make):
    collector = make(Limits(exporters=20))
    told = (RATES.data(*((n + 1, 100) for n in range(first, first + 1000))) for first in range(0, 6000, 1000))
    waiting = [data_set(400 + n % 500, b"12") for n in range(3000)]
    many = template_set(IPFIX, *(Template(1000 + n, [(7, 2)]) for n in range(3000)))
    for number, sets in enumerate(
        [[options_template_set(IPFIX, RATES), *told], [many], *(waiting[at : at + 500] for at in range(0, 3000, 500))]
    ):
        collector.send(ipfix(*sets, domain=number), source=FAT, at_s=EXPORT_S + number / 100)
    collector.send(*[ipfix(domain=1)] * 19, source=[source(n) for n in range(19)], at_s=EXPORT_S + 1)
    held = [12_001]
    for turn in range(12):
        new = f"192.0.2.{turn}"
        told_and_sent = ipfix(template_set(IPFIX, PORTS), PORTS.data((turn, 2)), domain=1)
        assert len(collector.send(told_and_sent, source=new, at_s=EXPORT_S + 2 + turn / 50)) == 1
        known = {address_text(status.address): status for status in collector.decoder.exporters()}
        assert new in known
        fat = known.get(FAT)
        held.append(len(fat.templates) + len(fat.sampling) + fat.waiting_sets if fat else 0)
    assert held[-1] == 0
    assert max(before - after for before, after in pairwise(held)) <= 2 * STEP
    assert FAT not in known


def test_one_that_is_heard_again_keeps_what_it_has_left(make):
    collector = make(Limits(exporters=20))
    for first in range(0, 6000, 1000):
        told = RATES.data(*((n + 1, 100) for n in range(first, first + 1000)))
        collector.send(ipfix(options_template_set(IPFIX, RATES), told, domain=1), source=FAT)
    collector.send(*[ipfix(domain=1)] * 19, source=[source(n) for n in range(19)], at_s=EXPORT_S + 1)
    collector.send(ipfix(domain=1), source="192.0.2.1", at_s=EXPORT_S + 2)
    left = len(collector.decoder.exporters()[0].sampling)
    assert 0 < left < 6000
    for turn in range(5):
        senders = [FAT, f"192.0.2.{turn + 2}"]
        collector.send(*[ipfix(domain=1)] * 2, source=senders, at_s=EXPORT_S + 3 + turn)
    assert len(collector.decoder.exporters()[0].sampling) == left


def test_silent_ports_hand_over_in_steps(make):
    collector = make()
    template = template_set(IPFIX, PORTS)
    for port in range(1000, 1600):
        told = RATES.data((port, 100))
        collector.send(ipfix(template, options_template_set(IPFIX, RATES), told, domain=1), port=port)
    ports = []
    for turn in range(8):
        sent = ipfix(domain=1)
        collector.send(sent, port=5000 + turn, at_s=EXPORT_S + 700 + turn)
        (exporter,) = collector.decoder._netflow._state.scopes
        ports.append(len(exporter.ports))
    # A port counts as sixteen things beside the three that it told.
    assert max(before - after for before, after in pairwise([600, *ports])) <= STEP // 16
    assert ports[-1] == 8 + 1
    assert {rate.id for rate in collector.decoder.exporters()[0].sampling} == set(range(1000, 1600))


def test_a_port_that_told_more_than_a_step_stays_until_that_expires(make):
    collector = make(Limits(options_lifetime_s=3600))
    told = [RATES.data(*((n + 1, 100) for n in range(first, first + 1000))) for first in range(0, 3000, 1000)]
    collector.send(ipfix(options_template_set(IPFIX, RATES), *told, domain=1), port=1000)
    collector.send(ipfix(domain=1), port=2000, at_s=EXPORT_S + 700)
    (exporter,) = collector.decoder._netflow._state.scopes
    assert sorted(exporter.ports) == [1000, 2000]
    for turn in range(4):
        collector.send(ipfix(domain=1), port=3000 + turn, at_s=EXPORT_S + 3700 + turn)
    assert sorted(exporter.ports) == [-1, 3000, 3001, 3002, 3003]


def test_many_names_of_one_exporter_make_room_a_few_at_a_time(make):
    collector = make(Limits(options_entries=9000, options_entries_per_exporter=9000))
    for first in range(0, 9000, 1000):
        told = RATES.data(*((n + 1, 100) for n in range(first, first + 1000)))
        collector.send(ipfix(options_template_set(IPFIX, RATES), told, domain=1), source=FAT)
    collector.send(ipfix(options_template_set(IPFIX, RATES), RATES.data((1, 100)), domain=1))
    fat, other = collector.decoder.exporters()
    assert len(other.sampling) == 1
    assert 9000 - STEP < len(fat.sampling) < 9000


def test_what_an_exporter_told_comes_to_serve_its_second_port_in_steps(make):
    """Small exporters do not wait for large ones, and whatever was told is known in the end."""
    collector = make()
    flow = Template(500, [(302, 4), (7, 2)])
    for first in range(0, 4000, 1000):
        told = RATES.data(*((n + 1, 100) for n in range(first, first + 1000)))
        collector.send(ipfix(options_template_set(IPFIX, RATES), told, domain=1), source=FAT)
    told = RATES.data(*((n + 1, 100) for n in range(30)))
    collector.send(ipfix(options_template_set(IPFIX, RATES), template_set(IPFIX, flow), told, domain=1))
    announced = template_set(IPFIX, flow)
    known = [0]
    for turn in range(6):
        data = (flow.data(*((n + 1, 2) for n in range(first, first + 1000))) for first in range(0, 4000, 1000))
        small = flow.data(*((n + 1, 2) for n in range(30)))
        sent = [ipfix(announced, *data, domain=1), ipfix(small, domain=1)]
        flows = collector.send(*sent, source=[FAT, "192.0.2.1"], port=7, at_s=EXPORT_S + turn)
        rates = {}
        for one in flows:
            rates.setdefault(one["ExporterAddress"], []).append(one.get("SamplingRate", 0))
        assert rates["192.0.2.1"] == [100] * 30
        known.append(sum(rate == 100 for rate in rates[FAT]))
    assert known[-1] == 4000
    assert max(after - before for before, after in pairwise(known)) <= 1024


@pytest.mark.variants(2)
@pytest.mark.parametrize("seed", range(4))
def test_what_is_shared_in_steps_is_never_taken_for_that_of_another(make, seed, monkeypatch):
    monkeypatch.setattr("millrace.decode.netflow.remembered._SHARED_AT_ONCE", 2)
    monkeypatch.setattr("millrace.decode.netflow.remembered._SHARED_AT_A_TURN", 1)
    monkeypatch.setattr("millrace.decode.netflow.registry._AT_ONCE", 40)
    rng = random.Random(seed)
    collector = make(Limits(domains=6, exporters=4, exporter_idle_s=2, ports_per_exporter=3))
    options = Template(300, [(302, 2), (34, 4)], scopes=1)
    for turn in range(800):
        exporter, domain, port = rng.randrange(6), rng.randrange(3), rng.randrange(2000, 2006)
        fields = [[(7, 2), (11, 2)], [(11, 2), (4, 1), (7, 2)]][exporter % 2]
        template = Template(256 + rng.randrange(3), fields)
        record = [1000 * exporter if element == 7 else 50_000 for element, _ in template.fields]
        sets = [template_set(IPFIX, template)] * rng.randrange(2) + [template.data(record)] * rng.randrange(3)
        if rng.random() < 0.4:
            selectors = [(rng.randrange(5), 100 + exporter) for _ in range(3)]
            sets += [options_template_set(IPFIX, options), options.data(*selectors)]
        when = EXPORT_S + turn * rng.choice([0.25, 0.25, 1])
        sent = ipfix(*sets, domain=domain)
        for flow in collector.send(sent, source=source(exporter), port=port, at_s=when + 700 * (turn // 300)):
            assert flow.get("SamplingRate", 0) in (0, 100 + exporter)
            assert (flow["SrcPort"], flow["DstPort"]) == (1000 * exporter, 50_000)
