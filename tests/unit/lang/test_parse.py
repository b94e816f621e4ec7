"""Texts become trees of columns and typed values."""

from datetime import UTC, datetime

import pytest

from millrace.lang import (
    And,
    ColumnComparison,
    Comparison,
    Everything,
    Membership,
    Not,
    Or,
    Prefix,
    Span,
    conjunction,
    parse,
    text_of,
)


@pytest.fixture
def tree(schema):
    return lambda text: parse(text, schema)


@pytest.fixture
def is_(schema):
    """The comparison of a column with a value."""
    return lambda name, value, operator="=": Comparison(schema[name], operator, value)


@pytest.mark.parametrize("text", ["", "  \n\t", "-- nothing", "/* nothing */ -- at all\n"])
def test_a_text_without_a_condition_is_everything(tree, text):
    assert tree(text) == Everything()


def test_and_binds_tighter_than_or_and_not_tightest(tree, is_):
    a, b, c = is_("SrcAS", 1), is_("SrcAS", 2), is_("SrcAS", 3)
    assert tree("SrcAS=1 OR SrcAS=2 AND SrcAS=3") == Or((a, And((b, c))))
    assert tree("(SrcAS=1 OR SrcAS=2) AND SrcAS=3") == And((Or((a, b)), c))
    assert tree("NOT SrcAS=1 AND SrcAS=2") == And((Not(a), b))
    assert tree("NOT (SrcAS=1 AND SrcAS=2)") == Not(And((a, b)))


def test_nested_conditions_of_one_kind_are_one(tree, is_):
    a, b, c = is_("SrcAS", 1), is_("SrcAS", 2), is_("SrcAS", 3)
    assert tree("SrcAS=1 AND (SrcAS=2 AND (SrcAS=3))") == And((a, b, c)) == conjunction(a, And((b, c)), Everything())


def test_keywords_columns_and_names_ignore_case(tree, is_):
    assert tree("nOt srcas in (1) oR PROTO = UDP aNd inifboundary = EXTERNAL") == Or(
        (Not(tree("SrcAS IN (1)")), And((is_("Proto", 17), is_("InIfBoundary", "external"))))
    )


def test_comments_end_words(tree, is_):
    assert tree("SrcAS=1--c\n") == tree("SrcAS/**/=/* -- */1/*c*/") == is_("SrcAS", 1)
    assert tree("InIfName = a-b--c") == is_("InIfName", "a-b")


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("SrcAS = AS15169", "SrcAS", 15169),
        ("SrcAS = as15169", "SrcAS", 15169),
        ("SrcAS = 15169", "SrcAS", 15169),
        ("SrcAS = AS1.10", "SrcAS", 65546),
        ("SrcAS = 1.10", "SrcAS", 65546),
        ("SrcAS = Hetzner", "SrcAS", (24940, 213230)),
        ('SrcAS = "deutsche telekom"', "SrcAS", 3320),
        ("SrcAS = hurricane-electric", "SrcAS", 6939),
        ("DstPort = https", "DstPort", 443),
        ("DstPort = HTTPS", "DstPort", 443),
        ("DstPort = dns", "DstPort", 53),
        ("DstPort = ipsec-nat-t", "DstPort", 4500),
        ("Proto = icmpv6", "Proto", 58),
        ("Proto = ipv6-icmp", "Proto", 58),
        ('Proto = "tcp"', "Proto", 6),
        ("Proto = 0x11", "Proto", 17),
        ("EType = ipv6", "EType", 0x86DD),
        ("EType = 0x86dd", "EType", 0x86DD),
        ("SrcCountry = de", "SrcCountry", "DE"),
        ("SrcCountry = DEU", "SrcCountry", "DE"),
        ("SrcCountry = germany", "SrcCountry", "DE"),
        ('SrcCountry = "United States"', "SrcCountry", "US"),
        ("SrcCountry = united-states", "SrcCountry", "US"),
        ("SrcCountry = UK", "SrcCountry", "GB"),
        ("SrcCountry = IN", "SrcCountry", "IN"),
        ("SrcCountry = NO", "SrcCountry", "NO"),
        ("SrcCountry = eu", "SrcCountry", "EU"),
        ('SrcCountry = ""', "SrcCountry", ""),
        ("SrcMAC = 00:1b:21:0a:0b:0c", "SrcMAC", 0x001B210A0B0C),
        ("SrcMAC = 00-1B-21-0A-0B-0C", "SrcMAC", 0x001B210A0B0C),
        ("SrcMAC = 001b.210a.0b0c", "SrcMAC", 0x001B210A0B0C),
        ("SrcMAC = 001b210a0b0c", "SrcMAC", 0x001B210A0B0C),
        ("SrcAddr = 192.0.2.1", "SrcAddr", bytes(10) + b"\xff\xff\xc0\x00\x02\x01"),
        ("SrcAddr = ::ffff:192.0.2.1", "SrcAddr", bytes(10) + b"\xff\xff\xc0\x00\x02\x01"),
        ("SrcAddr = ::1", "SrcAddr", bytes(15) + b"\x01"),
        ("Bytes = 10k", "Bytes", 10_000),
        ("Bytes = 10kB", "Bytes", 10_000),
        ("Bytes = 1.5M", "Bytes", 1_500_000),
        ("Bytes = 2Gi", "Bytes", 2 * 1024**3),
        ("Bytes = 2gib", "Bytes", 2 * 1024**3),
        ("Packets = 3T", "Packets", 3 * 10**12),
        ("InIfSpeed = 10G", "InIfSpeed", 10_000),
        ("InIfSpeed = 10Gbps", "InIfSpeed", 10_000),
        ("InIfSpeed = 10000", "InIfSpeed", 10_000),
        ("TCPFlags = 0x12", "TCPFlags", 18),
        ("DstCommunities = 65000:100", "DstCommunities", 65000 << 16 | 100),
        ("DstASPath = AS174", "DstASPath", 174),
        ("FlowProtocol = netflow-v9", "FlowProtocol", "netflow-v9"),
        ("InIfName = eth0/1.100", "InIfName", "eth0/1.100"),
        ("InIfName = 'Src'", "InIfName", "Src"),
        ('InIfName = "OutIfName"', "InIfName", "OutIfName"),
        ("InIfName = 10.0.0.1", "InIfName", "10.0.0.1"),
        ("InIfName = AS15169", "InIfName", "AS15169"),
        ("ExporterName = grüße", "ExporterName", "grüße"),
        (r'InIfName = "a\"b\\c\n\u00e9\d"', "InIfName", 'a"b\\c\né\\d'),
        ("InIfName = 'it\\'s'", "InIfName", "it's"),
        ("SrcNetMask = 24", "SrcNetMask", 24),
    ],
)
def test_values(tree, is_, schema, text, column, value):
    if isinstance(value, tuple):
        assert tree(text) == Membership(schema[column], value)
        assert tree(text.replace("=", "!=")) == Membership(schema[column], value, negated=True)
    else:
        assert tree(text) == is_(column, value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:30", datetime(2026, 1, 31, 12, 30, tzinfo=UTC)),
        ("2026-01-31 12:30:01", datetime(2026, 1, 31, 12, 30, 1, tzinfo=UTC)),
        ("2026-01-31T12:30:01.250Z", datetime(2026, 1, 31, 12, 30, 1, 250_000, tzinfo=UTC)),
        ('"2026-01-31T12:30:00+02:00"', datetime(2026, 1, 31, 10, 30, tzinfo=UTC)),
        ("2026-01-31t12:30:00-02:00", datetime(2026, 1, 31, 14, 30, tzinfo=UTC)),
    ],
)
def test_times_are_utc_unless_they_say_otherwise(tree, is_, text, moment):
    assert tree(f"TimeReceived >= {text}") == is_("TimeReceived", round(moment.timestamp() * 1000), ">=")


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("2001:db8::/32", "2001:db8::/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("::/0", "::/0"),
    ],
)
def test_subnets(tree, text, network):
    found = tree(f"SrcAddr << {text}")
    assert (found.operator, found.value.text) == ("<<", network)
    assert found.value.first <= found.value.last


def test_an_address_column_equal_to_a_subnet_is_inside(tree):
    assert tree("SrcAddr = 10.0.0.0/8") == tree("SrcAddr << 10.0.0.0/8")
    assert tree("SrcAddr != 10.0.0.0/8") == tree("SrcAddr !<< 10.0.0.0/8")


def test_lists_mix_values_ranges_and_subnets(tree, schema):
    assert tree("DstPort IN (80, https, 8000-8100, 80)") == Membership(schema["DstPort"], (80, 443, Span(8000, 8100)))
    found = tree("SrcAddr NOT IN (10.0.0.0/8, ::1, 192.0.2.1-192.0.2.9)")
    assert [type(item) for item in found.items] == [Prefix, bytes, Span]
    assert found.negated


@pytest.mark.parametrize(
    "text",
    ["DstPort = 80-90", "DstPort BETWEEN 80 AND 90", "DstPort IN (80 - 90)", "DstPort = http - 90", "DstPort = 80 -90"],
)
def test_ranges(tree, schema, text):
    assert tree(text) == Membership(schema["DstPort"], (Span(80, 90),))


@pytest.mark.parametrize("text", ["DstPort != 80-90", "DstPort NOT BETWEEN 80 AND 90", "DstPort NOTIN (80-90)"])
def test_ranges_that_are_left_out(tree, schema, text):
    assert tree(text) == Membership(schema["DstPort"], (Span(80, 90),), negated=True)


def test_a_list_on_a_column_of_lists_asks_for_any_of_them(tree, is_):
    first, second = is_("DstASPath", 1), is_("DstASPath", 2)
    assert tree("DstASPath IN (AS1, 2)") == Or((first, second))
    assert tree("DstASPath NOT IN (AS1, 2)") == And((is_("DstASPath", 1, "!="), is_("DstASPath", 2, "!=")))
    assert tree("DstASPath IN (AS1)") == first


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("LIKE", "like"), ("NOT LIKE", "not-like"), ("UNLIKE", "not-like"), ("ILIKE", "ilike"),
        ("not ilike", "not-ilike"), ("IUNLIKE", "not-ilike"), ("~", "~"), ("!~", "!~"), ("==", "="), ("<>", "!="),
    ],
)  # fmt: skip
def test_operators_of_texts(tree, is_, text, operator):
    assert tree(f'InIfName {text} "a.b"') == is_("InIfName", "a.b", operator)


@pytest.mark.parametrize(
    "name",
    ["eth0", "ge-0/0/0.100", "xe-0/0/0:1", "Ethernet1/1/1", "TenGigE0/0/0/1", "100GE1/0/1", "1/1/1", "lag-1", "irb.5",
     "2001-edge", "a:b", "10.0.0.1/eth", "AS1-core", "in-1", "not_me", "and.b", "%any%", "vlan_10", "3com", "10Gx"],
)  # fmt: skip
def test_names_of_interfaces_need_no_quotes(tree, is_, name):
    assert tree(f"InIfName = {name}") == is_("InIfName", name)
    assert tree(f"InIfName IN ({name},{name})").items == (name,)


def test_patterns_need_no_second_backslash(tree, is_):
    assert tree(r'InIfName ~ "^\d+\.\w"') == is_("InIfName", r"^\d+\.\w", "~")
    assert tree(r'InIfName LIKE "100\%"') == is_("InIfName", r"100\%", "like")


def test_two_columns(tree, schema):
    assert tree("srcas = dstas") == ColumnComparison(schema["SrcAS"], "=", schema["DstAS"])
    assert tree("InIfName <> OutIfName") == ColumnComparison(schema["InIfName"], "!=", schema["OutIfName"])
    assert tree("SrcPort < DstPort") == ColumnComparison(schema["SrcPort"], "<", schema["DstPort"])
    assert tree("InIfBoundary = OutIfBoundary").right.name == "OutIfBoundary"


def test_a_duration_shifts_a_time_column(tree, schema):
    end, start = schema["TimeFlowEnd"], schema["TimeFlowStart"]
    assert tree("TimeFlowEnd > TimeFlowStart + 90s") == ColumnComparison(end, ">", start, 90_000)
    assert tree("TimeFlowStart < TimeFlowEnd - 1.5h") == ColumnComparison(start, "<", end, -5_400_000)
    assert tree("TimeFlowEnd >= TimeFlowStart+1d").offset == 86_400_000


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("srcas in (google, 1, as1)", "SrcAS IN (AS15169, AS1)"),
        ("(SrcAS=1) and ((SrcAS=2) or SrcAS=3)", "SrcAS = AS1 AND (SrcAS = AS2 OR SrcAS = AS3)"),
        ("not (not (proto = 6))", "NOT NOT Proto = tcp"),
        ("InIfProvider = cogent", 'InIfProvider = "cogent"'),
        ("SrcCountry in (IN, DE, France)", "SrcCountry IN (IN, DE, FR)"),
        ("timereceived > '2026-01-31 12:00'", "TimeReceived > 2026-01-31T12:00:00Z"),
        ("timereceived = 2026-01-31 - 2026-02-01", "TimeReceived IN (2026-01-31T00:00:00Z - 2026-02-01T00:00:00Z)"),
        ("SrcMAC = 001b210a0b0c", "SrcMAC = 00:1b:21:0a:0b:0c"),
        ("DstCommunities = 65000:100", "DstCommunities = 65000:100"),
        ("EType = 2048 or EType = 2049", "EType = ipv4 OR EType = 2049"),
        ("InIfName notin ('a', \"b\")", 'InIfName NOT IN ("a", "b")'),
        ("TimeFlowEnd > TimeFlowStart + 5400s", "TimeFlowEnd > TimeFlowStart + 90m"),
        ("Proto between 1 and 6", "Proto IN (icmp - tcp)"),
        ("SrcAddr = 10.1.1.1/8", "SrcAddr << 10.0.0.0/8"),
        ("", ""),
    ],
)
def test_canonical_text(tree, text, canonical):
    assert text_of(tree(text)) == canonical
