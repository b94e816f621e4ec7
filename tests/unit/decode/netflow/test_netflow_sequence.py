"""Sequence numbers: what is lost, what comes late, and what begins anew."""

from __future__ import annotations

from functools import partial
from random import Random

import pytest

from millrace.batch import DatagramBatch
from millrace.enrich import Exporter
from millrace.query import lost_share, problems
from millrace.testing.netflow import (
    IPFIX,
    V9,
    LegacyRecord,
    Template,
    ipfix,
    options_template_set,
    template_set,
    v5,
    v9,
)

PORTS = Template(256, [(7, 2)])
OTHERS = Template(258, [(11, 2)])
THREE = PORTS.data((1,), (2,), (3,))
RECORD = LegacyRecord()


def loss(collector):
    return collector.event("lost"), collector.event("reordered")


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize(
    ("sequences", "lost", "reordered"),
    [
        ([0, 1, 2, 3], 0, 0),
        ([0, 1, 4, 5], 2, 0),
        ([7, 8, 8, 9], 0, 1),
        ([0, 1, 3, 2, 4], 1, 1),
        ([0, 4, 1, 2, 3, 5], 3, 3),
        ([(1 << 32) - 2, (1 << 32) - 1, 0, 1], 0, 0),
        ([(1 << 32) - 2, 1], 2, 0),
        ([500_000, 500_001, 0, 1, 2], 0, 0),
        ([3_000_000_000, 5, 6, 9], 2, 0),
        ([100, 101, 20, 21, 22, 23, 24, 26], 1, 3),
    ],
)
def test_v9_counts_datagrams(collector, sequences, lost, reordered, split):
    payloads = [v9(sequence=sequence) for sequence in sequences]
    for batch in [[payload] for payload in payloads] if split else [payloads]:
        collector.send(*batch)
    assert loss(collector) == (lost, reordered)


def test_v5_counts_flows(collector):
    collector.send(v5(RECORD, RECORD, sequence=10), v5(RECORD, sequence=12), v5(RECORD, sequence=43))
    assert loss(collector) == (30, 0)


def test_ipfix_counts_data_records_options_included(collector):
    collector.send(
        ipfix(template_set(IPFIX, PORTS)), ipfix(THREE, sequence=0), ipfix(THREE, sequence=3), ipfix(THREE, sequence=16)
    )
    assert loss(collector) == (10, 0)


def test_ipfix_messages_of_unknown_templates_break_off_the_count(collector):
    collector.send(ipfix(template_set(IPFIX, PORTS)), ipfix(Template(300, []).data(), b"", sequence=0))
    collector.send(
        ipfix(Template(300, [(7, 2)]).data((1,), (2,)), sequence=0), ipfix(THREE, sequence=2), ipfix(sequence=5)
    )
    assert loss(collector) == (0, 0)


def test_a_restarting_exporter_does_not_count_billions(collector):
    collector.send(v5(RECORD, sequence=4_000_000_000, uptime_ms=90_000_000), v5(RECORD, sequence=0, uptime_ms=1000))
    collector.send(v5(RECORD, sequence=1, uptime_ms=2000), v5(RECORD, sequence=2, uptime_ms=3000))
    assert loss(collector) == (0, 0)


def test_a_restart_shortly_after_the_start_is_seen_by_the_uptime(collector):
    collector.send(
        v9(sequence=50, uptime_ms=90_000_000), v9(sequence=0, uptime_ms=1000), v9(sequence=1, uptime_ms=2000)
    )
    assert loss(collector) == (0, 0)


def test_domains_engines_and_exporters_count_apart(collector):
    collector.send(
        v9(sequence=1, domain=1), v9(sequence=900, domain=2), v9(sequence=2, domain=1), v9(sequence=901, domain=2),
        v5(RECORD, sequence=5, engine_id=1), v5(RECORD, sequence=77, engine_id=2), v5(RECORD, sequence=6, engine_id=1),
    )  # fmt: skip
    assert loss(collector) == (0, 0)


def test_loss_is_shown_per_exporter_and_domain(collector):
    collector.send(v9(sequence=1, domain=4), v9(sequence=5, domain=4), v9(sequence=1, domain=5))
    (status,) = collector.decoder.exporters()
    assert (status.lost, [(d.domain, d.lost) for d in status.domains]) == (3, [(4, 3), (5, 0)])


SYSTEM = Template(300, [(149, 4), (41, 8)], scopes=1)
BIFLOW = Template(257, [(7, 2), (2, 4), (2, 4, 29305)])


def stream(count, advance, inclusive, *, version=IPFIX, biflow=False, datagrams=400, seed=1, uneven=True, start=None):
    """Datagrams of an exporter that numbers in its own manner: `count` of (records, options, sets), as dictionary."""
    chance, sent = Random(seed), []
    number = Random(seed).getrandbits(20) if start is None else start
    for n in range(datagrams):
        records = chance.randint(1, 20) if uneven else 20
        options = int(version == IPFIX and n % 16 == 0)
        sets = [template_set(version, PORTS)] if n % 50 == 0 else []
        if version == IPFIX:
            sets += [options_template_set(IPFIX, SYSTEM), SYSTEM.data((0, 1))] if options else []
            sets += [template_set(IPFIX, BIFLOW)] if biflow and n % 50 == 0 else []
        flows = [BIFLOW.data(*[(1, 2, 3)] * records)] if biflow else [PORTS.data(*[(1,)] * records)]
        units = {
            "data": records, "records": records + options, "sets": len(sets) + 1, "datagrams": 1, "nothing": 0,
            "flows": records * (2 if biflow else 1) + options * 0,
        }  # fmt: skip
        make = v9 if version == V9 else ipfix
        advance_by = units[count] * advance
        mine = (number + advance_by if inclusive else number) % (1 << 32)
        sent.append((make(*sets, *flows, sequence=mine), units))
        number += advance_by
    return sent


MANNERS = [
    ("records", False, {}), ("records", True, {}), ("data", False, {}), ("data", True, {}), ("datagrams", False, {}),
    ("sets", False, {}), ("nothing", False, {}), ("flows", False, {"biflow": True}), ("flows", True, {"biflow": True}),
    ("data", True, {"biflow": True}), ("data", True, {"uneven": False}), ("datagrams", False, {"version": V9}),
    ("data", False, {"version": V9}), ("data", True, {"version": V9}), ("sets", False, {"version": V9}),
]  # fmt: skip


PROVABLE = [
    (unit, inclusive, options)
    for unit, inclusive, options in MANNERS
    if unit != "nothing" and (unit, options) != ("sets", {"version": V9})
]
"""Without those of which nothing can be lost, or that say so little of their manner that loss stays in doubt."""


@pytest.mark.variants(8)
@pytest.mark.parametrize("size", [1, 400])
@pytest.mark.parametrize(("unit", "inclusive", "options"), MANNERS)
def test_no_manner_of_counting_is_taken_for_loss(collector, unit, inclusive, options, size):
    sent = [payload for payload, _ in stream(unit, 1, inclusive, datagrams=160 if size == 1 else 400, **options)]
    for at in range(0, len(sent), size):
        collector.send(*sent[at : at + size])
        if at < 10 or at == 110:
            (status,) = collector.decoder.exporters()
            assert (status.lost, lost_share(status.domains)) == (0, 0)
    assert collector.event("lost") == 0
    # The first number that stays as it is may as well be a duplicate.
    assert unit == "nothing" or collector.event("reordered") == 0


@pytest.mark.variants(5)
@pytest.mark.parametrize(("unit", "inclusive", "options"), PROVABLE)
def test_and_real_loss_is_found_under_each(collector, unit, inclusive, options):
    sent = stream(unit, 1, inclusive, **options)
    kept, lost = [], 0
    chance = Random(2)
    for n, (payload, units) in enumerate(sent):
        if n > 20 and n < 390 and n % 50 and chance.random() < 0.1:
            lost += units[unit]
        else:
            kept.append(payload)
    collector.send(*kept)
    (status,) = collector.decoder.exporters()
    assert status.domains[0].proven
    assert 0.9 * lost <= status.lost <= 1.1 * lost
    (problem,) = [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "lost" in p.what]
    assert problem.severity == "error"


def several_sets(version, unit, inclusive, datagrams=400, lose=0.0):
    """Datagrams of one to four data sets, templates and options now and then; and how many of `unit` were lost."""
    chance, number, lost = Random(4), 1000, 0
    options = SYSTEM if version == IPFIX else Template(300, [(1, 4), (41, 8)], scopes=1)
    make = partial(v9, count=99) if version == V9 else ipfix
    sent = []
    for n in range(datagrams):
        told = n % 20 == 0
        sets = [template_set(version, PORTS, OTHERS), options_template_set(version, options)] if told else []
        sets += [options.data((0, 1))] if told else []
        flows = [chance.choice((PORTS, OTHERS)).data(*[(1,)] * chance.randint(1, 10))
                 for _ in range(chance.randint(1, 4))]  # fmt: skip
        records = sum((len(one) - 4) // 2 for one in flows)
        units = {
            "sets": len(sets) + len(flows), "data-sets": told + len(flows), "flow-sets": len(flows),
            "all-records": records + 4 * told, "records": records + told, "data": records,
        }  # fmt: skip
        mine = number + units[unit] if inclusive else number
        number += units[unit]
        if told or not 20 < n < datagrams - 10 or chance.random() >= lose:
            sent.append(make(*sets, *flows, sequence=mine % (1 << 32)))
        else:
            lost += units[unit]
    return sent, lost


@pytest.mark.variants(12)
@pytest.mark.parametrize("size", [1, 400])
@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("unit", ["sets", "data-sets", "flow-sets", "all-records", "records", "data"])
@pytest.mark.parametrize("version", [V9, IPFIX])
def test_sets_of_every_kind_and_records_of_every_kind_may_be_counted(collector, version, unit, inclusive, size):
    sent, _ = several_sets(version, unit, inclusive, datagrams=160 if size == 1 else 400)
    for at in range(0, len(sent), size):
        collector.send(*sent[at : at + size])
    (status,) = collector.decoder.exporters()
    assert status.domains[0].proven
    assert loss(collector) == (0, 0)


@pytest.mark.variants(6)
@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("unit", ["sets", "data-sets", "flow-sets", "all-records"])
@pytest.mark.parametrize("version", [V9, IPFIX])
def test_and_loss_is_found_under_each_of_them(collector, version, unit, inclusive):
    sent, lost = several_sets(version, unit, inclusive, lose=0.1)
    collector.send(*sent)
    (status,) = collector.decoder.exporters()
    assert 0.8 * lost <= status.lost <= 1.1 * lost


def test_a_manner_that_small_numbers_fit_by_chance_accuses_nobody(collector):
    """Each step is of 1 to 4, whatever the datagram holds: that it is 1 now and then makes it no count of datagrams."""
    chance, number = Random(7), 0
    collector.send(ipfix(template_set(IPFIX, PORTS)))
    for _ in range(300):
        collector.send(ipfix(PORTS.data(*[(1,)] * 30), sequence=(number := number + chance.choice((1, 1, 2, 3, 4)))))
    (status,) = collector.decoder.exporters()
    assert lost_share(status.domains) == 0
    assert not [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "lost" in p.what]


def test_numbers_that_follow_no_manner_accuse_nobody(collector):
    chance = Random(3)
    collector.send(ipfix(template_set(IPFIX, PORTS)))
    for _ in range(300):
        number = chance.getrandbits(14)
        collector.send(*(ipfix(THREE, sequence=(number := number + chance.randint(1, 90))) for _ in range(3)))
    (status,) = collector.decoder.exporters()
    assert not status.domains[0].proven
    assert lost_share(status.domains) == 0
    assert not [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "lost" in p.what]


@pytest.mark.parametrize("datagrams", [99, 101])
def test_nobody_is_accused_of_loss_from_fewer_than_a_hundred_datagrams(collector, datagrams):
    collector.send(*(v9(sequence=n if n < 50 else n + 50) for n in range(datagrams)))
    (status,) = collector.decoder.exporters()
    accused = [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "lost" in p.what]
    assert (bool(accused), lost_share(status.domains) > 0) == (datagrams > 100, datagrams > 100)


def test_streams_of_several_ports_domains_and_manners_are_told_apart(collector):
    one = stream("data", 1, True, seed=5)
    other = stream("records", 1, False, seed=6)
    for (first, _), (second, _) in zip(one, other, strict=True):
        collector.send(first, port=1)
        collector.send(second, port=2)
    assert loss(collector) == (0, 0)


def over_ports(collector, sent, weights, *, start=16, size=40):
    """Send datagrams from several ports, from each in turn at first, then by chance."""
    chance, ports = Random(5), range(1, len(weights) + 1)
    chosen = [n % len(weights) + 1 if n < start else chance.choices(ports, weights)[0] for n in range(len(sent))]
    for at in range(0, len(sent), size):
        batch = DatagramBatch.from_payloads(sent[at : at + size], source_port=chosen[at : at + size])
        collector.counts.add(collector.decoder.decode(batch).counts)


@pytest.mark.variants(6)
@pytest.mark.parametrize("size", [1, 40])
@pytest.mark.parametrize("weights", [[1, 1], [1, 1, 1, 1], [8, 2], [5, 3, 2]])
@pytest.mark.parametrize("version", [V9, IPFIX])
def test_a_device_that_numbers_on_from_port_to_port_is_not_accused_of_loss(collector, version, weights, size):
    unit = "datagrams" if version == V9 else "records"
    sent = [payload for payload, _ in stream(unit, 1, False, version=version, datagrams=300)]
    kept = [payload for n, payload in enumerate(sent) if n % 13 != 7]
    over_ports(collector, kept, weights, size=size)
    (status,) = collector.decoder.exporters()
    records = collector.event("data_records") + collector.event("options_records")
    assert status.domains[0].received == (len(kept) if version == V9 else records)
    assert (status.lost, lost_share(status.domains)) == (0, 0)
    assert not [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "lost" in p.what]


@pytest.mark.variants(1)
@pytest.mark.parametrize("version", [V9, IPFIX])
def test_loss_of_devices_that_number_each_for_themselves_is_found(collector, version):
    unit = "datagrams" if version == V9 else "records"
    streams = [stream(unit, 1, False, version=version, datagrams=300, seed=seed, start=start)
               for seed, start in ((5, 0), (6, 0), (7, 900))]  # fmt: skip
    lost = 0
    for n in range(300):
        for port, sent in enumerate(streams):
            payload, units = sent[n]
            if n > 20 and n % 10 == 5:
                lost += units[unit]
            else:
                collector.send(payload, port=port)
    (status,) = collector.decoder.exporters()
    assert 0.9 * lost <= status.lost <= 1.1 * lost


def test_a_restart_is_no_loss_whatever_the_manner(collector):
    for start in (900_000, 0, 0):
        collector.send(*(payload for payload, _ in stream("data", 1, True, start=start, datagrams=150)))
    assert collector.event("lost") == 0


def test_the_status_says_what_is_counted(collector):
    collector.send(*(payload for payload, _ in stream("datagrams", 1, False)))
    (status,) = collector.decoder.exporters()
    assert (status.domains[0].unit, status.domains[0].received) == ("datagrams", pytest.approx(400, abs=5))


def test_an_exporter_whose_records_carry_the_rate_is_not_told_that_it_tells_none(collector):
    rated = Template(256, [(7, 2), (34, 4)])
    collector.send(v9(template_set(V9, rated), rated.data((1, 100))))
    (status,) = collector.decoder.exporters()
    assert not [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "sampling" in p.what]


def test_nor_is_one_that_has_not_sent_anything_since_the_start(collector, make):
    """Its templates are known from before; the rate comes with the records, or with the next options."""
    rated = Template(256, [(7, 2), (34, 4)])
    collector.send(v9(template_set(V9, rated), rated.data((1, 100))))
    restored = make()
    restored.decoder.restore(collector.decoder.snapshot())

    def hints(of):
        (status,) = of.decoder.exporters()
        return [p for p in problems(status, Exporter("::/0"), status.last_seen_ns / 1e9) if "sampling" in p.what]

    assert not hints(restored)
    restored.send(v9(rated.data((1, 0)), sequence=1))
    assert hints(restored)
