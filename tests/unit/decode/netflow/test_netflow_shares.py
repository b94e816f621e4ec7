"""Bounds over all exporters lock nobody out: a flood of forged ones takes its own room, not that of honest ones."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millrace.batch import DatagramBatch, address_bytes
from millrace.decode import Decoder, Limits, Trust
from millrace.decode.netflow.shares import KNOWN, STRANGER
from millrace.schema import Schema
from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    LegacyRecord,
    Template,
    ipfix,
    options_template_set,
    template_set,
    v5,
)

HONEST = "192.0.2.1"
OWN = [Template(300 + n, [(7, 2), (210, n + 1)]) for n in range(20)]
"""Templates of the honest exporter."""
NAMES = Template(290, [(10, 4), (82, 8)], scopes=1)
RATE = Template(291, [(149, 4), (34, 4)], scopes=1)


def forged(n):
    return f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"


def distinct(first, amount, width=1):
    """Templates whose field lists nobody else has."""
    return [
        Template(256 + n, [(7, 2), *[(210, 1 + (first + n) % 60_000)] * width, (210, 1 + first // 60_000)])
        for n in range(amount)
    ]


def flood(collector, sources, templates, *, sends=False, at_s=EXPORT_S, width=1):
    """Each source announces so many templates of its own, and sends a flow if asked."""
    payloads = [
        ipfix(
            template_set(IPFIX, *(own := distinct(source * templates, templates, width))),
            *([own[0].data((1, *[b""] * (width + 1)))] if sends else []),
        )
        for source in sources
    ]
    collector.send(*payloads, source=[forged(source) for source in sources], at_s=at_s)


def announce(collector, templates=OWN, source=HONEST, at_s=EXPORT_S, port=50000):
    collector.send(ipfix(template_set(IPFIX, *templates)), source=source, at_s=at_s, port=port)


def served(collector, templates=OWN, source=HONEST, at_s=EXPORT_S, port=50000):
    """How many of its templates its data are read with."""
    payload = ipfix(*(template.data((n + 1, b"")) for n, template in enumerate(templates)))
    return len(collector.send(payload, source=source, at_s=at_s, port=port))


def statuses(collector):
    return {status.address: status for status in collector.decoder.exporters()}


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


def configured(address):
    return Trust(configured=address == address_bytes(HONEST))


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


def trusted(_):
    return Trust(ports=frozenset({2055, 2056}))


def test_templates_and_options_from_other_ports_than_its_own_are_refused(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, trust=trusted)
    told = ipfix(
        template_set(IPFIX, OWN[0]), options_template_set(IPFIX, RATE), RATE.data((0, 100)), OWN[0].data((1, b""))
    )
    (flow,) = collector.send(told, port=2055)
    assert flow["SamplingRate"] == 100
    lie = ipfix(
        template_set(IPFIX, Template(300, [(1, 3), (210, 1)])), options_template_set(IPFIX, RATE), RATE.data((0, 9999)),
        OWN[0].data((2, b"")),
    )  # fmt: skip
    (flow,) = collector.send(lie, port=9999)
    assert (flow["SrcPort"], flow["SamplingRate"]) == (2, 100)
    (flow,) = collector.send(ipfix(OWN[0].data((3, b""))), port=2056)
    assert (flow["SrcPort"], flow["SamplingRate"]) == (3, 100)
    assert collector.drops == {("set", "untrusted-port"): 2, ("record", "untrusted-port"): 1}


def test_options_that_waited_are_those_of_the_port_that_sent_them(make):
    """Sent before their template was known, which the device's own port announces later."""
    collector = make()
    collector.decoder = Decoder(collector.schema, trust=trusted)
    announce(collector, [OWN[0]], port=2055)
    collector.send(ipfix(RATE.data((0, 9999))), port=9999)
    collector.send(ipfix(options_template_set(IPFIX, RATE)), port=2055)
    (flow,) = collector.send(ipfix(OWN[0].data((2, b""))), port=2055)
    assert "SamplingRate" not in flow
    assert collector.drops == {("record", "untrusted-port"): 1}


def test_its_own_port_has_a_place_whatever_ports_are_forged(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, Limits(ports_per_exporter=8), trust=trusted)
    for port in range(3000, 3100):
        collector.send(ipfix(template_set(IPFIX, OWN[0])), port=port)
    assert served(collector, port=2055) == 0
    announce(collector, port=2055)
    assert collector.event("sets_released") == len(OWN)
    assert served(collector, port=2055) == len(OWN)


def test_domains_that_send_nothing_do_not_keep_new_ones_of_their_exporter_out(make):
    """A device that numbers its domain anew at each start; or somebody who writes its address."""
    collector = make(Limits(domains_per_exporter=32))
    told, data = ipfix(template_set(IPFIX, OWN[0]), domain=7), ipfix(OWN[0].data((1, b"")), domain=7)
    assert len(collector.send(told, data, source=HONEST)) == 1
    for domain in range(100, 300):
        collector.send(ipfix(template_set(IPFIX, OWN[0]), domain=domain), source=HONEST, at_s=EXPORT_S + domain)
    new = ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((2, b"")), domain=1000)
    assert len(collector.send(new, source=HONEST, at_s=EXPORT_S + 301)) == 1
    # What sends flows stays.
    assert len(collector.send(data, source=HONEST, at_s=EXPORT_S + 302)) == 1
    (status,) = collector.decoder.exporters()
    assert len(status.domains) <= 32
    assert not collector.drops.get(("set", "exporter-limit"))


def test_domains_that_send_flows_make_room_for_no_others_until_they_are_silent_for_an_hour(make):
    collector = make(Limits(domains_per_exporter=16))
    messages = [ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((d + 1, b"")), domain=d) for d in range(40)]
    assert len(collector.send(*messages[:16], source=HONEST)) == 16
    for domain in range(16, 24):
        assert collector.send(messages[domain], source=HONEST, at_s=EXPORT_S + domain) == []
    assert len(collector.send(*messages[:8], source=HONEST, at_s=EXPORT_S + 3500)) == 8
    for domain in range(24, 40):
        collector.send(messages[domain], source=HONEST, at_s=EXPORT_S + 3700 + domain * 2)
    data = [ipfix(OWN[0].data((d + 1, b"")), domain=d) for d in range(8)]
    assert len(collector.send(*data, source=HONEST, at_s=EXPORT_S + 3800)) == 8


def test_domains_from_other_ports_make_room_for_those_of_its_own_port(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, Limits(domains_per_exporter=16), trust=trusted)
    # NetFlow v5 has flows without templates, from any port.
    for engine in range(40):
        collector.send(v5(LegacyRecord(), engine_id=engine), port=9999, at_s=EXPORT_S + engine)
    message = ipfix(template_set(IPFIX, OWN[0]), OWN[0].data((1, b"")), domain=5)
    assert len(collector.send(message, port=2055, at_s=EXPORT_S + 50)) == 1
    for engine in range(40, 80):
        collector.send(v5(LegacyRecord(), engine_id=engine), port=9999, at_s=EXPORT_S + 50 + engine)
    assert len(collector.send(ipfix(OWN[0].data((1, b"")), domain=5), port=2055, at_s=EXPORT_S + 200)) == 1


YEAR_S = 365 * 86_400


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


# -- options


def name_interfaces(collector, sources, each, at_s=EXPORT_S, sends=False):
    payloads = [
        ipfix(
            options_template_set(IPFIX, NAMES), NAMES.data(*((n + 1, f"i{n}") for n in range(each))),
            *([template_set(IPFIX, OWN[0]), OWN[0].data((1, b""))] if sends else []),
        )
        for _ in sources
    ]  # fmt: skip
    collector.send(*payloads, source=[forged(source) for source in sources], at_s=at_s)


@pytest.mark.parametrize("sends", [False, True], ids=["silent", "with-a-flow-each"])
@pytest.mark.parametrize(("sources", "each"), [(10, 400), (200, 20)])
def test_options_of_a_new_exporter_are_learned_while_forged_ones_fill_the_room(make, sources, each, sends):
    collector = make(Limits(options_entries=4000, options_entries_per_exporter=500))
    name_interfaces(collector, range(sources), each, sends=sends)
    assert sum(status.interfaces for status in collector.decoder.exporters()) >= 3500
    own = ipfix(
        options_template_set(IPFIX, NAMES, RATE), NAMES.data(*((n + 1, f"e{n}") for n in range(50))),
        RATE.data((0, 1000)), template_set(IPFIX, OWN[0]), OWN[0].data((1, b"")),
    )  # fmt: skip
    (flow,) = collector.send(own, source=HONEST, at_s=EXPORT_S + 1)
    assert flow["SamplingRate"] == 1000
    name_interfaces(collector, range(500, 500 + sources // 2), each, at_s=EXPORT_S + 2, sends=sends)
    (flow,) = collector.send(ipfix(OWN[0].data((2, b""))), source=HONEST, at_s=EXPORT_S + 3)
    assert flow["SamplingRate"] == 1000
    assert statuses(collector)[address_bytes(HONEST)].interfaces == 50
    assert sum(status.interfaces + len(status.sampling) for status in collector.decoder.exporters()) <= 4000
    assert not collector.drops.get(("record", "options-limit")) or sources == 10


def test_what_options_told_is_forgotten_when_it_is_told_no_more(make):
    day = 86_400
    collector = make(Limits(options_lifetime_s=7 * day, template_lifetime_s=0))
    applications = Template(292, [(149, 4), (95, 4), (96, 8)], scopes=1)
    told = ipfix(
        options_template_set(IPFIX, NAMES, RATE, applications), NAMES.data((1, "eth1"), (2, "eth2")),
        RATE.data((0, 1000)), applications.data((0, 5, "http")), template_set(IPFIX, OWN[0]), OWN[0].data((1, b"")),
    )  # fmt: skip
    collector.send(told)
    for n in range(1, 8):
        (flow,) = collector.send(ipfix(NAMES.data((2, "eth2")), OWN[0].data((1, b""))), at_s=EXPORT_S + n * day)
        assert flow["SamplingRate"] == 1000
    collector.send(ipfix(NAMES.data((2, "eth2"))), at_s=EXPORT_S + 7.1 * day)
    (flow,) = collector.send(ipfix(OWN[0].data((1, b""))), at_s=EXPORT_S + 7.2 * day)
    assert "SamplingRate" not in flow
    (status,) = collector.decoder.exporters()
    assert (status.interfaces, status.applications, status.sampling) == (1, 0, ())
    assert [entry["name"] for entry in collector.decoder.snapshot()["interfaces"]] == ["eth2"]
    # Told again, it holds again.
    (flow,) = collector.send(told, at_s=EXPORT_S + 8 * day)
    assert flow["SamplingRate"] == 1000


def test_names_told_before_the_clock_was_set_back_make_room(make):
    collector = make(Limits(options_entries_per_exporter=10))
    name_interfaces(collector, [1], 10, at_s=EXPORT_S + YEAR_S)
    told = NAMES.data(*((n + 100, "new") for n in range(10)))
    collector.send(ipfix(options_template_set(IPFIX, NAMES), told), source=forged(1))
    assert {name for name, _ in collector.decoder.interface_names().values()} == {"new"}
    assert not collector.drops


def test_of_one_exporter_what_is_told_no_more_makes_room_for_what_is_told_now(make):
    collector = make(Limits(options_entries_per_exporter=10))
    payload = options_template_set(IPFIX, NAMES) + NAMES.data(*((n, f"i{n}") for n in range(1, 11)))
    collector.send(ipfix(payload))
    collector.send(ipfix(NAMES.data((50, "new"))), at_s=EXPORT_S + 60)
    assert collector.drops == {("record", "options-limit"): 1}
    collector.send(ipfix(NAMES.data((1, "i1"))), at_s=EXPORT_S + 3500)
    collector.send(ipfix(NAMES.data((50, "new"))), at_s=EXPORT_S + 3700)
    named = {index for _, index in collector.decoder.interface_names()}
    assert named == {1, 3, 4, 5, 6, 7, 8, 9, 10, 50}


# -- what survives a restart


def test_what_never_sent_a_flow_is_not_saved(make):
    collector = make()
    flood(collector, range(100), 5)
    name_interfaces(collector, range(100), 5)
    announce(collector)
    assert served(collector) == len(OWN)
    collector.send(v5(LegacyRecord()), source="192.0.2.7")
    snapshot = json.loads(json.dumps(collector.decoder.snapshot()))
    assert [entry["exporter"] for entry in snapshot["exporters"]] == [HONEST, "192.0.2.7"]
    assert {entry["exporter"] for entry in snapshot["templates"]} == {HONEST}
    assert snapshot["interfaces"] == []
    restored = make()
    restored.decoder.restore(snapshot)
    assert served(restored) == len(OWN)


def test_the_state_changes_when_an_exporter_comes_to_be_worth_saving(make):
    collector = make()
    announce(collector, OWN[:1])
    assert collector.changed
    for at_s, changes in ((0, True), (60, False), (599, False), (600, True), (700, False)):
        assert served(collector, OWN[:1], at_s=EXPORT_S + at_s) == 1
        assert collector.changed == changes, at_s


def test_a_snapshot_has_a_bound_within_which_those_with_most_standing_are_saved(make, monkeypatch):
    """Field lists are shared in memory, but each template has its own in a snapshot."""
    collector = make()
    long = [Template(300 + n, [(7, 2), *[(210, 1)] * 300]) for n in range(40)]
    values = (1, *[b""] * 300)
    for at_s in (EXPORT_S - 700, EXPORT_S):
        collector.send(ipfix(template_set(IPFIX, *long), long[0].data(values)), source=HONEST, at_s=at_s)
    for number in range(20):
        collector.send(ipfix(template_set(IPFIX, *long), long[0].data(values)), source=forged(number))
    assert len(collector.decoder.snapshot()["templates"]) == 21 * 40
    monkeypatch.setattr("millrace.decode.netflow.snapshot.LARGEST_BYTES", 1_000_000)
    snapshot = collector.decoder.snapshot()
    assert len(json.dumps(snapshot)) < 1_000_000
    assert {entry["exporter"] for entry in snapshot["templates"]} > {HONEST}
    assert {entry["exporter"] for entry in snapshot["templates"]} == {
        entry["exporter"] for entry in snapshot["exporters"]
    }


def test_a_configured_exporter_is_saved_in_any_case(make):
    collector = make()
    collector.decoder = Decoder(collector.schema, trust=configured)
    announce(collector)
    assert len(collector.decoder.snapshot()["templates"]) == len(OWN)


def test_who_was_known_is_known_after_a_restart(make):
    collector = make()
    for at_s in (EXPORT_S - 700, EXPORT_S):
        announce(collector, OWN[:1], at_s=at_s)
        assert served(collector, OWN[:1], at_s=at_s) == 1
    limits = Limits(exporters=100)
    restored = make(limits)
    restored.decoder.restore(json.loads(json.dumps(collector.decoder.snapshot())))
    for second, first in enumerate(range(0, 1000, 50)):
        flood(restored, range(first, first + 50), 1, at_s=EXPORT_S + 1 + second, sends=True)
    assert served(restored, OWN[:1], at_s=EXPORT_S + 40) == 1


@pytest.mark.parametrize("told", [{}, {"told_ns": "soon"}, {"told_ns": -1}, {"told_ns": 1 << 80}])
def test_a_snapshot_with_or_without_times_of_options(make, told):
    collector = make()
    collector.send(ipfix(options_template_set(IPFIX, NAMES), NAMES.data((1, "eth1"))), v5(LegacyRecord()))
    snapshot = collector.decoder.snapshot()
    snapshot["interfaces"] = [
        {**{k: v for k, v in e.items() if k != "told_ns"}, **told} for e in snapshot["interfaces"]
    ]
    restored = make()
    restored.decoder.restore(snapshot)
    assert len(restored.decoder.interface_names()) == (0 if told else 1)


# -- cost, and anything at all


def test_a_flood_costs_the_same_when_everything_is_full(make):
    """Looking for those who make room is paid by many who take it."""
    collector = make(Limits(exporters=3000, templates=6000))
    flood(collector, range(3000), 2)
    began = time.process_time()
    for second, first in enumerate(range(3000, 9000, 500)):
        flood(collector, range(first, first + 500), 2, at_s=EXPORT_S + 1 + second)
    assert time.process_time() - began < 12


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
