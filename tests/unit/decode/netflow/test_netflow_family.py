"""A record is of one family: addresses, masks, next hops and EType agree."""

from __future__ import annotations

import pytest

from millrace.testing.netflow import IPFIX, V9, VARIABLE, Template, ipfix, message, template_set

FOUR, SIX = 0x0800, 0x86DD
ENDS = [(8, 4), (12, 4), (27, 16), (28, 16)]


def many(collector, fields, *records, version=IPFIX):
    template = Template(256, fields)
    return collector.send(message(version, template_set(version, template), template.data(*records)))


def one(collector, fields, values, version=IPFIX):
    (flow,) = many(collector, fields, values, version=version)
    return flow


def told(flow, *columns):
    return tuple(flow.get(column) for column in columns)


@pytest.mark.parametrize("version", [V9, IPFIX])
def test_the_version_decides_for_addresses_zero_or_not(collector, version):
    flows = many(
        collector,
        [(60, 1), *ENDS],
        (4, "192.0.2.10", "198.51.100.20", "::", "::"),
        (6, "0.0.0.0", "0.0.0.0", "2001:db8::1", "2001:db8::2"),
        (4, "0.0.0.0", "255.255.255.255", "::", "::"),
        (6, "192.0.2.66", "192.0.2.67", "2001:db8::1", "2001:db8::2"),
        (4, "192.0.2.10", "198.51.100.20", "2001:db8::dead", "2001:db8::beef"),
        (6, "0.0.0.0", "0.0.0.0", "::", "ff02::1:2"),
        (6, "192.0.2.66", "0.0.0.0", "::", "ff02::1:2"),
        (4, "0.0.0.0", "0.0.0.0", "2001:db8::1", "2001:db8::2"),
        version=version,
    )
    assert [told(flow, "EType", "SrcAddr", "DstAddr") for flow in flows] == [
        (FOUR, "192.0.2.10", "198.51.100.20"),
        (SIX, "2001:db8::1", "2001:db8::2"),
        (FOUR, "0.0.0.0", "255.255.255.255"),
        (SIX, "2001:db8::1", "2001:db8::2"),
        (FOUR, "192.0.2.10", "198.51.100.20"),
        (SIX, "::", "ff02::1:2"),
        (SIX, "::", "ff02::1:2"),
        (FOUR, "0.0.0.0", "0.0.0.0"),
    ]


REST = [
    (9, 1),
    (29, 1),
    (13, 1),
    (30, 1),
    (15, 4),
    (62, 16),
    (18, 4),
    (63, 16),
    (225, 4),
    (281, 16),
    (226, 4),
    (282, 16),
]
STALE = (24, 64, 25, 65, "10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2", "10.0.0.3", "fd00::3", "10.0.0.4", "fd00::4")
ZERO_4 = (0, 64, 0, 65, "0.0.0.0", "fd00::1", "0.0.0.0", "fd00::2", "0.0.0.0", "fd00::3", "0.0.0.0", "fd00::4")
ZERO_6 = (24, 0, 25, 0, "10.0.0.1", "::", "10.0.0.2", "::", "10.0.0.3", "::", "10.0.0.4", "::")
COLUMNS = ("SrcNetMask", "DstNetMask", "NextHop", "BGPNextHop", "SrcAddrNAT", "DstAddrNAT")


def test_and_for_every_other_column_of_a_family(collector):
    ends = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")
    flows = many(
        collector,
        [(60, 1), *ENDS, *REST],
        (4, *ends, *STALE),
        (6, *ends, *STALE),
        (4, *ends, *ZERO_4),
        (6, *ends, *ZERO_6),
    )
    assert [told(flow, *COLUMNS) for flow in flows] == [
        (24, 25, "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"),
        (64, 65, "fd00::1", "fd00::2", "fd00::3", "fd00::4"),
        (0, 0, "0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0"),
        (0, 0, "::", "::", "::", "::"),
    ]


def test_without_a_version_the_addresses_decide_for_all(collector):
    flows = many(
        collector,
        [*ENDS, *REST],
        ("192.0.2.1", "192.0.2.2", "::", "::", *ZERO_4),
        ("0.0.0.0", "0.0.0.0", "2001:db8::1", "2001:db8::2", *ZERO_6),
        ("0.0.0.0", "0.0.0.0", "::", "ff02::1:2", *ZERO_6),
        ("192.0.2.66", "0.0.0.0", "2001:db8::1", "2001:db8::2", *ZERO_6),
        ("0.0.0.0", "255.255.255.255", "::", "::", *ZERO_4),
    )
    assert [told(flow, "EType", "SrcAddr", "DstAddr", *COLUMNS[:3]) for flow in flows] == [
        (FOUR, "192.0.2.1", "192.0.2.2", 0, 0, "0.0.0.0"),
        (SIX, "2001:db8::1", "2001:db8::2", 0, 0, "::"),
        (SIX, "::", "ff02::1:2", 0, 0, "::"),
        (SIX, "2001:db8::1", "2001:db8::2", 0, 0, "::"),
        (FOUR, "0.0.0.0", "255.255.255.255", 0, 0, "0.0.0.0"),
    ]


def test_or_the_ethertype(collector):
    ends = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")
    four, six, arp = many(collector, [(256, 2), *ENDS], (FOUR, *ends), (SIX, *ends), (0x0806, *ends))
    assert told(four, "EType", "SrcAddr") == (FOUR, "192.0.2.1")
    assert told(six, "EType", "SrcAddr") == (SIX, "2001:db8::1")
    assert told(arp, "EType", "SrcAddr") == (0x0806, "192.0.2.1")


MAPPED = ("::ffff:192.0.2.1", "::ffff:198.51.100.2")


@pytest.mark.parametrize(
    ("fields", "values", "etype"),
    [
        ([(27, 16), (28, 16)], MAPPED, FOUR),
        ([(60, 1), (27, 16), (28, 16)], (4, *MAPPED), FOUR),
        ([(60, 1), (27, 16), (28, 16)], (6, *MAPPED), FOUR),
        ([(60, 1), *ENDS], (6, "0.0.0.0", "0.0.0.0", *MAPPED), FOUR),
        ([(27, 16)], MAPPED[:1], FOUR),
        ([(27, 16), (28, 16)], (MAPPED[0], "2001:db8::1"), SIX),
        ([(27, 16), (28, 16)], ("2001:db8::1", "::ffff:0:1"), SIX),
    ],
)
def test_mapped_ipv4_addresses_are_of_ipv4(collector, fields, values, etype):
    """So the columns of addresses show them; no packet of IPv6 has them at both ends."""
    flow = one(collector, fields, values)
    assert flow["EType"] == etype
    if etype == FOUR:
        assert flow["SrcAddr"] == "192.0.2.1"


def test_a_version_that_is_none_does_not_decide(collector):
    flow = one(collector, [(60, 1), *ENDS], (0, "0.0.0.0", "0.0.0.0", "2001:db8::1", "2001:db8::2"))
    assert told(flow, "EType", "SrcAddr") == (SIX, "2001:db8::1")


def test_addresses_that_are_there_win_over_a_version_whose_addresses_the_layout_has_not(collector):
    there, absent = many(
        collector, [(60, 1), (8, 4), (12, 4)], (6, "192.0.2.1", "192.0.2.2"), (6, "0.0.0.0", "0.0.0.0")
    )
    assert told(there, "EType", "SrcAddr", "DstAddr") == (FOUR, "192.0.2.1", "192.0.2.2")
    assert told(absent, "EType", "SrcAddr", "DstAddr") == (SIX, None, None)


def test_masks_of_the_other_family_are_none(collector):
    fields = [(60, 1), *ENDS, (9, 1), (13, 1)]
    flow = one(collector, fields, (6, "0.0.0.0", "0.0.0.0", "2001:db8::1", "2001:db8::2", 24, 25))
    assert told(flow, "SrcNetMask", "DstNetMask") == (None, None)


def test_an_ipv4_route_may_have_an_ipv6_next_hop(collector):
    flow = one(collector, [(60, 1), (8, 4), (62, 16)], (4, "192.0.2.1", "fe80::1"))
    assert flow["NextHop"] == "fe80::1"


@pytest.mark.parametrize(("event", "expected"), [(6, "198.51.100.7"), (11, "198.51.100.7"), (4, "::")])
def test_nat64_translates_to_the_other_family(collector, event, expected):
    fields = [(60, 1), *ENDS, (230, 1), (225, 4), (281, 16)]
    flow = one(collector, fields, (6, "0.0.0.0", "0.0.0.0", "2001:db8::1", "64:ff9b::1", event, "198.51.100.7", "::"))
    assert told(flow, "SrcAddr", "SrcAddrNAT") == ("2001:db8::1", expected)


def test_addresses_of_variable_length(collector):
    template = Template(256, [(60, 1), (8, VARIABLE), (27, VARIABLE)])
    four, six = bytes([192, 0, 2, 1]), bytes(15) + b"\x01"
    records = template.data((4, four, six), (6, four, six))
    flows = collector.send(ipfix(template_set(IPFIX, template), records))
    assert [flow["SrcAddr"] for flow in flows] == ["192.0.2.1", "::1"]


ICMP_TABLE = [
    ([(32, 2), *ENDS[:2]], (0x0301, "192.0.2.1", "192.0.2.2"), (1, 3, 1)),
    ([(32, 2), *ENDS[:2]], (0, "192.0.2.1", "192.0.2.2"), (1, 0, 0)),
    ([(139, 2), *ENDS[2:]], (0x8000, "2001:db8::1", "2001:db8::2"), (58, 128, 0)),
    ([(176, 1), (177, 1), (8, 4)], (3, 1, "192.0.2.1"), (1, 3, 1)),
    ([(178, 1), (179, 1), (27, 16)], (128, 0, "2001:db8::1"), (58, 128, 0)),
    ([(32, 2), (139, 2), (60, 1)], (0x0301, 0x8000, 6), (58, 128, 0)),
    ([(32, 2), (139, 2), (60, 1)], (0x0301, 0x8000, 4), (1, 3, 1)),
    ([(32, 2), (139, 2)], (0, 0x8000), (58, 128, 0)),
    ([(32, 2), (7, 2), (11, 2), (8, 4)], (0x0301, 0, 0, "192.0.2.1"), (1, 3, 1)),
    ([(32, 2), (7, 2), (11, 2), (8, 4)], (0, 443, 50_000, "192.0.2.1"), (None, None, None)),
    ([(4, 1), (32, 2), (8, 4)], (0, 0x0301, "192.0.2.1"), (0, None, None)),
    ([(4, 1), (32, 2), (139, 2)], (58, 0x0301, 0x8000), (58, 128, 0)),
    ([(4, 1), (32, 2), (139, 2)], (1, 0, 0x8000), (1, 0, 0)),
]


@pytest.mark.parametrize(("fields", "values", "expected"), ICMP_TABLE)
def test_the_protocol_follows_from_icmp_where_the_record_does_not_tell_it(collector, fields, values, expected):
    assert told(one(collector, fields, values), "Proto", "ICMPType", "ICMPCode") == expected
