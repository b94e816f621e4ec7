"""Sampling rates: in records, by options, by selector, interface and domain."""

from __future__ import annotations

import struct

import pytest

from millrace.testing.netflow import IPFIX, V9, Template, ipfix, message, options_template_set, template_set, v9

PLAIN = Template(256, [(7, 2)])
NAMED = Template(257, [(7, 2), (48, 1)])
BOTH = pytest.mark.parametrize("version", [V9, IPFIX])
SYSTEM = {V9: (1, 4), IPFIX: (149, 4)}
INTERFACE = {V9: (2, 4), IPFIX: (10, 4)}
LINE_CARD = {V9: (3, 4), IPFIX: (141, 4)}
TEMPLATE = {V9: (5, 2), IPFIX: (145, 2)}


def sampling(flow):
    return flow.get("SamplingRate"), flow["SamplingRateSource"]


def told(version, fields, values, scope=SYSTEM, template_id=300):
    options = Template(template_id, [scope[version], *fields], scopes=1)
    return options_template_set(version, options) + options.data(values)


def rates(collector, version, *before, template=PLAIN, values=((1,),), domain=0):
    payload = message(version, *before, template_set(version, template), template.data(*values), domain=domain)
    return [sampling(flow) for flow in collector.send(payload)]


RATES = [
    ([(34, 4)], (100,), 100),
    ([(50, 4)], (200,), 200),
    ([(305, 4)], (400,), 400),
    ([(305, 4), (306, 4)], (1, 999), 1000),
    ([(305, 4), (306, 4)], (10, 90), 10),
    ([(309, 4), (310, 4)], (1, 256), 256),
    ([(309, 4), (310, 4)], (2, 1001), 501),
    ([(305, 4), (309, 4), (310, 4)], (1, 1, 256), 256),
    ([(311, 8)], (struct.pack("!d", 0.002),), 500),
    ([(34, 4), (35, 1)], (1000, 2), 1000),
    ([(34, 2), (305, 4)], (1, 1), 1),
]


@BOTH
@pytest.mark.parametrize(("fields", "values", "rate"), RATES)
def test_rate_in_options(collector, version, fields, values, rate):
    assert rates(collector, version, told(version, fields, (0, *values))) == [(rate, "options")]


@BOTH
@pytest.mark.parametrize(("fields", "values", "rate"), RATES)
def test_rate_in_the_record_wins(collector, version, fields, values, rate):
    template = Template(256, [(7, 2), *fields])
    before = told(version, [(34, 4)], (0, 77))
    assert rates(collector, version, before, template=template, values=[(1, *values)]) == [(rate, "record")]


def test_a_zero_rate_in_the_record_is_no_rate(collector):
    template = Template(256, [(7, 2), (34, 4)])
    got = rates(collector, V9, told(V9, [(34, 4)], (0, 77)), template=template, values=[(1, 0), (1, 5)])
    assert got == [(77, "options"), (5, "record")]


@pytest.mark.parametrize("fields", [[(34, 4)], [(305, 4), (306, 4)], [(309, 4), (310, 4)], [(311, 8)]])
def test_options_of_zeros_tell_no_rate(collector, fields):
    assert rates(collector, IPFIX, told(IPFIX, fields, (1, *[0] * len(fields)))) == [(None, "unknown")]


def test_an_unknown_rate_costs_no_flow(collector):
    assert rates(collector, V9) == [(None, "unknown")]


@BOTH
@pytest.mark.parametrize("element", [48, 302])
def test_each_flow_has_the_rate_of_its_selector(collector, version, element):
    flows = Template(257, [(7, 2), (element, 2)])
    got = rates(
        collector, version, told(version, [(element, 2), (34, 4)], (0, 1, 100)),
        told(version, [(element, 2), (34, 4)], (0, 2, 2000)), template=flows, values=[(1, 1), (2, 2), (3, 1), (4, 9)],
    )  # fmt: skip
    assert got == [(100, "options"), (2000, "options"), (100, "options"), (None, "unknown")]


def test_a_selector_as_scope_of_the_options(collector):
    options = Template(300, [(302, 8), (305, 4), (306, 4)], scopes=1)
    flows = Template(257, [(7, 2), (302, 8)])
    payload = ipfix(
        options_template_set(IPFIX, options), options.data((1 << 40, 1, 99), (2, 1, 9)), template_set(IPFIX, flows),
        flows.data((1, 1 << 40), (2, 2)),
    )  # fmt: skip
    assert [sampling(flow) for flow in collector.send(payload)] == [(100, "options"), (10, "options")]


@BOTH
def test_a_flow_that_names_no_selector_has_the_rate_of_the_first_one(collector, version):
    before = told(version, [(48, 1), (34, 4)], (0, 3, 100)) + told(version, [(48, 1), (34, 4)], (0, 4, 2000))
    assert rates(collector, version, before) == [(100, "options")]
    assert rates(collector, version, told(version, [(48, 1), (34, 4)], (0, 4, 2000))) == [(100, "options")]


@BOTH
def test_a_rate_bound_to_an_interface_is_for_its_flows_only(collector, version):
    flows = Template(257, [(10, 4), (14, 4)])
    got = rates(
        collector, version, told(version, [(34, 4)], (5, 100), INTERFACE),
        told(version, [(34, 4)], (6, 1000), INTERFACE),
        template=flows, values=[(5, 1), (6, 1), (1, 6), (1, 2)],
    )  # fmt: skip
    assert got == [(100, "options"), (1000, "options"), (1000, "options"), (None, "unknown")]


@BOTH
def test_the_domains_rate_holds_where_the_interface_has_none(collector, version):
    before = told(version, [(34, 4)], (5, 100), INTERFACE) + told(version, [(34, 4)], (0, 7), template_id=301)
    flows = Template(257, [(10, 4)])
    assert rates(collector, version, before, template=flows, values=[(5,), (6,)]) == [(100, "options"), (7, "options")]


@BOTH
def test_a_rate_bound_to_a_template_is_for_its_flows_only(collector, version):
    other = Template(257, [(7, 2)])
    before = told(version, [(34, 4)], (256, 100), TEMPLATE) + told(version, [(34, 4)], (257, 4000), TEMPLATE)
    assert rates(collector, version, before) == [(100, "options")]
    assert rates(collector, version, template=other) == [(4000, "options")]


@BOTH
def test_a_rate_bound_to_a_line_card_is_for_its_flows_and_not_overwritten_by_the_next(collector, version):
    flows = Template(257, [(7, 2), (141, 4)])
    before = told(version, [(34, 4)], (1, 100), LINE_CARD) + told(version, [(34, 4)], (2, 4000), LINE_CARD)
    got = rates(collector, version, before, template=flows, values=[(7, 1), (7, 2)])
    assert got == [(100, "options"), (4000, "options")]
    assert rates(collector, version) == [(100, "options")]


@BOTH
def test_options_of_another_domain_of_the_exporter_hold_where_there_are_none(collector, version):
    """Sampler options often come with the source ID of the route processor, flows with those of line cards."""
    collector.send(message(version, told(version, [(48, 1), (34, 4)], (0, 1, 512)), domain=0))
    assert rates(collector, version, domain=9) == [(512, "options")]
    assert rates(collector, version, template=NAMED, values=[(1, 1)], domain=9) == [(512, "options")]


@BOTH
def test_the_own_domain_goes_before_others_and_others_do_not_alternate(collector, version):
    for domain, rate in ((1, 10), (2, 20), (3, 30)):
        collector.send(message(version, told(version, [(34, 4)], (0, rate)), domain=domain))
    assert rates(collector, version, domain=2) == [(20, "options")]
    for domain, rate in ((2, 20), (1, 10), (3, 30)):
        collector.send(message(version, told(version, [(34, 4)], (0, rate)), domain=domain))
        assert rates(collector, version, domain=9) == [(10, "options")]


def test_exporters_do_not_share_rates(collector):
    collector.send(v9(told(V9, [(34, 4)], (0, 100))), source="192.0.2.9")
    assert rates(collector, V9) == [(None, "unknown")]


@BOTH
def test_a_rate_learned_within_a_datagram_holds_from_there_on(collector, version):
    payload = message(
        version, template_set(version, PLAIN), PLAIN.data((1,)), told(version, [(34, 4)], (0, 100)), PLAIN.data((2,)),
        told(version, [(34, 4)], (0, 200)), PLAIN.data((3,)),
    )  # fmt: skip
    flows = {flow["SrcPort"]: sampling(flow) for flow in collector.send(payload, message(version, PLAIN.data((4,))))}
    assert flows == {1: (None, "unknown"), 2: (100, "options"), 3: (200, "options"), 4: (200, "options")}


def test_options_without_any_scope(collector):
    options = Template(300, [(34, 4)], scopes=0)
    assert rates(collector, IPFIX, options_template_set(IPFIX, options) + options.data((50,))) == [(50, "options")]


def test_options_records_are_no_flows(collector):
    assert collector.send(ipfix(told(IPFIX, [(34, 4), (8, 4)], (0, 10, "192.0.2.1")))) == []
    assert collector.event("options_records") == 1


def test_status_shows_rates_and_how_they_are_known(collector):
    collector.send(v9(told(V9, [(48, 1), (34, 4)], (0, 2, 100)), domain=5))
    (status,) = collector.decoder.exporters()
    assert [(s.protocol, s.domain, s.binding, s.id, s.rate, s.source) for s in status.sampling] == [
        ("netflow-v9", 5, "selector", 2, 100, "options")
    ]
