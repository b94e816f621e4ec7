"""What a click on a value adds to a filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.errors import QueryError
from millrace.lang import Everything, parse, text_of
from millrace.query import Asking, Clause, SearchQuestion, clauses_filter, missing

from .stored_flows import BASE, SCHEMA, flow


def text(*clauses):
    return text_of(clauses_filter([Clause(*clause) for clause in clauses], SCHEMA))


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        (("SrcAS", 15169), "SrcAS = AS15169"),
        (("SrcAS", 15169.0), "SrcAS = AS15169"),
        (("SrcAS", None), "SrcAS = AS0"),
        (("SamplingRate", None), "SamplingRate = 1"),
        (("SamplingRate", "18446744073709551615"), "SamplingRate = 18446744073709551615"),
        (("Proto", 6), "Proto = tcp"),
        (("SrcAddr", "192.0.2.1"), "SrcAddr = 192.0.2.1"),
        (("SrcAddr", "2001:db8::1"), "SrcAddr = 2001:db8::1"),
        (("SrcAddr", None), "SrcAddr = ::"),
        (("SrcAddr", "192.0.2.0/24"), "SrcAddr << 192.0.2.0/24"),
        (("SrcAddr", "192.0.2.7/24"), "SrcAddr << 192.0.2.0/24"),
        (("SrcAddr", "192.0.2.7/32"), "SrcAddr = 192.0.2.7"),
        (("SrcAddr", "::/0"), "SrcAddr << ::/0"),
        (("SrcAddr", "2001:db8::/32", True), "SrcAddr !<< 2001:db8::/32"),
        (("SrcMAC", "00:1B:21:0a:0b:0c"), "SrcMAC = 00:1b:21:0a:0b:0c"),
        (("FlowDirection", "ingress"), "FlowDirection = ingress"),
        (("FlowDirection", "ingress", True), "FlowDirection != ingress"),
        (("InIfProvider", 'a "b" \\ \n'), None),
        (("InIfProvider", None), 'InIfProvider = ""'),
        (("TimeFlowStart", "2026-01-31T12:00:00.250Z"), "TimeFlowStart = 2026-01-31T12:00:00.250Z"),
        (("TimeFlowStart", "2026-01-31T13:00:00+01:00"), "TimeFlowStart = 2026-01-31T12:00:00Z"),
        (("TimeFlowStart", None), "TimeFlowStart = 1970-01-01T00:00:00Z"),
        (("DstCommunities", ["64500:7", "1:2"]), "DstCommunities = 64500:7 AND DstCommunities = 1:2"),
        (("DstCommunities", "64500:7", True), "DstCommunities != 64500:7"),
        (("DstASPath", [1, 2], True), "NOT (DstASPath = AS1 AND DstASPath = AS2)"),
        (("MPLSLabels", [16]), "MPLSLabels = 16"),
    ],
)
def test_values_become_conditions_that_the_language_reads(clause, expected):
    made = clauses_filter([Clause(*clause)], SCHEMA)
    if expected is not None:
        assert text_of(made) == expected
    assert parse(text_of(made), SCHEMA) == made


def test_values_of_one_column_are_alternatives_and_columns_restrict_each_other():
    assert text(("SrcAS", 1), ("SrcAS", 2), ("DstAS", 3)) == "SrcAS IN (AS1, AS2) AND DstAS = AS3"
    assert text(("SrcAS", 1, True), ("SrcAS", 2, True)) == "SrcAS NOT IN (AS1, AS2)"
    assert text(("SrcAddr", "10.0.0.0/8"), ("SrcAddr", "192.0.2.1")) == "SrcAddr IN (10.0.0.0/8, 192.0.2.1)"
    assert text(("SrcAS", 1), ("SrcAS", 1)) == "SrcAS = AS1"
    assert text() == ""


def test_what_a_filter_says_already_is_not_missing():
    before = parse("SrcAS = 1 AND Proto = tcp", SCHEMA)
    wanted = clauses_filter([Clause("Proto", 6), Clause("DstAS", 2)], SCHEMA)
    assert text_of(missing(before, wanted)) == "DstAS = AS2"
    assert missing(before, clauses_filter([Clause("SrcAS", 1)], SCHEMA)) == Everything()


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        (("SrcAsn", 1), "did you mean 'SrcAS'"),
        (("SrcAS", -1), "not between 0 and"),
        (("SrcAS", 2**32), "not between 0 and"),
        (("SrcAS", True), "not a number"),
        (("SrcAS", "x"), "not a number"),
        (("SrcAS", float("nan")), "not a number"),
        (("SrcAS", [1]), "single value"),
        (("SrcAddr", "nowhere"), "neither an address nor a prefix"),
        (("SrcAddr", "fe80::1%eth0"), "neither an address nor a prefix"),
        (("SrcAddr", 7), "neither an address nor a prefix"),
        (("SrcMAC", "00:1b"), "not a MAC address"),
        (("FlowDirection", "ingres"), "did you mean 'ingress'"),
        (("InIfName", 5), "a text is expected"),
        (("TimeFlowEnd", "yesterday"), "not a time"),
        (("DstCommunities", "64500:70000"), "not a number"),
        (("DstASPath", []), "empty list"),
    ],
)
def test_values_that_are_none_of_the_column_are_refused(clause, words):
    with pytest.raises(QueryError, match=words):
        text(clause)


def test_too_many_clauses_are_refused():
    with pytest.raises(QueryError, match="too many"):
        clauses_filter([Clause("SrcAS", number) for number in range(101)], SCHEMA)


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=40), st.ip_addresses().map(str),
    st.lists(st.one_of(st.text(max_size=10), st.integers()), max_size=4),
    st.builds("{}/{}".format, st.ip_addresses(), st.integers(-1, 130)),
    st.datetimes().map(str),
)  # fmt: skip


@given(st.sampled_from(SCHEMA.names), VALUES, st.booleans())
def test_any_value_is_refused_or_read_back(column, value, exclude):
    try:
        made = clauses_filter([Clause(column, value, exclude)], SCHEMA)
        read = parse(text_of(made), SCHEMA)
    except QueryError:
        return
    assert text_of(read) == text_of(made)


def test_every_value_of_a_flow_finds_that_flow(store, engine):
    store.insert(
        [
            flow(1, TimeFlowStart=(BASE + 1) * 1000 + 5, SrcMAC=77, SrcPort=443, Proto=6, EType=0x86DD, SrcCountry="FR",
                 DstASPath=[1, 2], DstCommunities=[65536], MPLSLabels=[16], InIfName='it\'s "x"',
                 FlowDirection="egress", TunnelType="gtp-u", FlowProtocol="netflow-v9")
        ]
    )  # fmt: skip
    asking = Asking(BASE + 60.0)
    page = engine.search(SearchQuestion(), asking)
    shown = engine.record(page.ids[0], asking).columns
    for name, value in shown.items():
        if value in (None, 0, "", [], "::") or name == "TimeReceived":
            continue
        condition = text((name, value))
        assert engine.search(SearchQuestion(filter=condition), asking).flows, condition
        contrary = text((name, value, True))
        assert not engine.search(SearchQuestion(filter=contrary), asking).flows, contrary
