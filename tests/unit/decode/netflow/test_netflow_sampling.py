"""Sampling rates: in records, by options, by selector, interface and domain."""

from __future__ import annotations

import struct

import pytest

from millrace.config import ExporterSettings, exporter_quirks
from millrace.testing.netflow import (
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
    ([(304, 2), (307, 4), (308, 4)], (2, 1000, 99_000), 100),
    ([(304, 2), (309, 4), (310, 4)], (3, 5, 100), 20),
    ([(304, 2), (311, 4)], (4, struct.pack("!f", 0.125)), 8),
    ([(304, 2), (329, 8), (330, 8), (331, 8), (332, 8)], (6, 0, 65_535, 0, 6553), 10),
    ([(329, 4), (330, 4), (331, 4), (332, 4)], (1, 1000, 11, 20), 100),
    ([(329, 8), (330, 8), (331, 8), (332, 8)], (0, 2**64 - 1, 0, 2**60 - 1), 16),
    ([(329, 4), (330, 4), (331, 4), (332, 4), (331, 4), (332, 4)], (0, 999, 0, 4, 500, 504), 100),
    ([(390, 2), (396, 8), (397, 8)], (1, 1, 99), 100),
    ([(390, 2), (396, 1), (397, 1)], (1, 10, 90), 10),
    ([(390, 2), (398, 8), (399, 8)], (2, 1_000_000, 9_000_000), 10),
    ([(390, 2), (309, 4), (310, 4)], (3, 1, 64), 64),
    ([(305, 4), (306, 4), (396, 8), (397, 8)], (1, 9, 1, 99), 1000),
    ([(34, 4), (390, 2), (309, 4), (310, 4)], (10, 3, 1, 64), 640),
    ([(34, 4), (390, 2), (311, 8)], (10, 4, struct.pack("!d", 0.05)), 200),
    ([(34, 4), (390, 2), (329, 4), (330, 4), (331, 4), (332, 4)], (10, 6, 0, 999, 0, 99), 100),
    ([(34, 4), (390, 2), (309, 4), (310, 4)], (10, 1, 1, 64), 64),
    ([(34, 8)], (1 << 40,), 2**32 - 1),
    ([(305, 8), (306, 8)], (1, 2**64 - 1), 2**32 - 1),
    ([(396, 8), (397, 8)], (2**64 - 1, 2**64 - 1), 2),
    ([(311, 8)], (struct.pack("!d", 1e-12),), 2**32 - 1),
    ([(34, 4), (397, 8), (396, 8)], (2**32 - 1, 2**32, 1), 2**32 - 1),
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


@pytest.mark.parametrize(
    "fields",
    [
        [(34, 4)], [(305, 4), (306, 4)], [(307, 4), (308, 4)], [(309, 4), (310, 4)], [(311, 8)], [(396, 8), (397, 8)],
        [(398, 8), (399, 8)], [(307, 4)], [(396, 8)], [(331, 8), (332, 8)],
    ],
)  # fmt: skip
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
def test_a_flow_that_names_no_selector_has_the_rate_of_all_selectors_as_long_as_it_is_one(collector, version):
    def one(selector, rate):
        return told(version, [(48, 1), (34, 4)], (0, selector, rate))

    assert rates(collector, version, one(3, 100)) == [(100, "options")]
    assert rates(collector, version, one(4, 100)) == [(100, "options")]
    assert rates(collector, version, one(4, 2000)) == [(None, "unknown")]
    assert rates(collector, version, one(3, 2000)) == [(2000, "options")]


@BOTH
def test_of_two_elements_that_name_a_selector_the_one_that_is_not_zero_does(collector, version):
    template = Template(257, [(302, 4), (48, 1)])
    before = told(version, [(302, 4), (34, 4)], (0, 1, 100)) + told(version, [(302, 4), (34, 4)], (0, 2, 2000))
    got = rates(collector, version, before, template=template, values=[(0, 1), (0, 0), (2, 0), (2, 1)])
    assert got == [(100, "options"), (None, "unknown"), (2000, "options"), (2000, "options")]


@pytest.mark.parametrize("element", [48, 302])
def test_v9_options_whose_scope_is_a_selector(collector, element):
    """The scope types of RFC 3954 end at 5; some exporters put elements there."""
    options = Template(300, [(element, 2), (50, 4)], scopes=1)
    before = options_template_set(V9, options) + options.data((1, 100), (2, 2000))
    template = Template(257, [(7, 2), (element, 2)])
    got = rates(collector, V9, before, template=template, values=[(1, 1), (2, 2), (3, 0)])
    assert got == [(100, "options"), (2000, "options"), (None, "unknown")]


@pytest.mark.parametrize("binding", [[], [(48, 1)]])
def test_options_about_other_domains_are_those_domains(collector, binding):
    """A route processor tells the rates of its line cards, each a domain: 149 says of which."""
    options = Template(300, [(149, 4), *binding, (34, 4)], scopes=1)
    named = [1] * len(binding)
    collector.send(ipfix(options_template_set(IPFIX, options), options.data((1, *named, 100), (2, *named, 2000))))
    template = Template(257, [(7, 2), *binding])
    got = [rates(collector, IPFIX, template=template, values=[(1, *named)], domain=domain) for domain in (1, 2, 3)]
    assert got == [[(100, "options")], [(2000, "options")], [(None, "unknown")]]


def test_options_about_a_domain_that_sends_nothing_serve_the_others_as_long_as_they_agree(collector):
    collector.send(ipfix(told(IPFIX, [(34, 4)], (77, 100))))
    assert rates(collector, IPFIX, domain=9) == [(100, "options")]


@BOTH
@pytest.mark.parametrize("element", [48, 302])
def test_flows_that_name_no_selector_beside_others_that_do_were_not_selected(collector, version, element):
    """One in 1000 of sampler 1; sampler 0 is none; a template without the field is of flows that were not sampled."""
    named = Template(257, [(7, 2), (element, 2)])
    collector.send(message(version, told(version, [(element, 2), (50, 4)], (0, 1, 1000))))
    payload = message(
        version, template_set(version, PLAIN, named), named.data((1, 1), (2, 0)), PLAIN.data((3,)),
    )  # fmt: skip
    got = {flow["SrcPort"]: sampling(flow) for flow in collector.send(payload)}
    assert got == {1: (1000, "options"), 2: (None, "unknown"), 3: (None, "unknown")}
    # The rate of the whole domain is theirs, should it be told.
    payload = message(version, told(version, [(34, 4)], (0, 7), template_id=301), named.data((2, 0)), PLAIN.data((3,)))
    assert [sampling(flow) for flow in collector.send(payload)] == [(7, "options")] * 2


@BOTH
def test_the_guess_ends_where_a_template_that_names_selectors_begins(collector, version):
    payload = message(
        version, told(version, [(48, 1), (34, 4)], (0, 1, 64)), template_set(version, PLAIN), PLAIN.data((1,)),
        template_set(version, NAMED), PLAIN.data((2,)),
    )  # fmt: skip
    assert [sampling(flow) for flow in collector.send(payload)] == [(64, "options"), (None, "unknown")]


def test_the_guess_is_back_when_that_template_is_withdrawn(collector):
    collector.send(ipfix(told(IPFIX, [(48, 1), (34, 4)], (0, 1, 64)), template_set(IPFIX, PLAIN, NAMED)))
    collector.send(ipfix(withdrawal_set(257)))
    assert [sampling(flow) for flow in collector.send(ipfix(PLAIN.data((1,))))] == [(64, "options")]


SWAPPED = ("192.0.2.0/24", ExporterSettings(swapped_sampling_rates=True))


@BOTH
@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ([(34, 4)], (0xE8030000,)), ([(50, 2)], (0xE803,)), ([(305, 4), (306, 4)], (0x01000000, 0xE7030000)),
        ([(34, 8)], (0xE803000000000000,)), ([(34, 1), (50, 4)], (1, 0xE8030000)),
    ],
)  # fmt: skip
def test_rates_with_their_bytes_swapped_are_read_where_the_configuration_says_so(make, version, fields, values):
    collector = make(quirks=exporter_quirks(dict([SWAPPED])))
    assert rates(collector, version, told(version, fields, (0, *values))) == [(1000, "options")]
    template = Template(256, [(7, 2), *fields])
    assert rates(collector, version, template=template, values=[(1, *values)]) == [(1000, "record")]
    other = make(quirks=exporter_quirks({"192.0.3.0/24": SWAPPED[1]}))
    assert rates(other, version, template=template, values=[(1, *values)]) != [(1000, "record")]


def test_and_in_headers_of_v5(make):
    collector = make(quirks=exporter_quirks(dict([SWAPPED])))
    assert [sampling(flow) for flow in collector.send(v5(LegacyRecord(), sampling=0xE803))] == [(1000, "header")]
    assert [status.rate for status in collector.decoder.exporters()[0].sampling] == [1000]


@BOTH
def test_a_rate_that_records_carry_is_in_the_status(collector, version):
    template = Template(256, [(7, 2), (34, 4)])
    rates(collector, version, template=template, values=[(1, 100), (2, 0)], domain=3)
    (status,) = collector.decoder.exporters()
    assert [(s.domain, s.binding, s.rate, s.source) for s in status.sampling] == [(3, "record", 100, "record")]


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
    assert rates(collector, version) == [(None, "unknown")]


@BOTH
def test_flows_that_name_no_line_card_have_the_rate_that_all_cards_have(collector, version):
    before = told(version, [(34, 4)], (1, 100), LINE_CARD) + told(version, [(34, 4)], (2, 100), LINE_CARD)
    assert rates(collector, version, before) == [(100, "options")]


@BOTH
def test_the_rate_of_a_template_says_nothing_of_another(collector, version):
    before = told(version, [(34, 4)], (257, 100), TEMPLATE)
    assert rates(collector, version, before) == [(None, "unknown")]


@BOTH
def test_a_flow_metered_at_egress_has_the_rate_of_its_egress_interface(collector, version):
    flows = Template(257, [(10, 4), (14, 4), (61, 1)])
    before = told(version, [(34, 4)], (5, 100), INTERFACE) + told(version, [(34, 4)], (6, 1000), INTERFACE)
    got = rates(
        collector, version, before, template=flows, values=[(5, 6, 0), (5, 6, 1), (5, 6, 255), (5, 7, 1), (7, 6, 0)]
    )
    assert [rate for rate, _ in got] == [100, 1000, 100, 100, 1000]


@BOTH
def test_options_of_another_domain_of_the_exporter_hold_where_there_are_none(collector, version):
    """Sampler options often come with the source ID of the route processor, flows with those of line cards."""
    collector.send(message(version, told(version, [(48, 1), (34, 4)], (0, 1, 512)), domain=0))
    assert rates(collector, version, domain=9) == [(512, "options")]
    assert rates(collector, version, template=NAMED, values=[(1, 1)], domain=9) == [(512, "options")]


@BOTH
def test_the_own_domain_goes_before_others_and_of_others_that_differ_none_counts(collector, version):
    for domain, rate in ((1, 10), (2, 20), (3, 30)):
        collector.send(message(version, told(version, [(34, 4)], (0, rate)), domain=domain))
    assert rates(collector, version, domain=2) == [(20, "options")]
    for domain, rate in ((2, 20), (1, 10), (3, 30)):
        collector.send(message(version, told(version, [(34, 4)], (0, rate)), domain=domain))
        assert rates(collector, version, domain=9) == [(None, "unknown")]
    for domain in (1, 2, 3):
        collector.send(message(version, told(version, [(34, 4)], (0, 30)), domain=domain))
    assert rates(collector, version, domain=9) == [(30, "options")]


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
