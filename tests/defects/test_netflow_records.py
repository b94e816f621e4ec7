"""NetFlow and IPFIX records that other collectors misread, with the numbers in which it was seen."""

from __future__ import annotations

import struct

import pytest

from millrace.testing.netflow import (
    EXPORT_S,
    IPFIX,
    V9,
    VARIABLE,
    LegacyRecord,
    Template,
    data_set,
    ipfix,
    message,
    options_template_set,
    set_of,
    template_set,
    v5,
    v9,
)

BOTH = pytest.mark.parametrize("version", [V9, IPFIX])
SYSTEM = {V9: (1, 4), IPFIX: (149, 4)}


def one(collector, version, fields, values):
    template = Template(256, fields)
    (flow,) = collector.hear(message(version, template_set(version, template), template.data(values)))
    return flow


def ago(flow, name):
    """Milliseconds from that time of a flow to the export of its datagram."""
    return EXPORT_S * 1000 - round(flow[name].timestamp() * 1000)


@pytest.mark.parametrize("uptime_ms", [15_000, 90_000_000])
def test_start_is_export_time_less_uptime_plus_first_switched_all_in_milliseconds(collector, uptime_ms):
    record = LegacyRecord(first=uptime_ms - 14_250, last=uptime_ms - 250)
    template = Template(256, [(22, 4), (21, 4)])
    (five,) = collector.hear(v5(record, uptime_ms=uptime_ms))
    payload = v9(template_set(V9, template), template.data((record.first, record.last)), uptime_ms=uptime_ms)
    (nine,) = collector.hear(payload)
    for flow in (five, nine):
        assert (ago(flow, "TimeFlowStart"), ago(flow, "TimeFlowEnd")) == (14_250, 250)


def test_flow_that_began_before_the_uptime_wrapped_began_in_the_past(collector):
    """The counter of milliseconds begins anew after 49.7 days."""
    template = Template(256, [(22, 4), (21, 4)])
    (nine,) = collector.hear(v9(template_set(V9, template), template.data(((1 << 32) - 5000, 500)), uptime_ms=1000))
    (five,) = collector.hear(v5(LegacyRecord(first=(1 << 32) - 5000, last=500), uptime_ms=1000))
    for flow in (nine, five):
        assert (ago(flow, "TimeFlowStart"), ago(flow, "TimeFlowEnd")) == (6000, 500)


@pytest.mark.parametrize(("start", "end"), [(154, 155), (156, 157)])
def test_microseconds_and_nanoseconds_are_seconds_and_a_binary_fraction(collector, start, end):
    """RFC 7011 §6.1.9 and §6.1.10: the NTP format, since 1900, and not a count of units."""
    seconds = EXPORT_S + 2_208_988_800
    began, ended = (seconds - 3) << 32 | 1 << 31, (seconds - 1) << 32 | 1 << 30
    flow = one(collector, IPFIX, [(start, 8), (end, 8)], (began, ended))
    assert (ago(flow, "TimeFlowStart"), ago(flow, "TimeFlowEnd")) == (2500, 750)


def test_uptimes_of_ipfix_count_from_the_start_of_the_system_in_the_record(collector):
    boot = EXPORT_S * 1000 - 86_400_000
    flow = one(collector, IPFIX, [(160, 8), (22, 4), (21, 4)], (boot, 86_400_000 - 61_000, 86_400_000 - 1_000))
    assert (ago(flow, "TimeFlowStart"), ago(flow, "TimeFlowEnd")) == (61_000, 1_000)


def test_uptimes_of_ipfix_without_a_start_of_the_system_are_unknown(collector):
    flow = one(collector, IPFIX, [(22, 4), (21, 4), (7, 2)], (1000, 2000, 80))
    assert not {"TimeFlowStart", "TimeFlowEnd"} & flow.keys()
    assert flow["SrcPort"] == 80


SAMPLER = [(302, 2), (304, 2), (305, 4), (309, 4), (310, 4), (84, 12), (335, 6)]


@BOTH
def test_one_out_of_n_beside_a_neutral_interval(collector, version):
    """As IOS XR tells it: interval 1, and 1 out of 256, of the selector that the flows name."""
    options = Template(257, [SYSTEM[version], *SAMPLER], scopes=1)
    flows = Template(342, [(8, 4), (302, 2), (1, 4)])
    collector.hear(
        message(
            version, options_template_set(version, options),
            options.data((0, 5, 3, 1, 1, 256, "SAMPLER", ""), (0, 6, 3, 1, 1, 4000, "OTHER", "")),
        )
    )  # fmt: skip
    heard = collector.hear(
        message(version, template_set(version, flows), flows.data(("192.0.2.1", 5, 1), ("192.0.2.1", 6, 2)))
    )
    assert [(flow["SamplingRate"], flow["SamplingRateSource"]) for flow in heard] == [
        (256, "options"), (4000, "options"),
    ]  # fmt: skip


@BOTH
def test_packets_left_out_count_to_the_interval(collector, version):
    """305 packets are taken, then 306 left out: 1 and 999 are 1 in 1000."""
    options = Template(257, [SYSTEM[version], (305, 4), (306, 4)], scopes=1)
    collector.hear(message(version, options_template_set(version, options), options.data((0, 1, 999))))
    assert one(collector, version, [(7, 2)], (80,))["SamplingRate"] == 1000


@BOTH
def test_rate_in_the_record_is_kept_whatever_options_say(collector, version):
    options = Template(257, [SYSTEM[version], (34, 4), (50, 4)], scopes=1)
    collector.hear(message(version, options_template_set(version, options), options.data((0, 4000, 4000))))
    flow = one(collector, version, [(7, 2), (34, 4)], (80, 64))
    assert (flow["SamplingRate"], flow["SamplingRateSource"]) == (64, "record")


@BOTH
@pytest.mark.parametrize(("element", "scope"), [(10, {V9: (2, 4), IPFIX: (10, 4)})])
def test_interfaces_of_different_rates_are_not_mixed_up(collector, version, element, scope):
    """What options tell is about their scope."""
    options = Template(257, [scope[version], (34, 4)], scopes=1)
    flows = Template(256, [(element, 4), (7, 2)])
    heard = collector.hear(
        message(
            version, options_template_set(version, options), options.data((11, 100), (12, 4000)),
            template_set(version, flows), flows.data((11, 1), (12, 2), (11, 3), (13, 4)),
        )
    )  # fmt: skip
    assert [flow.get("SamplingRate") for flow in heard] == [100, 4000, 100, None]


def test_line_cards_with_a_domain_each_have_their_own_rates(collector):
    options = Template(257, [(3, 4), (34, 4)], scopes=1)
    flows = Template(256, [(7, 2)])
    for card, rate in ((1, 100), (2, 4000)):
        collector.hear(v9(options_template_set(V9, options), options.data((card, rate)), domain=card))
    heard = [collector.hear(v9(template_set(V9, flows), flows.data((1,)), domain=card)) for card in (1, 2, 1)]
    assert [flow["SamplingRate"] for (flow,) in heard] == [100, 4000, 100]


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_mode_of_version_5_is_no_part_of_its_rate(collector, mode):
    (flow,) = collector.hear(v5(LegacyRecord(), sampling=mode << 14 | 1000))
    assert flow["SamplingRate"] == 1000


@BOTH
def test_totals_where_a_record_has_no_deltas(collector, version):
    flow = one(collector, version, [(85, 8), (86, 8)], (70_000_000_000, 12))
    assert (flow["Bytes"], flow["Packets"]) == (70_000_000_000, 12)


@BOTH
def test_initiator_and_responder_are_both_counted(collector, version):
    """231 and 232 are bytes, 298 and 299 packets: a flow for each direction."""
    template = Template(
        256, [(8, 4), (12, 4), (7, 2), (11, 2), (231, 4), (232, 4), (298, 4), (299, 4)],
    )  # fmt: skip
    values = ("192.0.2.1", "198.51.100.2", 40000, 443, 1000, 9000, 10, 20)
    heard = collector.hear(message(version, template_set(version, template), template.data(values)))
    shown = [(f["SrcAddr"], f["SrcPort"], f["DstPort"], f["Bytes"], f["Packets"]) for f in heard]
    assert shown == [("192.0.2.1", 40000, 443, 1000, 10), ("198.51.100.2", 443, 40000, 9000, 20)]


@BOTH
def test_translated_addresses_and_ports(collector, version):
    flow = one(
        collector, version, [(225, 4), (226, 4), (227, 2), (228, 2), (230, 1)],
        ("198.51.100.1", "203.0.113.5", 1024, 443, 1),
    )  # fmt: skip
    assert (flow["SrcAddrNAT"], flow["DstAddrNAT"]) == ("198.51.100.1", "203.0.113.5")
    assert (flow["SrcPortNAT"], flow["DstPortNAT"], flow["NATEvent"]) == (1024, 443, 1)


@BOTH
def test_priority_of_a_tag_is_no_part_of_the_vlan(collector, version):
    for source, destination in ((58, 59), (243, 254)):
        flow = one(collector, version, [(source, 2), (destination, 2)], (0xA064, 0x6065))
        assert (flow["SrcVlan"], flow["DstVlan"]) == (100, 101)


@BOTH
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 6, 7, 8])
def test_integers_of_reduced_size_are_numbers(collector, version, length):
    flow = one(collector, version, [(1, length), (2, length), (10, min(length, 4)), (210, 1)], (220, 5, 7, 0))
    assert (flow["Bytes"], flow["Packets"], flow["InIf"]) == (220, 5, 7)


def test_unknown_and_enterprise_elements_cost_only_their_bytes(collector):
    fields = [(8, 4), (137, 2, 2636), (492, 4, 2011), (32767, 9, 9), (4999, VARIABLE, 424242), (6000, 3), (11, 2)]
    template = Template(256, fields)
    heard = collector.hear(
        ipfix(
            template_set(IPFIX, template),
            template.data(*(("192.0.2.1", 0, 0, 0, b"x" * n, 0, n) for n in (0, 5, 300))),
        )
    )
    assert [(flow["SrcAddr"], flow["DstPort"]) for flow in heard] == [("192.0.2.1", n) for n in (0, 5, 300)]
    assert collector.drops == {}


def test_element_0_of_an_enterprise_is_four_bytes_longer_in_the_template(collector):
    """The enterprise bit is set from 0x8000 on, not above it."""
    wire = struct.pack("!HHHHHHIHH", 256, 3, 7, 2, 0x8000, 4, 2011, 11, 2)
    (flow,) = collector.hear(ipfix(set_of(2, wire), data_set(256, struct.pack("!HIH", 1, 9, 2))))
    assert (flow["SrcPort"], flow["DstPort"]) == (1, 2)


def test_lists_and_truth_values_end_where_they_say(collector):
    """RFC 6313 lists of variable length, of elements that are known, of an enterprise, and of none."""
    basic = struct.pack("!BHH3H", 3, 7, 2, 1, 2, 3)
    foreign = struct.pack("!BHHI", 255, 0x8009, 1, 424242) + bytes(300)
    template = Template(256, [(276, 1), (291, VARIABLE), (292, VARIABLE), (293, VARIABLE), (7, 2), (11, 2)])
    heard = collector.hear(
        ipfix(
            template_set(IPFIX, template),
            template.data(
                (1, basic, b"", b"\x04", 80, 1), (2, foreign, b"\x00" * 260, b"", 443, 2), (1, b"", b"", b"", 22, 3),
            ),
        )
    )  # fmt: skip
    assert [(flow["SrcPort"], flow["DstPort"]) for flow in heard] == [(80, 1), (443, 2), (22, 3)]
    assert collector.drops == {}


@BOTH
@pytest.mark.parametrize("padding", [1, 3, 4, 7, 8, 40])
def test_padding_is_no_flow_however_long(collector, version, padding):
    """Records are 4 bytes here."""
    template = Template(256, [(7, 2), (11, 2)])
    payload = message(version, template_set(version, template), template.data((80, 443), padding=padding))
    (flow,) = collector.hear(payload)
    assert (flow["SrcPort"], flow["DstPort"]) == (80, 443)
    assert set(collector.drops) <= {("record", "all-zero")}


def test_records_of_variable_length_fields_only(collector):
    template = Template(256, [(96, VARIABLE), (83, VARIABLE)])
    heard = collector.hear(
        ipfix(template_set(IPFIX, template), template.data(("dns", "a"), ("", ""), ("x" * 300, ""), padding=3))
    )
    assert [flow["ApplicationName"] for flow in heard] == ["dns", "", "x" * 300]


@BOTH
def test_set_without_a_template_does_not_take_its_neighbours_along(collector, version):
    known, unknown = Template(256, [(7, 2)]), Template(300, [(7, 2)])
    heard = collector.hear(
        message(version, template_set(version, known), known.data((1,)), unknown.data((2,)), known.data((3,)))
    )
    assert [flow["SrcPort"] for flow in heard] == [1, 3]
    assert collector.events["sets_waiting"] == 1
    (flow,) = collector.hear(message(version, template_set(version, unknown)))
    assert flow["SrcPort"] == 2


@BOTH
def test_domains_do_not_share_a_template_id(collector, version):
    ports, addresses = Template(256, [(7, 2), (11, 2)]), Template(256, [(8, 4)])
    for domain, template in ((1, ports), (2, addresses)):
        collector.hear(message(version, template_set(version, template), domain=domain))
    (first,) = collector.hear(message(version, ports.data((80, 443)), domain=1))
    (second,) = collector.hear(message(version, addresses.data(("192.0.2.1",)), domain=2))
    assert (first["SrcPort"], second["SrcAddr"]) == (80, "192.0.2.1")
    assert "SrcAddr" not in first


@BOTH
def test_exporter_whose_port_changes_keeps_its_templates_and_rates(collector, version):
    options, flows = Template(257, [SYSTEM[version], (34, 4)], scopes=1), Template(256, [(7, 2)])
    collector.hear(
        message(version, options_template_set(version, options), options.data((0, 100)), template_set(version, flows)),
        port=61853,
    )
    (flow,) = collector.hear(message(version, flows.data((80,))), port=65156)
    assert (flow["SrcPort"], flow["SamplingRate"]) == (80, 100)


def test_gaps_in_sequence_numbers_are_lost_flows_of_that_exporter(collector):
    template = Template(256, [(7, 2)])
    collector.hear(ipfix(template_set(IPFIX, template), template.data((1,), (2,)), sequence=0, domain=4))
    collector.hear(ipfix(template.data((3,)), sequence=12, domain=4))
    collector.hear(v9(sequence=1), v9(sequence=4), source="192.0.2.9")
    lost = {(s.protocols[0], d.domain): d.lost for s in collector.decoder.exporters() for d in s.domains}
    assert lost == {("ipfix", 4): 10, ("netflow-v9", 0): 2}
