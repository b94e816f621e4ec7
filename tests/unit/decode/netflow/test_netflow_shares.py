"""Bounds over all exporters lock nobody out: a flood of forged ones takes its own room, not that of honest ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import Effort
from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder, Limits, Trust
from millrace.decode.netflow.shares import KNOWN, STRANGER
from millrace.schema import Schema
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    Template,
    ipfix,
    options_template_set,
    template_set,
)
from unit.decode.netflow.flooding import (
    HONEST,
    NAMES,
    OWN,
    RATE,
    YEAR_S,
    announce,
    configured,
    distinct,
    flood,
    forged,
    served,
    statuses,
)

SMALL = Limits(templates=2000, templates_per_exporter=200, exporters=400)


@pytest.mark.parametrize("sends", [False, True], ids=["silent", "with-a-flow-each"])
@pytest.mark.parametrize(("sources", "each"), [(10, 200), (100, 20), (390, 6)])
def test_a_new_exporter_is_served_while_forged_ones_fill_the_templates(make, sources, each, sends):
    collector = make(SMALL)
    flood(collector, range(sources), each, sends=sends)
    held = sum(len(status.templates) for status in collector.decoder.exporters())
    assert held >= 0.9 * min(sources * each, SMALL.templates)
    announce(collector, at_s=EXPORT_S + 1)
    assert served(collector, at_s=EXPORT_S + 1) == len(OWN)
    # The flood goes on from other sources.
    flood(collector, range(1000, 1000 + sources // 2), each, sends=sends, at_s=EXPORT_S + 2)
    assert served(collector, at_s=EXPORT_S + 2) == len(OWN)
    assert sum(len(status.templates) for status in collector.decoder.exporters()) <= SMALL.templates
    assert collector.drops.get(("template", "made-room"), 0) > 0


@pytest.mark.parametrize("sends", [False, True], ids=["silent", "with-a-flow-each"])
def test_the_same_where_forged_ones_fill_the_bytes_of_field_lists(make, sends):
    collector = make(Limits(template_bytes=100_000))
    for first in range(0, 60, 10):
        flood(collector, range(first, first + 10), 10, sends=sends, width=50)
    flood(collector, range(60, 80), 10, sends=sends)
    assert collector.drops.get(("template", "made-room"), 0) + collector.drops.get(("template", "template-limit"), 0)
    announce(collector, at_s=EXPORT_S + 1)
    assert served(collector, at_s=EXPORT_S + 1) == len(OWN)


def test_who_holds_a_fair_share_gets_no_more_from_equals(make):
    collector = make(Limits(templates=2000, templates_per_exporter=1500))
    flood(collector, range(10), 200)
    flood(collector, range(20, 21), 1500)
    assert len(collector.decoder.exporters()[10].templates) <= 2 * 2000 // 11
    assert collector.drops["template", "template-limit"] >= 1000


def test_an_exporter_that_sends_flows_is_not_cut_down_to_a_share_by_those_that_send_none(make):
    """A large router has more templates than a flood's share of them would be."""
    collector = make(SMALL)
    large = [Template(300 + n, [(7, 2), (210, n + 1)]) for n in range(150)]
    announce(collector, large)
    assert served(collector, large) == 150
    for first in range(0, 4000, 380):
        flood(collector, range(first, first + 380), 10, at_s=EXPORT_S + 1 + first / 1000)
    assert served(collector, large, at_s=EXPORT_S + 10) == 150


def test_bytes_of_field_lists_that_made_room_are_free_again(make):
    collector = make(Limits(template_bytes=20_000, templates=300))
    for round_ in range(40):
        flood(collector, range(round_ * 20, round_ * 20 + 20), 10, width=5, at_s=EXPORT_S + round_)
    announce(collector, at_s=EXPORT_S + 41)
    assert served(collector, at_s=EXPORT_S + 41) == len(OWN)
    assert len(collector.decoder.exporters()) > 0


# -- places of exporters


def test_a_new_exporter_takes_the_place_of_one_that_never_sent_a_flow(make):
    collector = make(Limits(exporters=100))
    for number in range(5):
        announce(collector, OWN[:1], f"192.0.2.{number}")
        assert served(collector, OWN[:1], f"192.0.2.{number}") == 1
    for second, first in enumerate(range(0, 1000, 50)):
        flood(collector, range(first, first + 50), 1, at_s=EXPORT_S + second)
    announce(collector, OWN[:1], "198.51.100.1", at_s=EXPORT_S + 30)
    assert served(collector, OWN[:1], "198.51.100.1", at_s=EXPORT_S + 30) == 1
    for number in range(5):
        assert served(collector, OWN[:1], f"192.0.2.{number}", at_s=EXPORT_S + 31) == 1
    assert len(collector.decoder.exporters()) == 100


def test_nor_do_those_that_send_one_flow_each_take_the_places_of_known_ones(make):
    collector = make(Limits(exporters=100))
    known = [f"192.0.2.{number}" for number in range(45)]
    for at_s in (EXPORT_S - 700, EXPORT_S):
        for source in known:
            announce(collector, OWN[:1], source, at_s=at_s)
            assert served(collector, OWN[:1], source, at_s=at_s) == 1
    for second, first in enumerate(range(0, 1000, 50)):
        flood(collector, range(first, first + 50), 1, at_s=EXPORT_S + second, sends=True)
    assert [served(collector, OWN[:1], source, at_s=EXPORT_S + 31) for source in known] == [1] * 45
    announce(collector, OWN[:1], "198.51.100.1", at_s=EXPORT_S + 32)
    assert served(collector, OWN[:1], "198.51.100.1", at_s=EXPORT_S + 32) == 1


def test_newcomers_have_a_part_of_the_places_though_all_are_known(make):
    """A forger who waits for ten minutes is known, too."""
    collector = make(Limits(exporters=100))
    for at_s in (EXPORT_S - 700, EXPORT_S):
        flood(collector, range(100), 1, at_s=at_s, sends=True)
    for number in range(20):
        source = f"192.0.2.{number}"
        announce(collector, OWN, source, at_s=EXPORT_S + 1 + number)
        assert served(collector, OWN, source, at_s=EXPORT_S + 1 + number) == len(OWN)
    assert sum(status.address[-4] == 10 for status in collector.decoder.exporters()) >= 75


@pytest.mark.parametrize("sends", [False, True], ids=["silent", "with-a-flow-each"])
@pytest.mark.parametrize("before", [(), (-700, 0)], ids=["strangers", "long-known"])
def test_a_new_exporter_has_time_between_its_templates_and_its_data(make, before, sends):
    """What a flood brings meanwhile pushes out its own members, in whatever standing they are."""
    collector = make(Limits(exporters=400, templates=4000))
    for at_s in before:
        flood(collector, range(400), 1, at_s=EXPORT_S + at_s, sends=True)
    for second in range(6):
        flood(collector, range(1000 + second * 80, 1080 + second * 80), 1, at_s=EXPORT_S + 1 + second, sends=sends)
    announce(collector, at_s=EXPORT_S + 7)
    flood(collector, range(2000, 2080), 1, at_s=EXPORT_S + 8, sends=sends)
    assert served(collector, at_s=EXPORT_S + 8) == len(OWN)


def test_a_configured_exporter_gets_and_keeps_its_place_and_templates(make):
    collector = make(Limits(exporters=100, templates=500))
    collector.decoder = Decoder(collector.schema, Limits(exporters=100, templates=500), trust=configured)
    for at_s in (EXPORT_S - 700, EXPORT_S):
        flood(collector, range(100), 5, at_s=at_s, sends=True)
    announce(collector)
    for second, first in enumerate(range(100, 2100, 100)):
        flood(collector, range(first, first + 100), 5, at_s=EXPORT_S + second, sends=True)
    # It is silent for days.
    assert served(collector, at_s=EXPORT_S + 50_000) == len(OWN)


def test_where_all_are_configured_what_is_known_keeps_working(make):
    collector = make(Limits(exporters=10))
    collector.decoder = Decoder(collector.schema, Limits(exporters=10), trust=lambda _: Trust(configured=True))
    for number in range(10):
        announce(collector, OWN[:1], forged(number))
    announce(collector, OWN[:1])
    assert served(collector, OWN[:1]) == 0
    assert collector.drops["set", "exporter-limit"] == 2
    assert served(collector, OWN[:1], forged(3)) == 1


def world(number):
    """Datagrams of an exporter with templates, rates, names, a start time and two ports, all of its own."""
    applications = Template(292, [(149, 4), (95, 4), (96, 8)], scopes=1)
    boot = Template(293, [(149, 4), (160, 8)], scopes=1)
    flow = Template(256, [(7, 2), (22, 4), (95, 4), *[(210, 1)] * (number % 5 + 1)])
    told = ipfix(
        template_set(IPFIX, flow), options_template_set(IPFIX, RATE, NAMES, applications, boot),
        RATE.data((0, number + 2)), NAMES.data((1, f"eth{number}")), applications.data((0, 5, f"app{number}")),
        boot.data((0, EXPORT_S * 1000 - 60_000 - number)),
    )  # fmt: skip
    plain = Template(256, [(7, 2), (22, 4), (95, 4)])
    data = flow.data((7, 10_000, 5, *[b""] * (number % 5 + 1)))
    return told, ipfix(data), ipfix(template_set(IPFIX, plain), plain.data((8, 20_000, 5)), domain=number % 3)


def test_nothing_of_those_that_made_room_is_left_to_those_that_follow(make):
    """Whatever numbers are given anew: each decodes as it does alone."""
    crowded = make(Limits(exporters=8))
    for number in range(200):
        alone = make()
        for collector in (crowded, alone):
            told, data, bare = world(number)
            at_s = EXPORT_S + number
            collector.flows = [
                collector.send(told, source=forged(number), port=1000, at_s=at_s)
                + collector.send(data, source=forged(number), port=1000, at_s=at_s)
                + collector.send(bare, source=forged(number), port=1001 + number % 2, at_s=at_s)
            ]
        assert crowded.flows == alone.flows
        names = {
            key: texts
            for key, texts in crowded.decoder.interface_names().items()
            if key in alone.decoder.interface_names()
        }
        assert names == alone.decoder.interface_names()
    assert len(crowded.decoder.exporters()) == 8


def test_numbers_are_not_used_up(make):
    """Keys have 62 bits, of which numbers are a part: at thousands of forged exporters a second that is days."""
    collector = make(Limits(exporters=20))
    for first in range(0, 3000, 15):
        flood(collector, range(first, first + 15), 1, at_s=EXPORT_S + first)
    assert collector.decoder._netflow._state.scopes._next_number < 20 * 4 + 200


@pytest.mark.variants(1)
@pytest.mark.parametrize("sends", [False, True], ids=["silent", "with-a-flow-each"])
def test_who_made_room_and_is_gone_takes_nobody_along(make, sends):
    """Places and templates are full at the same time: whoever was to give up templates lost its place before."""
    limits = Limits(exporters=400, templates=1000)
    collector = make(limits)
    named = {address_bytes(f"192.0.2.{number}") for number in range(50)}
    collector.decoder = Decoder(collector.schema, limits, trust=lambda address: Trust(configured=address in named))
    batch = 0
    for number in range(0, 50, 5):
        for _ in range(6):
            batch += 1
            base = batch * 60
            flood(collector, range(base, base + 60), 3, sends=sends)
        for own in range(number, number + 5):
            announce(collector, OWN[:8], f"192.0.2.{own}")
    for number in range(50):
        assert served(collector, OWN[:8], f"192.0.2.{number}", at_s=EXPORT_S + 60) == 8


# -- in the name of an honest exporter


def test_templates_in_the_name_of_an_exporter_do_not_keep_its_new_ones_out(make):
    """Somebody sends as many templates as one may have, from ports of his own."""
    collector = make(Limits(templates_per_exporter=200))
    announce(collector)
    assert served(collector) == len(OWN)
    for port in range(1000, 1020):
        collector.send(ipfix(template_set(IPFIX, *distinct(port * 50, 50))), source=HONEST, port=port)
    # After a reboot it has another port and other templates.
    other = [Template(600 + n, [(7, 2), (210, n + 1)]) for n in range(20)]
    announce(collector, other, port=4000, at_s=EXPORT_S + 1)
    assert served(collector, other, port=4000, at_s=EXPORT_S + 1) == len(other)
    assert served(collector, at_s=EXPORT_S + 1) == len(OWN)
    assert len(statuses(collector)[address_bytes(HONEST)].templates) <= 200


def standing_of(collector, at_s, source=HONEST):
    scopes = collector.decoder._netflow._state.scopes
    exporter = scopes.get(address_bytes(source))
    return exporter and scopes.standing(exporter, round(at_s * 1e9))


def test_a_clock_that_is_set_back_takes_nobodys_standing_and_leaves_nobody_theirs(make):
    """Of a year; both exporters were known before."""
    collector = make(Limits(exporters=50))
    message, gone = ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((1, b""))), "192.0.2.7"
    for at_s in (0, 400, 800):
        collector.send(message, message, source=[HONEST, gone], at_s=EXPORT_S + YEAR_S + at_s)
    for turn in range(30):
        # A newcomer among them: times of flows are noted with it.
        collector.send(message, message, source=[HONEST, forged(turn)], at_s=EXPORT_S + turn)
        assert standing_of(collector, EXPORT_S + turn) == KNOWN
    assert standing_of(collector, EXPORT_S + 30, gone) == STRANGER
    (status,) = (status for status in collector.decoder.exporters() if status.address == address_bytes(HONEST))
    assert status.last_seen_ns == (EXPORT_S + 29) * 10**9
    flood(collector, range(100, 200), 1, sends=True, at_s=EXPORT_S + 30)
    assert standing_of(collector, EXPORT_S + 30) == KNOWN
    assert standing_of(collector, EXPORT_S + 30, gone) is None


# -- cost, and anything at all


def test_a_flood_costs_the_same_when_everything_is_full(make):
    """Looking for those who make room is paid by many who take it."""
    collector = make(Limits(exporters=3000, templates=6000))
    flood(collector, range(3000), 2)
    with Effort() as spent:
        for second, first in enumerate(range(3000, 9000, 500)):
            flood(collector, range(first, first + 500), 2, at_s=EXPORT_S + 1 + second)
    assert spent.seconds < 12


SENT = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(1, 3), st.integers(1, 6), st.booleans(), st.booleans(), st.integers(0, 900)
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(SENT, st.integers(0, 3))
def test_whatever_is_sent_bounds_hold_and_books_balance(sent, configured_sources):
    limits = Limits(
        exporters=6, templates=12, templates_per_exporter=5, options_entries=12, options_entries_per_exporter=5,
        template_bytes=120, ports_per_exporter=2,
    )  # fmt: skip
    decoder = Decoder(Schema(), limits, trust=lambda a: Trust(configured=a[-1] < configured_sources))
    at_s = EXPORT_S
    for source, port, amount, flows, options, later in sent:
        at_s += later
        own = distinct(source * 7 + port, amount)
        payload = ipfix(
            template_set(IPFIX, *own),
            *([own[-1].data((1, b"", b""))] if flows else []),
            *(
                [options_template_set(IPFIX, NAMES), NAMES.data(*((n + 1, "x") for n in range(amount)))]
                if options
                else []
            ),
        )
        batch = DatagramBatch.from_payloads(
            [payload], source=f"10.0.0.{source}", source_port=port, time_ns=at_s * 10**9
        )
        counts = decoder.decode(batch).counts
        assert all(amount > 0 for amount in counts.drops.values())
    known = decoder.exporters()
    assert len(known) <= 6
    assert sum(len(status.templates) for status in known) <= 12
    assert all(len(status.templates) <= 5 for status in known)
    assert sum(status.interfaces for status in known) <= 12
    restored = Decoder(Schema(), limits)
    assert restored.restore(decoder.snapshot())
