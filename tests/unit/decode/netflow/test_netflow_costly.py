"""Costly layouts: many, or long, for few bytes. They are left out first, and never what is usual."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from effort import Effort
from millrace.batch import DatagramBatch
from millrace.decode import Limits
from millrace.decode.netflow.layout import Compiled, Layouts
from millrace.decode.netflow.work import Allowance, Cost
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    Template,
    data_set,
    ipfix,
    message,
    options_template_set,
    template_set,
)

ATTACKER, HONEST = "203.0.113.66", "192.0.2.1"
PORTS = Template(256, [(7, 2), (11, 2), (8, 4), (12, 4), (1, 4), (2, 4)])
RECORD = (1, 2, "198.51.100.1", "203.0.113.1", 1000, 10)
SHORT = Limits(layout_burst_s=0.02, layout_share=0.01)
"""Little time, so that little is needed to use it up."""


def long_templates(amount, fields=500, seed=1):
    """Different templates of that many fields, all but one of no bytes."""
    rng = random.Random(seed)
    return [
        Template(256 + number, [*((rng.randint(1, 400), 0) for _ in range(fields - 1)), (4, 1)])
        for number in range(amount)
    ]


def announce(collector, templates, source, at_s=EXPORT_S):
    for first in range(0, len(templates), 20):
        collector.send(ipfix(template_set(IPFIX, *templates[first : first + 20])), source=source, at_s=at_s)


def costly(templates):
    """A message of one data set of five bytes for each."""
    return ipfix(*(data_set(template.id, b"\6") for template in templates))


def flows_of(collector, source):
    (packed,) = (status.address for status in collector.decoder.exporters() if status.address.endswith(source))
    return sum(n for (who, _, event), n in collector.counts.events.items() if who == packed and event == "flows")


HONEST_TAIL, ATTACKER_TAIL = bytes([192, 0, 2, 1]), bytes([203, 0, 113, 66])


def test_a_costly_source_is_left_out_and_an_honest_one_is_not(make):
    collector = make(SHORT)
    templates = long_templates(300)
    announce(collector, templates, ATTACKER)
    collector.send(ipfix(template_set(IPFIX, PORTS)), source=HONEST)
    for turn in range(20):
        collector.send(
            ipfix(PORTS.data(*[RECORD] * 20)), costly(templates), ipfix(PORTS.data(RECORD)),
            source=[HONEST, ATTACKER, HONEST], at_s=EXPORT_S + turn / 10,
        )  # fmt: skip
    assert flows_of(collector, HONEST_TAIL) == 20 * 21
    # 0.02 s at once and 0.01 of each second are time for a dozen of them, those that were compiled among them.
    assert flows_of(collector, ATTACKER_TAIL) < 60
    drops = {(who[-4:], unit, reason) for who, _, unit, reason in collector.counts.drops}
    assert drops == {(ATTACKER_TAIL, "set", "costly-layouts")}
    assert collector.drops["set", "costly-layouts"] == 20 * 300 - flows_of(collector, ATTACKER_TAIL)


def test_it_is_told_of_the_exporter(make):
    collector = make(SHORT)
    templates = long_templates(100)
    announce(collector, templates, ATTACKER)
    collector.send(costly(templates), source=ATTACKER)
    (status,) = collector.decoder.exporters()
    (oddity,) = status.oddities
    assert (oddity.event, oddity.count) == ("costly_sets", collector.drops["set", "costly-layouts"])
    assert "different templates" in status.last_issue


@pytest.mark.variants(2)
@pytest.mark.parametrize(("fields", "share"), [(1, 0.25), (20, 0.1), (300, 0.04)])
def test_the_time_that_costly_layouts_take_is_bounded(make, fields, share):
    """Twenty messages a second of 280 sets, for ten seconds of receipt, of layouts that are never compiled already."""
    if fields > 1:
        templates = long_templates(560, fields)
    else:
        templates = [Template(256 + n, [(7 if n % 2 else 11, 1 + n % 4), (n // 8 + 500, 2)]) for n in range(560)]

    def spent(messages, limits):
        collector = make(limits)
        announce(collector, templates, ATTACKER)
        rng, seconds = random.Random(2), 0.0
        for turn in range(messages):
            at_ns = EXPORT_S * 10**9 + turn * 50_000_000
            batch = DatagramBatch.from_payloads([costly(rng.sample(templates, 280))], source=ATTACKER, time_ns=at_ns)
            with Effort() as effort:
                collector.decoder.decode(batch)
            seconds += effort.seconds
        return seconds

    # Machines differ, and what runs beside: so it is compared with what each message costs here if all is compiled.
    each = spent(10, Limits(layout_burst_s=1000, compiled_layouts=100)) / 10
    # By the estimate 0.1 + 10 * 0.05 s of layouts; 200 datagrams cost a little in any case.
    assert spent(200, Limits(layout_burst_s=0.1, layout_share=0.05, compiled_layouts=100)) < 200 * each * share


def test_time_comes_back(make):
    collector = make(SHORT)
    templates = long_templates(10)
    announce(collector, templates, ATTACKER)
    flows = [len(collector.send(costly(templates), source=ATTACKER, at_s=EXPORT_S + at)) for at in (0, 0.1, 60)]
    # What is compiled already costs less.
    assert flows[1] < flows[0] < flows[2]


def test_a_clock_that_is_set_back_stops_nothing(make):
    collector = make(SHORT)
    templates = long_templates(3)
    announce(collector, templates, ATTACKER)
    collector.send(costly(templates * 5), source=ATTACKER)
    flows = [len(collector.send(costly(templates * 5), source=ATTACKER, at_s=EXPORT_S - 7200 + at)) for at in (0, 60)]
    assert flows[1] >= 5


def test_after_a_restart_five_hundred_routers_with_templates_of_their_own_lose_nothing(make):
    collector = make()
    sources = [f"10.0.{n // 250}.{n % 250}" for n in range(500)]
    first, second = ([], [])
    for number in range(500):
        fields = [*PORTS.fields, *((element, 1 + (number >> at) % 2) for at, element in enumerate(range(130, 139)))]
        templates = [Template(256, [*fields, (5, 1)]), Template(257, [*fields, (4, 1)])]
        first.append(ipfix(template_set(IPFIX, *templates)))
        second.append(ipfix(*(template.data((*RECORD, *[1] * 10)) for template in templates)))
    collector.send(*first, source=sources)
    for turn in range(10):
        assert len(collector.send(*second, source=sources, at_s=EXPORT_S + 1 + turn)) == 1000
    assert not collector.drops


def test_small_exporters_come_before_whoever_has_much(make):
    """Twenty that send a record now and then, each of a template of its own; what is left goes to the greedy one."""
    collector = make(Limits(layout_burst_s=0.2, layout_share=0.2))
    small = [Template(256, [*PORTS.fields, (300 + number, 1)]) for number in range(20)]
    sources = [f"10.0.0.{number}" for number in range(20)]
    collector.send(*(ipfix(template_set(IPFIX, one)) for one in small), source=sources)
    collector.send(*(ipfix(one.data((*RECORD, 0))) for one in small), source=sources)
    # Each of its sets has as many bytes as one of theirs.
    greedy = [Template(256 + number, [*PORTS.fields, (500 + number, 1)]) for number in range(1000)]
    for first in range(0, 1000, 25):
        collector.send(ipfix(template_set(IPFIX, *greedy[first : first + 25])), source=ATTACKER)
    for turn in range(5):
        before = collector.drops.get(("set", "costly-layouts"), 0)
        flood = [ipfix(*(one.data((*RECORD, 0)) for one in greedy[first : first + 40])) for first in range(0, 1000, 40)]
        collector.send(
            *flood, *(ipfix(one.data((*RECORD, 0))) for one in small),
            source=[ATTACKER] * len(flood) + sources, at_s=EXPORT_S + 1 + turn / 4,
        )  # fmt: skip
        assert collector.drops["set", "costly-layouts"] > before
    dropped = {who[-4:] for who, _, _, reason in collector.counts.drops if reason == "costly-layouts"}
    assert dropped == {ATTACKER_TAIL}
    assert collector.event("flows") >= 6 * 20


def test_one_exporter_takes_no_more_than_a_quarter_at_once(make):
    """After a calm time there is a second: a single message must not take all of it."""
    collector = make()
    templates = long_templates(300)
    announce(collector, templates, ATTACKER)
    collector.send(costly(templates), source=ATTACKER, at_s=EXPORT_S + 10)
    # About three milliseconds each.
    assert 60 <= collector.event("flows") <= 100


def test_what_is_left_out_is_not_lost_on_the_way(make):
    """IPFIX numbers data records: those of sets that were left out are not known, and are no loss of the network."""
    collector = make(SHORT)
    templates = long_templates(200)
    announce(collector, templates, ATTACKER)
    sequence = 0
    for turn in range(150):
        collector.send(
            ipfix(*(data_set(template.id, b"\6") for template in templates), sequence=sequence),
            source=ATTACKER, at_s=EXPORT_S + turn / 10,
        )  # fmt: skip
        sequence += 200
    assert collector.drops["set", "costly-layouts"] > 20_000
    assert collector.event("lost") == 0


def test_sets_that_waited_are_left_out_too(make):
    collector = make(SHORT)
    templates = long_templates(100)
    collector.send(costly(templates), source=ATTACKER)
    assert collector.event("sets_waiting") == 100
    announce(collector, templates, ATTACKER)
    assert collector.drops["set", "costly-layouts"] > 50
    assert collector.event("flows") + collector.drops["set", "costly-layouts"] == 100


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_options_that_tell_a_thing_per_byte_are_left_out(make, version):
    template = Template(300, [(302 if version == IPFIX else 1, 1), (34, 1)], scopes=1)
    collector = make(SHORT)
    collector.send(message(version, options_template_set(version, template)), source=ATTACKER)
    for turn in range(50):
        collector.send(message(version, data_set(300, bytes([3, 7]) * 700)), source=ATTACKER, at_s=EXPORT_S + turn / 50)
    assert collector.drops["set", "costly-layouts"] > 40


def test_files_have_time_for_all(make):
    collector = make(Limits(layout_burst_s=0.0, layout_share=math.inf))
    templates = long_templates(50)
    announce(collector, templates, ATTACKER)
    assert len(collector.send(costly(templates), source=ATTACKER)) == 50


def test_what_is_kept_compiled_is_bounded_by_its_bytes():
    layouts = Layouts(1 << 20)
    made = [
        layouts.intern(version=IPFIX, options=False, scopes=0, with_pen=True, wire=bytes([0, 1, 0, n + 1]) * 100)
        for n in range(20)
    ]
    compiled = Compiled(lambda layout: layout.number, 100, 2000)
    for layout in made:
        compiled.of(layout)
    assert [layout.number in compiled for layout in made] == [False] * 15 + [True] * 5
    compiled.forget([made[-1].number, made[0].number])
    compiled.of(made[0])
    assert [layout.number in compiled for layout in made[15:]] == [True] * 4 + [False]


SETS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 2000), st.integers(0, 5)), min_size=1, max_size=200)
COSTS = st.lists(st.integers(0, 5000), min_size=41, max_size=41)


@example(sets=[(5, 4, 0), (7, 1, 0), (7, 1, 1)], costs=[*[0] * 5, 2, 0, 2, *[0] * 33], burst_us=3)
@given(sets=SETS, costs=COSTS, burst_us=st.integers(0, 30_000))
def test_no_more_is_spent_than_there_is_and_nothing_is_left_out_for_nothing(sets, costs, burst_us):
    layout, nbytes, exporter = (np.array(column, np.int64) for column in zip(*sets, strict=True))
    allowance = Allowance(0.5, burst_us / 1e6)
    chosen = allowance.choose(layout, nbytes, exporter, lambda n: Cost(costs[n], 1.0, 4), 10**18)
    octets = np.bincount(layout, nbytes, 41)

    def beyond(n, total):
        return max(costs[n] + total // 4 - total / 4, 0)

    excess = {n: beyond(n, octets[n]) for n in set(layout.tolist())}
    if chosen is None:
        assert sum(excess.values()) <= burst_us + 1e-6
        return
    assert not chosen.all()
    kept, gone = (
        {(int(n), int(e)) for n, e in zip(layout[mask], exporter[mask], strict=True)} for mask in (chosen, ~chosen)
    )
    assert not kept & gone
    whole = {n for n, _ in kept} - {n for n, _ in gone}
    spent = sum(excess[n] for n in whole)
    # Of a layout that several exporters have, that of the greediest may be left out alone.
    for n, who in kept:
        if n not in whole:
            spent += beyond(n, nbytes[(layout == n) & (exporter == who)].sum())
    assert spent <= burst_us + 1e-6
    assert all(excess[n] > 0 for n, _ in gone)
    assert allowance.left_us == pytest.approx(burst_us - spent)


def test_known_exporters_with_little_to_send_lose_nothing_to_strangers_with_a_layout_each(make):
    """A forger has as many exporters as datagrams, and each may cost less than an honest one, for as many bytes."""
    collector = make(Limits(layout_burst_s=0.1))
    known = [Template(256, [*PORTS.fields, *((300 + at, 2) for at in range(40)), (500 + n, 1)]) for n in range(20)]
    sources = [f"192.0.2.{number}" for number in range(20)]
    records = [ipfix(one.data((*RECORD, *[0] * 41))) for one in known]
    collector.send(*(ipfix(template_set(IPFIX, one)) for one in known), source=sources)
    # Not for an hour, then: they are known all the same.
    for at_s in (0, 900):
        collector.send(*records, source=sources, at_s=EXPORT_S + at_s)
    sent = collector.event("flows")
    assert sent == 40
    rng, rows = random.Random(3), []
    for turn in range(100):
        forged, payloads = [], []
        for number in range(30):
            layout = Template(256, [(rng.randint(600, 30_000), 40), (rng.randint(600, 30_000), 39)])
            payloads.append(ipfix(template_set(IPFIX, layout), data_set(256, bytes(79))))
            forged.append(f"10.{turn}.{number}.1")
        one = turn % 20
        flows = collector.send(
            *payloads, records[one], source=[*forged, sources[one]], at_s=EXPORT_S + 900 + 5400 + turn / 50
        )
        rows += [flow["ExporterAddress"] for flow in flows if flow["ExporterAddress"].startswith("192.0.2.")]
    assert collector.drops["set", "costly-layouts"] > 100
    assert len(rows) == 100


def test_of_exporters_that_cost_alike_those_known_for_longer_come_first(make):
    """An honest newcomer is before whoever brings another layout with each datagram."""
    collector = make(Limits(layout_burst_s=0.05))
    new = Template(256, [*PORTS.fields, *((300 + at, 2) for at in range(20))])
    collector.send(ipfix(template_set(IPFIX, new)), source=HONEST)
    rng, served = random.Random(4), 0
    for turn in range(50):
        payloads = []
        for _ in range(40):
            layout = Template(256, [(rng.randint(600, 30_000), 40), (rng.randint(600, 30_000), 5)])
            payloads.append(ipfix(template_set(IPFIX, layout), data_set(256, bytes(45))))
        forged = [f"10.{turn}.{number}.1" for number in range(40)]
        flows = collector.send(
            *payloads, ipfix(new.data((*RECORD, *[0] * 20))), source=[*forged, HONEST], at_s=EXPORT_S + 1 + turn / 50
        )
        served += sum(flow["ExporterAddress"] == HONEST for flow in flows)
    assert collector.drops["set", "costly-layouts"] > 100
    assert served == 50
