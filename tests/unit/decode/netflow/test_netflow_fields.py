"""Values of fields: sizes, alternatives, addresses, labels, masks, texts, the user's columns."""

from __future__ import annotations

import struct

import pytest

from millrace.schema import Column, ElementRef, Kind, Schema
from millrace.testing.netflow import IPFIX, V9, VARIABLE, Template, data_set, ipfix, message, template_set, v9, variable

BOTH = pytest.mark.parametrize("version", [V9, IPFIX])


def one(collector, fields, values, version=IPFIX):
    template = Template(256, fields)
    (flow,) = collector.send(message(version, template_set(version, template), template.data(values)))
    return flow


@BOTH
@pytest.mark.parametrize("length", range(1, 9))
def test_counters_of_every_size(collector, version, length):
    value = (0x0102030405060708 >> (8 * (8 - length))) | 1
    flow = one(collector, [(1, length), (2, length), (210, 1)], (value, value + 1, 0), version)
    assert (flow["Bytes"], flow["Packets"]) == (value, value + 1)


def test_integers_longer_than_eight_bytes_keep_their_low_bits(collector):
    assert one(collector, [(1, 12)], (0x0A00000000000000FF,))["Bytes"] == 0xFF


def test_narrow_columns_take_wide_fields(collector):
    flow = one(collector, [(4, 2), (7, 4), (10, 8), (9, 4)], (17, 53, 7, 24))
    assert (flow["Proto"], flow["SrcPort"], flow["InIf"], flow["SrcNetMask"]) == (17, 53, 7, 24)


@pytest.mark.parametrize(
    ("fields", "values", "expected"),
    [
        ([(1, 4), (85, 8), (231, 4), (23, 4)], (5, 6, 7, 8), 5),
        ([(1, 4), (85, 8), (231, 4), (23, 4)], (0, 6, 7, 8), 6),
        ([(23, 4), (231, 4)], (8, 0), 8),
        ([(23, 4), (1, 4)], (0, 1000), 1000),
        ([(1, 4), (23, 4)], (1000, 0), 1000),
        ([(85, 8)], (77,), 77),
        ([(231, 4)], (9,), 9),
    ],
)
def test_the_first_byte_counter_that_is_not_zero_wins(collector, fields, values, expected):
    assert one(collector, fields, values)["Bytes"] == expected


def test_packets_from_totals_initiator_and_post_counters(collector):
    for element in (2, 86, 298, 24):
        assert one(collector, [(element, 4)], (3,))["Packets"] == 3


@BOTH
def test_ipv4_is_mapped_and_ipv6_is_kept(collector, version):
    flow = one(
        collector, [(8, 4), (28, 16), (15, 4), (63, 16)], ("192.0.2.9", "2001:db8::1", "10.0.0.1", "fe80::1"), version
    )
    assert (flow["SrcAddr"], flow["DstAddr"]) == ("192.0.2.9", "2001:db8::1")
    assert (flow["NextHop"], flow["BGPNextHop"]) == ("10.0.0.1", "fe80::1")


BOTH_FAMILIES = [(8, 4), (12, 4), (27, 16), (28, 16)]


def test_a_record_with_fields_of_both_families_uses_the_addresses_that_are_not_zero(collector):
    template = Template(256, BOTH_FAMILIES)
    six, four = collector.send(
        ipfix(
            template_set(IPFIX, template),
            template.data(("0.0.0.0", "0.0.0.0", "2001:db8::1", "2001:db8::2"), ("192.0.2.1", "192.0.2.2", "::", "::")),
        )
    )
    assert (six["SrcAddr"], six["DstAddr"], six["EType"]) == ("2001:db8::1", "2001:db8::2", 0x86DD)
    assert (four["SrcAddr"], four["DstAddr"], four["EType"]) == ("192.0.2.1", "192.0.2.2", 0x0800)


@pytest.mark.parametrize(
    ("fields", "values", "etype"),
    [
        ([(8, 4)], ("192.0.2.1",), 0x0800),
        ([(28, 16)], ("2001:db8::1",), 0x86DD),
        ([(60, 1), (7, 2)], (6, 80), 0x86DD),
        ([(256, 2), (7, 2)], (0x0806, 80), 0x0806),
        ([(60, 1), (8, 4)], (4, "0.0.0.0"), 0x0800),
    ],
)
def test_ethertype_from_version_type_or_addresses(collector, fields, values, etype):
    assert one(collector, fields, values)["EType"] == etype


def test_ethertype_is_unknown_where_nothing_tells_it(collector):
    assert "EType" not in one(collector, [(7, 2)], (80,))


@pytest.mark.parametrize(("value", "name"), [(0, "ingress"), (1, "egress"), (255, "undefined")])
def test_flow_direction(collector, value, name):
    assert one(collector, [(61, 1), (7, 2)], (value, 1))["FlowDirection"] == name


def test_forwarding_status_of_one_and_four_bytes(collector):
    assert one(collector, [(89, 1), (7, 2)], (0x42, 1))["ForwardingStatus"] == 0x42
    assert one(collector, [(89, 4)], (0x42,))["ForwardingStatus"] == 0x42


@pytest.mark.parametrize(("value", "status"), [(0x0800, 64), (0x0801, 128), (0x0400, None)])
def test_junipers_common_properties_tell_the_forwarding_status(collector, value, status):
    assert one(collector, [(137, 2, 2636), (7, 2)], (value, 1)).get("ForwardingStatus") == status


def test_interfaces_fall_back_to_physical_ones(collector):
    flow = one(collector, [(10, 4), (252, 4), (253, 4)], (0, 5, 6))
    assert (flow["InIf"], flow["OutIf"]) == (5, 6)


@pytest.mark.parametrize(("first", "second"), [(58, 59), (243, 254)])
def test_priority_bits_are_no_part_of_a_vlan(collector, first, second):
    flow = one(collector, [(first, 2), (second, 2)], (0xA064, 0xE0C8))
    assert (flow["SrcVlan"], flow["DstVlan"]) == (100, 200)


def test_tcp_flags_of_one_and_two_bytes(collector):
    assert one(collector, [(6, 1), (7, 2)], (0x12, 1))["TCPFlags"] == 0x12
    assert one(collector, [(6, 2)], (0x0112,))["TCPFlags"] == 0x0112


def test_mac_addresses(collector):
    flow = one(collector, [(56, 6), (80, 6)], (0x020000000001, 0x0200000000FF))
    assert (flow["SrcMAC"], flow["DstMAC"]) == (0x020000000001, 0x0200000000FF)


def test_mpls_labels_keep_their_order_and_empty_ones_are_left_out(collector):
    template = Template(256, [(70, 3), (71, 3), (72, 3), (79, 3)])
    many, none = collector.send(
        ipfix(
            template_set(IPFIX, template),
            template.data((16001 << 4, 0, 24000 << 4 | 1, 3 << 4 | 0xF), (0, 0, 0, 0x00000E)),
        )
    )
    assert many["MPLSLabels"] == [16001, 24000, 3]
    assert none["MPLSLabels"] == []


@pytest.mark.parametrize(
    ("fields", "values"),
    [
        ([(4, 1), (32, 2)], (1, 0x0301)),
        ([(4, 1), (139, 2)], (58, 0x0301)),
        ([(4, 1), (176, 1), (177, 1)], (1, 3, 1)),
        ([(4, 1), (178, 1), (179, 1)], (58, 3, 1)),
        ([(4, 1), (11, 2)], (1, 0x0301)),
        ([(4, 1), (11, 2)], (58, 0x0301)),
        ([(176, 1), (177, 1)], (3, 1)),
    ],
)
def test_icmp_type_and_code(collector, fields, values):
    flow = one(collector, fields, values)
    assert (flow["ICMPType"], flow["ICMPCode"]) == (3, 1)


def test_ports_of_other_protocols_are_no_icmp_type(collector):
    assert "ICMPType" not in one(collector, [(4, 1), (11, 2)], (6, 443))
    assert "ICMPType" not in one(collector, [(4, 1), (32, 2)], (6, 0))


def test_nat_addresses_ports_and_events(collector):
    flow = one(
        collector, [(225, 4), (226, 4), (227, 2), (228, 2), (230, 1), (233, 1)],
        ("198.51.100.1", "203.0.113.5", 1024, 443, 4, 2),
    )  # fmt: skip
    assert (flow["SrcAddrNAT"], flow["DstAddrNAT"]) == ("198.51.100.1", "203.0.113.5")
    assert (flow["SrcPortNAT"], flow["DstPortNAT"], flow["NATEvent"], flow["FirewallEvent"]) == (1024, 443, 4, 2)


def test_nat_of_ipv6(collector):
    flow = one(collector, [(281, 16), (282, 16)], ("2001:db8::1", "2001:db8::2"))
    assert (flow["SrcAddrNAT"], flow["DstAddrNAT"]) == ("2001:db8::1", "2001:db8::2")


def test_field_types_of_the_first_asa_releases(collector):
    flow = one(
        collector, [(40001, 4), (40002, 4), (40003, 2), (40004, 2), (40005, 1)],
        ("198.51.100.1", "203.0.113.5", 1024, 443, 2), V9,
    )  # fmt: skip
    assert (flow["SrcAddrNAT"], flow["DstAddrNAT"]) == ("198.51.100.1", "203.0.113.5")
    assert (flow["SrcPortNAT"], flow["DstPortNAT"], flow["FirewallEvent"]) == (1024, 443, 2)


def test_remaining_columns(collector):
    flow = one(
        collector,
        [
            (192, 1),
            (54, 4),
            (88, 2),
            (31, 4),
            (234, 4),
            (235, 4),
            (136, 1),
            (351, 8),
            (5, 1),
            (29, 1),
            (30, 1),
            (18, 4),
        ],
        (64, 7, 185, 0x12345, 1, 2, 3, 5000, 0xB8, 48, 64, "10.9.9.9"),
    )
    expected = {
        "IPTTL": 64, "IPFragmentID": 7, "IPFragmentOffset": 185, "IPv6FlowLabel": 0x12345, "IngressVRFID": 1,
        "EgressVRFID": 2, "FlowEndReason": 3, "VNI": 5000, "IPTos": 0xB8, "SrcNetMask": 48, "DstNetMask": 64,
        "BGPNextHop": "10.9.9.9",
    }  # fmt: skip
    assert {name: flow[name] for name in expected} == expected


def test_unknown_and_enterprise_elements_cost_nothing_but_themselves(collector):
    flow = one(collector, [(7, 2), (4711, 3), (9, 4, 2636), (100, 16, 2011), (11, 2)], (1, 0, 0, 0, 2))
    assert (flow["SrcPort"], flow["DstPort"]) == (1, 2)


def test_an_enterprises_element_is_not_ianas_of_the_same_number(collector):
    assert "SrcPort" not in one(collector, [(7, 2, 2636), (11, 2)], (1, 2))


def test_booleans_and_structured_data_are_skipped_by_their_length(collector):
    basic_list = struct.pack("!BHH", 3, 7, 2) + struct.pack("!3H", 1, 2, 3)
    flow = one(
        collector, [(276, 1), (291, VARIABLE), (7, 2), (292, VARIABLE), (293, VARIABLE), (11, 2)],
        (1, basic_list, 80, b"\x03\x01\x00" * 100, b"", 443),
    )  # fmt: skip
    assert (flow["SrcPort"], flow["DstPort"]) == (80, 443)


@BOTH
def test_variable_length_fields_of_one_and_three_byte_lengths(collector, version):
    template = Template(256, [(7, 2), (96, VARIABLE), (11, 2)])
    records = [struct.pack("!H", n) + variable(text, long=n == 3) + struct.pack("!H", 9) for n, text in
               enumerate([b"", b"dns", b"x" * 254, b"short", b"y" * 300])]  # fmt: skip
    flows = collector.send(message(version, template_set(version, template), data_set(256, *records)))
    assert [flow["ApplicationName"] for flow in flows] == ["", "dns", "x" * 254, "short", "y" * 300]
    assert [flow["SrcPort"] for flow in flows] == [0, 1, 2, 3, 4]
    assert {flow["DstPort"] for flow in flows} == {9}


def test_many_sets_of_variable_length_records_of_all_sizes(collector):
    template = Template(256, [(96, VARIABLE), (7, 2), (82, VARIABLE)])
    collector.send(ipfix(template_set(IPFIX, template)))
    sets = [[(f"a{n}", n, "b" * (n % 5)) for n in range(start, start + start % 4 + 1)] for start in range(60)]
    flows = collector.send(*(ipfix(template.data(*records)) for records in sets))
    assert [(f["ApplicationName"], f["SrcPort"]) for f in flows] == [(name, n) for rs in sets for name, n, _ in rs]


def test_integers_and_addresses_of_variable_length(collector):
    template = Template(256, [(1, VARIABLE), (8, VARIABLE), (7, VARIABLE)])
    flows = collector.send(
        ipfix(
            template_set(IPFIX, template),
            template.data((b"\x01\x00\x00", b"\xc0\0\x02\x01", b"\x50"), (b"", b"", b"\1" * 9 + b"\0\x35")),
        )
    )
    assert [(f["Bytes"], f["SrcPort"]) for f in flows] == [(65536, 80), (0, 0x0035)]
    assert flows[0]["SrcAddr"] == "192.0.2.1"


def test_nul_padding_and_odd_characters_of_texts(collector):
    template = Template(256, [(96, 12)])
    flows = collector.send(
        ipfix(template_set(IPFIX, template), template.data((b'a"b\\c',), (b"web\0\0junk",), (b"\xff\xfe",)))
    )
    assert [flow["ApplicationName"] for flow in flows] == ['a"b\\c', "web", "\ufffd\ufffd"]


def test_columns_of_the_user_of_every_kind(make):
    extra = [
        Column("Pair", Kind.U32, "", "", "Own", (ElementRef(110, 8741),)),
        Column("Who", Kind.TEXT, "", "", "Own", (ElementRef(371),)),
        Column("Via", Kind.ADDRESS, "", "", "Own", (ElementRef(5, 2636),)),
        Column("Box", Kind.MAC, "", "", "Own", (ElementRef(414),)),
        Column("Seen", Kind.TIME_MS, "", "", "Own", (ElementRef(9000, 77),)),
    ]
    collector = make(schema=Schema(extra))
    flow = one(
        collector, [(110, 3, 8741), (371, VARIABLE), (5, 16, 2636), (414, 6), (9000, 4, 77)],
        (7, "alice", "2001:db8::5", 0x020000000009, 1_600_000_000),
    )  # fmt: skip
    assert (flow["Pair"], flow["Who"], flow["Via"], flow["Box"]) == (7, "alice", "2001:db8::5", 0x020000000009)
    assert flow["Seen"] == 1_600_000_000_000


def test_a_layout_shared_by_exporters_is_one_block_with_their_own_facts(collector):
    template = Template(256, [(7, 2), (8, 4)])
    flows = collector.send(
        *(ipfix(template_set(IPFIX, template), template.data((n, "10.0.0.1")), domain=n) for n in range(4)),
        source=["192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1"],
    )
    assert [(f["ExporterAddress"], f["ObservationDomain"], f["SrcPort"]) for f in flows] == [
        ("192.0.2.1", 0, 0), ("192.0.2.2", 1, 1), ("192.0.2.1", 2, 2), ("2001:db8::1", 3, 3),
    ]  # fmt: skip


def test_records_of_different_layouts_leave_what_they_lack_unknown(collector):
    a, b = Template(256, [(7, 2), (96, 3)]), Template(257, [(11, 2), (70, 3)])
    first, second = collector.send(v9(template_set(V9, a, b), a.data((1, "dns")), b.data((2, 5 << 4))))
    assert (first["SrcPort"], first["ApplicationName"]) == (1, "dns")
    assert (second["DstPort"], second["MPLSLabels"]) == (2, [5])
    assert not {"DstPort", "MPLSLabels"} & first.keys()
    assert not {"SrcPort", "ApplicationName"} & second.keys()
